package drills

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Collect asks for what comes after the end of a run: what people answered to its questions within a day, as notes on
// its incidents and in its Slack thread, and who else changed its targets, which CloudTrail tells late. Each is a batch
// of its own whose action is derived from its source, so that whoever records it twice finds it done. What could not be
// read is told in err, beside what could.
func Collect(ctx context.Context, w World, s *State, now time.Time) (batches []journal.Batch, err error) {
	c := &collection{world: w, state: s, now: now, ended: s.endedAt()}
	if c.ended.IsZero() {
		return nil, fmt.Errorf("collect answers of run %s: it has not ended", s.Run)
	}
	err = errors.Join(c.notes(ctx), c.replies(ctx), c.changes(ctx))
	return c.batches, err
}

// collectTime bounds each question.
const collectTime = 30 * time.Second

// longestAnswer keeps an answer an answer, in characters.
const longestAnswer = 4000

// collection is what was found so far.
type collection struct {
	world   World
	state   *State
	now     time.Time
	ended   time.Time // our clock
	batches []journal.Batch
}

// endedAt is when the run ended for the last time; zero while it goes on.
func (s *State) endedAt() (at time.Time) {
	for _, e := range s.Events {
		switch e.Kind {
		case journal.RunFinished:
			at = e.At
		case journal.RunReopened:
			at = time.Time{}
		}
	}
	return at
}

// add keeps one event, under an action of its own.
func (c *collection) add(action string, e journal.Event) {
	e.At = c.now
	c.batches = append(c.batches, journal.Batch{Action: action, Events: []journal.Event{e}})
}

// notes are those that people wrote on the drill's incidents once it was over.
func (c *collection) notes(ctx context.Context) error {
	if c.world.Notebook == nil {
		return nil
	}
	var errs []error
	for _, incident := range c.state.People.drill() {
		ctx, cancel := context.WithTimeout(ctx, collectTime)
		list, err := c.world.Notebook.Notes(ctx, incident)
		cancel()
		if err != nil {
			errs = append(errs, fmt.Errorf("read notes of incident %s: %w", incident, err))
		}
		for _, n := range list {
			late := n.CreatedAt.Sub(c.ended)
			if !n.Human || late < -skewAtMost || late > answerDay || c.known(incident, n) {
				continue
			}
			user, name := c.state.Plan.Person(n.User, n.Name)
			c.add("answer/"+incident+"-"+n.ID, journal.Event{Kind: journal.AnswerGiven,
				Seen: &journal.Seen{At: n.CreatedAt, By: "pagerduty", ErrorS: 0.5},
				Fact: journal.Fact{Incident: incident, Note: n.ID, User: user, By: name, Human: journal.Bool(true), Text: cutAnswer(n.Text)}})
		}
	}
	return errors.Join(errs...)
}

// known says that the journal tells of a note already: as written during the drill, as an answer, or as one of ours.
func (c *collection) known(incident string, n observe.IncidentNote) bool {
	user, _ := c.state.Plan.Person(n.User, n.Name)
	return slices.ContainsFunc(c.state.Events, func(e journal.Event) bool {
		if e.Fact.Incident != incident {
			return false
		}
		switch e.Kind {
		case journal.NoteSent:
			return strings.TrimSpace(e.Fact.Text) == strings.TrimSpace(n.Text)
		case journal.IncidentNoted, journal.AnswerGiven:
			at := e.At
			if e.Seen != nil {
				at = e.Seen.At
			}
			written := noteState{at: at, user: e.Fact.User}
			return e.Fact.Note != "" && e.Fact.Note == n.ID || written.is(user, n.CreatedAt)
		}
		return false
	})
}

// replies are what people wrote in the run's thread once it was over: behind our last word there, by Slack's own clock.
func (c *collection) replies(ctx context.Context) error {
	slack, thread, from := c.state.Plan.Slack, c.state.Thread, time.Time{}
	if c.world.Slack == nil || slack == nil || thread == "" {
		return nil
	}
	for _, e := range c.state.Events {
		if e.Kind == journal.MessageSent && e.Fact.Reason == journal.AboutEnd && e.Fact.Err == "" {
			from = messageTime(e)
		}
	}
	if from.IsZero() {
		from = c.ended
	}
	ctx, cancel := context.WithTimeout(ctx, collectTime)
	defer cancel()
	list, err := c.world.Slack.Replies(ctx, slack.Channel, thread)
	if errors.Is(err, observe.ErrNoReplies) {
		return nil
	}
	for _, r := range list {
		if r.At.Before(from) || r.At.Sub(from) > answerDay || c.answered(r.ID) {
			continue
		}
		user, name := c.state.Plan.Person(r.User, "somebody in "+slack.Channel)
		c.add("answer/slack-"+r.ID, journal.Event{Kind: journal.AnswerGiven, Seen: &journal.Seen{At: r.At, By: "slack"},
			Fact: journal.Fact{Thread: thread, Note: r.ID, User: user, By: name, Human: journal.Bool(true), Channel: "slack", Text: cutAnswer(r.Text)}})
	}
	if err != nil {
		return fmt.Errorf("read the thread in %s: %w", slack.Channel, err)
	}
	return nil
}

// messageTime is when a message of ours was written, by the clock that stands in its id, else by ours.
func messageTime(e journal.Event) time.Time {
	_, stamp, ok := strings.Cut(e.Fact.Note, "/")
	var sec, micro int64
	if n, err := fmt.Sscanf(stamp, "%d.%06d", &sec, &micro); ok && err == nil && n == 2 {
		return time.Unix(sec, micro*1000).UTC()
	}
	return e.At
}

// answered says that the journal has a reply already.
func (c *collection) answered(id string) bool {
	return slices.ContainsFunc(c.state.Events, func(e journal.Event) bool {
		return e.Kind == journal.AnswerGiven && e.Fact.Note == id && e.Fact.Thread != ""
	})
}

// changes asks the trail, now that it has caught up.
func (c *collection) changes(ctx context.Context) error {
	targets := c.state.othersHands()
	if c.world.Trail == nil || len(targets) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, collectTime)
	defer cancel()
	list, err := c.world.Trail.Changes(ctx, targets, c.state.Started, c.ended)
	if err != nil {
		return fmt.Errorf("read who changed the targets: %w", err)
	}
	for _, x := range list {
		e, ok := c.state.Plan.changeEvent(x)
		if !ok || c.changed(e) {
			continue
		}
		sum := sha256.Sum256([]byte(strings.Join([]string{x.At.UTC().Format(time.RFC3339Nano), x.Event, x.Target, x.By, x.How}, "\n")))
		c.add("trail/"+hex.EncodeToString(sum[:8]), e)
	}
	return nil
}

// changed says that the journal tells of a change already.
func (c *collection) changed(e journal.Event) bool {
	return slices.ContainsFunc(c.state.Events, func(old journal.Event) bool {
		return old.Kind == journal.ChangeSeen && old.Seen != nil && old.Seen.At.Equal(e.Seen.At) && old.Fact.Text == e.Fact.Text &&
			old.Fact.Target == e.Fact.Target && old.Fact.By == e.Fact.By
	})
}

// cutAnswer keeps the beginning of a long answer.
func cutAnswer(text string) string {
	text = strings.TrimSpace(text)
	if r := []rune(text); len(r) > longestAnswer {
		return string(r[:longestAnswer-2]) + " …"
	}
	return text
}
