package inject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queue is an SQS queue as it stands.
type queue struct {
	url        string
	attributes map[string]string
	told       time.Time // by the service's own clock, in whole seconds; zero when it did not say
}

func (q queue) arn() string  { return q.attributes["QueueArn"] }
func (q queue) name() string { return lastPart(q.arn(), ":") }

func (q queue) number(name string) int {
	n, _ := strconv.Atoi(q.attributes[name])
	return n
}

func (q queue) span(name string) time.Duration { return time.Duration(q.number(name)) * time.Second }

// depth is every message it holds: visible, in flight and delayed.
func (q queue) depth() int {
	return q.number("ApproximateNumberOfMessages") + q.number("ApproximateNumberOfMessagesNotVisible") + q.number("ApproximateNumberOfMessagesDelayed")
}

// redrive reads a redrive policy; SQS tells the count as a number or as text.
func (q queue) redrive() (dlq string, most int, ok bool) {
	var policy struct {
		DLQ  string          `json:"deadLetterTargetArn"`
		Most json.RawMessage `json:"maxReceiveCount"`
	}
	if json.Unmarshal([]byte(q.attributes["RedrivePolicy"]), &policy) != nil || policy.DLQ == "" {
		return "", 0, false
	}
	most, err := strconv.Atoi(strings.Trim(string(policy.Most), `"`))
	return policy.DLQ, most, err == nil
}

// queueURL finds a queue by URL, ARN or name; ErrGone when there is none.
func (k *poisoning) queueURL(ctx context.Context, name string) (string, error) {
	if strings.Contains(name, "://") {
		return name, nil
	}
	in := &sqs.GetQueueUrlInput{QueueName: aws.String(name)}
	if parts := strings.Split(name, ":"); len(parts) == 6 {
		in.QueueName, in.QueueOwnerAWSAccountId = &parts[5], &parts[4]
	}
	out, err := k.queues.GetQueueUrl(ctx, in)
	if err != nil {
		return "", fmt.Errorf("find queue %s: %w", name, orGone(err))
	}
	return aws.ToString(out.QueueUrl), nil
}

// orGone joins ErrGone to an answer that the queue does not exist.
func orGone(err error) error {
	if hasCode(err, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist") {
		return errors.Join(ErrGone, err)
	}
	return err
}

// errUnnamed is the source of a DLQ that a sweep found alone: it was deleted before.
var errUnnamed = fmt.Errorf("the queue whose DLQ it was: %w", ErrGone)

// readQueue reads all attributes of a queue.
func (k *poisoning) readQueue(ctx context.Context, url string) (queue, error) {
	if url == "" {
		return queue{}, errUnnamed
	}
	out, err := k.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		return queue{}, fmt.Errorf("read attributes of queue %s: %w", url, orGone(err))
	}
	told, _ := awsmiddleware.GetServerTime(out.ResultMetadata)
	return queue{url: url, attributes: out.Attributes, told: told}, nil
}

func (k *poisoning) readTags(ctx context.Context, url string) (map[string]string, error) {
	if url == "" {
		return nil, errUnnamed
	}
	out, err := k.queues.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &url})
	if err != nil {
		return nil, fmt.Errorf("list tags of queue %s: %w", url, orGone(err))
	}
	return out.Tags, nil
}

func (k *poisoning) putTags(ctx context.Context, url string, tags map[string]string) error {
	if _, err := k.queues.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: &url, Tags: tags}, onceSQS); err != nil {
		return judged(fmt.Errorf("tag queue %s: %w", url, err))
	}
	return nil
}

// unmark takes our tags off a queue, if they are this mark's, and reads that they are gone.
func (k *poisoning) unmark(ctx context.Context, m Mark, url string) error {
	for first := true; ; first = false {
		tags, err := k.readTags(ctx, url)
		if err != nil || !m.owns(tags) {
			return err
		}
		if first {
			if _, err := k.queues.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: &url, TagKeys: queueTags()}, onceSQS); err != nil {
				return fmt.Errorf("untag queue %s: %w", url, err)
			}
			continue
		}
		if err := pause(ctx, k.timing.Poll); err != nil {
			return fmt.Errorf("wait for tags of queue %s to go: %w", url, err)
		}
	}
}

// movesRunning says whether a move task takes messages out of a queue at the moment, and when the last one began.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html
func (k *poisoning) movesRunning(ctx context.Context, arn string) (running bool, began time.Time, err error) {
	out, err := k.queues.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn, MaxResults: aws.Int32(10)})
	if err != nil {
		return false, began, fmt.Errorf("list move tasks of queue %s: %w", arn, orGone(err))
	}
	for _, task := range out.Results {
		if at := time.UnixMilli(task.StartedTimestamp); at.After(began) {
			began = at
		}
		running = running || aws.ToString(task.Status) == "RUNNING" || aws.ToString(task.Status) == "CANCELLING"
	}
	return running, began, nil
}

// identity answers the guard: the queue's ARN as SQS tells it. Its tags are those of the queue, and of the
// further queues of the target: a tag that not all carry alike shows all values, and suits nobody.
func (k *poisoning) identity(ctx context.Context, t Target) (string, map[string]string, error) {
	own, tags := "", map[string]string{}
	for i, name := range append([]string{t.ARN}, t.Also...) {
		url, err := k.queueURL(ctx, name)
		if err != nil {
			return "", nil, err
		}
		q, err := k.readQueue(ctx, url)
		if err != nil {
			return "", nil, err
		}
		more, err := k.readTags(ctx, url)
		if err != nil {
			return "", nil, err
		}
		if i == 0 {
			own, tags = q.arn(), more
			continue
		}
		tags = everyTag(tags, more)
	}
	return own, tags, nil
}

// everyTag joins two sets of tags of which both must carry every tag alike.
func everyTag(a, b map[string]string) map[string]string {
	all := bothTags(a, b)
	for key := range all {
		_, inA := a[key]
		if _, inB := b[key]; !inA || !inB {
			all[key] += " | none"
		}
	}
	return all
}
