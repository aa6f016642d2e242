package journaltest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/firedrill/firedrill/internal/journal"
)

const ttl = 15 * time.Second

// self is this very process, which lives.
func self(t *testing.T) journal.Holder {
	t.Helper()
	h, err := journal.Self()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// far is a process of which nothing can be proven here.
var far = journal.Holder{Host: "elsewhere", Boot: "b", PID: 1, Start: "1"}

func take(t *testing.T, s journal.Store, name, run string, h journal.Holder, now time.Time) journal.Lease {
	t.Helper()
	l, err := s.Take(t.Context(), name, run, h, ttl, now)
	if err != nil {
		t.Fatalf("take %s for %s: %v", name, run, err)
	}
	return l
}

// refused takes what must not be had, and returns who has it.
func refused(t *testing.T, s journal.Store, name, run string, now time.Time) journal.Lease {
	t.Helper()
	l, err := s.Take(t.Context(), name, run, far, ttl, now)
	var held *journal.HeldError
	if !errors.As(err, &held) {
		t.Fatalf("take %s for %s = %v, %v, want HeldError", name, run, l, err)
	}
	return held.Lease
}

func leaseOfRun(t *testing.T, s journal.Store) {
	name := journal.RunLease("r1")
	first := take(t, s, name, "r1", self(t), noon)
	want := journal.Lease{Name: name, Run: "r1", Gen: 1, Holder: self(t), Expires: noon.Add(ttl)}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("lease (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, refused(t, s, name, "r1", noon.Add(ttl-time.Microsecond))); diff != "" {
		t.Errorf("holder (-want +got):\n%s", diff)
	}
	second := take(t, s, name, "r1", far, noon.Add(ttl))
	if second.Gen != 2 || second.Holder != far || !second.Expires.Equal(noon.Add(2*ttl)) {
		t.Errorf("taken over after its end: %+v", second)
	}
	if got := take(t, s, journal.RunLease("r2"), "r2", self(t), noon); got.Gen != 1 {
		t.Errorf("another run's lease begins at generation %d", got.Gen)
	}
}

func leaseOfDeadHolder(t *testing.T, s journal.Store) {
	dead := self(t)
	dead.Start = "0" // this pid belonged to somebody else before
	if journal.Alive(dead, self(t)) != journal.Dead {
		t.Skip("nothing can be proven of processes on this system")
	}
	run := journal.RunLease("r1")
	take(t, s, run, "r1", dead, noon)
	if got := take(t, s, run, "r1", self(t), noon); got.Gen != 2 || got.Holder != self(t) {
		t.Errorf("taken over from the dead: %+v", got)
	}
	refused(t, s, run, "r1", noon) // of the living
	take(t, s, journal.RunLease("r2"), "r2", far, noon)
	refused(t, s, journal.RunLease("r2"), "r2", noon) // of one out of sight
	take(t, s, "arn:table", "r1", dead, noon)
	refused(t, s, "arn:table", "r2", noon) // a target does not fall free with its holder
}

func leaseOfTarget(t *testing.T, s journal.Store) {
	const arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/run/orders"
	first := take(t, s, arn, "r1", self(t), noon)
	for _, now := range []time.Time{noon, noon.Add(ttl), noon.Add(1000 * time.Hour)} {
		if by := refused(t, s, arn, "r2", now); by.Run != "r1" || by.Gen != 1 {
			t.Errorf("held by %+v", by)
		}
	}
	second := take(t, s, arn, "r1", far, noon) // whoever took the run over
	if second.Gen != first.Gen+1 || second.Holder != far {
		t.Errorf("taken within the run: %+v", second)
	}
	if err := s.Release(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	refused(t, s, arn, "r2", noon) // the first engine's release counts no more
	if err := s.Release(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if got := take(t, s, arn, "r2", far, noon); got.Run != "r2" || got.Gen != 3 {
		t.Errorf("taken once it was free: %+v", got)
	}
}

func leaseRenewed(t *testing.T, s journal.Store) {
	name := journal.RunLease("r1")
	l := take(t, s, name, "r1", far, noon)
	renewed, err := s.Renew(t.Context(), l, ttl, noon.Add(5*time.Second))
	if err != nil || renewed.Gen != 1 || !renewed.Expires.Equal(noon.Add(20*time.Second)) {
		t.Fatalf("renewed = %+v, %v", renewed, err)
	}
	refused(t, s, name, "r1", noon.Add(19*time.Second))
	if _, err := s.Renew(t.Context(), l, ttl, noon.Add(time.Minute)); err != nil {
		t.Errorf("renew after the end, while nobody took it: %v", err)
	}
	take(t, s, name, "r1", far, noon.Add(time.Hour))
	if _, err := s.Renew(t.Context(), l, ttl, noon.Add(time.Hour)); !errors.Is(err, journal.ErrStale) {
		t.Errorf("renew what another took: %v, want ErrStale", err)
	}
	if _, err := s.Renew(t.Context(), journal.Lease{Name: "nothing", Gen: 1}, ttl, noon); !errors.Is(err, journal.ErrStale) {
		t.Errorf("renew what nobody has: %v, want ErrStale", err)
	}
}

func leaseReleased(t *testing.T, s journal.Store) {
	name := journal.RunLease("r1")
	old := take(t, s, name, "r1", far, noon)
	l := take(t, s, name, "r1", far, noon.Add(ttl))
	for _, other := range []journal.Lease{old, {Name: "nothing", Gen: 1}} {
		if err := s.Release(t.Context(), other); err != nil {
			t.Errorf("release of what is not ours: %v", err)
		}
	}
	refused(t, s, name, "r1", noon.Add(ttl))
	for range 2 {
		if err := s.Release(t.Context(), l); err != nil {
			t.Errorf("release: %v", err)
		}
	}
	if _, err := s.Renew(t.Context(), l, ttl, noon); !errors.Is(err, journal.ErrStale) {
		t.Errorf("renew what was let go: %v, want ErrStale", err)
	}
	take(t, s, name, "r1", far, noon)
}

func leaseGeneration(t *testing.T, s journal.Store) {
	for _, name := range []string{journal.RunLease("r1"), "arn:table"} {
		for want := 1; want <= 5; want++ {
			l := take(t, s, name, "r1", far, noon)
			if l.Gen != want {
				t.Fatalf("taking %d of %s: generation %d", want, name, l.Gen)
			}
			if err := s.Release(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func leasesHeld(t *testing.T, s journal.Store) {
	run := take(t, s, journal.RunLease("r1"), "r1", self(t), noon)
	table := take(t, s, "arn:table", "r1", self(t), noon)
	queue := take(t, s, "arn:queue", "r1", self(t), noon)
	other := take(t, s, journal.RunLease("r2"), "r2", far, noon)
	if err := s.Release(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	for of, want := range map[string][]journal.Lease{"r1": {table, run}, "r2": {other}, "r3": nil, "": {table, run, other}} {
		got, err := s.Held(t.Context(), of)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("held by %q, %v (-want +got):\n%s", of, err, diff)
		}
	}
}
