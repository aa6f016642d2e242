package inject

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// PoisonParams are the parameters of sqs.poison: a few messages that the queue's consumer cannot digest.
type PoisonParams struct {
	Queue    string `json:"queue" jsonschema:"description=URL or ARN or name of a standard queue with a redrive policy"`
	Messages int    `json:"messages,omitempty" jsonschema:"minimum=1,maximum=10,default=3"`
	Body     string `json:"body,omitempty" jsonschema:"description=What the consumer cannot digest; {mark} is replaced by our mark"`
}

// queueAPI is what sqs.poison asks of SQS. There is no purge in it, and no way to change an attribute.
type queueAPI interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
	ListQueueTags(context.Context, *sqs.ListQueueTagsInput, ...func(*sqs.Options)) (*sqs.ListQueueTagsOutput, error)
	TagQueue(context.Context, *sqs.TagQueueInput, ...func(*sqs.Options)) (*sqs.TagQueueOutput, error)
	UntagQueue(context.Context, *sqs.UntagQueueInput, ...func(*sqs.Options)) (*sqs.UntagQueueOutput, error)
	ListMessageMoveTasks(context.Context, *sqs.ListMessageMoveTasksInput, ...func(*sqs.Options)) (*sqs.ListMessageMoveTasksOutput, error)
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibilityBatch(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)
}

// listMappings tells which functions Lambda feeds from a queue.
type listMappings func(context.Context, *lambda.ListEventSourceMappingsInput, ...func(*lambda.Options)) (*lambda.ListEventSourceMappingsOutput, error)

// poisoning is the kind sqs.poison.
type poisoning struct {
	queues   queueAPI
	mappings listMappings
	metrics  Metrics // they tell whether anybody receives from a queue
	now      func() time.Time
	timing   Timing
}

func newPoisoning(c *Clients, t Timing) *poisoning {
	return &poisoning{queues: c.SQS, mappings: c.mappings, metrics: c.CloudWatch, now: c.now, timing: t}
}

func (k *poisoning) kind() Kind {
	revert := func(ctx context.Context, u Undo) (Outcome, error) {
		how, _, err := k.account(ctx, u)
		return how, err
	}
	return Kind{New: k.new, Revert: revert, Settled: k.settled, Describe: k.describe, ByHand: k.byHand, Identity: k.identity, Account: k.account}
}

// poison is a batch of messages, about to be sent.
type poison struct {
	*poisoning
	params PoisonParams
}

var (
	_ Fault     = (*poison)(nil)
	_ Verifier  = (*poison)(nil)
	_ Permitter = (*poison)(nil)
	_ Mover     = (*poison)(nil)
	_ Floored   = (*poison)(nil)
	_ Costed    = (*poison)(nil)
)

// Bounds of a batch: what one SendMessageBatch takes, and bodies that stay far from the size limit.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	defaultMessages = 3
	maxMessages     = 10
	maxPoison       = 16 << 10
)

func (k *poisoning) new(raw json.RawMessage) (Fault, error) {
	f := &poison{poisoning: k}
	if err := decodeParams(KindPoison, raw, &f.params); err != nil {
		return nil, err
	}
	p := &f.params
	if p.Messages == 0 {
		p.Messages = defaultMessages
	}
	switch {
	case p.Queue == "":
		return nil, Refuse("write queue: NAME", "%s names no queue", KindPoison)
	case p.Messages < 1 || p.Messages > maxMessages:
		return nil, Refuse("write messages: 3", "%d messages are not between 1 and %d", p.Messages, maxMessages)
	case len(p.Body) > maxPoison:
		return nil, Refuse("shorten it", "body has %d bytes, more than %d", len(p.Body), maxPoison)
	case p.Body != "" && http.DetectContentType([]byte(p.Body)) == "application/octet-stream":
		return nil, Refuse("write text", "body is not text")
	}
	return f, nil
}
