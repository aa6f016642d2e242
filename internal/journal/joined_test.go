package journal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/journal/journaltest"
)

// joined are two stores read as one; what is new goes to the second.
func joined() (j *journal.Joined, a, b *journal.Memory) {
	a, b = journal.NewMemory(), journal.NewMemory()
	return journal.Join(func(string) journal.Store { return b }, a, b), a, b
}

func TestJoined(t *testing.T) {
	journaltest.Run(t, func(*testing.T) journal.Store {
		j, _, _ := joined()
		return j
	})
}

func TestJoinedWritesWhereTheRunIs(t *testing.T) {
	j, a, b := joined()
	for run, s := range map[string]journal.Store{"here": a, "there": b} {
		if err := s.Append(t.Context(), run, journal.Start, 1, note("begin")); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2026, 8, 25, 12, 0, 0, 0, time.UTC)
	for run, s := range map[string]*journal.Memory{"here": a, "there": b, "nowhere": b} {
		if _, err := j.Take(t.Context(), "arn:"+run, run, journal.Holder{Host: "h"}, time.Minute, now); err != nil {
			t.Fatal(err)
		}
		if held, err := s.Held(t.Context(), run); len(held) != 1 || err != nil {
			t.Errorf("the lease of %s is not where it belongs: %v, %v", run, held, err)
		}
		before := s.Appends()
		if _, _, err := journal.Record(t.Context(), j, journal.Position{Run: run, After: journal.Start, Gen: 1}, note("more")); err != nil {
			t.Fatal(err)
		}
		if s.Appends() == before {
			t.Errorf("the record of %s went elsewhere", run)
		}
	}
	lever := journal.LeverRun("staging")
	if err := j.Append(t.Context(), lever, journal.Start, 0, note("pull")); err != nil {
		t.Fatal(err)
	}
	if events, err := b.Load(t.Context(), lever, journal.Start); len(events) != 1 || err != nil {
		t.Errorf("the lever is not at home: %v, %v", events, err)
	}
}

// A store that is away hides nothing: only who asks for a run that another store has is answered.
func TestJoinedOneAway(t *testing.T) {
	j, a, b := joined()
	if err := a.Append(t.Context(), "01aa", journal.Start, 1, note("begin")); err != nil {
		t.Fatal(err)
	}
	b.Lose(errDisk)
	for _, row := range []struct {
		f    journal.Filter
		want int
		err  error
	}{
		{journal.Filter{Prefix: "01a"}, 1, nil},
		{journal.Filter{Prefix: "02"}, 0, errDisk},
		{journal.Filter{}, 1, errDisk},
		{journal.Filter{Unfinished: true}, 1, errDisk},
	} {
		if sums, err := j.Runs(t.Context(), row.f); len(sums) != row.want || !errors.Is(err, row.err) {
			t.Errorf("runs %+v = %v, %v", row.f, sums, err)
		}
	}
	if events, err := j.Load(t.Context(), "01aa", journal.Start); len(events) != 1 || err != nil {
		t.Errorf("load what is here: %v, %v", events, err)
	}
	fresh := journal.Join(func(string) journal.Store { return b }, a, b)
	if _, err := fresh.Load(t.Context(), "02bb", journal.Start); !errors.Is(err, errDisk) {
		t.Errorf("load what may be there: %v", err)
	}
	if _, err := j.Held(t.Context(), ""); !errors.Is(err, errDisk) {
		t.Errorf("all leases: %v", err)
	}
}
