package inject

import (
	"context"
	"errors"
	"fmt"
)

// account sweeps our messages from the DLQ until two full looks, apart by a visibility timeout and after the last
// moment at which one could still dead-letter, find none; then it says what became of each. It touches nothing
// but the DLQ, and there nothing but ours. A call that ctx breaks off leaves what it knows in the queue's tags, and
// the next one goes on from there. Where the queue itself is gone, its DLQ is swept all the same.
func (k *poisoning) account(ctx context.Context, u Undo) (Outcome, []Item, error) {
	d, err := readPoisonUndo(u)
	if err != nil {
		return "", nil, err
	}
	s := &sweep{poisoning: k, u: u, d: d, copies: map[int]int{}}
	begun, err := s.begin(ctx)
	if err == nil && begun {
		err = s.run(ctx)
	}
	if errors.Is(err, ErrGone) { // the DLQ: there is nothing to sweep
		if err := s.stranded(ctx); err != nil {
			return "", s.unaccounted(err), err
		}
		if err := k.unmark(ctx, u.Mark, d.QueueURL); err != nil && !errors.Is(err, ErrGone) {
			return "", s.unaccounted(err), err
		}
		return Diverged, s.items("a queue was deleted with it"), nil
	}
	if err != nil {
		return "", s.unaccounted(err), err
	}
	// The queue's own tags go last: until then they tell a next call what this one did.
	for _, url := range []string{d.DLQURL, d.QueueURL} {
		if err := k.unmark(ctx, u.Mark, url); err != nil && !errors.Is(err, ErrGone) {
			return "", s.unaccounted(err), err
		}
	}
	how, items := NeverApplied, s.items("in neither queue")
	if s.orphan {
		return Diverged, items, nil
	}
	for _, i := range items {
		switch {
		case i.End == Swept:
			return Restored, items, nil
		case i.End == Gone:
			how = AlreadyRestored
		}
	}
	return how, items, nil
}

// stranded says that ours may go round in the queue for ever: it carries our mark, not all were swept, its DLQ is gone, and
// it is not empty. We never receive from a live queue. With a DLQ of the same name they dead-letter, and can be swept.
func (s *sweep) stranded(ctx context.Context) error {
	for again := false; ; again = true {
		tags, err := s.readTags(ctx, s.d.QueueURL)
		if errors.Is(err, ErrGone) || err == nil && (!s.u.Mark.owns(tags) || len(readCopies(tags[TagSwept])) >= s.d.Count) {
			return nil
		}
		if err != nil {
			return err
		}
		q, err := s.readQueue(ctx, s.d.QueueURL)
		if errors.Is(err, ErrGone) {
			return nil
		}
		if err != nil {
			return err
		}
		if n := q.depth(); n > 0 {
			return fmt.Errorf("the DLQ %s is gone, and queue %s holds %d messages: ours may be among them until there is a DLQ of that name again", lastPart(s.d.DLQ, ":"), q.name(), n)
		}
		if again {
			return nil
		}
		if err := pause(ctx, s.d.apart(s.timing)); err != nil {
			return fmt.Errorf("look at queue %s once more: %w", q.name(), err)
		}
	}
}

// settled looks once more: none of ours in the DLQ, no tags of ours on either queue.
func (k *poisoning) settled(ctx context.Context, u Undo) (bool, string, error) {
	d, err := readPoisonUndo(u)
	if err != nil {
		return false, "", err
	}
	gone := ""
	for _, url := range []string{d.QueueURL, d.DLQURL} {
		tags, err := k.readTags(ctx, url)
		if errors.Is(err, ErrGone) {
			gone = url
			continue
		}
		if err != nil {
			return false, "", err
		}
		if u.Mark.owns(tags) {
			return false, "queue " + url + " still carries our tags", nil
		}
	}
	if gone == d.DLQURL {
		return true, "the DLQ is gone: somebody deleted it", nil
	}
	found, err := k.look(u, d).run(ctx)
	switch {
	case err != nil:
		return false, "", err
	case len(found.ours) > 0:
		return false, fmt.Sprintf("%d of our messages are still in %s", len(found.ours), lastPart(d.DLQ, ":")), nil
	case !found.full:
		return false, "the look at " + lastPart(d.DLQ, ":") + " did not come to its end", nil
	case gone != "":
		return true, "the queue is gone: somebody deleted it", nil
	}
	if found.quoted > 0 {
		return true, fmt.Sprintf("%d messages in %s quote our mark and are not ours: they stay", found.quoted, lastPart(d.DLQ, ":")), nil
	}
	return true, "", nil
}
