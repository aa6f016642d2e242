package inject

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Prepare reads the queue, its policy, who consumes it and how old its messages are.
func (f *stall) Prepare(ctx context.Context, m Mark, now time.Time) (Undo, error) {
	if err := m.check(); err != nil {
		return Undo{}, err
	}
	q, err := (&poison{poisoning: f.queues}).find(ctx, f.params.Queue)
	if err != nil {
		return Undo{}, err
	}
	target, err := targetOf(q.arn())
	if err != nil {
		return Undo{}, err
	}
	d := stallUndo{Queue: q.arn(), QueueURL: q.url, Keeps: q.span("MessageRetentionPeriod").Seconds(),
		Visible: q.number("ApproximateNumberOfMessages"), InHand: q.number("ApproximateNumberOfMessagesNotVisible")}
	h := f.holder(Undo{Mark: m, Target: target}, d)
	tags, err := h.readTags(ctx)
	if err != nil {
		return Undo{}, err
	}
	if err := refuseMarked(h.what(), tags); err != nil {
		return Undo{}, err
	}
	if err := refuseFull(h.what(), tags, len(policyTags())); err != nil {
		return Undo{}, err
	}
	if d.Policy, err = f.statements(ctx, m, h, d.Queue); err != nil {
		return Undo{}, err
	}
	if d.Consumer, err = f.consumer(ctx, q, now); err != nil {
		return Undo{}, err
	}
	if d.Oldest, err = f.refuseOld(ctx, q, now, m.Until.Sub(now)); err != nil {
		return Undo{}, err
	}
	return newUndo(KindStall, m, target, d)
}

// statements are ours, merged into the policy on trial.
func (f *stall) statements(ctx context.Context, m Mark, h policyHolder, arn string) (policyUndo, error) {
	doc, policy, err := preparePolicy(ctx, h)
	if err != nil {
		return policy, err
	}
	ours, err := ourselves(ctx, f.caller, f.roles)
	if err != nil {
		return policy, err
	}
	actions, probes := stallActions()
	policy.Statements = denials(m, []string{arn}, actions, probes, ours)
	if n := len(doc.statements) + len(policy.Statements); n > maxQueueStatements {
		return policy, Refuse("take some out", "the policy of %s would have %d statements with ours in it, more than %d", h.what(), n, maxQueueStatements)
	}
	return policy, refuseLong(h, doc, policy, maxQueuePolicy)
}

// consumer proves that somebody consumes the queue, and refuses one from which what a consumer has in hand would
// dead-letter: it is delivered once more afterwards.
func (f *stall) consumer(ctx context.Context, q queue, now time.Time) (string, error) {
	if _, most, ok := q.redrive(); ok && most < 2 {
		return "", Refuse("allow 2 receives or more", "queue %s gives up on a message at its second receive: what its consumer has in hand would dead-letter", q.name())
	}
	feeds, err := f.queues.feeds(ctx, q.arn())
	if err != nil {
		return "", err
	}
	if len(feeds) > 0 {
		return "lambda: " + aws.ToString(feeds[0].FunctionArn), nil
	}
	received, asked, err := f.queues.receives(ctx, q, now.Add(-f.timing.Window), now)
	if err != nil {
		return "", err
	}
	if received == 0 {
		return "", Refuse("start its consumer, and wait until CloudWatch shows its receives",
			"nobody is known to consume queue %s: no event source mapping, and no receives in the last %s", q.name(), f.timing.Window)
	}
	return fmt.Sprintf("receives in %d of %d periods of %s", received, asked, f.timing.Period), nil
}

// toldReceives is how often a message may be received and still count for the age of the oldest.
const toldReceives = 3

// refuseOld refuses a queue whose oldest message could expire while nobody may receive it. What its age is CloudWatch
// tells; a queue with messages of which it tells nothing is refused too.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
func (f *stall) refuseOld(ctx context.Context, q queue, now time.Time, left time.Duration) (float64, error) {
	if _, most, ok := q.redrive(); (!ok || most > toldReceives) && q.depth() > 0 {
		r := Refuse("wait until it is empty, or let it give up on a message at its third receive",
			"queue %s holds messages, and CloudWatch leaves those out of the oldest's age that were received three times: they could expire", q.name())
		r.Later = true
		return 0, r
	}
	out, err := f.queues.metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/SQS"), MetricName: aws.String("ApproximateAgeOfOldestMessage"),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("QueueName"), Value: aws.String(q.name())}},
		StartTime:  aws.Time(now.Add(-f.timing.Window)), EndTime: aws.Time(now.Add(f.timing.Period)),
		Period: aws.Int32(int32(f.timing.Period.Seconds())), Statistics: []cwtypes.Statistic{cwtypes.StatisticMaximum},
	})
	if err != nil {
		return 0, fmt.Errorf("read age of the messages of queue %s: %w", q.name(), err)
	}
	if len(out.Datapoints) == 0 && q.depth() > 0 {
		r := Refuse("wait until CloudWatch shows ApproximateAgeOfOldestMessage", "queue %s holds messages, and how old they are is not known", q.name())
		r.Later = true
		return 0, r
	}
	oldest := 0.0
	for _, p := range out.Datapoints {
		oldest = max(oldest, aws.ToFloat64(p.Maximum))
	}
	need := max(left, 0) + f.undoTime() + f.timing.Window
	if kept := q.span("MessageRetentionPeriod"); kept-seconds(oldest) < need {
		return 0, Refuse("use a shorter limit, or a queue that keeps its messages longer",
			"queue %s keeps messages for %s and its oldest is %s old: some could expire within the %s that the drill may take", q.name(), kept, seconds(oldest).Round(time.Second), need)
	}
	return oldest, nil
}
