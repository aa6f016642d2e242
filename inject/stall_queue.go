package inject

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// The quotas of a queue's policy.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
const (
	maxQueuePolicy     = 8192 // bytes
	maxQueueStatements = 20
)

// queueHolder is a queue with its policy.
type queueHolder struct {
	k *stalling
	u Undo
	d stallUndo
}

func (k *stalling) holder(u Undo, d stallUndo) policyHolder { return queueHolder{k, u, d} }

func (h queueHolder) what() string { return "queue " + h.d.name() }

func (h queueHolder) readPolicy(ctx context.Context) (text, revision string, err error) {
	q, err := h.k.queues.readQueue(ctx, h.d.QueueURL)
	text = q.attributes["Policy"]
	return text, policyDigest(text), err
}

// writePolicy sets the policy, and no other attribute. There is no condition for it in SQS: who calls has compared.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func (h queueHolder) writePolicy(ctx context.Context, text, _ string) error {
	_, err := h.k.api.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &h.d.QueueURL, Attributes: map[string]string{"Policy": text}}, onceSQS)
	if err != nil {
		return judged(fmt.Errorf("change policy of queue %s: %w", h.d.name(), orGone(err)))
	}
	return nil
}

func (h queueHolder) readTags(ctx context.Context) (map[string]string, error) {
	return h.k.queues.readTags(ctx, h.d.QueueURL)
}

func (h queueHolder) putTags(ctx context.Context, tags map[string]string) error {
	return h.k.queues.putTags(ctx, h.d.QueueURL, tags)
}

func (h queueHolder) dropTags(ctx context.Context) error {
	_, err := h.k.queues.queues.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: &h.d.QueueURL, TagKeys: policyTags()}, onceSQS)
	if err != nil {
		return fmt.Errorf("untag queue %s: %w", h.d.name(), orGone(err))
	}
	return nil
}

// ask deletes a message that there is not, and says by its User-Agent that it is our look: no message is touched, whatever
// the answer.
func (h queueHolder) ask(ctx context.Context) Reading {
	_, err := h.k.api.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &h.d.QueueURL, ReceiptHandle: aws.String("none-of-firedrill")}, onceSQS,
		func(o *sqs.Options) {
			o.APIOptions = append(o.APIOptions, awsmiddleware.AddUserAgentKeyValue(probeAgent, h.u.Mark.Run))
		})
	if err == nil {
		return Reading{Felt: Unknown, Why: "a receipt handle of nothing was taken"}
	}
	return judgeDenial("a deletion", err)
}
