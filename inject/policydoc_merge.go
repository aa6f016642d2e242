package inject

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A policy's write that was refused because of what others do. It may be tried again after a look.
var (
	errPolicyMoved = errors.New("the policy is another one by now")
	errPolicyBusy  = errors.New("the policy cannot be changed at the moment")
)

// policyUndo is what an undo knows of a resource policy, version 1. Of the policy itself it holds our share only.
type policyUndo struct {
	Was        string            `json:"was"`        // none, single or list: its form before ours was merged in
	Revision   string            `json:"revision"`   // which policy ours is merged into: the service's word for it, or a digest
	Statements []json.RawMessage `json:"statements"` // ours, as they are written
}

// policyHolder is the table or queue of an undo, with its resource policy and its tags.
type policyHolder interface {
	// what names it for people.
	what() string
	// readPolicy reads it; an empty text is none, ErrGone says that the holder is not there.
	readPolicy(ctx context.Context) (text, revision string, err error)
	// writePolicy puts text in the place of the policy of that revision, once; an empty text takes it away.
	writePolicy(ctx context.Context, text, revision string) error
	readTags(ctx context.Context) (map[string]string, error)
	putTags(ctx context.Context, tags map[string]string) error
	dropTags(ctx context.Context) error
	// ask sends one request of our own that the policy denies while it is enforced.
	ask(ctx context.Context) Reading
}

// policyMerger merges our statements into resource policies and takes them out again.
type policyMerger struct {
	now    func() time.Time
	timing Timing
	late   time.Duration // how long after a write it may be before reads show it
	taken  sync.Map      // the undos whose write was ours, where no tag can tell: only this process knows
}

// policyDigest tells one policy from another where the service has no word for it.
func policyDigest(text string) string {
	if text == "" {
		return policyNone
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// preparePolicy reads a policy and refuses one that ours cannot be merged into, or out of.
func preparePolicy(ctx context.Context, h policyHolder) (policyDoc, policyUndo, error) {
	text, revision, err := h.readPolicy(ctx)
	if err != nil {
		return policyDoc{}, policyUndo{}, err
	}
	doc, err := parsePolicyDoc(text)
	if err != nil {
		return doc, policyUndo{}, Refuse("mend the policy", "the resource policy of %s cannot be read: %v", h.what(), err)
	}
	for _, s := range doc.statements {
		if m, ours := MarkOfSid(s.sid); ours {
			return doc, policyUndo{}, Refuse("firedrill recover "+m.Run, "the resource policy of %s still holds a statement of run %s (fault %s)", h.what(), m.Run, m.Fault)
		}
	}
	return doc, policyUndo{Was: doc.form(), Revision: revision}, nil
}

// refuseLong refuses a policy that would be too long with ours in it.
func refuseLong(h policyHolder, doc policyDoc, p policyUndo, most int) error {
	if size := len(doc.with(p.Statements)); size > most {
		return Refuse("shorten it", "the resource policy of %s would have %d bytes with ours in it, more than %d", h.what(), size, most)
	}
	return nil
}

// merge tags the holder and writes our statements into its policy: in this order, so that whoever finds them finds the
// mark. The policy must still be the one that was read: it is compared, and compared again the moment before.
func (k *policyMerger) merge(ctx context.Context, u Undo, p policyUndo, h policyHolder) error {
	tags, err := h.readTags(ctx)
	if err != nil {
		return err
	}
	if err := refuseMarked(h.what(), tags); err != nil && !u.Mark.owns(tags) {
		return &Definite{Err: err}
	}
	_, in, err := k.fits(ctx, u, p, h)
	if err != nil || in {
		return err
	}
	mark := u.Mark.tags("policy="+p.Was, statePrepared)
	mark[TagSent] = stamp(k.now())
	if err := h.putTags(ctx, mark); err != nil {
		return err
	}
	text, in, err := k.fits(ctx, u, p, h)
	if err != nil || in {
		return err
	}
	if err := h.writePolicy(ctx, text, p.Revision); err != nil {
		return err
	}
	// The change is made; without this tag an undo only knows less of what others did meanwhile. It comes with the mark: a
	// process that was asleep may write it after another has put everything back, and it must be found again. A later
	// run's mark stays.
	if tags, err := h.readTags(ctx); err == nil {
		if _, theirs := u.Mark.another(tags, k.now()); !theirs {
			mark[TagState], mark[TagSent] = stateApplied, stamp(k.now())
			_ = h.putTags(ctx, mark)
		}
	}
	return nil
}

// fits says what the policy is with ours in it, or that they are in it already.
func (k *policyMerger) fits(ctx context.Context, u Undo, p policyUndo, h policyHolder) (text string, in bool, err error) {
	now, revision, err := h.readPolicy(ctx)
	if errors.Is(err, ErrGone) {
		return "", false, &Definite{Err: err}
	}
	if err != nil {
		return "", false, err
	}
	doc, err := parsePolicyDoc(now)
	if err != nil {
		return "", false, &Definite{Err: fmt.Errorf("resource policy of %s: %w", h.what(), err)}
	}
	if ours, _ := doc.ours(u.Mark, p); len(ours) == len(p.Statements) {
		return "", true, nil
	}
	if revision != p.Revision {
		return "", false, &Definite{Err: fmt.Errorf("the resource policy of %s changed since it was read", h.what())}
	}
	return doc.with(p.Statements), false, nil
}

// ours sorts out which statements are this mark's: what has its Sid and denies, or is as we made it under another Sid.
// What has our Sid and allows is somebody's own: they made something else of it.
func (d policyDoc) ours(m Mark, p policyUndo) (ours map[int]bool, theirs []string) {
	ours = map[int]bool{}
	for _, s := range d.statements {
		who, marked := MarkOfSid(s.sid)
		switch {
		case marked && who.Run == m.Run && who.Fault == m.Fault && s.effect == "Deny":
			ours[s.from] = true
		case marked && who.Run == m.Run && who.Fault == m.Fault:
			theirs = append(theirs, s.sid)
		case !marked && p.made(s.raw):
			ours[s.from] = true
		}
	}
	return ours, theirs
}

func (p policyUndo) made(raw string) bool {
	for _, one := range p.Statements {
		if sameButSid(raw, string(one)) {
			return true
		}
	}
	return false
}
