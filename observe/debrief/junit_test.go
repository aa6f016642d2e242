package debrief_test

import (
	"encoding/xml"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// report is what a CI system reads of a JUnit report.
type report struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Suites   []struct {
		Name       string `xml:"name,attr"`
		Timestamp  string `xml:"timestamp,attr"`
		Properties []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"properties>property"`
		Cases []struct {
			Class   string `xml:"classname,attr"`
			Name    string `xml:"name,attr"`
			Time    string `xml:"time,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
			Error *struct {
				Message string `xml:"message,attr"`
			} `xml:"error"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func junit(t testing.TB, suites ...debrief.Suite) (report, string) {
	t.Helper()
	var b strings.Builder
	if err := debrief.JUnit(&b, suites); err != nil {
		t.Fatal(err)
	}
	var r report
	if err := xml.Unmarshal([]byte(b.String()), &r); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return r, b.String()
}

func suite(t *testing.T, name string) debrief.Suite {
	t.Helper()
	events := load(t, name)
	return debrief.SuiteOf(timeline.Of(events, events[len(events)-1].At))
}

func TestJUnit(t *testing.T) {
	r, text := junit(t, suite(t, "met"), suite(t, "undetected"), suite(t, "dirty"), suite(t, "refused-later"),
		debrief.NotRun("orders-denied", "staging", "", "not injecting: orders carries no tag firedrill", false))
	golden(t, "junit.xml", text)
	if len(r.Suites) != 5 || r.Suites[0].Timestamp != "2026-03-02T09:00:00Z" && r.Suites[0].Timestamp == "" {
		t.Errorf("%+v", r)
	}
	met := r.Suites[0]
	if met.Name != "orders-write-throttle" || met.Cases[0].Class != "firedrill.staging.orders-write-throttle" {
		t.Errorf("%+v", met)
	}
	var names []string
	for _, c := range met.Cases {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); !strings.HasPrefix(got, "drill effective detect acknowledge") || !strings.HasSuffix(got, "put back") {
		t.Error(got)
	}
}

// Whatever a run came to, its suite is green where, and only where, its exit code is 0, and skipped, with nothing red,
// where it may start later.
func TestJUnitIsAsTheExitCode(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "timeline", "testdata", "*.jsonl"))
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	seen := map[timeline.Outcome]bool{}
	for _, f := range files {
		events := load(t, strings.TrimSuffix(filepath.Base(f), ".jsonl"))
		for n := 1; n <= len(events); n++ {
			line := timeline.Of(events[:n], events[n-1].At)
			if line.Brief.Drill == "" {
				continue
			}
			r, text := junit(t, debrief.SuiteOf(line))
			red := r.Failures + r.Errors
			if code := timeline.ExitCode(line.Outcome, line.Later); (red == 0) != (code == 0 || code == 75) || code == 75 && r.Skipped == 0 {
				t.Errorf("%s, %d events: %s, exit %d:\n%s", f, n, line.Outcome, code, text)
			}
			if r.Tests != len(r.Suites[0].Cases) {
				t.Errorf("%d cases are counted as %d", len(r.Suites[0].Cases), r.Tests)
			}
			seen[line.Outcome] = true
		}
	}
	for _, o := range []timeline.Outcome{timeline.Met, timeline.Missed, timeline.Undetected, timeline.Unanswered, timeline.Invalid, timeline.Refused,
		timeline.Aborted, timeline.Interrupted, timeline.Dirty, ""} {
		if !seen[o] {
			t.Logf("no journal of testdata ended %q", o)
		}
	}
}

func TestJUnitSentences(t *testing.T) {
	for name, want := range map[string][]string{
		"undetected":    {"drill|Undetected: no alarm of theirs saw it before our page.", "detect|Missed: detect was expected within 5m: "},
		"unanswered":    {"drill|Unanswered: somebody was paged, and no person acknowledged."},
		"dirty":         {"put back|Left in place: ", "drill|Dirty: something could not be put back."},
		"refused":       {"drill|Not injecting: orders carries no tag firedrill."},
		"refused-later": {"drill|Not now: held by another run."},
		"aborted":       {"drill|Aborted: a real incident is open."},
		"interrupted":   {"drill|Interrupted: "},
		"invalid":       {"drill|Invalid: the fault went in and was never felt"},
	} {
		var said []string
		for _, c := range suite(t, name).Cases {
			said = append(said, c.Name+"|"+c.Says)
			if c.Result == debrief.Passed && c.Says != "" || c.Result != debrief.Passed && c.Says == "" {
				t.Errorf("%s: %+v", name, c)
			}
		}
		for _, w := range want {
			if !strings.Contains("\n"+strings.Join(said, "\n"), "\n"+w) {
				t.Errorf("%s: no %q in\n%s", name, w, strings.Join(said, "\n"))
			}
		}
	}
}

// Whatever people, alarms and services wrote, the report can be read, and a workflow command stays one line and one command.
func TestReportsOfHostileText(t *testing.T) {
	base := load(t, "met")
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"]]>", "<failure/>", "\x00\x1b[31m", "a\r\n::error::b", "%0A::error::x", "\xff", "a:b,c"})).Draw(rt, "text")
		events := with(base, at(base, 100, journal.AbortRequested, journal.Fact{Reason: "foreign_incident", Why: text}))
		events[0].Fact.Brief.Title = text
		line := timeline.Of(events, events[len(events)-1].At)
		s := debrief.SuiteOf(line)
		s.Drill = text
		junit(t, s, debrief.NotRun(text, text, text, text, true))
		var b strings.Builder
		if err := debrief.Annotations(&b, s); err != nil {
			rt.Fatal(err)
		}
		for l := range strings.Lines(b.String()) {
			if !strings.HasPrefix(l, "::") || strings.ContainsAny(strings.TrimSuffix(l, "\n"), "\r\n") {
				rt.Fatalf("%q", b.String())
			}
			title, _, ok := strings.Cut(strings.TrimPrefix(l, "::error title="), "::")
			if ok && strings.ContainsAny(title, ",") {
				rt.Fatalf("%q", l)
			}
		}
		if strings.Count(b.String(), "\n") != red(s) {
			rt.Fatalf("%d annotations: %s", red(s), b.String())
		}
	})
}

func red(s debrief.Suite) (n int) {
	for _, c := range s.Cases {
		if c.Result == debrief.Failure || c.Result == debrief.Error || c.Result == debrief.Skipped && c.Name == debrief.CaseDrill {
			n++
		}
	}
	return n
}

func TestAnnotations(t *testing.T) {
	say := func(s debrief.Suite) string {
		var b strings.Builder
		if err := debrief.Annotations(&b, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if got := say(suite(t, "met")); got != "" {
		t.Errorf("a met run says %q", got)
	}
	for name, want := range map[string]string{
		"undetected":    "::warning title=orders-write-throttle%3A detect::Missed: detect was expected within 5m: ",
		"dirty":         "::error title=orders-write-throttle%3A put back::Left in place: ",
		"refused":       "::error title=orders-write-throttle::Not injecting: ",
		"refused-later": "::notice title=orders-write-throttle::Not now: ",
	} {
		if got := say(suite(t, name)); !strings.Contains("\n"+got, "\n"+want) {
			t.Errorf("%s says %q", name, got)
		}
	}
	odd := debrief.Suite{Drill: "a:b,c", Cases: []debrief.Case{{Name: debrief.CaseDrill, Result: debrief.Error, Says: "100% of\r\nit: a,b"}}}
	if got := say(odd); got != "::error title=a%3Ab%2Cc::100%25 of%0D%0Ait: a,b\n" {
		t.Errorf("%q", got)
	}
}
