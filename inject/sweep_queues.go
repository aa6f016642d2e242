package inject

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// markedQueue is a queue, and the mark in its tags.
type markedQueue struct {
	queue
	tags   map[string]string
	mark   Mark
	marked bool
	bad    error // why the mark cannot be one of ours
}

// findQueues reads the tags of every queue, and puts together what belongs to one fault: a queue and its DLQ.
func (s *Sweeper) findQueues(ctx context.Context, at home, f *finding) {
	urls, err := s.queueURLs(ctx)
	if err != nil {
		f.unread("queues", err)
	}
	f.looked("queues", len(urls))
	var mu sync.Mutex
	byMark := map[string][]markedQueue{}
	feeds := map[string][]queue{} // by the ARN of the DLQ that their redrive policies name
	each(ctx, urls, func(url string) {
		q, err := s.readMarked(ctx, url)
		if err != nil {
			f.unread("queue "+lastPart(url, "/"), err)
		}
		if q == nil {
			return
		}
		if dlq, _, ok := q.redrive(); ok {
			mu.Lock()
			feeds[dlq] = append(feeds[dlq], q.queue)
			mu.Unlock()
		}
		l := Leftover{Thing: "queue " + q.name(), ARN: q.arn()}
		if f.findThrowaway(l, q.name(), q.tags, at.command("sqs", "delete-queue", "--queue-url", url)) {
			return
		}
		stalled := s.findStall(at, *q, f)
		if !q.marked || stalled {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		byMark[q.mark.name()] = append(byMark[q.mark.name()], *q)
	})
	for _, same := range byMark {
		s.recallQueues(ctx, at, same, feeds, f)
	}
}

func (s *Sweeper) queueURLs(ctx context.Context) (urls []string, err error) {
	in := &sqs.ListQueuesInput{MaxResults: aws.Int32(1000)} // without it no further page is told
	for {
		out, err := s.c.SQS.ListQueues(ctx, in)
		if err != nil {
			return urls, fmt.Errorf("list queues: %w", err)
		}
		urls = append(urls, out.QueueUrls...)
		if aws.ToString(out.NextToken) == "" {
			return urls, nil
		}
		in.NextToken = out.NextToken
	}
}

// readMarked reads a queue with its tags; nil where it went meanwhile.
func (s *Sweeper) readMarked(ctx context.Context, url string) (*markedQueue, error) {
	tags, err := s.queues.readTags(ctx, url)
	if errors.Is(err, ErrGone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	q, err := s.queues.readQueue(ctx, url)
	if err != nil {
		if errors.Is(err, ErrGone) {
			err = nil
		}
		return nil, err
	}
	m := &markedQueue{queue: q, tags: tags}
	m.mark, m.marked, m.bad = markOfTags(tags)
	return m, nil
}

// findStall finds the statements of ours in a queue's policy, and says whether its tags are about those.
func (s *Sweeper) findStall(at home, q markedQueue, f *finding) bool {
	l := Leftover{Thing: "queue " + q.name(), ARN: q.arn()}
	var m *Mark
	if q.marked && q.bad == nil && strings.HasPrefix(q.tags[TagUndo], policyWord) {
		m, l.ByHand = &q.mark, []string{at.untagQueue(q.url)}
	}
	f.findDenials(l, m, q.attributes["Policy"], s.c.now(), func(d *foundDenial, doc policyDoc) (Undo, []string, error) {
		return at.queueDenial(d, doc, q.queue, formOf(q.tags))
	})
	return m != nil
}

// recallQueues makes an undo of the queues of one fault.
func (s *Sweeper) recallQueues(ctx context.Context, at home, same []markedQueue, feeds map[string][]queue, f *finding) {
	slices.SortFunc(same, func(a, b markedQueue) int { return strings.Compare(a.url, b.url) })
	list := func(q markedQueue, why string) {
		f.found(Leftover{Thing: "queue " + lastPart(q.url, "/"), ARN: q.arn(), Mark: q.mark, Why: why, ByHand: []string{at.untagQueue(q.url)}})
	}
	for _, q := range same {
		if q.bad != nil || !strings.HasPrefix(q.tags[TagUndo], sweepWord) {
			why := fmt.Sprintf("%s is %q, which does not say what was there before", TagUndo, q.tags[TagUndo])
			if q.bad != nil {
				why = q.bad.Error()
			}
			list(q, why)
			return
		}
	}
	source, dlq, err := s.pairOf(ctx, same, feeds)
	if err != nil {
		for _, q := range same {
			list(q, err.Error())
		}
		return
	}
	f.found(recallPoison(at, same[0].mark, source, dlq, same[0].tags))
}

// pairOf tells the queue that was poisoned from its DLQ. source is the zero queue where it has been deleted since.
func (s *Sweeper) pairOf(ctx context.Context, same []markedQueue, feeds map[string][]queue) (source, dlq queue, err error) {
	for i, q := range same {
		name, _, ok := q.redrive()
		if !ok {
			continue
		}
		for j, other := range same {
			if i != j && other.arn() == name {
				return q.queue, other.queue, nil
			}
		}
		if len(same) == 1 { // the DLQ's tags are gone
			url, err := s.queues.queueURL(ctx, name)
			if err == nil {
				dlq, err = s.queues.readQueue(ctx, url)
			}
			return q.queue, dlq, err
		}
	}
	if len(same) != 1 {
		return source, dlq, errors.New("which of these queues is the DLQ cannot be told: no redrive policy names one of them")
	}
	dlq = same[0].queue
	switch sources := feeds[dlq.arn()]; len(sources) {
	case 0:
	case 1:
		source = sources[0]
	default:
		err = fmt.Errorf("%d queues have it as their DLQ, and none of them carries the mark", len(sources))
	}
	return source, dlq, err
}

// sweepWord begins the undo of a queue's tags; see poisonUndo.short.
const sweepWord = "sweep"

// recallPoison makes the ledger again, as far as tags tell it: how many messages, not what their bodies were.
func recallPoison(at home, m Mark, source, dlq queue, tags map[string]string) Leftover {
	d := poisonUndo{Queue: source.arn(), QueueURL: source.url, DLQ: dlq.arn(), DLQURL: dlq.url, Count: maxMessages, ByMark: true,
		MaxReceive: 1, Visibility: source.span("VisibilityTimeout").Seconds(), Delay: source.span("DelaySeconds").Seconds()}
	if _, most, ok := source.redrive(); ok {
		d.MaxReceive = most
	}
	if n := 0; scanned(tags[TagUndo], "sweep %d messages", &n) && n >= 1 && n <= maxMessages {
		d.Count = n
	}
	l := Leftover{Thing: "queues " + source.name() + " and " + dlq.name(), ARN: source.arn(), Mark: m,
		Finds: fmt.Sprintf("up to %d messages of ours, on their way to %s or in it", d.Count, dlq.name())}
	target := at.target(source.arn())
	target.Also = []string{dlq.arn()}
	if source.url == "" {
		l.Thing, l.ARN = "queue "+dlq.name(), dlq.arn()
		target = at.target(dlq.arn())
	} else {
		l.ByHand = append(l.ByHand, at.untagQueue(source.url))
	}
	l.ByHand = append([]string{at.command("sqs", "receive-message", "--queue-url", dlq.url, "--max-number-of-messages", "10",
		"--message-attribute-names", attrRun, attrFault, attrSeq) + "   # then delete-message for those whose body has " + markOf(m) + "…"},
		append(l.ByHand, at.untagQueue(dlq.url))...)
	u, err := newUndo(KindPoison, m, target, d)
	if err != nil {
		l.Why = err.Error()
		return l
	}
	l.Undo = &u
	return l
}

func scanned(s, format string, into ...any) bool {
	_, err := fmt.Sscanf(s, format, into...)
	return err == nil
}

func (h home) untagQueue(url string) string {
	return h.command(append([]string{"sqs", "untag-queue", "--queue-url", url, "--tag-keys"}, queueTags()...)...)
}
