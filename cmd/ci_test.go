package cmd

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// written reads a file that must be there.
func written(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// cases are the cases of a JUnit report: suite, case and what became of it.
func cases(t *testing.T, path string) string {
	t.Helper()
	var r struct {
		Suites []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name string `xml:"name,attr"`
				Of   []struct {
					XMLName xml.Name
					Message string `xml:"message,attr"`
				} `xml:",any"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(written(t, path)), &r); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			line := s.Name + "/" + c.Name
			for _, of := range c.Of {
				line += " " + of.XMLName.Local + ": " + of.Message
			}
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// job is a desk where a CI job works, with two drills that are about to be run.
func job(t *testing.T) (*desk, *papers, string) {
	t.Helper()
	d, dir := newDesk(t), t.TempDir()
	d.env["GITHUB_ACTIONS"], d.env["GITHUB_STEP_SUMMARY"] = "true", filepath.Join(dir, "summary.md")
	return d, &papers{junit: filepath.Join(dir, "papers", "junit.xml"), artifacts: filepath.Join(dir, "papers")}, dir
}

func plans(names ...string) (all []*drills.Plan) {
	for _, n := range names {
		all = append(all, &drills.Plan{Run: "01run-" + n, Drill: n, Environment: "staging"})
	}
	return all
}

// Two drills side by side: one ends, with a secret in what somebody wrote, and then firedrill is given up.
func TestPapersOfSeveralRuns(t *testing.T) {
	d, p, dir := job(t)
	d.known.learn("correct-horse")
	d.tell(t, tale{run: "01run-orders", drill: "orders", env: "staging", planned: time.Now(), outcome: "dirty", left: []string{"of correct-horse"}})
	gone := tale{run: "01run-orders", drill: "orders", env: "staging", planned: time.Now(), outcome: "dirty", left: []string{"of correct-horse"},
		kinds: []journal.Kind{journal.FaultPrepared, journal.FaultApplied}}
	given := &exitError{exitDirty, &hinted{errors.New("gave up at the third signal"), "firedrill recover"}}
	err := d.reported(t.Context(), p, []string{"orders", "payments"}, func() error {
		if got := cases(t, p.junit); strings.Count(got, " error: "+unfinished) != 2 {
			t.Errorf("before anything has begun: %s", got)
		}
		p.began(plans("orders", "payments")...)
		if got := written(t, p.artifacts, "runs"); got != "01run-orders\n01run-payments\n" {
			t.Errorf("runs: %q", got)
		}
		events := gone.events(t)
		events = append(events, journal.Event{Kind: journal.NoteWritten, At: time.Now(), Fact: journal.Fact{By: "ben", Text: "the password is correct-horse"}})
		d.papers.ended("01run-orders", events)
		if got := cases(t, p.junit); !strings.Contains(got, "payments/drill error: "+unfinished) || !strings.Contains(got, "orders/put back error: Left in place: ") {
			t.Errorf("while one goes on: %s", got)
		}
		if _, err := os.Stat(filepath.Join(p.artifacts, "exit")); err == nil {
			t.Error("the exit code is written before the exit")
		}
		return given
	})
	if !errors.Is(err, given) {
		t.Errorf("the run ended with %v", err)
	}
	if got := cases(t, p.junit); !strings.Contains(got, "payments/drill error: gave up at the third signal. Try: firedrill recover.") {
		t.Errorf("%s", got)
	}
	if got := written(t, p.artifacts, "exit"); got != "5\n" {
		t.Errorf("exit: %q", got)
	}
	page := written(t, dir, "summary.md")
	if !strings.Contains(page, "## Writes are slow: dirty\n") || !strings.Contains(page, "## payments: it did not run\n") {
		t.Errorf("%s", page)
	}
	said := d.out.String()
	if !strings.Contains(said, "::error title=orders%3A put back::Left in place: ") || strings.Count(said, "title=payments::") != 1 {
		t.Errorf("annotations: %s", said)
	}
	for _, name := range []string{"debrief.md", "journal.jsonl", "status.json", "metrics.prom"} {
		if written(t, p.artifacts, "orders", name) == "" {
			t.Errorf("%s is empty", name)
		}
	}
	_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, _ error) error {
		if e.IsDir() {
			return nil
		}
		if strings.HasPrefix(e.Name(), ".firedrill-") || strings.Contains(written(t, path), "correct-horse") {
			t.Errorf("%s is left behind, or has a secret in it", path)
		}
		return nil
	})
}

// A drill that is refused before there is a journal leaves its papers too, and the reason is the one that was printed.
func TestPapersOfADrillThatIsRefused(t *testing.T) {
	for _, c := range []struct {
		err         error
		junit, page string
	}{
		{&drills.Refusal{Code: "window", Why: "outside the window", Later: true, Try: "again on Monday"},
			"orders/drill skipped: not injecting: outside the window", "## orders: not now\n"},
		{&drills.Refusal{Code: "tags", Why: "orders carries no tag", Try: "tag it"},
			"orders/drill error: not injecting: orders carries no tag", "## orders: it did not run\n"},
		{usage("which environment?"), "orders/drill error: which environment?.", "## orders: it did not run\n"},
	} {
		d, p, dir := job(t)
		if err := d.reported(t.Context(), p, []string{"drills/orders.yaml"}, func() error { return c.err }); !errors.Is(err, c.err) {
			t.Error(err)
		}
		if got := cases(t, p.junit); !strings.HasPrefix(got, c.junit) || !strings.Contains(got, tryOf(c.err)) {
			t.Errorf("%q, want %q", got, c.junit)
		}
		if got := written(t, dir, "summary.md"); !strings.HasPrefix(got, c.page) {
			t.Errorf("%q, want %q", got, c.page)
		}
	}
}

// What cannot be written is found before anything is touched, and nothing else is.
func TestPapersThatCannotBeWritten(t *testing.T) {
	d, p, dir := job(t)
	for _, p := range []*papers{{junit: filepath.Join(dir, "nowhere", "j.xml")}, {summary: dir}, {artifacts: os.DevNull}, {junit: os.DevNull}} {
		err := d.reported(t.Context(), p, []string{"orders"}, func() error {
			t.Errorf("%+v: it is run all the same", p)
			return nil
		})
		if codeOf(err) != exitUsage {
			t.Error(err)
		}
	}
	// Where the page of the job is lost, the drill is not.
	d.env["GITHUB_STEP_SUMMARY"] = filepath.Join(dir, "nowhere", "summary.md")
	if err := d.reported(t.Context(), p, []string{"orders"}, func() error { return usage("no") }); codeOf(err) != exitUsage || strings.Count(d.err.String(), "write summary") != 1 {
		t.Errorf("%v: %s", err, &d.err)
	}
}

func TestThePageOfAJobHasAnEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary.md")
	for range 40 {
		if err := appendTo(path, strings.Repeat("a line\n", 8000)); err != nil {
			t.Fatal(err)
		}
	}
	text := written(t, path)
	if len(text) > 1<<20 || strings.Count(text, "There is more than fits here") != 1 {
		t.Errorf("%d bytes", len(text))
	}
}

func TestWhereTheDebriefIs(t *testing.T) {
	d, p, _ := job(t)
	story := tale{run: "01run-orders", drill: "orders", env: "staging", planned: time.Now()}
	page := func() string {
		p.d, p.page = d.Deps, filepath.Join(t.TempDir(), "page.md")
		events := story.events(t)
		for i := range events {
			events[i].Run = story.run
		}
		p.ended(story.run, events)
		return written(t, p.page)
	}
	p.artifacts = ""
	if got := page(); !strings.Contains(got, "`firedrill debrief 01run-orders`") {
		t.Error(got)
	}
	p.artifacts = t.TempDir()
	if got := page(); !strings.Contains(got, p.artifacts+"/orders/debrief.md`") {
		t.Error(got)
	}
	d.env["CI_JOB_URL"] = "https://gitlab.example.com/-/jobs/7"
	if got := page(); !strings.Contains(got, "(<https://gitlab.example.com/-/jobs/7/artifacts/browse>)") {
		t.Error(got)
	}
	d.env["GITHUB_SERVER_URL"], d.env["GITHUB_REPOSITORY"], d.env["GITHUB_RUN_ID"] = "https://github.com", "example/shop", "12"
	if got := page(); !strings.Contains(got, "`orders/debrief.md` among [the job's artifacts](<https://github.com/example/shop/actions/runs/12#artifacts>)") {
		t.Error(got)
	}
}

// Metrics go to the environment's gateway when a verb is done, each drill's as a group of its own; what does not arrive is
// one notice and no exit code.
func TestMetricsArePushed(t *testing.T) {
	var paths []string
	status := http.StatusOK
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.Method+" "+r.URL.Path)
		w.WriteHeader(status)
	}))
	defer gateway.Close()
	d := newDesk(t)
	file := `environments: {staging: {aws: {account: "111122223333", regions: [eu-west-1]}, tags: {environment: staging}, window: {days: mon-fri, hours: "10:00-16:00", zone: UTC}, ` +
		`pagerduty: {token: "env:T", from: a@example.com}, owner: {key: "env:O"}, teams: {orders: {service: PORDERS, key: "env:K"}}, metrics: {pushgateway: "` + gateway.URL + `"}}}`
	d.env["FIREDRILL_CONFIG"] = filepath.Join(t.TempDir(), "firedrill.yaml")
	if err := os.WriteFile(d.env["FIREDRILL_CONFIG"], []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	d.tell(t, tale{run: "01run-a", drill: "orders", env: "staging", planned: time.Now(), outcome: "met"}, tale{run: "01run-b", drill: "orders", env: "sandbox", planned: time.Now(), outcome: "met"})
	for _, x := range [][2]string{{"staging", "orders"}, {"staging", "orders"}, {"sandbox", "orders"}} {
		d.pushes.changed(x[0], x[1])
	}
	d.push(t.Context())
	if len(paths) != 1 || !strings.HasPrefix(paths[0], "PUT /metrics/job/firedrill/") || d.err.Len() > 0 {
		t.Errorf("%v %s", paths, &d.err)
	}
	if d.push(t.Context()); len(paths) != 1 {
		t.Error("pushed again, and nothing has changed")
	}
	status = http.StatusInternalServerError
	d.pushes.changed("staging", "orders")
	d.pushes.changed("staging", "payments")
	d.push(t.Context())
	if got := d.err.String(); len(paths) != 3 || strings.Count(got, "\n") != 1 || !strings.Contains(got, "the metrics are not pushed: ") {
		t.Errorf("%v %q", paths, got)
	}
}
