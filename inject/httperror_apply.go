package inject

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// errNotStaged says that Apply met no rule of ours.
var errNotStaged = errors.New("our rule is not there")

// Stage creates our rule where nobody matches it: it asks for a header of the run besides its conditions.
func (f *reply) Stage(ctx context.Context, u Undo) (Undo, error) {
	d, err := readReplyUndo(u)
	if err != nil {
		return u, &Definite{Err: err}
	}
	found, err := f.ours(ctx, u.Mark, d)
	if err != nil {
		return u, err
	}
	if len(found) > 0 {
		d.Rule = aws.ToString(found[0].RuleArn)
		return newUndo(KindError, u.Mark, u.Target, d)
	}
	in := &elb.CreateRuleInput{
		ListenerArn: &d.Listener, Priority: aws.Int32(d.Priority), Conditions: d.conditions(u.Mark.Run),
		Actions: []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{
			StatusCode: aws.String(strconv.Itoa(d.Status)), ContentType: aws.String(contentType(d.Body)), MessageBody: &d.Body}}},
	}
	for key, value := range u.Mark.tags(undoRule, "") {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	out, err := f.balancers.CreateRule(ctx, in, onceELB)
	if err != nil {
		return u, judged(fmt.Errorf("create rule at priority %d of %s: %w", d.Priority, d.Listener, err))
	}
	if len(out.Rules) == 0 {
		return u, fmt.Errorf("create rule of %s: the answer names none", d.Listener)
	}
	d.Rule = aws.ToString(out.Rules[0].RuleArn)
	return newUndo(KindError, u.Mark, u.Target, d)
}

// Apply takes our header out of our rule's conditions: now it is felt.
func (f *reply) Apply(ctx context.Context, u Undo) error {
	d, err := readReplyUndo(u)
	if err != nil {
		return &Definite{Err: err}
	}
	found, err := f.ours(ctx, u.Mark, d)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return &Definite{Err: fmt.Errorf("apply to %s: %w", d.Listener, errNotStaged)}
	}
	for _, r := range found {
		if !inert(r.Rule, u.Mark.Run) {
			return nil
		}
	}
	own := aws.ToString(found[0].RuleArn)
	if _, err := f.balancers.ModifyRule(ctx, &elb.ModifyRuleInput{RuleArn: &own, Conditions: d.conditions("")}, onceELB); err != nil {
		return judged(fmt.Errorf("modify our rule %s: %w", own, err))
	}
	return nil
}

// ours lists the listener's rules that carry the mark, and the one we made though its tags are gone.
func (k *replying) ours(ctx context.Context, m Mark, d replyUndo) ([]rule, error) {
	rules, err := k.readTagged(ctx, d.Listener)
	if err != nil {
		return nil, err
	}
	var found []rule
	for _, r := range rules {
		ours, err := k.still(ctx, m, d, r)
		if err != nil {
			return nil, err
		}
		if ours {
			found = append(found, r)
		}
	}
	return found, nil
}

// still says whether a rule is ours: it carries the mark; or it is the one we made, and so also when it is read once more.
// Tags are told after the rules: who took them off meanwhile may have made the rule his own.
func (k *replying) still(ctx context.Context, m Mark, d replyUndo, r rule) (bool, error) {
	if m.owns(r.tags) || !d.untouched(r.Rule, m.Run) {
		return m.owns(r.tags), nil
	}
	rules, err := k.readRules(ctx, d.Listener)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(rules, func(now types.Rule) bool {
		return aws.ToString(now.RuleArn) == aws.ToString(r.RuleArn) && d.untouched(now, m.Run)
	}), nil
}
