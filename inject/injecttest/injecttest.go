// Package injecttest is what every fault must pass: whatever happens between Prepare and Revert, the world is as
// before, or as others made it.
package injecttest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/firedrill/firedrill/inject"
)

// limit bounds one row of the suite.
const limit = time.Minute

// World is a small account with a target in it, made anew for each row.
type World struct {
	// Catalog makes the kinds on clients of their own: what a fresh process would have.
	Catalog func() inject.Catalog
	// Params are the fault's parameters, JSON.
	Params string
	// State is everything that must be as before: what people configured, tags included, and what strangers stored.
	State func() string
	// PutBack takes the fault back as a responder would, by hand.
	PutBack func(t *testing.T, u inject.Undo)
	// Change changes something that is not the fault's, as a responder might meanwhile.
	Change func(t *testing.T)
	// Diverge changes what the fault changed, to something that is neither before nor during; nil where there is
	// no such thing. It returns whether theirs still stands.
	Diverge func(t *testing.T, u inject.Undo) (stands func() bool)
}

// Case is a kind of fault under test.
type Case struct {
	Kind  string
	World func(t *testing.T) World
}

// Run runs the suite.
func Run(t *testing.T, c Case) {
	rows := []struct {
		name string
		row  func(*bench)
	}{
		{"applied", applied},
		{"applied twice", appliedTwice},
		{"never applied", neverApplied},
		{"staged, never applied", staged},
		{"the responder put it back", putBack},
		{"the responder changed another field", changed},
		{"the responder changed it further", diverged},
		{"undo through JSON", throughJSON},
		{"revert from the record alone", recordAlone},
		{"never applied, then the late apply lands", lateApply},
		{"reverted twice", revertedTwice},
		{"prepare refuses what is marked", marked},
		{"a cancelled apply changes nothing", cancelled},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			w := c.World(t)
			r.row(&bench{T: t, ctx: ctx, Case: c, w: w, kind: w.Catalog()[c.Kind], before: w.State()})
		})
	}
}

// bench is one row at work.
type bench struct {
	*testing.T
	Case
	ctx    context.Context
	w      World
	kind   inject.Kind
	before string
}

func mark() inject.Mark {
	return inject.Mark{Run: "01jd0000000000000000000000", Fault: "one", Until: time.Now().Add(10 * time.Minute).Truncate(time.Second)}
}

// prepare makes a fault and its undo, and sees that nothing changed.
func (b *bench) prepare() (inject.Fault, inject.Undo) {
	b.Helper()
	f, err := b.kind.New(json.RawMessage(b.w.Params))
	if err != nil {
		b.Fatalf("new: %v", err)
	}
	u, err := f.Prepare(b.ctx, mark(), time.Now())
	if err != nil {
		b.Fatalf("prepare: %v", err)
	}
	if u.Kind != b.Kind || u.V < 1 || u.Target.ARN == "" || u.Target.Account == "" || u.Target.Region == "" || !u.Mark.Until.Equal(mark().Until) && u.Mark.Run == "" {
		b.Fatalf("undo is incomplete: %+v", u)
	}
	b.same("prepare")
	return f, u
}

// stage stages where the fault has stages.
func (b *bench) stage(f inject.Fault, u inject.Undo) inject.Undo {
	b.Helper()
	s, ok := f.(inject.Staged)
	if !ok {
		return u
	}
	u, err := s.Stage(b.ctx, u)
	if err != nil {
		b.Fatalf("stage: %v", err)
	}
	return u
}

// apply stages and applies, and sees that the world knows.
func (b *bench) apply(f inject.Fault, u inject.Undo) inject.Undo {
	b.Helper()
	u = b.stage(f, u)
	if err := f.Apply(b.ctx, u); err != nil {
		b.Fatalf("apply: %v", err)
	}
	if b.w.State() == b.before {
		b.Error("applied, and everything is as before")
	}
	return u
}

// felt sends load and looks until the fault is felt.
func (b *bench) felt(f inject.Fault, u inject.Undo) {
	b.Helper()
	v, ok := f.(inject.Verifier)
	if !ok {
		return
	}
	var last inject.Reading
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); {
		if l, ok := f.(inject.Loader); ok {
			if _, err := l.Load(b.ctx, u, 300*time.Millisecond); err != nil {
				b.Fatalf("load: %v", err)
			}
		}
		var err error
		if last, err = v.Verify(b.ctx, u); err != nil {
			b.Fatalf("verify: %v", err)
		}
		if last.Felt == inject.Yes {
			return
		}
	}
	b.Fatalf("never felt: %+v", last)
}

// revert puts back and wants one of these outcomes.
func (b *bench) revert(u inject.Undo, want ...inject.Outcome) {
	b.Helper()
	how, err := b.kind.Revert(b.ctx, u)
	if err != nil {
		b.Fatalf("revert: %v", err)
	}
	for _, w := range want {
		if how == w {
			return
		}
	}
	b.Errorf("revert: %s, want %v", how, want)
}

// settle wants it settled.
func (b *bench) settle(u inject.Undo) {
	b.Helper()
	if ok, why, err := b.kind.Settled(b.ctx, u); !ok || err != nil {
		b.Errorf("not settled: %s %v", why, err)
	}
}

// same wants the world as before.
func (b *bench) same(after string) {
	b.Helper()
	if now := b.w.State(); now != b.before {
		b.Errorf("after %s the world differs: before\n%s\nnow\n%s", after, b.before, now)
	}
}
