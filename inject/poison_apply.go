package inject

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Apply tags both queues, then sends every message of the ledger in one batch. Once the tags say that all were
// sent it sends nothing more; before that it cannot know, and may send a copy: copies are accounted for.
func (f *poison) Apply(ctx context.Context, u Undo) error {
	d, err := readPoisonUndo(u)
	if err != nil {
		return &Definite{Err: err}
	}
	for _, q := range []struct{ url, arn string }{{d.QueueURL, d.Queue}, {d.DLQURL, d.DLQ}} {
		now, err := f.readQueue(ctx, q.url)
		if err != nil {
			return judged(err)
		}
		if now.arn() != q.arn {
			return &Definite{Err: fmt.Errorf("queue %s is %s, not %s", q.url, now.arn(), q.arn)}
		}
		tags, err := f.readTags(ctx, q.url)
		if err != nil {
			return err
		}
		if u.Mark.owns(tags) {
			if tags[TagState] == stateApplied && q.arn == d.Queue {
				return nil
			}
			continue
		}
		if err := refuseMarked("queue "+now.name(), tags); err != nil {
			return &Definite{Err: err}
		}
	}
	mark := u.Mark.tags(d.short(), statePrepared)
	for _, url := range []string{d.DLQURL, d.QueueURL} {
		if err := f.putTags(ctx, url, mark); err != nil {
			return err
		}
	}
	return f.send(ctx, u, d)
}

// send sends the batch once, and looks at every entry's answer: a batch answered with 200 may have failed in part.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
func (f *poison) send(ctx context.Context, u Undo, d poisonUndo) error {
	out, err := f.queues.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &d.QueueURL, Entries: d.entries(u.Mark)}, onceSQS)
	if err != nil {
		return judged(fmt.Errorf("send poison to queue %s: %w", d.QueueURL, err))
	}
	if len(out.Failed) > 0 {
		var failed []string
		for _, e := range out.Failed {
			failed = append(failed, fmt.Sprintf("message %s: %s %s", aws.ToString(e.Id), aws.ToString(e.Code), aws.ToString(e.Message)))
		}
		return fmt.Errorf("send poison to queue %s: %s", d.QueueURL, strings.Join(failed, "; "))
	}
	// All are sent; without this tag an undo only knows less of when, and waits longer. It comes with the mark: a
	// process that was asleep may write it after another has put everything back, and it must be found again.
	sent := u.Mark.tags(d.short(), stateApplied)
	at, ok := awsmiddleware.GetServerTime(out.ResultMetadata) // who sweeps may have another clock than we
	if !ok {
		at = f.now()
	}
	sent[TagSent] = stamp(at)
	// A later run's mark stays.
	if tags, err := f.readTags(ctx, d.QueueURL); err == nil {
		if _, theirs := u.Mark.another(tags, f.now()); !theirs {
			_ = f.putTags(ctx, d.QueueURL, sent)
		}
	}
	return nil
}
