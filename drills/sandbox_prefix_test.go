package drills_test

import (
	"errors"
	"os"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// points lists every place at which a run of this fault can end, of polls a few.
func (f realFault) points() (list []point) {
	verbs := []drills.Verb{"plan", drills.Guard, drills.Prepare}
	if f.staged {
		verbs = append(verbs, drills.Stage)
	}
	verbs = append(verbs, drills.Apply, drills.Poll, drills.Revert, drills.Settle)
	if f.name != "provisioned" {
		verbs = append(verbs, drills.Page, drills.ResolvePage)
	}
	for _, v := range append(verbs, drills.Finish) {
		list = append(list, point{v, 1, false}, point{v, 1, true})
	}
	return append(list, point{drills.Poll, 2, true}, point{drills.Poll, 3, false})
}

// few picks those that a quick test looks at: around the calls that change something, and the very end.
func few(f realFault, all []point) (list []point) {
	want := map[point]bool{{drills.Prepare, 1, true}: true, {drills.Apply, 1, false}: f.kind != "sqs.poison", {drills.Poll, 1, true}: true,
		{drills.Revert, 1, false}: true, {drills.Finish, 1, true}: f.name == "on-demand"}
	for _, p := range all {
		if want[p] {
			list = append(list, p)
		}
	}
	return list
}

// full says whether every prefix is wanted, not only a few.
func full() bool { return os.Getenv("FIREDRILL_FULL") != "" }

// A real run ends at each of its appends, just before and just after; then another process goes on with it, or
// recovers it. What the run did to the world it has really done.
func TestSandboxEveryPrefix(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes minutes")
	}
	for _, f := range realFaults() {
		points := f.points()
		if !full() {
			points = few(f, points)
		}
		for i, at := range points {
			for j, mode := range []string{"recover", "resume"} {
				if !full() && i%2 == j {
					continue
				}
				t.Run(f.name+"/"+mode+"/"+at.String(), func(t *testing.T) {
					t.Parallel()
					r := newReal(t, f)
					r.dies(at)
					var st *drills.State
					var err error
					e := r.process("second", r.store)
					if mode == "resume" {
						st, err = e.Resume(t.Context(), runID)
					} else {
						st, err = e.Recover(t.Context(), runID, drills.ReasonRecover, "test")
					}
					if at == (point{"plan", 1, false}) {
						if !errors.Is(err, journal.ErrNoRun) {
							t.Errorf("a run that nobody recorded: %v", err)
						}
						r.asBefore()
						return
					}
					r.ended(st, err)
				})
			}
		}
	}
}

// dies starts the run and ends it at a point.
func (r *real) dies(at point) {
	r.Helper()
	store := &abyss{Memory: r.store, at: at}
	if !until(func() {
		st, err := r.start(r.Context(), r.process("dead", store))
		r.Logf("the run ended before %s: %v, %v", at, kinds(st.Events), err)
	}) {
		switch {
		case at.verb == drills.Page, at.verb == drills.ResolvePage, at.verb == drills.Poll && at.n > 1:
			r.Skipf("the run ended before it came to %s", at) // on a slow machine it may
		default:
			r.Errorf("the run never came to %s", at)
		}
	}
}

// The process that recovers dies too, before and after its own appends, and a third one recovers.
func TestSandboxRecoverDies(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes minutes")
	}
	for _, f := range realFaults() {
		if !full() && f.name != "provisioned" && f.name != "error" {
			continue
		}
		for _, at := range []point{{"take", 1, true}, {drills.Revert, 1, false}, {drills.Revert, 1, true}, {drills.Settle, 1, true}, {drills.Finish, 1, true}} {
			if !full() && at.verb != drills.Revert {
				continue
			}
			t.Run(f.name+"/"+at.String(), func(t *testing.T) {
				t.Parallel()
				r := newReal(t, f)
				r.dies(point{drills.Apply, 1, false})
				if !until(func() {
					_, _ = r.process("dead", &abyss{Memory: r.store, at: at}).Recover(t.Context(), runID, drills.ReasonRecover, "first")
				}) {
					t.Errorf("recover never came to %s", at)
				}
				r.ended(r.process("third", r.store).Recover(t.Context(), runID, drills.ReasonRecover, "second"))
			})
		}
	}
}

// The disk is full from one append on: the run puts everything back unrecorded, and says that its record is not whole.
func TestSandboxJournalLost(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes minutes")
	}
	for _, f := range realFaults() {
		points := f.points()
		if !full() {
			points = few(f, points)
		}
		for _, at := range points {
			if at.after {
				continue // the next append is lost then
			}
			t.Run(f.name+"/"+at.String(), func(t *testing.T) {
				t.Parallel()
				r := newReal(t, f)
				store := &abyss{Memory: r.store, at: at, lose: true}
				st, err := r.start(t.Context(), r.process("first", store))
				if store.gone() == nil {
					t.Skipf("the run ended before it came to %s", at)
				}
				if !errors.Is(err, errDisk) {
					t.Errorf("a lost journal is not told: %v", err)
				}
				if st != nil && (len(st.InPlace()) > 0 || !errors.Is(err, drills.ErrUnrecorded)) {
					t.Errorf("in place %v, err %v", st.InPlace(), err)
				}
				r.asBefore()
			})
		}
	}
}
