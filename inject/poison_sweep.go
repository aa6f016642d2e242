package inject

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

// sweep is one account being made.
type sweep struct {
	*poisoning
	u      Undo
	d      poisonUndo
	now    func() time.Time // by the clock of the service: stamps are read by other machines
	book   string           // URL of the queue whose tags tell what is known: the source, or the DLQ when that is gone
	orphan bool             // the source is gone
	traced bool             // something says that messages may have been sent: a tag, or one of them
	dipped bool             // since last, the source was seen to hold fewer messages than are missing
	quoted int              // strangers' messages of the last look that name our mark
	sent   bool             // the queue's tags say that all were sent
	last   time.Time        // no message of ours was sent, or moved back, later
	clean  time.Time        // since when looks have found nothing of ours; zero when the last one was not good enough
	copies map[int]int      // swept so far
	others string           // why the last look was not good enough
}

// begin checks that the queues are the ones of the undo, and takes up what is known. Apply tags both queues before it
// sends: without our tags on either, with none of ours in the DLQ and nothing in the queue, there is nothing to run.
// Where only the queue's tags are gone, or it holds something, somebody may have taken them off: then all is looked for.
func (s *sweep) begin(ctx context.Context) (begun bool, err error) {
	if err := s.find(ctx); err != nil {
		return false, err
	}
	tags, err := s.readTags(ctx, s.book)
	if err != nil {
		return false, err
	}
	if s.u.Mark.owns(tags) {
		return true, s.resume(ctx, tags)
	}
	held := s.mayHold(ctx) // asked before the look and after it: meanwhile what the queue held may have dead-lettered
	found, err := s.look(s.u, s.d).run(ctx)
	if err == nil {
		err = pause(ctx, s.timing.Again)
	}
	if err == nil {
		tags, err = s.readTags(ctx, s.book) // the first answer may have been behind
	}
	switch {
	case err != nil:
		return false, err
	case s.u.Mark.owns(tags):
		return true, s.resume(ctx, tags)
	case len(found.ours) > 0 || held || s.mayHold(ctx):
		s.traced = len(found.ours) > 0
		s.last = s.now()
		s.note(ctx, s.u.Mark.tags("sweep", stateReverting))
		s.note(ctx, map[string]string{TagSent: stamp(s.last)})
		return true, nil
	case !found.full:
		return false, fmt.Errorf("sweep %s: the DLQ holds more than one look can see", s.d.DLQ)
	}
	return false, nil
}

// find reads the two queues, and the service's clock. The DLQ is swept also when the source is gone.
func (s *sweep) find(ctx context.Context) error {
	s.now, s.book = s.poisoning.now, s.d.QueueURL
	for _, is := range []struct{ url, arn string }{{s.d.DLQURL, s.d.DLQ}, {s.d.QueueURL, s.d.Queue}} {
		q, err := s.readQueue(ctx, is.url)
		if errors.Is(err, ErrGone) && is.arn == s.d.Queue {
			s.orphan, s.book = true, s.d.DLQURL
			return nil
		}
		if err != nil {
			return err
		}
		if q.arn() != is.arn {
			return fmt.Errorf("queue %s is %s, not %s", is.url, q.arn(), is.arn)
		}
		if is.arn == s.d.Queue {
			s.pace(q)
		}
		if !q.told.IsZero() {
			ahead := q.told.Sub(s.poisoning.now())
			s.now = func() time.Time { return s.poisoning.now().Add(ahead) }
		}
	}
	return nil
}

// pace minds a queue that somebody made slower since: ours take longer to dead-letter then.
func (s *sweep) pace(q queue) {
	s.d.Visibility = max(s.d.Visibility, q.span("VisibilityTimeout").Seconds())
	s.d.Delay = max(s.d.Delay, q.span("DelaySeconds").Seconds())
	if _, most, ok := q.redrive(); ok {
		s.d.MaxReceive = max(s.d.MaxReceive, most)
	}
}

