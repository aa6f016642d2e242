package alarms

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// ruleToken is one word of a composite alarm's rule:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
var ruleToken = regexp.MustCompile(`^\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]+)"|([^\s"()]+))\s*\)|(AND|OR|NOT|TRUE|FALSE)\b|([()]))`)

// rule reads a composite alarm's rule over the states of the others, from the left.
type rule struct {
	rest   string
	states map[string]types.StateValue
	named  []string // whose states made it what it is
}

// holds says whether a rule is true. NOT binds tightest, then AND, then OR.
func holds(text string, states map[string]types.StateValue) (ok bool, named []string, err error) {
	r := &rule{rest: text, states: states}
	ok, err = r.any()
	if err == nil && strings.TrimSpace(r.rest) != "" {
		err = fmt.Errorf("%q is not expected", r.rest)
	}
	return ok, r.named, err
}

func (r *rule) word() []string { return ruleToken.FindStringSubmatch(r.rest) }

// take goes past a word if it is the next one.
func (r *rule) take(word string) bool {
	m := r.word()
	if m == nil || m[4] != word && m[5] != word || word == "" {
		return false
	}
	r.rest = r.rest[len(m[0]):]
	return true
}

func (r *rule) any() (bool, error) {
	ok, err := r.all()
	for err == nil && r.take("OR") {
		var more bool
		more, err = r.all()
		ok = ok || more
	}
	return ok, err
}

func (r *rule) all() (bool, error) {
	ok, err := r.one()
	for err == nil && r.take("AND") {
		var more bool
		more, err = r.one()
		ok = ok && more
	}
	return ok, err
}

func (r *rule) one() (bool, error) {
	switch {
	case r.take("NOT"):
		ok, err := r.one()
		return !ok, err
	case r.take("("):
		ok, err := r.any()
		if err == nil && !r.take(")") {
			err = errors.New("a bracket is not closed")
		}
		return ok, err
	case r.take("TRUE"):
		return true, nil
	case r.take("FALSE"):
		return false, nil
	}
	m := r.word()
	if m == nil || m[1] == "" {
		return false, fmt.Errorf("%q cannot be read", r.rest)
	}
	r.rest = r.rest[len(m[0]):]
	name := m[2] + m[3]
	if _, tail, ok := strings.Cut(name, ":alarm:"); ok {
		name = tail
	}
	ok := r.states[name] == types.StateValue(m[1])
	if ok {
		r.named = append(r.named, fmt.Sprintf("%s is %s", name, m[1]))
	}
	return ok, nil
}

// compose decides the composite alarms on the states of the others. One may be made of another, so it goes on until
// nothing changes, and at most as often as there are any.
func (e *Evaluator) compose(ctx context.Context, list []types.CompositeAlarm, states map[string]types.StateValue) error {
	var errs []error
	for range list {
		changed := false
		errs = nil
		for _, c := range list {
			name := aws.ToString(c.AlarmName)
			ok, named, err := holds(aws.ToString(c.AlarmRule), states)
			if err != nil {
				errs = append(errs, fmt.Errorf("evaluate alarm %s: its rule: %w", name, err))
				continue
			}
			state := types.StateValueOk
			if ok {
				state = types.StateValueAlarm
			}
			if state == states[name] {
				continue
			}
			if err := e.say(ctx, name, state, composed(c, named)); err != nil {
				errs = append(errs, err)
				continue
			}
			states[name], changed = state, true
		}
		if !changed {
			break
		}
	}
	return errors.Join(errs...)
}

func composed(c types.CompositeAlarm, named []string) string {
	text := "The rule " + aws.ToString(c.AlarmRule) + " was evaluated"
	if len(named) > 0 {
		text += ": " + strings.Join(named, ", ")
	}
	if len(text) > 1000 {
		text = text[:1000]
	}
	return text
}

// say sets a state; an alarm that was deleted since it was listed has none.
func (e *Evaluator) say(ctx context.Context, name string, state types.StateValue, reason string) error {
	_, err := e.api.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: &name, StateValue: state, StateReason: &reason})
	if gone := (*types.ResourceNotFound)(nil); errors.As(err, &gone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("evaluate alarm %s: set state %s: %w", name, state, err)
	}
	return nil
}
