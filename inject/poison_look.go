package inject

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// look is one way through a DLQ: it receives what is visible, holds it for a moment, and gives strangers' messages
// back at the end. SQS has no peek: every look adds one to each message's receive count.
type look struct {
	queues queueAPI
	now    func() time.Time
	url    string
	mark   Mark
	ledger poisonUndo
	hold   time.Duration
	first  bool             // end at the first of ours
	sweep  func(seqs []int) // when set, ours are deleted, and told just before
}

// looked is what a look found.
type looked struct {
	ours   map[int]int // copies by sequence number
	quoted int         // strangers' messages that name our mark
	full   bool        // it came to the end of what was visible
}

// run looks. What it holds it gives back even when ctx has ended.
func (l look) run(ctx context.Context) (found looked, err error) {
	found.ours = map[int]int{}
	var held []types.Message
	defer func() {
		if back := l.giveBack(ctx, held); err == nil {
			err = back
		}
	}()
	until := l.now().Add(l.hold * 2 / 3)
	for l.now().Before(until) {
		// A short poll, of no seconds, asks some of the queue's servers only.
		out, err := l.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &l.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
			VisibilityTimeout: int32(l.hold.Seconds()), MessageAttributeNames: []string{"firedrill.*"}})
		if err != nil {
			return found, fmt.Errorf("receive from queue %s: %w", l.url, err)
		}
		if len(out.Messages) == 0 {
			found.full = true
			return found, nil
		}
		var ours []types.Message
		var seqs []int
		for _, m := range out.Messages {
			seq := l.ledger.seqOf(l.mark, m)
			switch {
			case seq > 0:
				found.ours[seq]++
			case quotes(l.mark, m):
				found.quoted++
			}
			if seq > 0 && l.sweep != nil {
				ours, seqs = append(ours, m), append(seqs, seq)
			} else {
				held = append(held, m)
			}
		}
		if err := l.delete(ctx, ours, seqs); err != nil {
			return found, err
		}
		if l.first && len(found.ours) > 0 {
			return found, nil
		}
	}
	return found, nil
}

// delete deletes messages of ours by the handles just received: an older one may answer "deleted" and delete nothing.
func (l look) delete(ctx context.Context, ours []types.Message, seqs []int) error {
	if len(ours) == 0 {
		return nil
	}
	l.sweep(seqs)
	in := &sqs.DeleteMessageBatchInput{QueueUrl: &l.url}
	for i, m := range ours {
		in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
	}
	out, err := l.queues.DeleteMessageBatch(ctx, in, onceSQS)
	if err != nil {
		return fmt.Errorf("delete our messages from queue %s: %w", l.url, err)
	}
	if len(out.Failed) > 0 {
		return fmt.Errorf("delete our messages from queue %s: %s %s", l.url, aws.ToString(out.Failed[0].Code), aws.ToString(out.Failed[0].Message))
	}
	return nil
}

// giveBack makes held messages visible again, on a context of its own: strangers' messages must not wait for us.
func (l look) giveBack(ctx context.Context, held []types.Message) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	var failed []string
	for len(held) > 0 {
		some := held[:min(10, len(held))]
		held = held[len(some):]
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &l.url}
		for i, m := range some {
			in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0})
		}
		// What cannot be given back comes back by itself when the hold ends.
		if _, err := l.queues.ChangeMessageVisibilityBatch(ctx, in); err != nil {
			failed = append(failed, err.Error())
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("give messages of queue %s back: %s", l.url, strings.Join(failed, "; "))
	}
	return nil
}

// look prepares a look at the DLQ.
func (k *poisoning) look(u Undo, d poisonUndo) look {
	return look{queues: k.queues, now: k.now, url: d.DLQURL, mark: u.Mark, ledger: d, hold: k.timing.Hold}
}

// Verify looks for one of ours in the DLQ.
func (f *poison) Verify(ctx context.Context, u Undo) (Reading, error) {
	d, err := readPoisonUndo(u)
	if err != nil {
		return Reading{Felt: Unknown, Why: err.Error()}, err
	}
	l := f.look(u, d)
	l.first = true
	found, err := l.run(ctx)
	for seq := range found.ours {
		return Reading{Felt: Yes, Why: fmt.Sprintf("message %d of %d is in %s", seq, d.Count, lastPart(d.DLQ, ":"))}, nil
	}
	switch {
	case err != nil:
		return Reading{Felt: Unknown, Why: err.Error()}, nil
	case !found.full:
		return Reading{Felt: Unknown, Why: "the look at " + lastPart(d.DLQ, ":") + " did not come to its end"}, nil
	}
	return Reading{Felt: No, Why: "none of ours is in " + lastPart(d.DLQ, ":")}, nil
}
