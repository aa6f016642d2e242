package hands

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// statement is one of a resource policy, as a person reads it.
type statement struct {
	sid, effect string
	actions     []string
}

// document is a resource policy; what is not read of it stays as it is.
type document struct {
	whole map[string]json.RawMessage
	raw   []json.RawMessage
	read  []statement
}

// readPolicy reads a policy; an empty one has no statements.
func readPolicy(text string) (d document, err error) {
	if text == "" {
		return d, nil
	}
	if err := json.Unmarshal([]byte(text), &d.whole); err != nil {
		return d, fmt.Errorf("read policy: %w", err)
	}
	if json.Unmarshal(d.whole["Statement"], &d.raw) != nil {
		d.raw = []json.RawMessage{d.whole["Statement"]}
	}
	for _, raw := range d.raw {
		var s struct {
			Sid, Effect string
			Action      json.RawMessage
		}
		if err := json.Unmarshal(raw, &s); err != nil {
			return d, fmt.Errorf("read policy: %w", err)
		}
		one := statement{sid: s.Sid, effect: s.Effect}
		if json.Unmarshal(s.Action, &one.actions) != nil {
			var action string
			_ = json.Unmarshal(s.Action, &action) // neither: it is shown without
			one.actions = []string{action}
		}
		d.read = append(d.read, one)
	}
	return d, nil
}

// without is the policy without some statements; empty where no other is in it.
func (d document) without(goes func(i int) bool) (string, error) {
	rest := make([]json.RawMessage, 0, len(d.raw))
	for n, raw := range d.raw {
		if !goes(n) {
			rest = append(rest, raw)
		}
	}
	if len(rest) == 0 {
		return "", nil
	}
	list, err := json.Marshal(rest)
	if err != nil {
		return "", err
	}
	whole := map[string]json.RawMessage{}
	for k, v := range d.whole {
		whole[k] = v
	}
	whole["Statement"] = list
	text, err := json.Marshal(whole)
	return string(text), err
}

// policyRows tells of a policy below what it belongs to.
func (t *Table) policyRows(text string) {
	d, err := readPolicy(text)
	if err != nil || len(d.read) == 0 {
		said := "none"
		if err != nil {
			said = err.Error()
		}
		t.Rows = append(t.Rows, []Cell{{}, dim("policy"), {Text: said}})
		return
	}
	for _, s := range d.read {
		said := strings.Join(append([]string{s.effect}, s.actions...), " ")
		if s.sid != "" {
			said += " (" + s.sid + ")"
		}
		t.Rows = append(t.Rows, []Cell{{}, dim("policy"), tone(s.effect != "Deny", said)})
	}
}

// removals are the fixes that take statements out of a policy: every denial at once, or one statement by its name.
func removals(text string, remove func(rest string) Call, of string) ([]Fix, error) {
	d, err := readPolicy(text)
	if err != nil {
		return nil, err
	}
	var out []Fix
	add := func(words, says string, goes func(i int) bool) error {
		rest, err := d.without(goes)
		out = append(out, Fix{Words: words, Says: says, Call: remove(rest)})
		return err
	}
	denies := func(i int) bool { return d.read[i].effect == "Deny" }
	denials := 0
	for i, s := range d.read {
		if denies(i) {
			denials++
		}
		if s.sid == "" {
			continue
		}
		says := fmt.Sprintf("take this statement out of the policy of %s", of)
		if err := add("policy remove "+s.sid, says, func(n int) bool { return n == i }); err != nil {
			return nil, err
		}
	}
	if denials == 0 {
		return out, nil
	}
	return out, add("policy allow "+of, fmt.Sprintf("take every denial out of the policy of %s", of), denies)
}

func (h *Hands) tableDenials(t table) ([]Fix, error) {
	return removals(t.policy, func(rest string) Call {
		if rest == "" {
			return Call{CLI: []string{"dynamodb", "delete-resource-policy", "--resource-arn", t.arn}, Do: func(ctx context.Context) (string, *Call, error) {
				_, err := h.db.DeleteResourcePolicy(ctx, &dynamodb.DeleteResourcePolicyInput{ResourceArn: &t.arn})
				return "", nil, err
			}}
		}
		return Call{CLI: []string{"dynamodb", "put-resource-policy", "--resource-arn", t.arn, "--policy", rest}, Do: func(ctx context.Context) (string, *Call, error) {
			_, err := h.db.PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: &t.arn, Policy: &rest})
			return "", nil, err
		}}
	}, "table "+t.name)
}

func (h *Hands) queueDenials(q queue) ([]Fix, error) {
	return removals(q.policy, func(rest string) Call {
		attributes := map[string]string{"Policy": rest}
		arg, _ := json.Marshal(attributes) // two texts always can
		return Call{CLI: []string{"sqs", "set-queue-attributes", "--queue-url", q.url, "--attributes", string(arg)}, Do: func(ctx context.Context) (string, *Call, error) {
			_, err := h.mq.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &q.url, Attributes: attributes})
			return "", nil, err
		}}
	}, "queue "+q.name)
}