// resume reads from the queue's tags what was sent when, and what earlier calls have done. A send of which nothing
// says when may have been on its way until now.
func (s *sweep) resume(ctx context.Context, tags map[string]string) error {
	s.traced, s.sent = true, tags[TagState] == stateApplied
	s.copies = readCopies(tags[TagSwept])
	if at, err := time.Parse(time.RFC3339, tags[TagLooked]); err == nil {
		s.clean, s.dipped = at.Add(time.Second), true // told in whole seconds
	}
	if at, err := time.Parse(time.RFC3339, tags[TagSent]); err == nil {
		s.last = at.Add(time.Second)
	} else {
		s.comeBack(ctx)
	}
	_, began, err := s.moves(ctx)
	if err == nil && began.After(s.last) {
		s.comeBack(ctx) // when a task that has ended did so is not told
	}
	return err
}

// moves asks for tasks that move messages out of the DLQ. Without its source it may be no DLQ to the service any more.
func (s *sweep) moves(ctx context.Context) (running bool, began time.Time, err error) {
	running, began, err = s.movesRunning(ctx, s.d.DLQ)
	if s.orphan && err != nil && ctx.Err() == nil {
		return false, time.Time{}, nil
	}
	return running, began, err
}

// comeBack notes that one of ours may have entered the queue until now.
func (s *sweep) comeBack(ctx context.Context) {
	s.last, s.dipped = s.now(), false
	s.note(ctx, map[string]string{TagSent: stamp(s.last)})
	s.dirty(ctx)
}

// dirty notes that looks must begin anew.
func (s *sweep) dirty(ctx context.Context) {
	if !s.clean.IsZero() {
		s.clean, s.dipped = time.Time{}, false
		s.note(ctx, map[string]string{TagLooked: "none"})
	}
}

