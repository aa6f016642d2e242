package injecttest

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/firedrill/firedrill/inject"
)

func applied(b *bench) {
	f, u := b.prepare()
	if v, ok := f.(inject.Verifier); ok {
		if r, err := v.Verify(b.ctx, b.stage(f, u)); err != nil || r.Felt == inject.Yes {
			b.Errorf("felt before it is applied: %+v %v", r, err)
		}
	}
	u = b.apply(f, u)
	if ok, why, err := b.kind.Settled(b.ctx, u); ok || err != nil || why == "" {
		b.Errorf("settled while applied: %v %q %v", ok, why, err)
	}
	b.felt(f, u)
	b.revert(u, inject.Restored)
	b.settle(u)
	b.same("revert")
	arn, _, err := b.kind.Identity(b.ctx, u.Target)
	if err != nil || arn != u.Target.ARN {
		b.Errorf("identity: %s %v, want %s", arn, err, u.Target.ARN)
	}
	if changes := b.kind.Describe(u); len(changes) == 0 || changes[0].What == "" || changes[0].Before != changes[0].After {
		b.Errorf("described as %+v", changes)
	}
}

func appliedTwice(b *bench) {
	f, u := b.prepare()
	u = b.apply(f, u)
	again := b.w.State()
	if s, ok := f.(inject.Staged); ok {
		second, err := s.Stage(b.ctx, u)
		if err != nil || string(second.Data) != string(u.Data) {
			b.Errorf("staged again: %s %v, want %s", second.Data, err, u.Data)
		}
	}
	if err := f.Apply(b.ctx, u); err != nil {
		b.Fatalf("apply again: %v", err)
	}
	b.felt(f, u)
	b.revert(u, inject.Restored)
	b.settle(u)
	b.same("revert")
	if again == b.before {
		b.Error("nothing had changed")
	}
}

func neverApplied(b *bench) {
	_, u := b.prepare()
	b.revert(u, inject.NeverApplied)
	b.settle(u)
	b.same("revert")
}

func staged(b *bench) {
	f, u := b.prepare()
	if _, ok := f.(inject.Staged); !ok {
		return
	}
	// The record is lost on the way: the undo of before the stage must do.
	b.stage(f, u)
	b.revert(u, inject.NeverApplied)
	b.settle(u)
	b.same("revert")
}

func putBack(b *bench) {
	f, u := b.prepare()
	u = b.apply(f, u)
	b.felt(f, u)
	b.w.PutBack(b.T, u)
	b.revert(u, inject.AlreadyRestored)
	b.settle(u)
	b.same("revert")
}

func changed(b *bench) {
	twin := b.World(b.T)
	twin.Change(b.T)
	f, u := b.prepare()
	u = b.apply(f, u)
	b.w.Change(b.T)
	b.revert(u, inject.Restored)
	b.settle(u)
	b.before = twin.State()
	b.same("revert, but for the responder's change,")
}

func diverged(b *bench) {
	f, u := b.prepare()
	if b.w.Diverge == nil {
		return
	}
	u = b.apply(f, u)
	stands := b.w.Diverge(b.T, u)
	b.revert(u, inject.Diverged)
	b.settle(u)
	if !stands() {
		b.Error("what the responder made of it was overwritten")
	}
}

func throughJSON(b *bench) {
	f, u := b.prepare()
	u = b.apply(f, reread(b, u))
	b.revert(reread(b, u), inject.Restored)
	b.settle(reread(b, u))
	b.same("revert")
}

// reread is the undo as the journal gives it back.
func reread(b *bench, u inject.Undo) inject.Undo {
	raw, err := json.Marshal(u)
	if err != nil {
		b.Fatal(err)
	}
	var again inject.Undo
	if err := json.Unmarshal(raw, &again); err != nil {
		b.Fatal(err)
	}
	return again
}

func recordAlone(b *bench) {
	f, u := b.prepare()
	u = b.apply(f, u)
	b.kind = b.w.Catalog()[b.Kind]
	b.revert(u, inject.Restored)
	b.settle(u)
	b.same("revert")
}

func lateApply(b *bench) {
	f, u := b.prepare()
	b.revert(u, inject.NeverApplied)
	b.same("the first revert")
	b.apply(f, u)
	// Only the record of before the change is there.
	b.kind = b.w.Catalog()[b.Kind]
	b.revert(u, inject.Restored)
	b.settle(u)
	b.same("the second revert")
}

func revertedTwice(b *bench) {
	f, u := b.prepare()
	u = b.apply(f, u)
	b.revert(u, inject.Restored)
	b.revert(u, inject.AlreadyRestored, inject.NeverApplied)
	b.settle(u)
	b.same("two reverts")
}

func marked(b *bench) {
	f, u := b.prepare()
	u = b.apply(f, u)
	other := mark()
	other.Run = "01jd1111111111111111111111"
	_, err := f.Prepare(b.ctx, other, time.Now())
	var no *inject.Refusal
	if !errors.As(err, &no) || no.Why == "" || no.Try == "" {
		b.Errorf("prepared on top of another run: %v", err)
	}
	b.revert(u, inject.Restored)
}

func cancelled(b *bench) {
	f, u := b.prepare()
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if s, ok := f.(inject.Staged); ok {
		if _, err := s.Stage(ctx, u); err == nil {
			b.Error("staged on a context that had ended")
		}
	}
	if err := f.Apply(ctx, u); err == nil {
		b.Error("applied on a context that had ended")
	}
	b.same("a cancelled apply")
	if _, err := b.kind.Revert(ctx, u); err == nil {
		b.Error("reverted on a context that had ended")
	}
}
