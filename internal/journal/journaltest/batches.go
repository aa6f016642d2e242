package journaltest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/firedrill/firedrill/internal/journal"
)

func batchIsStamped(t *testing.T, s journal.Store) {
	b := batch("apply/throttle/1", journal.FaultApplied, journal.FaultEffective)
	b.Events[0].V, b.Events[0].Run, b.Events[0].Seq, b.Events[1].N = 99, "other", 7, 7
	appendTo(t, s, "r1", journal.Start, 3, b)

	want := []journal.Event{
		{V: journal.Version, Run: "r1", Seq: 0, N: 0, Action: "apply/throttle/1", Gen: 3, Kind: journal.FaultApplied, At: noon},
		{V: journal.Version, Run: "r1", Seq: 0, N: 1, Action: "apply/throttle/1", Gen: 3, Kind: journal.FaultEffective, At: noon},
	}
	if diff := cmp.Diff(want, load(t, s, "r1", journal.Start)); diff != "" {
		t.Errorf("stored events (-want +got):\n%s", diff)
	}
	if b.Events[0].V != 99 {
		t.Error("append changed the events of its caller")
	}
}

func batchIsRefusedWhenEmpty(t *testing.T, s journal.Store) {
	for name, try := range map[string]func() error{
		"no events":   func() error { return s.Append(t.Context(), "r1", journal.Start, 1, batch("a")) },
		"no action":   func() error { return s.Append(t.Context(), "r1", journal.Start, 1, batch("", journal.NoteWritten)) },
		"no run":      func() error { return s.Append(t.Context(), "", journal.Start, 1, batch("a", journal.NoteWritten)) },
		"no position": func() error { return s.Append(t.Context(), "r1", -2, 1, batch("a", journal.NoteWritten)) },
	} {
		if err := try(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got := load(t, s, "r1", journal.Start); len(got) != 0 {
		t.Errorf("the run has %d events, want none", len(got))
	}
}

func batchIsAllOrNothing(t *testing.T, s journal.Store) {
	b := batch("a", journal.FaultPrepared, journal.FaultPrepared)
	b.Events[1].Fact.Undo = json.RawMessage(`{"broken`)
	if err := s.Append(t.Context(), "r1", journal.Start, 1, b); err == nil {
		t.Fatal("a broken undo was accepted")
	}
	if got := load(t, s, "r1", journal.Start); len(got) != 0 {
		t.Errorf("half a batch stands: %v", got)
	}
	if sums, err := s.Runs(t.Context(), journal.Filter{}); err != nil || len(sums) != 0 {
		t.Errorf("runs = %v, %v, want none", sums, err)
	}
}

func orderAndPositions(t *testing.T, s journal.Store) {
	if got := load(t, s, "nobody", journal.Start); len(got) != 0 {
		t.Fatalf("a run nobody began has events: %v", got)
	}
	for i, action := range []string{"a", "b", "c"} {
		appendTo(t, s, "r1", int64(i)-1, 1, batch(action, journal.ProbeRead, journal.AlarmFired))
		appendTo(t, s, "r2", int64(i)-1, 1, batch("other", journal.SteadyRead))
	}
	for after, want := range map[int64]string{journal.Start: "a0a1b0b1c0c1", 0: "b0b1c0c1", 1: "c0c1", 2: "", 9: ""} {
		got := ""
		for _, e := range load(t, s, "r1", after) {
			got += e.Action + string(rune('0'+e.N))
		}
		if got != want {
			t.Errorf("behind %d: %q, want %q", after, got, want)
		}
	}
}

func positionTaken(t *testing.T, s journal.Store) {
	appendTo(t, s, "r1", journal.Start, 1, batch("a", journal.SteadyRead))
	for _, b := range []journal.Batch{batch("b", journal.ProbeRead), batch("a", journal.SteadyRead)} {
		if err := s.Append(t.Context(), "r1", journal.Start, 2, b); !errors.Is(err, journal.ErrConflict) {
			t.Errorf("append %s to a taken position: %v, want ErrConflict", b.Action, err)
		}
	}
	got := load(t, s, "r1", journal.Start)
	if len(got) != 1 || got[0].Action != "a" || got[0].Gen != 1 {
		t.Errorf("what stood there was changed: %v", got)
	}
}

func times(t *testing.T, s journal.Store) {
	berlin := time.FixedZone("CEST", 2*60*60)
	at := time.Date(2026, 8, 25, 14, 0, 0, 123456789, berlin)
	b := batch("a", journal.EffectRead)
	b.Events[0].At, b.Events[0].Seen = at, &journal.Seen{At: at, By: "aws", ErrorS: 0.5}
	b.Events[0].Fact.LookedAt = &at
	appendTo(t, s, "r1", journal.Start, 1, b)

	want := time.Date(2026, 8, 25, 12, 0, 0, 123456000, time.UTC)
	e := load(t, s, "r1", journal.Start)[0]
	for name, got := range map[string]time.Time{"at": e.At, "seen": e.Seen.At, "looked_at": *e.Fact.LookedAt} {
		if got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	if !at.Equal(*b.Events[0].Fact.LookedAt) {
		t.Error("append changed a time of its caller")
	}
}

func unknownFields(t *testing.T, s journal.Store) {
	b := batch("a", "moon.rose")
	b.Events[0].Fact.Extra = map[string]json.RawMessage{"phase": json.RawMessage(`{"lit":0.5}`)}
	b.Events[0].Extra = map[string]json.RawMessage{"sky": json.RawMessage(`"clear"`)}
	appendTo(t, s, "r1", journal.Start, 1, b)
	e := load(t, s, "r1", journal.Start)[0]
	if e.Kind != "moon.rose" || string(e.Fact.Extra["phase"]) != `{"lit":0.5}` || string(e.Extra["sky"]) != `"clear"` {
		t.Errorf("unknown kind or fields were lost: %+v", e)
	}
}

func rawStays(t *testing.T, s journal.Store) {
	undo := `{"kind":"x","data":"a<b>&\u2028c","n":1.50}`
	b := batch("a", journal.FaultPrepared)
	b.Events[0].Fact.Undo = json.RawMessage(undo)
	appendTo(t, s, "r1", journal.Start, 1, b)
	if got := string(load(t, s, "r1", journal.Start)[0].Fact.Undo); got != undo {
		t.Errorf("undo = %s, want %s", got, undo)
	}
}

func cancelled(t *testing.T, s journal.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Append(ctx, "r1", journal.Start, 1, batch("a", journal.SteadyRead)); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v, want context.Canceled", err)
	}
	if _, err := s.Load(ctx, "r1", journal.Start); !errors.Is(err, context.Canceled) {
		t.Errorf("load: %v, want context.Canceled", err)
	}
	if got := load(t, s, "r1", journal.Start); len(got) != 0 {
		t.Errorf("a cancelled append was written: %v", got)
	}
}

func runs(t *testing.T, s journal.Store) {
	for i, r := range []struct{ run, drill, env string }{
		{"01aa", "throttle", "staging"}, {"01ab", "poison", "staging"}, {"01bb", "throttle", "sandbox"}, {"01bc", "throttle", "staging"},
	} {
		appendTo(t, s, r.run, journal.Start, 1, plan(r.drill, r.env, noon.Add(time.Duration(i)*time.Minute)))
	}
	appendTo(t, s, "01ab", 0, 1, finished("met"))

	for _, c := range []struct {
		f    journal.Filter
		want string
	}{
		{journal.Filter{}, "01bc 01bb 01ab 01aa"},
		{journal.Filter{Environment: "staging"}, "01bc 01ab 01aa"},
		{journal.Filter{Drill: "throttle"}, "01bc 01bb 01aa"},
		{journal.Filter{Prefix: "01a"}, "01ab 01aa"},
		{journal.Filter{Prefix: "%"}, ""},
		{journal.Filter{Drill: "nothing"}, ""},
		{journal.Filter{Unfinished: true}, "01bc 01bb 01aa"},
		{journal.Filter{Limit: 2}, "01bc 01bb"},
		{journal.Filter{Limit: 100}, "01bc 01bb 01ab 01aa"},
		{journal.Filter{Environment: "staging", Drill: "throttle", Prefix: "01b", Unfinished: true, Limit: 5}, "01bc"},
	} {
		sums, err := s.Runs(t.Context(), c.f)
		var got []string
		for _, sum := range sums {
			got = append(got, sum.Run)
		}
		if strings.Join(got, " ") != c.want || err != nil {
			t.Errorf("runs %+v = %v, %v, want %s", c.f, got, err, c.want)
		}
	}
	sums, err := s.Runs(t.Context(), journal.Filter{Prefix: "01ab"})
	want := []journal.Summary{{Run: "01ab", Drill: "poison", Environment: "staging", Planned: noon.Add(time.Minute), Finished: true, Outcome: "met"}}
	if diff := cmp.Diff(want, sums); diff != "" || err != nil {
		t.Errorf("summary (-want +got), %v:\n%s", err, diff)
	}
}

func finished(outcome string) journal.Batch {
	b := batch("finish/"+outcome, journal.RunFinished)
	b.Events[0].Fact.Outcome = outcome
	return b
}

func runsReopened(t *testing.T, s journal.Store) {
	appendTo(t, s, "r1", journal.Start, 1, plan("throttle", "staging", noon))
	for i, step := range []struct {
		b        journal.Batch
		finished bool
		outcome  string
	}{
		{batch("look", journal.ProbeRead), false, ""},
		{finished("dirty"), true, "dirty"},
		{batch("note", journal.NoteWritten), true, "dirty"},
		{batch("reopen", journal.RunReopened), false, ""},
		{finished("aborted"), true, "aborted"},
	} {
		appendTo(t, s, "r1", int64(i), 1, step.b)
		sums, err := s.Runs(t.Context(), journal.Filter{})
		if err != nil || len(sums) != 1 {
			t.Fatalf("after %s: runs = %v, %v", step.b.Action, sums, err)
		}
		want := journal.Summary{Run: "r1", Drill: "throttle", Environment: "staging", Planned: noon, Finished: step.finished, Outcome: step.outcome}
		if diff := cmp.Diff(want, sums[0]); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", step.b.Action, diff)
		}
	}
}
