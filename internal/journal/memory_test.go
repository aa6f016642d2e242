package journal_test

import (
	"errors"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/journal/journaltest"
)

func TestMemory(t *testing.T) {
	journaltest.Run(t, func(*testing.T) journal.Store { return journal.NewMemory() })
}

func note(action string) journal.Batch {
	return journal.Batch{Action: action, Events: []journal.Event{{Kind: journal.NoteWritten}}}
}

var errDisk = errors.New("no paper")

func TestMemoryFailFrom(t *testing.T) {
	m := journal.NewMemory()
	m.FailFrom(3, errDisk)
	at := journal.Position{Run: "r1", After: journal.Start, Gen: 1}
	for i, want := range []error{nil, nil, errDisk, errDisk} {
		next, _, err := journal.Record(t.Context(), m, at, note(string(rune('a'+i))))
		if !errors.Is(err, want) {
			t.Errorf("append %d: %v, want %v", i+1, err, want)
		}
		at = next
	}
	if events, err := m.Load(t.Context(), "r1", journal.Start); len(events) != 2 || err != nil {
		t.Errorf("%d events, %v, want 2", len(events), err)
	}
	if m.Appends() != 4 {
		t.Errorf("%d appends, want 4", m.Appends())
	}
	m.FailFrom(0, nil)
	if _, _, err := journal.Record(t.Context(), m, at, note("e")); err != nil {
		t.Errorf("after the end of it: %v", err)
	}
}

func TestMemoryFailAfterWriting(t *testing.T) {
	m := journal.NewMemory()
	m.FailAfterWriting(1, errDisk)
	at := journal.Position{Run: "r1", After: journal.Start, Gen: 1}
	at, _, err := journal.Record(t.Context(), m, at, note("a"))
	if !errors.Is(err, errDisk) || at.After != journal.Start {
		t.Fatalf("record = %v, %v", at, err)
	}
	at, news, err := journal.Record(t.Context(), m, at, note("a")) // the same again finds it done
	if err != nil || at.After != 0 || len(news) != 1 {
		t.Errorf("record again = %v, %d events, %v", at, len(news), err)
	}
}

func TestMemoryLose(t *testing.T) {
	m := journal.NewMemory()
	l, err := m.Take(t.Context(), "x", "r1", journal.Holder{}, 0, journal.Event{}.At)
	if err != nil {
		t.Fatal(err)
	}
	m.Lose(errDisk)
	for name, call := range map[string]func() error{
		"append":  func() error { return m.Append(t.Context(), "r1", journal.Start, 1, note("a")) },
		"load":    func() error { _, err := m.Load(t.Context(), "r1", journal.Start); return err },
		"runs":    func() error { _, err := m.Runs(t.Context(), journal.Filter{}); return err },
		"take":    func() error { _, err := m.Take(t.Context(), "x", "r1", l.Holder, 0, l.Expires); return err },
		"renew":   func() error { _, err := m.Renew(t.Context(), l, 0, l.Expires); return err },
		"release": func() error { return m.Release(t.Context(), l) },
		"held":    func() error { _, err := m.Held(t.Context(), ""); return err },
	} {
		if err := call(); !errors.Is(err, errDisk) {
			t.Errorf("%s: %v, want %v", name, err, errDisk)
		}
	}
	m.Lose(nil)
	if held, err := m.Held(t.Context(), "r1"); err != nil || len(held) != 1 {
		t.Errorf("after it came back: %v, %v", held, err)
	}
}
