package inject

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// maxDepth is how many strangers' messages a DLQ may hold: each of our looks receives them all.
const maxDepth = 200

// Prepare reads the queue, its DLQ and who consumes them.
func (f *poison) Prepare(ctx context.Context, m Mark, now time.Time) (Undo, error) {
	if err := m.check(); err != nil {
		return Undo{}, err
	}
	source, dlq, most, err := f.readPair(ctx)
	if err != nil {
		return Undo{}, err
	}
	d := poisonUndo{Queue: source.arn(), QueueURL: source.url, DLQ: dlq.arn(), DLQURL: dlq.url, Count: f.params.Messages,
		Body: f.params.Body, MaxReceive: most, Visibility: source.span("VisibilityTimeout").Seconds(),
		Delay: source.span("DelaySeconds").Seconds(), Depth: dlq.depth()}
	if d.Body == "" {
		d.Body = poisonBody
	}
	if err := f.refuseTimes(d, source, dlq, m.Until.Sub(now)); err != nil {
		return Undo{}, err
	}
	if err := f.refuseDLQ(ctx, d, dlq, now); err != nil {
		return Undo{}, err
	}
	if d.Consumer, err = f.consumer(ctx, source, d, now); err != nil {
		return Undo{}, err
	}
	for _, q := range []queue{source, dlq} {
		tags, err := f.readTags(ctx, q.url)
		if err != nil {
			return Undo{}, err
		}
		if err := refuseMarked("queue "+q.name(), tags); err != nil {
			return Undo{}, err
		}
		if err := refuseFull("queue "+q.name(), tags, len(queueTags())); err != nil {
			return Undo{}, err
		}
	}
	target, err := targetOf(d.Queue)
	if err != nil {
		return Undo{}, err
	}
	target.Also = []string{d.DLQ}
	return newUndo(KindPoison, m, target, d)
}

// readPair reads the queue and the DLQ its redrive policy names.
func (f *poison) readPair(ctx context.Context) (source, dlq queue, most int, err error) {
	if source, err = f.find(ctx, f.params.Queue); err != nil {
		return source, dlq, 0, err
	}
	if source.attributes["FifoQueue"] == "true" {
		return source, dlq, 0, Refuse("use a standard queue", "queue %s is FIFO: a poison message would hold up its whole group", source.name())
	}
	name, most, ok := source.redrive()
	if !ok {
		return source, dlq, 0, Refuse("give it a redrive policy", "queue %s has no redrive policy: poison would go round until it expires", source.name())
	}
	ours, err := targetOf(source.arn())
	if err != nil {
		return source, dlq, 0, err
	}
	theirs, err := targetOf(name)
	if err != nil || theirs.Account != ours.Account || theirs.Region != ours.Region {
		return source, dlq, 0, Refuse("use a DLQ of the same account and region", "the DLQ of queue %s is %s", source.name(), name)
	}
	dlq, err = f.find(ctx, name)
	return source, dlq, most, err
}

func (f *poison) find(ctx context.Context, name string) (queue, error) {
	url, err := f.queueURL(ctx, name)
	var q queue
	if err == nil {
		q, err = f.readQueue(ctx, url)
	}
	if errors.Is(err, ErrGone) {
		return q, Refuse("mend the queue's name, or the account and region", "there is no queue %s", name)
	}
	return q, err
}

// refuseTimes refuses queues where poison would dead-letter too late, or where it, or a stranger's message, could
// expire before we are done.
func (f *poison) refuseTimes(d poisonUndo, source, dlq queue, left time.Duration) error {
	if d.drained() > f.timing.Drain {
		return Refuse("use a queue with a shorter visibility timeout or fewer receives",
			"a message of queue %s needs up to %s to dead-letter, more than %s", source.name(), d.drained(), f.timing.Drain)
	}
	need := max(left, 0) + d.drained() + 2*d.apart(f.timing)
	for _, q := range []queue{source, dlq} {
		if kept := q.span("MessageRetentionPeriod"); kept > 0 && kept < need {
			return Refuse("use a shorter limit, or a queue that keeps its messages longer",
				"queue %s keeps messages for %s, less than the %s the drill may take", q.name(), kept, need)
		}
	}
	if size := source.number("MaximumMessageSize"); size > 0 && len(d.body(Mark{Run: "01abcdefghjkmnpqrstvwxyz00", Fault: "poison"}, d.Count))+256 > size {
		return Refuse("shorten the body", "queue %s takes no message of that size", source.name())
	}
	return nil
}

// refuseDLQ refuses a DLQ in which our looks would do harm, or our messages would not stay.
func (f *poison) refuseDLQ(ctx context.Context, d poisonUndo, dlq queue, now time.Time) error {
	if _, _, ok := dlq.redrive(); ok {
		return Refuse("use a queue whose DLQ has none", "DLQ %s has a redrive policy of its own: our looks would push strangers' messages on", dlq.name())
	}
	if d.Depth > maxDepth {
		return Refuse("empty it first", "DLQ %s holds about %d messages, more than %d: every look of ours receives them all", dlq.name(), d.Depth, maxDepth)
	}
	feeds, err := f.feeds(ctx, dlq.arn())
	if err != nil {
		return err
	}
	if len(feeds) > 0 {
		return Refuse("switch it off", "DLQ %s has a consumer of its own: function %s", dlq.name(), aws.ToString(feeds[0].FunctionArn))
	}
	received, asked, err := f.receives(ctx, dlq, now.Add(-f.timing.Window), now)
	if err != nil {
		return err
	}
	if asked > 0 && 3*received >= 2*asked {
		return Refuse("stop it", "DLQ %s has a consumer of its own: it received in %d of the last %d periods of %s", dlq.name(), received, asked, f.timing.Period)
	}
	running, _, err := f.movesRunning(ctx, dlq.arn())
	if err != nil {
		return err
	}
	if running {
		r := Refuse("wait until it has ended", "a task is moving messages out of DLQ %s", dlq.name())
		r.Later = true
		return r
	}
	return nil
}
