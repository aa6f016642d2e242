package journal

import (
	"context"
	"errors"
	"testing"
)

// odd is a store whose answers a test makes up.
type odd struct {
	*Memory
	append error
	load   error
}

func (o odd) Append(ctx context.Context, run string, after int64, gen int, b Batch) error {
	if o.append != nil {
		return o.append
	}
	return o.Memory.Append(ctx, run, after, gen, b)
}

func (o odd) Load(ctx context.Context, run string, after int64) ([]Event, error) {
	if o.load != nil {
		return nil, o.load
	}
	return o.Memory.Load(ctx, run, after)
}

var errWire = errors.New("wire cut")

// TestRecordPassesErrors: what is no conflict is the caller's to know, with the position where it was.
func TestRecordPassesErrors(t *testing.T) {
	at := Position{Run: "r1", After: Start, Gen: 1}
	for name, c := range map[string]struct {
		s    odd
		at   Position
		want error
	}{
		"append":                    {odd{append: errWire}, at, errWire},
		"load after a conflict":     {odd{append: ErrConflict, load: errWire}, at, errWire},
		"load for an outsider":      {odd{load: errWire}, Position{Run: "r1", After: Start}, errWire},
		"a conflict with nobody":    {odd{append: ErrConflict}, at, nil},
		"outsider, nobody's run":    {odd{}, Position{Run: "r1", After: Start}, ErrNoRun},
		"a batch that makes no run": {odd{append: errWire, load: errWire}, Position{Run: "r1", After: 3}, errWire},
	} {
		c.s.Memory = NewMemory()
		next, news, err := Record(t.Context(), c.s, c.at, aNote("a"))
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if next != c.at || len(news) != 0 {
			t.Errorf("%s: moved from %v to %v with %d events", name, c.at, next, len(news))
		}
	}
}

// TestRecordFromEveryLostAnswer: whichever answer is lost, the same record again ends with each batch once.
func TestRecordFromEveryLostAnswer(t *testing.T) {
	actions := []string{"plan", "prepare", "apply", "revert", "finish"}
	for lost := 1; lost <= len(actions); lost++ {
		m := NewMemory()
		m.FailAfterWriting(lost, errWire)
		at := Position{Run: "r1", After: Start, Gen: 1}
		seen := 0
		for i, action := range actions {
			next, news, err := Record(t.Context(), m, at, aNote(action))
			if (err != nil) != (i+1 == lost) {
				t.Fatalf("lost %d, %s: %v", lost, action, err)
			}
			if err != nil {
				next, news, err = Record(t.Context(), m, at, aNote(action))
			}
			if err != nil || next.After != int64(i) {
				t.Fatalf("lost %d, %s again: %v, %v", lost, action, next, err)
			}
			at, seen = next, seen+len(news)
		}
		events, err := m.Load(t.Context(), "r1", Start)
		if err != nil || len(events) != len(actions) || seen != len(actions) {
			t.Errorf("lost %d: %d events stand, %d were told, %v", lost, len(events), seen, err)
		}
	}
}

func TestTail(t *testing.T) {
	m := NewMemory()
	mustAppend(t, m, Start, aNote("a"))
	mustAppend(t, m, 0, aNote("b"))
	taken := Batch{Action: "take/1", Events: []Event{{Kind: RunTaken}}}
	mustAppend(t, m, 1, taken) // under our own generation: we took it
	for after, want := range map[int64]int{Start: 3, 0: 2, 2: 0} {
		at, news, err := Tail(t.Context(), m, Position{Run: "r1", After: after, Gen: 1})
		if err != nil || len(news) != want || at.After != 2 {
			t.Errorf("behind %d: %v, %d events, %v", after, at, len(news), err)
		}
	}
}
