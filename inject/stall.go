package inject

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// StallParams are the parameters of sqs.stall: a queue's consumers may not take anything out of it any more.
type StallParams struct {
	Queue string `json:"queue" jsonschema:"description=URL or ARN or name of a queue that somebody consumes"`
}

// stallAPI is what sqs.stall asks of SQS besides reading and tagging. Of a queue's attributes it sets Policy alone; what it
// deletes is a message that is none.
type stallAPI interface {
	SetQueueAttributes(context.Context, *sqs.SetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.SetQueueAttributesOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
}

// stalling is the kind sqs.stall.
type stalling struct {
	policyMerger
	api    stallAPI
	caller Identity
	queues *poisoning // how queues, their tags and their consumers are read
	roles  []string   // further ARNs of ours that nothing may lock out
}

func newStalling(c *Clients, o CatalogOptions) *stalling {
	return &stalling{policyMerger: policyMerger{now: c.now, timing: o.Timing, late: o.Timing.Spread}, api: c.SQS, caller: c.STS,
		queues: newPoisoning(c, o.Timing), roles: o.Roles}
}

func (k *stalling) kind() Kind {
	return Kind{New: k.new, Revert: k.revert, Settled: k.settledQueue, Describe: k.describe, ByHand: k.byHand, Identity: k.queues.identity}
}

// stall is one stalled consumer, about to be.
type stall struct {
	*stalling
	params StallParams
}

var (
	_ Fault     = (*stall)(nil)
	_ Verifier  = (*stall)(nil)
	_ Expirer   = (*stall)(nil)
	_ Permitter = (*stall)(nil)
	_ Placed    = (*stall)(nil)
	_ Mover     = (*stall)(nil)
	_ Floored   = (*stall)(nil)
	_ Costed    = (*stall)(nil)
)

func (k *stalling) new(raw json.RawMessage) (Fault, error) {
	f := &stall{stalling: k}
	if err := decodeParams(KindStall, raw, &f.params); err != nil {
		return nil, err
	}
	if f.params.Queue == "" {
		return nil, Refuse("write queue: NAME", "%s names no queue", KindStall)
	}
	return f, nil
}

// stallUndo is the data of an sqs.stall undo, version 1.
type stallUndo struct {
	Queue    string     `json:"queue"` // ARN
	QueueURL string     `json:"queue_url"`
	Consumer string     `json:"consumer"`  // how it was proven
	Keeps    float64    `json:"keeps_s"`   // the queue's retention when it was read
	Oldest   float64    `json:"oldest_s"`  // the age of its oldest message then
	Visible  int        `json:"visible"`   // how many messages waited then
	InHand   int        `json:"in_flight"` // and how many a consumer had in hand
	Policy   policyUndo `json:"policy"`
}

// readStallUndo decodes an undo of any version ever written.
func readStallUndo(u Undo) (stallUndo, error) {
	var d stallUndo
	if u.Kind != KindStall || u.V != 1 {
		return d, fmt.Errorf("undo of kind %s version %d is not one of ours", u.Kind, u.V)
	}
	if err := json.Unmarshal(u.Data, &d); err != nil {
		return d, fmt.Errorf("read undo of %s: %w", u.Kind, err)
	}
	return d, nil
}

func (d stallUndo) name() string { return lastPart(d.Queue, ":") }

// Apply merges our statements into the queue's policy.
func (f *stall) Apply(ctx context.Context, u Undo) error {
	d, err := readStallUndo(u)
	if err != nil {
		return &Definite{Err: err}
	}
	if err := f.sameQueue(ctx, d); isGone(err) {
		return &Definite{Err: err}
	} else if err != nil {
		return judged(err)
	}
	return f.merge(ctx, u, d.Policy, f.holder(u, d))
}

// sameQueue says that the URL still leads to the queue of the undo.
func (k *stalling) sameQueue(ctx context.Context, d stallUndo) error {
	q, err := k.queues.readQueue(ctx, d.QueueURL)
	if err == nil && q.arn() != d.Queue {
		err = &Definite{Err: fmt.Errorf("queue %s is %s, not %s", d.QueueURL, q.arn(), d.Queue)}
	}
	return err
}

// revert takes our statements out of the policy as it stands. What a responder makes of the policy in the moment between
// the last look and the write is lost: SQS has no condition for it.
func (k *stalling) revert(ctx context.Context, u Undo) (Outcome, error) {
	d, err := readStallUndo(u)
	if err != nil {
		return "", err
	}
	if err := k.sameQueue(ctx, d); isGone(err) {
		return Diverged, nil
	} else if err != nil {
		return "", err
	}
	return k.take(ctx, u, d.Policy, k.holder(u, d), k.timing.Patience+k.timing.Spread/2)
}

// settledQueue reads the queue back.
func (k *stalling) settledQueue(ctx context.Context, u Undo) (bool, string, error) {
	d, err := readStallUndo(u)
	if err != nil {
		return false, "", err
	}
	return k.settled(ctx, u, d.Policy, k.holder(u, d))
}

// Verify asks whether the policy is enforced.
func (f *stall) Verify(ctx context.Context, u Undo) (Reading, error) {
	d, err := readStallUndo(u)
	if err != nil {
		return Reading{Felt: Unknown, Why: err.Error()}, err
	}
	return f.holder(u, d).ask(ctx), nil
}

// stallActions are what a consumer needs. Sending is never denied: what SNS and EventBridge are not let to send is lost.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
func stallActions() (actions, probes []string) {
	return []string{"sqs:ReceiveMessage", "sqs:DeleteMessage"}, []string{"sqs:DeleteMessage"}
}

// until is the moment after which our statements deny nothing.
func until(m Mark) string { return m.Until.UTC().Format(time.RFC3339) }
