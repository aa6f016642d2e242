package drills

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
	"github.com/firedrill/firedrill/observe/timeline"
)

var updateGolden = flag.Bool("update-golden", false, "write the golden timelines anew")

// What a plan warns of and what a timeline finds are the same words: neither package may import the other.
func TestVerdictsAreTheFates(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "observe", "observe.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var verdicts []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Verdict" {
			return true
		}
		for _, v := range spec.Values {
			word, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			verdicts = append(verdicts, word)
		}
		return true
	})
	var fates []string
	for _, f := range timeline.Fates() {
		fates = append(fates, string(f))
	}
	slices.Sort(verdicts)
	slices.Sort(fates)
	if d := cmp.Diff(verdicts, fates); d != "" || len(verdicts) < 10 {
		t.Errorf("observe's verdicts and the timeline's fates: -observe +timeline\n%s", d)
	}
}

// Log entries as PagerDuty recorded them, read by our client, kept as the journal keeps them, told as a timeline: newest
// first, with an agent that has no type, one notification that failed, a time-out, an escalation, tools that act in
// people's names, and an address or two that nobody may see.
func TestRecordedEntriesAreTold(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "observe", "testdata", "log_entries.json"))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"log_entries": %s, "limit": 100, "offset": 0, "more": false}`, raw)
	}))
	defer srv.Close()
	zero := time.Date(2026, 11, 21, 20, 28, 0, 0, time.UTC)
	pager, err := observe.NewPagerDuty(observe.PagerOptions{API: srv.URL, Events: srv.URL, Token: "test", Bots: []string{"PBOT"},
		Now: func() time.Time { return zero }})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := pager.Log(t.Context(), "Q1")
	if err != nil {
		t.Fatal(err)
	}
	for _, people := range []string{PeopleNamed, PeoplePseudonyms} {
		plan := &Plan{Run: "01run", People: people}
		events := aroundEntries(plan, entries, zero)
		if kept, err := json.Marshal(events); err != nil || people == PeoplePseudonyms && (strings.Contains(string(kept), "Bob") || strings.Contains(string(kept), "to Ann")) {
			t.Errorf("the journal names people: %s (%v)", kept, err)
		}
		got := toldFor(timeline.Of(events, events[len(events)-1].At))
		for _, secret := range []string{"@example.com", "1234567"} {
			if strings.Contains(strings.ReplaceAll(got, "ask ann@example.com", ""), secret) { // what people write in a note is theirs
				t.Errorf("%s stands in the timeline:\n%s", secret, got)
			}
		}
		golden(t, filepath.Join("testdata", "golden", "recorded-"+people+".txt"), got)
	}
}

// aroundEntries is the run that the entries belong to.
func aroundEntries(plan *Plan, entries []observe.Entry, zero time.Time) (events []journal.Event) {
	add := func(sec float64, k journal.Kind, f journal.Fact) *journal.Event {
		events = append(events, journal.Event{V: 1, Run: plan.Run, Seq: int64(len(events)), Gen: 1, Kind: k,
			At: zero.Add(time.Duration(sec * float64(time.Second))), Fact: f})
		return &events[len(events)-1]
	}
	add(0, journal.RunPlanned, journal.Fact{Brief: &journal.Brief{Drill: "orders", Environment: "staging", PageWhen: PageDirect, PageService: "PS", LimitS: 3600,
		Faults: []journal.BriefFault{{ID: "throttle", Kind: "dynamodb.throttle", Target: "arn"}}}})
	add(1, journal.ClockRead, journal.Fact{Source: "pagerduty", OffsetS: 0.5, ErrorS: 0.25})
	add(30, journal.FaultPrepared, journal.Fact{Fault: "throttle"})
	add(31, journal.FaultApplied, journal.Fact{Fault: "throttle"})
	add(33, journal.FaultEffective, journal.Fact{Fault: "throttle"})
	add(44, journal.PageSent, journal.Fact{Key: Dedup(plan.Run)})
	open := add(48, journal.IncidentOpened, journal.Fact{Incident: "Q1", Role: journal.RoleOurs, By: "firedrill", Title: "[DRILL] orders", Urgency: "high", Alerts: 1})
	open.Seen = &journal.Seen{At: zero.Add(46 * time.Second), By: "pagerduty", ErrorS: 0.5}
	for _, entry := range entries {
		if e, ok := plan.entryEvent("Q1", entry, time.Time{}); ok {
			told := add(entry.At.Sub(zero).Seconds()+4, e.Kind, e.Fact)
			told.Seen = e.Seen
		}
	}
	add(3000, journal.FaultReverted, journal.Fact{Fault: "throttle", How: "restored"})
	add(3001, journal.FaultSettled, journal.Fact{Fault: "throttle"})
	add(3002, journal.RunFinished, journal.Fact{})
	return events
}

// toldFor writes a timeline with its people.
func toldFor(x timeline.Timeline) string {
	var b strings.Builder
	since := func(at time.Time) float64 { return at.Sub(x.Planned).Seconds() }
	for _, i := range x.Instants {
		fmt.Fprintf(&b, "%-12s %9.3f -%.3f +%.3f %s %s\n", i.Name, max(0, since(i.At)), i.Early.Seconds(), i.Late.Seconds(), i.By, i.Reason)
	}
	for _, e := range x.Entries() {
		fmt.Fprintf(&b, "%9.3f %s\n", since(e.At), e.Text)
	}
	for _, h := range x.Hearing() {
		fmt.Fprintf(&b, "%9.3f %s: %s\n", since(h.At), h.Verdict, h.Why)
	}
	for _, tr := range x.Traces() {
		for _, r := range tr.Rungs {
			fmt.Fprintf(&b, "level %d for %.1f s: %s\n", r.Level, r.LastS, r.Ended)
			for _, p := range r.Told {
				fmt.Fprintf(&b, "  %s by %s, answered %v after %.0f s\n", p.Name, strings.Join(p.Channels, ", "), p.Answered, p.AfterS)
			}
		}
		for _, a := range tr.Acts {
			human := "nobody knows"
			if a.Human != nil {
				human = strconv.FormatBool(*a.Human)
			}
			fmt.Fprintf(&b, "%9.3f %s %s human=%s %s\n", since(a.At), a.Kind, a.Name, human, a.Channel)
		}
	}
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *updateGolden {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: -want +got\n%s", path, d)
	}
}
