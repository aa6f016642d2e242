package journaltest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
)

// How many write to one run at the same moment; few with -short, for they all collide with each other.
const (
	few  = 40
	many = 200
)

func appenders() int {
	if testing.Short() {
		return few
	}
	return many
}

func oneSeesTheOther(t *testing.T, a, b journal.Store) {
	at := begin(t, a)
	appendTo(t, b, "r1", 0, 0, batch("note/1", journal.NoteWritten))
	expect(t, a, at, batch("poll/1", journal.ProbeRead), recorded{2, "note/1 poll/1", nil})
	if got := actions(load(t, b, "r1", 0)); got != "note/1 poll/1" {
		t.Errorf("the other handle reads %q", got)
	}
	l := take(t, a, "arn:table", "r1", self(t), noon)
	if by := refused(t, b, "arn:table", "r2", noon); by != l {
		t.Errorf("the other handle sees the lease as %+v, want %+v", by, l)
	}
}

// manyAppenders: nobody's batch is lost, none stands twice, and each writer has been told of everything up to its own.
func manyAppenders(n int) func(t *testing.T, a, b journal.Store) {
	return func(t *testing.T, a, b journal.Store) { appendMany(t, n, a, b) }
}

func appendMany(t *testing.T, n int, a, b journal.Store) {
	t.Helper()
	start := begin(t, a)
	ends := make([]int64, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			s := a
			if i%2 == 1 {
				s = b
			}
			at, news, err := journal.Record(t.Context(), s, start, batch(fmt.Sprintf("poll/%d", i), journal.ProbeRead, journal.EffectRead))
			if err != nil {
				t.Errorf("appender %d: %v", i, err)
				return
			}
			if want := 2 * int(at.After-start.After); len(news) != want {
				t.Errorf("appender %d at %d was told of %d events, want %d", i, at.After, len(news), want)
			}
			ends[i] = at.After
		})
	}
	wg.Wait()
	events := load(t, a, "r1", start.After)
	if len(events) != 2*n {
		t.Fatalf("%d events stand, want %d", len(events), 2*n)
	}
	for i, e := range events {
		if e.Seq != int64(1+i/2) || e.N != i%2 {
			t.Fatalf("event %d stands at %d.%d", i, e.Seq, e.N)
		}
	}
	for i, at := range ends {
		if got, want := events[2*(at-1)].Action, fmt.Sprintf("poll/%d", i); got != want {
			t.Errorf("at %d stands %s, want %s", at, got, want)
		}
	}
}

// manyTakers: of all who want a target one gets it, and the others are told who.
func manyTakers(t *testing.T, a, b journal.Store) {
	const takers = 20
	won := make(chan string, takers)
	var wg sync.WaitGroup
	for i := range takers {
		wg.Go(func() {
			s, run := a, fmt.Sprintf("r%d", i)
			if i%2 == 1 {
				s = b
			}
			_, err := s.Take(t.Context(), "arn:table", run, far, ttl, noon)
			var held *journal.HeldError
			switch {
			case err == nil:
				won <- run
			case !errors.As(err, &held):
				t.Errorf("taker %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	close(won)
	winner := <-won
	if second, more := <-won; more {
		t.Fatalf("%s and %s have it both", winner, second)
	}
	if by := refused(t, b, "arn:table", "late", noon); winner == "" || by.Run != winner {
		t.Errorf("%q won, %q has it", winner, by.Run)
	}
}
