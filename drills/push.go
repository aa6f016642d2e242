package drills

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Webhooks takes what PagerDuty sends by itself into the journals of the runs it is about, beside the engines that run
// them: an engine reads its journal's tail, and polling stays the base of what it knows. Make one with NewWebhooks.
type Webhooks struct {
	store journal.Store
	env   *Environment
	door  observe.WebhookDoor
	now   func() time.Time

	turn   chan struct{} // one webhook at a time
	listed time.Time     // when the runs that are on were listed last
	on     []string      // their ids
	known  map[string]*pushed
	past   map[string]*pushed // those that have ended within a day: nothing is added to them but answers
}

// Received is what became of one webhook.
type Received struct {
	Event string   // id of the event
	Type  string   // as PagerDuty spells it
	Runs  []string // whose journals tell it now
	Again []string // whose journals told it already: it is a duplicate, or a replay
}

// Declined says why a webhook was not let in. Nothing of it is recorded.
type Declined struct {
	Reason string // a code: unsigned, malformed, time
	Err    error
}

func (d *Declined) Error() string { return d.Err.Error() }
func (d *Declined) Unwrap() error { return d.Err }

// The reasons of Declined.
const (
	WebhookUnsigned  = "unsigned"
	WebhookMalformed = "malformed"
	WebhookTime      = "time"
)

// WebhookLimit is the most bytes that are to be read of a webhook.
const WebhookLimit = observe.WebhookLimit

const (
	runsFresh   = time.Second            // how old the list of runs may be
	runsMissing = 100 * time.Millisecond // the same when a webhook is about none of them: a run may just have begun
	answerDay   = 24 * time.Hour         // how long after a run's end an answer on its incident still counts
)

// NewWebhooks makes the door for an environment's subscriptions; secrets are their values, not references. The journal
// is written to.
func NewWebhooks(store journal.Store, env *Environment, secrets []string, now func() time.Time) (*Webhooks, error) {
	if !slices.ContainsFunc(secrets, func(s string) bool { return strings.TrimSpace(s) != "" }) {
		return nil, errors.New("take webhooks: there is no secret, and a webhook that nobody signed may be anybody's")
	}
	return &Webhooks{store: store, env: env, door: observe.WebhookDoor{Secrets: secrets, Bots: env.PagerDuty.Bots}, now: now,
		turn: make(chan struct{}, 1), known: map[string]*pushed{}, past: map[string]*pushed{}}, nil
}

// Receive takes in one delivery: header and body as they came. *Declined: it is not PagerDuty's, or makes no sense.
// Any other error is the journal's: it may be sent again, and what stands there already is not written twice.
func (h *Webhooks) Receive(ctx context.Context, header http.Header, body []byte) (Received, error) {
	w, err := h.door.Parse(header, body, h.now())
	got := Received{Event: w.ID, Type: w.Type}
	switch {
	case errors.Is(err, observe.ErrWebhookUnsigned):
		return Received{}, &Declined{WebhookUnsigned, err}
	case errors.Is(err, observe.ErrWebhookTime):
		return got, &Declined{WebhookTime, err}
	case err != nil:
		return got, &Declined{WebhookMalformed, err}
	}
	err = h.push(ctx, w, &got)
	return got, err
}

// push writes a webhook to the runs it is about, in an action of its own that is named after the event: what is sent
// twice is told once.
func (h *Webhooks) push(ctx context.Context, w observe.Webhook, got *Received) error {
	if w.Incident.ID == "" {
		return nil // a ping, or about something that is no incident
	}
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return fmt.Errorf("take webhook %s: %w", w.ID, ctx.Err())
	}
	runs, err := h.concerned(ctx, w)
	errs := []error{err}
	for _, r := range runs {
		if r.state.People.entries[w.Entry.ID] {
			got.Again = append(got.Again, r.at.Run)
			continue
		}
		events := r.events(w, h.now())
		if len(events) == 0 {
			continue
		}
		at, news, err := journal.Record(ctx, h.store, r.at, journal.Batch{Action: w.Entry.ID, Events: events})
		r.fold(at, news)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		got.Runs = append(got.Runs, r.at.Run)
	}
	return errors.Join(errs...)
}

