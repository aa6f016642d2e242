package inject

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// revert deletes every rule that carries the mark, whatever somebody made of it, and the rule we made as long as it is as
// we made it. One that somebody changed and whose tags he took off is theirs now. A listing may be behind: one that shows nothing of ours is read once more.
func (k *replying) revert(ctx context.Context, u Undo) (Outcome, error) {
	d, err := readReplyUndo(u)
	if err != nil {
		return "", err
	}
	swept, err := k.deleteOurs(ctx, u.Mark, d)
	if err == nil && swept == (deletion{}) {
		if err := pause(ctx, k.timing.Again); err != nil {
			return "", fmt.Errorf("look at listener %s once more: %w", d.Listener, err)
		}
		swept, err = k.deleteOurs(ctx, u.Mark, d)
	}
	if err == nil {
		err = k.awaitNone(ctx, u.Mark, d)
	}
	if errors.Is(err, ErrGone) {
		return d.absent(), nil
	}
	switch {
	case err != nil:
		return "", err
	case swept.adopted:
		return Diverged, nil
	case swept.felt:
		return Restored, nil
	case swept.deleted:
		return NeverApplied, nil // staged, and never felt
	}
	return d.absent(), nil
}

// deletion is what became of our rules.
type deletion struct {
	deleted bool // there was one that carried the mark
	felt    bool // one of them was no longer inert
	adopted bool // the one we made carries the mark no more, and is another now
}

// deleteOurs deletes what the listing shows of ours. Where tags may not be read, it deletes the rule we made as long as it
// is as we made it, and tells about the tags then.
func (k *replying) deleteOurs(ctx context.Context, m Mark, d replyUndo) (done deletion, err error) {
	rules, err := k.readTagged(ctx, d.Listener)
	if err != nil && !errors.Is(err, ErrGone) {
		return done, errors.Join(err, k.deleteMade(ctx, m, d))
	}
	if err != nil {
		return done, err
	}
	for _, r := range rules {
		own := aws.ToString(r.RuleArn)
		ours, err := k.still(ctx, m, d, r)
		if err != nil {
			return done, err
		}
		if !ours {
			done.adopted = done.adopted || own == d.Rule && d.Rule != ""
			continue
		}
		if err := k.deleteRule(ctx, own); err != nil {
			return done, err
		}
		done.deleted = true
		done.felt = done.felt || !inert(r.Rule, m.Run)
	}
	return done, nil
}

// deleteMade deletes the rule we made, by what it is alone.
func (k *replying) deleteMade(ctx context.Context, m Mark, d replyUndo) error {
	rules, err := k.readRules(ctx, d.Listener)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if d.untouched(r, m.Run) {
			return k.deleteRule(ctx, aws.ToString(r.RuleArn))
		}
	}
	return nil
}

// deleteRule deletes one rule; one that is gone is no error.
func (k *replying) deleteRule(ctx context.Context, own string) error {
	if _, err := k.balancers.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: &own}, onceELB); err != nil && !hasCode(err, "RuleNotFound") {
		return fmt.Errorf("delete our rule %s: %w", own, err)
	}
	return nil
}

// absent is the outcome when no rule of ours is there: somebody deleted what we had staged, or we never came to it.
func (d replyUndo) absent() Outcome {
	if d.Rule != "" {
		return AlreadyRestored
	}
	return NeverApplied
}

// awaitNone reads until no rule of ours is told.
func (k *replying) awaitNone(ctx context.Context, m Mark, d replyUndo) error {
	for {
		left, err := k.ours(ctx, m, d)
		if errors.Is(err, ErrGone) {
			return nil
		}
		if err != nil || len(left) == 0 {
			return err
		}
		if err := pause(ctx, k.timing.Poll); err != nil {
			return fmt.Errorf("wait for our rule of %s to go: %w", d.Listener, err)
		}
	}
}

// settled reads the listener's rules: none carries the mark, and none is the one we made, as we made it.
func (k *replying) settled(ctx context.Context, u Undo) (bool, string, error) {
	d, err := readReplyUndo(u)
	if err != nil {
		return false, "", err
	}
	rules, err := k.readTagged(ctx, d.Listener)
	if errors.Is(err, ErrGone) {
		return true, "the listener is gone: somebody deleted it", nil
	}
	if err != nil {
		return false, "", err
	}
	why := ""
	for _, r := range rules {
		own := aws.ToString(r.RuleArn)
		if u.Mark.owns(r.tags) || d.untouched(r.Rule, u.Mark.Run) {
			return false, "our rule " + own + " is still there", nil
		}
		if own == d.Rule && d.Rule != "" {
			why = "the rule we made, " + own + ", no longer carries our tags, and is another now: somebody took it over"
		}
	}
	return true, why, nil
}
