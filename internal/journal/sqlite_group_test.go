package journal

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Many runs write at once, and some of them twice at the same place: each gets the answer it would have got alone.
func TestWritesThatComeTogetherAreEachAnswered(t *testing.T) {
	s, err := OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "j.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const runs, batches = 40, 10
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	var all sync.WaitGroup
	for n := range runs {
		all.Add(1)
		go func() {
			defer all.Done()
			run := fmt.Sprintf("01jd%022d", n)
			l, err := s.Take(t.Context(), RunLease(run), run, Holder{Host: "here"}, time.Minute, now)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range batches {
				b := Batch{Action: fmt.Sprint("poll/", i), Events: []Event{{Kind: LoadRead, At: now}}}
				if err := s.Append(t.Context(), run, int64(i-1), 1, b); err != nil {
					t.Errorf("%s, %d: %v", run, i, err)
				}
				if err := s.Append(t.Context(), run, int64(i-1), 1, b); !errors.Is(err, ErrConflict) {
					t.Errorf("%s, %d, again: %v", run, i, err)
				}
				if renewed, err := s.Renew(t.Context(), l, time.Minute, now.Add(time.Duration(i)*time.Second)); err != nil || !renewed.Expires.After(now) {
					t.Errorf("%s: renewed %+v, %v", run, renewed, err)
				}
			}
			other := l
			other.Gen++
			if _, err := s.Renew(t.Context(), other, time.Minute, now); !errors.Is(err, ErrStale) {
				t.Errorf("%s: somebody else's lease was renewed: %v", run, err)
			}
		}()
	}
	all.Wait()
	for n := range runs {
		got, err := s.Load(t.Context(), fmt.Sprintf("01jd%022d", n), -1)
		if err != nil || len(got) != batches {
			t.Errorf("run %d: %d batches, %v", n, len(got), err)
		}
	}
	if s.group.busy || len(s.group.waiting) != 0 {
		t.Error("somebody waits for ever")
	}
}

// A trouble of the file is told to all whose write it was.
func TestATroubleOfTheFileIsEverybodys(t *testing.T) {
	s, err := OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "j.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n := range 10 {
		all.Add(1)
		go func() {
			defer all.Done()
			b := Batch{Action: "poll/1", Events: []Event{{Kind: LoadRead}}}
			if err := s.Append(t.Context(), fmt.Sprintf("01jd%022d", n), 0, 1, b); err == nil {
				t.Error("written to a file that was let go")
			}
		}()
	}
	all.Wait()
}
