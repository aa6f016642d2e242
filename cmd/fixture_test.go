package cmd

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// desk is a program without a process: its words are kept, its environment is given, its journal is in a folder.
type desk struct {
	*Deps
	out, err bytes.Buffer
	env      map[string]string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{env: map[string]string{"HOME": t.TempDir(), "FIREDRILL_STATE": t.TempDir()}}
	d.Deps = &Deps{In: strings.NewReader(""), Out: &d.out, Err: &d.err, Now: time.Now, Dir: t.TempDir(),
		Getenv: func(k string) string { return d.env[k] }, Terminal: func() bool { return false }, Color: func() bool { return false }, Width: func() int { return 100 }}
	return d
}

// run runs one command line and returns its exit code.
func (d *desk) run(t *testing.T, args ...string) int {
	t.Helper()
	d.out.Reset()
	d.err.Reset()
	d.config, d.state, d.Deps.env, d.output = "", "", "", ""
	return Run(t.Context(), d.Deps, args)
}

// story is a run in as few events as tell it.
type tale struct {
	run, drill, env string
	planned         time.Time
	kinds           []journal.Kind // of the fault, after it was prepared
	outcome         string         // empty: it has not ended
	left            []string
}

func (d *desk) tell(t *testing.T, tales ...tale) {
	t.Helper()
	store, err := d.store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, x := range tales {
		at := journal.Position{Run: x.run, After: journal.Start, Gen: 1}
		for i, e := range x.events(t) {
			var err error
			at, _, err = journal.Record(t.Context(), store, at, journal.Batch{Action: string(e.Kind) + "/" + string(rune('a'+i)), Events: []journal.Event{e}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (x tale) events(t *testing.T) []journal.Event {
	t.Helper()
	brief := journal.Brief{Drill: x.drill, Title: "Writes are slow", Team: "orders", Environment: x.env, PageWhen: "direct", LimitS: 3600,
		Faults: []journal.BriefFault{{ID: "throttle", Kind: "dynamodb.throttle", Target: "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"}},
		Expect: []journal.Expectation{{Name: "resolve", LimitS: 60}}}
	plan, err := json.Marshal(map[string]any{"v": 1, "run": x.run, "drill": x.drill, "environment": x.env,
		"faults": []any{map[string]any{"id": "throttle", "kind": "dynamodb.throttle"}}})
	if err != nil {
		t.Fatal(err)
	}
	at := x.planned
	events := []journal.Event{{Kind: journal.RunPlanned, At: at, Fact: journal.Fact{Brief: &brief, Plan: plan}}}
	for _, k := range x.kinds {
		at = at.Add(time.Second)
		events = append(events, journal.Event{Kind: k, At: at, Fact: journal.Fact{Fault: "throttle", How: how(k)}})
	}
	if x.outcome != "" {
		events = append(events, journal.Event{Kind: journal.RunFinished, At: at.Add(time.Second), Fact: journal.Fact{Outcome: x.outcome, Left: x.left}})
	}
	return events
}

func how(k journal.Kind) string {
	if k == journal.FaultReverted {
		return "restored"
	}
	return ""
}

var (
	applied = []journal.Kind{journal.FaultPrepared, journal.FaultApplied, journal.FaultEffective}
	undone  = append(applied[:3:3], journal.FaultReverted, journal.FaultSettled)
)
