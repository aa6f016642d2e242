package inject

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// taking is one undo at work: what it has seen and done so far.
type taking struct {
	*policyMerger
	u Undo
	p policyUndo
	h policyHolder

	began    time.Time
	deadline time.Time
	state    string // what the tags say of how far we came
	tags     error  // why they could not be read, if so
	wrote    bool   // by this call
	looks    int    // in a row that showed nothing of ours
	theirs   []string
}

// take takes our statements out of the policy, and only those; then it waits until reads and the service itself agree that
// they are gone; the tags go last. patience bounds the wait.
func (k *policyMerger) take(ctx context.Context, u Undo, p policyUndo, h policyHolder, patience time.Duration) (Outcome, error) {
	began := k.now()
	t := &taking{policyMerger: k, u: u, p: p, h: h, began: began, deadline: began.Add(patience)}
	for done := false; !done; {
		var err error
		if done, err = t.step(ctx); errors.Is(err, ErrGone) {
			return Diverged, nil // its policy went with it
		} else if err != nil {
			return "", err
		}
	}
	_, taken := k.taken.Load(u.Mark.name())
	if taken || t.state != "" && t.state != statePrepared {
		if err := t.lifted(ctx); err != nil {
			return "", err
		}
	}
	if t.tags != nil {
		return "", t.tags
	}
	if err := t.unmark(ctx); err != nil {
		return "", err
	}
	k.taken.Delete(u.Mark.name())
	switch {
	case len(t.theirs) > 0:
		return Diverged, nil
	case taken || t.state == stateReverting:
		return Restored, nil
	case t.state == stateApplied:
		return AlreadyRestored, nil
	}
	return NeverApplied, nil
}

// step looks once, and takes out what of ours it sees. Reads may be behind: nothing is believed to be gone before a second
// look says so too, nor while a write of ours may still be on its way to be seen.
func (t *taking) step(ctx context.Context) (done bool, err error) {
	tags, err := t.h.readTags(ctx)
	if errors.Is(err, ErrGone) {
		return false, err
	}
	t.tags = err
	owns := t.u.Mark.owns(tags)
	if owns && t.state != stateReverting {
		t.state = tags[TagState]
	}
	text, revision, err := t.h.readPolicy(ctx)
	if err != nil {
		return false, err
	}
	doc, err := parsePolicyDoc(text)
	if err != nil {
		return false, fmt.Errorf("resource policy of %s: %w", t.h.what(), err)
	}
	ours, theirs := doc.ours(t.u.Mark, t.p)
	t.theirs = theirs
	if len(ours) == 0 {
		if t.looks++; t.wrote || t.looks > 1 && !(owns && t.unseen(tags[TagSent])) {
			return true, nil
		}
		return false, t.wait(ctx, t.timing.Again, "nothing of ours is to be seen yet")
	}
	t.looks = 0
	if t.wrote {
		return false, t.wait(ctx, t.timing.Poll, "it still shows our statements after they were taken out")
	}
	if owns && t.state != stateReverting {
		// Only so that an undo that is broken off and taken up again still says that it was us. The policy is read anew
		// after it: what is written is compared the moment before.
		mark := t.u.Mark.tags(tags[TagUndo], stateReverting)
		if t.state = stateReverting; t.h.putTags(ctx, mark) == nil {
			return false, nil
		}
	}
	return false, t.write(ctx, doc.without(func(s policyStatement) bool { return ours[s.from] }, t.p.Was), revision)
}

// unseen says that a write of ours, issued at that moment at the latest, may not be seen yet. Whoever noted it may have another
// clock: it is waited for no longer than a write takes to be seen.
func (t *taking) unseen(sent string) bool {
	at, err := time.Parse(time.RFC3339, sent)
	late, now := time.Second+t.late, t.now() // stamps are in whole seconds
	return err == nil && now.Before(at.Add(late)) && now.Before(t.began.Add(late))
}

// write issues the change once; one that is refused because somebody else changes the policy, or has a moment ago, is
// tried again after another look.
func (t *taking) write(ctx context.Context, text, revision string) error {
	err := t.h.writePolicy(ctx, text, revision)
	switch {
	case err == nil:
		t.taken.Store(t.u.Mark.name(), true)
		t.wrote = true
		return nil
	case errors.Is(err, errPolicyMoved), errors.Is(err, errPolicyBusy):
		return t.wait(ctx, t.timing.Poll, err.Error())
	}
	var definite *Definite
	if !errors.As(err, &definite) {
		t.taken.Store(t.u.Mark.name(), true)
	}
	return err
}

// wait waits d between two looks, until patience ends.
func (t *taking) wait(ctx context.Context, d time.Duration, why string) error {
	if t.now().After(t.deadline) {
		return fmt.Errorf("resource policy of %s: %s", t.h.what(), why)
	}
	if err := pause(ctx, d); err != nil {
		return fmt.Errorf("look at the resource policy of %s once more: %w", t.h.what(), err)
	}
	return nil
}

// lifted waits until a request of our own is not denied any more: a policy is enforced a while longer than it is shown. An
// answer that says nothing holds up no undo.
func (t *taking) lifted(ctx context.Context) error {
	for {
		r := t.h.ask(ctx)
		if r.Felt != Yes {
			return ctx.Err()
		}
		if err := t.wait(ctx, t.timing.Poll, "it is still enforced: "+r.Why); err != nil {
			return err
		}
	}
}

// unmark takes our tags off, if they are this mark's, and reads that they are gone.
func (t *taking) unmark(ctx context.Context) error {
	for first := true; ; first = false {
		tags, err := t.h.readTags(ctx)
		if err != nil || !t.u.Mark.owns(tags) {
			return err
		}
		if first {
			if err := t.h.dropTags(ctx); err != nil {
				return err
			}
			continue
		}
		if err := pause(ctx, t.timing.Poll); err != nil {
			return fmt.Errorf("wait for tags of %s to go: %w", t.h.what(), err)
		}
	}
}

// settled reads the holder back: no statement of ours, no tag of ours.
func (k *policyMerger) settled(ctx context.Context, u Undo, p policyUndo, h policyHolder) (bool, string, error) {
	text, _, err := h.readPolicy(ctx)
	if errors.Is(err, ErrGone) {
		return true, h.what() + " is gone: somebody deleted it", nil
	}
	if err != nil {
		return false, "", err
	}
	doc, err := parsePolicyDoc(text)
	if err != nil {
		return false, "", fmt.Errorf("resource policy of %s: %w", h.what(), err)
	}
	ours, theirs := doc.ours(u.Mark, p)
	if len(ours) > 0 {
		return false, fmt.Sprintf("the resource policy of %s still holds %d of our statements", h.what(), len(ours)), nil
	}
	tags, err := h.readTags(ctx)
	if err != nil {
		return false, "", err
	}
	if u.Mark.owns(tags) {
		return false, h.what() + " still carries our tags", nil
	}
	if len(theirs) > 0 {
		return true, fmt.Sprintf("the resource policy of %s allows something under our name (%s): somebody made it so, and it stays", h.what(), strings.Join(theirs, ", ")), nil
	}
	return true, "", nil
}