// note writes into the queue's tags what a next call should know. Putting back does not wait for it. The mark comes
// along: another process may have taken it off while this one was asleep, and what is written must be found again. A
// later run's mark stays.
func (s *sweep) note(ctx context.Context, tags map[string]string) {
	now, err := s.readTags(ctx, s.book)
	if err != nil {
		return
	}
	if _, theirs := s.u.Mark.another(now, s.now()); theirs {
		return
	}
	all := s.u.Mark.tags(s.d.short(), "")
	maps.Copy(all, tags)
	_ = s.putTags(ctx, s.book, all)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// run looks again and again until two looks agree that nothing is left.
func (s *sweep) run(ctx context.Context) error {
	patience := s.now().Add(s.d.drained() + 4*s.d.apart(s.timing) + 2*s.timing.Hold + s.timing.Patience)
	for {
		began, apart := s.now(), s.d.apart(s.timing)
		ok, err := s.once(ctx)
		if err != nil {
			return err
		}
		switch {
		case !ok:
			s.dirty(ctx)
		case s.clean.IsZero():
			s.clean = s.now()
			s.note(ctx, map[string]string{TagLooked: stamp(s.clean)})
		case !began.Before(s.clean.Add(apart)):
			return nil
		}
		if s.now().After(patience) {
			return fmt.Errorf("sweep %s: not done after %s: %s", s.d.DLQ, s.d.drained(), s.others)
		}
		wait := max(apart, s.last.Add(s.d.drained()).Sub(s.now()))
		if !s.clean.IsZero() {
			wait = s.clean.Add(apart).Sub(s.now())
		}
		if err := pause(ctx, wait); err != nil {
			return fmt.Errorf("sweep %s: not done yet, %s: %w", s.d.DLQ, cmp.Or(s.others, "one look found nothing of ours, and the second is not due"), err)
		}
	}
}

// once looks once. It is good when it was full, found none of ours, could have found all, and began after the last
// moment at which one of ours could still come.
func (s *sweep) once(ctx context.Context) (bool, error) {
	running, _, err := s.moves(ctx)
	if err != nil {
		return false, err
	}
	if running {
		s.others = "somebody's task is moving messages out of the DLQ"
		s.comeBack(ctx)
		return false, nil
	}
	early := s.now().Before(s.last.Add(s.d.drained()))
	l := s.look(s.u, s.d)
	l.sweep = func(seqs []int) {
		for _, seq := range seqs {
			s.copies[seq]++
		}
		s.note(ctx, map[string]string{TagSwept: writeCopies(s.copies)})
	}
	found, err := l.run(ctx)
	if err != nil {
		return false, err
	}
	s.quoted = found.quoted
	s.traced = s.traced || len(found.ours) > 0
	switch {
	case early:
		s.others = "messages may still be on their way to the DLQ"
	case len(found.ours) > 0:
		s.others = "ours were still found"
	case !found.full:
		s.others = "the DLQ holds more than one look can see"
	default:
		s.others, err = s.hidden(ctx)
		return s.others == "" && err == nil, err
	}
	return false, nil
}

// hidden says where one of ours could be without our seeing it: in the DLQ, received by somebody else a moment ago; or,
// while some are missing, in a source that at no look since held fewer messages than those. A consumer may hide a
// message for longer than the queue says. Live queues are never received from by us: where nothing says that anything
// was sent, a consumer at work is enough.
func (s *sweep) hidden(ctx context.Context) (string, error) {
	dlq, err := s.readQueue(ctx, s.d.DLQURL)
	if err != nil {
		return "", err
	}
	if n := dlq.number("ApproximateNumberOfMessagesNotVisible"); n > 0 {
		return fmt.Sprintf("%d messages of the DLQ are in somebody's hands", n), nil
	}
	if s.missing() == 0 || s.dipped || s.orphan {
		return "", nil
	}
	source, err := s.readQueue(ctx, s.d.QueueURL)
	if errors.Is(err, ErrGone) {
		s.orphan = true
		return "", nil
	}
	if err != nil {
		return "", err
	}
	was := s.d.drained()
	if s.pace(source); s.d.drained() > was {
		return fmt.Sprintf("queue %s is slower than it was: messages may still be on their way to the DLQ", source.name()), nil
	}
	n := source.depth()
	if s.dipped = n < s.missing(); s.dipped {
		return "", nil
	}
	if !s.traced {
		if received, _, err := s.receives(ctx, source, s.last, s.now()); err != nil || received > 0 {
			return "", err
		}
	}
	return fmt.Sprintf("%d of ours are missing, and queue %s holds %d messages, never fewer than are missing: ours may be among them", s.missing(), source.name(), n), nil
}

func (s *sweep) missing() int {
	n := 0
	for seq := 1; seq <= s.d.Count; seq++ {
		if s.copies[seq] == 0 {
			n++
		}
	}
	return n
}

// items says what became of each message. One that was never seen was sent if the tags say so or another of its
// batch was seen; else it never was.
func (s *sweep) items(where string) []Item {
	var all []Item
	for seq := 1; seq <= s.d.Count; seq++ {
		i := Item{Name: fmt.Sprintf("message %d of %d", seq, s.d.Count), End: Swept, Copies: s.copies[seq]}
		switch {
		case i.Copies > 0:
		case s.orphan && s.traced:
			i.End, i.Why = Gone, "the queue was deleted, with it or after somebody took it out"
		case s.sent:
			i.End, i.Why = Gone, "sent, and "+where+": digested, purged or moved by somebody"
		case len(s.copies) > 0:
			i.End, i.Why = Gone, "sent with the others unless the queue refused it, and "+where
		default:
			i.End, i.Why = NeverSent, where+", and nothing says that it was sent"
		}
		if i.End != Swept && s.quoted > 0 {
			i.Why += fmt.Sprintf("; %d messages in the DLQ quote our mark and are not ours", s.quoted)
		}
		all = append(all, i)
	}
	return all
}

// unaccounted is the account of a sweep that did not come to its end.
func (s *sweep) unaccounted(err error) []Item {
	all := s.items("")
	for i := range all {
		if all[i].End != Swept {
			all[i].End, all[i].Why = Unaccounted, err.Error()
		}
	}
	return all
}

// mayHold says whether ours may be about though the queue does not carry our tags.
func (s *sweep) mayHold(ctx context.Context) bool {
	tags, err := s.readTags(ctx, s.d.DLQURL)
	if err != nil || s.u.Mark.owns(tags) {
		return true
	}
	// Somebody, or a process of ours that died in a look, may hold them.
	dlq, err := s.readQueue(ctx, s.d.DLQURL)
	if err != nil || dlq.number("ApproximateNumberOfMessagesNotVisible") > 0 {
		return true
	}
	if s.orphan {
		return false
	}
	q, err := s.readQueue(ctx, s.d.QueueURL)
	return err != nil || q.depth() > 0
}
