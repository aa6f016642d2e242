package responder

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// quoted bounds how much of a message a note repeats, in characters.
const quoted = 60

// deadLetters finds dead-letter queues with something in them, and reads the first message. It takes nothing out.
func (r *Responder) deadLetters(ctx context.Context) ([]finding, error) {
	qs, err := r.mq.ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	var found []finding
	for _, u := range qs.QueueUrls {
		sources, err := r.mq.ListDeadLetterSourceQueues(ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &u})
		if err != nil || len(sources.QueueUrls) == 0 {
			continue // not a dead-letter queue
		}
		f, err := r.deadLettersIn(ctx, u)
		if err != nil {
			return found, err
		}
		if f != nil {
			found = append(found, *f)
		}
	}
	return found, nil
}

func (r *Responder) deadLettersIn(ctx context.Context, u string) (*finding, error) {
	a, err := r.mq.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &u, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameQueueArn}})
	if err != nil {
		return nil, fmt.Errorf("get attributes of %s: %w", u, err)
	}
	n, _ := strconv.Atoi(a.Attributes["ApproximateNumberOfMessages"])
	if n == 0 {
		return nil, nil
	}
	// The shortest time out of sight, and back at once: others want to see it too.
	m, err := r.mq.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &u, MaxNumberOfMessages: 1, VisibilityTimeout: 1})
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", u, err)
	}
	body := "(gone again)"
	if len(m.Messages) > 0 && m.Messages[0].Body != nil {
		body = *m.Messages[0].Body
		_, _ = r.mq.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &u,
			ReceiptHandle: m.Messages[0].ReceiptHandle, VisibilityTimeout: 0})
	}
	if letters := []rune(body); len(letters) > quoted {
		body = string(letters[:quoted]) + "…"
	}
	f := &finding{said: fmt.Sprintf("%d dead letters, the first is %q: the consumer cannot digest it, leaving them for the owners", n, body)}
	if r.o.Redrive {
		arn := a.Attributes["QueueArn"]
		f.fix = func(ctx context.Context) error {
			if _, err := r.mq.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
				return fmt.Errorf("redrive %s: %w", arn, err)
			}
			return nil
		}
		f.done = fmt.Sprintf("sent %d dead letters back to their queue", n)
	}
	return f, nil
}