// concerned are the runs that a webhook may be about, as they stand now: those that are on, and for a note those that
// have ended within a day.
func (h *Webhooks) concerned(ctx context.Context, w observe.Webhook) ([]*pushed, error) {
	now := h.now()
	if now.Sub(h.listed) > runsFresh {
		if err := h.list(ctx, now); err != nil {
			return nil, err
		}
	}
	found, err := h.pick(ctx, h.on, h.known, w)
	if err == nil && len(found) == 0 && now.Sub(h.listed) > runsMissing {
		if err = h.list(ctx, now); err == nil {
			found, err = h.pick(ctx, h.on, h.known, w)
		}
	}
	if err == nil && len(found) == 0 && w.Kind == observe.EntryNoted {
		var ended []string
		if ended, err = h.ended(ctx, now); err == nil {
			found, err = h.pick(ctx, ended, h.past, w)
		}
	}
	return found, err
}

// list reads which runs of the environment are on, and forgets the others.
func (h *Webhooks) list(ctx context.Context, now time.Time) error {
	runs, err := h.store.Runs(ctx, journal.Filter{Environment: h.env.Name, Unfinished: true})
	if err != nil {
		return fmt.Errorf("find the runs that are on: %w", err)
	}
	h.on, h.listed = nil, now
	known := map[string]*pushed{}
	for _, r := range runs {
		h.on = append(h.on, r.Run)
		if k := h.known[r.Run]; k != nil {
			known[r.Run] = k
		}
	}
	h.known = known
	return nil
}

// manyRuns bounds how many runs are looked through for the one whose incident somebody writes on after its end.
const manyRuns = 1000

func (h *Webhooks) ended(ctx context.Context, now time.Time) (ids []string, err error) {
	runs, err := h.store.Runs(ctx, journal.Filter{Environment: h.env.Name, Limit: manyRuns})
	if err != nil {
		return nil, fmt.Errorf("find the runs that have ended: %w", err)
	}
	past := map[string]*pushed{}
	for _, r := range runs {
		if r.Finished && now.Sub(r.Planned) < answerDay+maxLimit {
			ids = append(ids, r.Run)
			if known := h.past[r.Run]; known != nil {
				past[r.Run] = known
			}
		}
	}
	h.past = past
	return ids, nil
}

// senseless says that what a journal holds of a run makes no sense: it will make no more of it later.
func senseless(err error) bool {
	var form *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.As(err, &form) || errors.As(err, &kind)
}

// pick reads the runs that a webhook may be about, and keeps those it is about. What was read is remembered: a run that
// has ended is read once.
func (h *Webhooks) pick(ctx context.Context, ids []string, known map[string]*pushed, w observe.Webhook) (found []*pushed, err error) {
	for _, id := range ids {
		r := known[id]
		if r == nil {
			r = &pushed{state: NewState(id), at: journal.Position{Run: id, After: journal.Start}}
		} else if !r.mayConcern(w, h.env) {
			continue
		}
		at, news, err := journal.Tail(ctx, h.store, r.at)
		if senseless(err) {
			continue // one damaged record keeps nobody from telling the others, now and each time it is sent again
		}
		if err != nil {
			return nil, fmt.Errorf("read run %s: %w", id, err)
		}
		r.fold(at, news)
		known[id] = r
		if r.concerns(w, h.env) {
			found = append(found, r)
		}
	}
	if len(found) > 1 { // by its title alone it may be that of any: whoever asks the pager for its alerts knows
		found = slices.DeleteFunc(found, func(r *pushed) bool { return !r.told(w.Incident.ID) && w.Key != Dedup(r.at.Run) })
	}
	return found, nil
}
