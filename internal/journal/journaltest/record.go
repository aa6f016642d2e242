package journaltest

import (
	"errors"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
)

// actions is what stands in events, a word an event.
func actions(events []journal.Event) string {
	var out []string
	for _, e := range events {
		out = append(out, e.Action)
	}
	return strings.Join(out, " ")
}

// begin plans r1 as an engine of generation 1 and returns its position.
func begin(t *testing.T, s journal.Store) journal.Position {
	t.Helper()
	at, _, err := journal.Record(t.Context(), s, journal.Position{Run: "r1", After: journal.Start, Gen: 1}, plan("throttle", "staging", noon))
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	return at
}

// outcome of a Record, for comparing.
type recorded struct {
	after int64
	news  string
	err   error
}

func expect(t *testing.T, s journal.Store, at journal.Position, b journal.Batch, want recorded) journal.Position {
	t.Helper()
	next, news, err := journal.Record(t.Context(), s, at, b)
	if next.After != want.after || actions(news) != want.news || !errors.Is(err, want.err) {
		t.Errorf("record %s at %d = %d, %q, %v, want %d, %q, %v",
			b.Action, at.After, next.After, actions(news), err, want.after, want.news, want.err)
	}
	if next.Run != at.Run || next.Gen != at.Gen {
		t.Errorf("record %s made %v of %v", b.Action, next, at)
	}
	return next
}

func recordIsIdempotent(t *testing.T, s journal.Store) {
	at := begin(t, s)
	b := batch("apply/throttle/1", journal.FaultApplied, journal.EffectRead)
	expect(t, s, at, b, recorded{1, "apply/throttle/1 apply/throttle/1", nil})
	expect(t, s, at, b, recorded{1, "apply/throttle/1 apply/throttle/1", nil})
	appendTo(t, s, "r1", 1, 0, batch("note/1", journal.NoteWritten))
	expect(t, s, at, b, recorded{2, "apply/throttle/1 apply/throttle/1 note/1", nil})
	if got := actions(load(t, s, "r1", 0)); got != "apply/throttle/1 apply/throttle/1 note/1" {
		t.Errorf("the run holds %q", got)
	}
}

func recordWritesBehindOthers(t *testing.T, s journal.Store) {
	at := begin(t, s)
	appendTo(t, s, "r1", 0, 0, batch("note/1", journal.NoteWritten))
	appendTo(t, s, "r1", 1, 0, batch("abort/1", journal.AbortRequested, journal.NoteWritten))
	at = expect(t, s, at, batch("poll/1", journal.ProbeRead), recorded{3, "note/1 abort/1 abort/1 poll/1", nil})
	expect(t, s, at, batch("poll/2", journal.ProbeRead), recorded{4, "poll/2", nil})
	got := load(t, s, "r1", 2)
	if actions(got) != "poll/1 poll/2" || got[0].Seq != 3 || got[0].Gen != 1 {
		t.Errorf("behind the others stand %v", got)
	}
}

func recordOfStaleEngine(t *testing.T, s journal.Store) {
	old := begin(t, s)
	appendTo(t, s, "r1", 0, 0, batch("note/1", journal.NoteWritten))
	appendTo(t, s, "r1", 1, 2, batch("take/2", journal.RunTaken))
	appendTo(t, s, "r1", 2, 2, batch("poll/1", journal.ProbeRead))

	old = expect(t, s, old, batch("apply/1", journal.FaultApplied), recorded{1, "note/1", journal.ErrStale})
	old = expect(t, s, old, batch("apply/1", journal.FaultApplied), recorded{1, "", journal.ErrStale})
	if at, news, err := journal.Tail(t.Context(), s, old); at != old || len(news) != 0 || !errors.Is(err, journal.ErrStale) {
		t.Errorf("tail of a stale engine = %v, %v, %v, want ErrStale", at, news, err)
	}
	taker := journal.Position{Run: "r1", After: 3, Gen: 2}
	expect(t, s, taker, batch("revert/1", journal.FaultReverted), recorded{4, "revert/1", nil})
	expect(t, s, old, batch("apply/2", journal.FaultApplied), recorded{1, "", journal.ErrStale})
	if got := actions(load(t, s, "r1", 1)); got != "take/2 poll/1 revert/1" {
		t.Errorf("the run holds %q", got)
	}
}

func recordDoneBeforeTaking(t *testing.T, s journal.Store) {
	at := begin(t, s)
	appendTo(t, s, "r1", 0, 1, batch("apply/1", journal.FaultApplied)) // its answer was lost
	appendTo(t, s, "r1", 1, 2, batch("take/2", journal.RunTaken))
	at = expect(t, s, at, batch("apply/1", journal.FaultApplied), recorded{1, "apply/1", nil})
	expect(t, s, at, batch("poll/1", journal.ProbeRead), recorded{1, "", journal.ErrStale})
}

func recordOfAnothersAction(t *testing.T, s journal.Store) {
	at := begin(t, s)
	appendTo(t, s, "r1", 0, 2, batch("take/2", journal.RunTaken))
	appendTo(t, s, "r1", 1, 2, batch("revert/1", journal.FaultReverted))
	expect(t, s, at, batch("revert/1", journal.FaultReverted), recorded{0, "", journal.ErrStale})

	taker := journal.Position{Run: "r1", After: 2, Gen: 2}
	appendTo(t, s, "r1", 2, 0, batch("abort/1", journal.AbortRequested)) // an outsider's, of the name of ours
	expect(t, s, taker, batch("abort/1", journal.AbortRequested), recorded{4, "abort/1 abort/1", nil})
}

func recordOfOutsider(t *testing.T, s journal.Store) {
	begin(t, s)
	appendTo(t, s, "r1", 0, 2, batch("take/2", journal.RunTaken))
	outside := journal.Position{Run: "r1", After: journal.Start}
	expect(t, s, outside, batch("note/1", journal.NoteWritten), recorded{2, "plan take/2 note/1", nil})
	expect(t, s, outside, batch("note/1", journal.NoteWritten), recorded{2, "plan take/2 note/1", nil})
	outside.After = 0
	expect(t, s, outside, batch("note/2", journal.NoteWritten), recorded{3, "take/2 note/1 note/2", nil})
}

func recordToNoRun(t *testing.T, s journal.Store) {
	nowhere := journal.Position{Run: "nowhere", After: journal.Start}
	expect(t, s, nowhere, batch("note/1", journal.NoteWritten), recorded{journal.Start, "", journal.ErrNoRun})
	if sums, err := s.Runs(t.Context(), journal.Filter{}); err != nil || len(sums) != 0 {
		t.Errorf("runs = %v, %v, want none", sums, err)
	}
}
