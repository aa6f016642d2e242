package hands

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// quoted bounds how much of a message is shown, in characters.
const quoted = 120

// queue is a queue as its owner sees it.
type queue struct {
	url, name, arn   string
	visible, flying  int
	policy, deadTo   string   // deadTo: ARN of where its dead letters go
	deadOf           []string // names of the queues whose dead letters it has
	receivesToDeaden int
}

func (h *Hands) describeQueues(ctx context.Context) ([]queue, error) {
	urls, err := h.mq.ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	var all []queue
	for _, u := range urls.QueueUrls {
		q, err := h.describeQueue(ctx, u)
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	for i := range all {
		for _, source := range all {
			if source.deadTo != "" && source.deadTo == all[i].arn {
				all[i].deadOf = append(all[i].deadOf, source.name)
			}
		}
	}
	return all, nil
}

func (h *Hands) describeQueue(ctx context.Context, url string) (queue, error) {
	q := queue{url: url, name: url[strings.LastIndexByte(url, '/')+1:]}
	out, err := h.mq.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		return q, fmt.Errorf("get attributes of queue %s: %w", q.name, err)
	}
	a := out.Attributes
	q.arn, q.policy = a["QueueArn"], a["Policy"]
	q.visible, _ = strconv.Atoi(a["ApproximateNumberOfMessages"])
	q.flying, _ = strconv.Atoi(a["ApproximateNumberOfMessagesNotVisible"])
	var redrive struct {
		To    string `json:"deadLetterTargetArn"`
		Count any    `json:"maxReceiveCount"` // a number, or a text of one
	}
	if json.Unmarshal([]byte(a["RedrivePolicy"]), &redrive) == nil {
		q.deadTo = redrive.To
		q.receivesToDeaden, _ = strconv.Atoi(fmt.Sprint(redrive.Count))
	}
	return q, nil
}

func (h *Hands) queues(ctx context.Context) ([]Table, error) {
	all, err := h.describeQueues(ctx)
	if err != nil {
		return nil, err
	}
	out := Table{Title: "aws sqs get-queue-attributes; receive-message of the dead letters", Empty: "no queues"}
	for _, q := range all {
		row := func(name, what string, c Cell) { out.Rows = append(out.Rows, []Cell{{Text: name}, dim(what), c}) }
		row(q.name, "messages", tone(q.visible == 0 || len(q.deadOf) == 0 && q.visible < 10, fmt.Sprintf("%d wait, %d in flight", q.visible, q.flying)))
		if q.deadTo != "" {
			row("", "dead letters", cell("to %s after %d receives", q.deadTo[strings.LastIndexByte(q.deadTo, ':')+1:], q.receivesToDeaden))
		}
		if len(q.deadOf) > 0 && q.visible > 0 {
			row("", "the first is", cell("%s", h.peek(ctx, q.url)))
		}
		out.policyRows(q.policy)
	}
	return []Table{out}, nil
}

// peek reads one message and lets go of it at once: others want to see it, too.
func (h *Hands) peek(ctx context.Context, url string) string {
	out, err := h.mq.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 1, VisibilityTimeout: 1})
	if err != nil {
		return err.Error()
	}
	if len(out.Messages) == 0 {
		return "(gone again)"
	}
	m := out.Messages[0]
	_, _ = h.mq.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0})
	return quote(m.Body)
}

func quote(body *string) string {
	letters := []rune(text(body))
	if len(letters) > quoted {
		letters = append(letters[:quoted], '…')
	}
	return strconv.Quote(string(letters))
}

func (h *Hands) queueFixes(ctx context.Context) ([]Fix, error) {
	all, err := h.describeQueues(ctx)
	if err != nil {
		return nil, err
	}
	var out []Fix
	for _, q := range all {
		if len(q.deadOf) > 0 && q.visible > 0 {
			out = append(out, h.redrive(q), h.take(q))
		}
		denied, err := h.queueDenials(q)
		if err != nil {
			return nil, err
		}
		out = append(out, denied...)
	}
	return out, nil
}

func (h *Hands) redrive(q queue) Fix {
	return Fix{Words: "queue redrive " + q.name, Says: fmt.Sprintf("send all of them back to %s", strings.Join(q.deadOf, ", ")), Call: Call{
		CLI: []string{"sqs", "start-message-move-task", "--source-arn", q.arn},
		Do: func(ctx context.Context) (string, *Call, error) {
			_, err := h.mq.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &q.arn})
			return "", nil, err
		}}}
}

// take receives a message and deletes it: the second call needs what the first one answers.
func (h *Hands) take(q queue) Fix {
	const sight = 30 // seconds in which nobody else receives it
	return Fix{Words: "queue take " + q.name, Says: "delete the first message: nobody gets it back", Call: Call{
		CLI: []string{"sqs", "receive-message", "--queue-url", q.url, "--max-number-of-messages", "1", "--visibility-timeout", strconv.Itoa(sight)},
		Do: func(ctx context.Context) (string, *Call, error) {
			out, err := h.mq.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: 1, VisibilityTimeout: sight})
			if err != nil {
				return "", nil, err
			}
			if len(out.Messages) == 0 {
				return "there is none to be had now", nil, nil
			}
			handle := aws.ToString(out.Messages[0].ReceiptHandle)
			return "it is " + quote(out.Messages[0].Body), &Call{
				CLI: []string{"sqs", "delete-message", "--queue-url", q.url, "--receipt-handle", handle},
				Do: func(ctx context.Context) (string, *Call, error) {
					_, err := h.mq.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: &handle})
					return "", nil, err
				}}, nil
		}}}
}
