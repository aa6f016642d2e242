package killtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Drill is one drill of internal/kill9/testdata: one fault, as short as it can be.
type Drill struct {
	Name   string        // of its file
	Lasts  time.Duration // about how long an undisturbed run takes
	Silent bool          // strangers stand in the dead-letter queue, so its alarm is switched off
	Queue  bool          // it is about the orders queue, which must be known to have a consumer
}

// Drills are the drills that the matrices go through: every fault, in every variant that is put back in its own way.
func Drills() []Drill {
	return []Drill{
		{Name: "on-demand", Lasts: 6 * time.Second},
		{Name: "provisioned", Lasts: 10 * time.Second},
		{Name: "error", Lasts: 5 * time.Second},
		{Name: "poison", Lasts: 14 * time.Second, Silent: true, Queue: true},
		{Name: "denied", Lasts: 6 * time.Second},
		{Name: "stalled", Lasts: 8 * time.Second, Queue: true},
	}
}

// Set makes the stage ready for a drill and remembers it.
func (s Stage) Set(ctx context.Context, d Drill) (Snapshot, error) {
	var err error
	if d.Silent {
		err = errors.Join(s.Silence(ctx), s.Strangers(ctx, 2))
	}
	if d.Queue {
		err = errors.Join(err, s.Consumed(ctx))
	}
	if err != nil {
		return Snapshot{}, fmt.Errorf("set the stage for %s: %w", d.Name, err)
	}
	return s.Look(ctx)
}

// Consumed waits until CloudWatch knows that the orders queue has a consumer: a drill refuses a queue that seems to
// have none.
func (s Stage) Consumed(ctx context.Context) error {
	return Until(ctx, func() (bool, error) {
		calls, err := s.Calls(ctx)
		for _, c := range calls {
			if c.By == "orders" && c.Operation == "ReceiveMessage" && time.Since(c.At) > 2*time.Second {
				return true, err
			}
		}
		return false, err
	})
}

// AsBefore says what is not as before; nil: everything is, what people configured, nothing of ours, strangers'
// messages, and our page is resolved. That is taken in at once and done a little later, so it is waited for.
func (s Stage) AsBefore(ctx context.Context, before Snapshot) error {
	now, err := s.Look(ctx)
	if err != nil {
		return err
	}
	if left := before.Difference(now); left != "" {
		return fmt.Errorf("the world is not as before:\n%s", left)
	}
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	open := ""
	if err := Until(ctx, func() (bool, error) {
		idle, err := s.PagerIdle(ctx)
		if !idle || err != nil {
			return false, err
		}
		open, err = s.Ours(ctx)
		return open == "", err
	}); err != nil {
		return fmt.Errorf("our page is not resolved: %s: %w", open, err)
	}
	return nil
}

// Ours names an incident of ours that is open; the owner closes theirs.
func (s Stage) Ours(ctx context.Context) (string, error) {
	incidents, err := s.Incidents(ctx)
	for _, in := range incidents {
		for _, key := range in.AlertKeys {
			if in.Status != "resolved" && strings.HasPrefix(key, "firedrill/") && !strings.HasSuffix(key, "/left") {
				return fmt.Sprintf("%s is %s: %s", in.ID, in.Status, in.Title), err
			}
		}
	}
	return "", err
}

// Hold is a knob that holds one call of firedrill's, of AWS or of the pager.
type Hold struct {
	stage Stage
	id    string
	pager bool
}

// Pages is the service and operation of a page, or its end, handed to the pager.
const Pages = "pagerduty enqueue"

// Hold turns a knob that holds the nth call of an operation, such as "dynamodb UpdateTable", before or after it takes
// effect.
func (s Stage) Hold(ctx context.Context, call string, nth int, when string) (h Hold, err error) {
	h = Hold{stage: s, pager: call == Pages}
	if h.pager {
		h.id, err = s.TurnPager(ctx, PagerKnob{Effect: "hold", Path: "/events", Nth: nth, Count: 1, When: when})
		return h, err
	}
	service, operation, _ := strings.Cut(call, " ")
	h.id, err = s.Turn(ctx, Knob{Service: service, Operation: operation, By: "firedrill", Nth: nth, Count: 1, Effect: "hold", When: when})
	return h, err
}

// state is waiting, holding or done.
func (h Hold) state(ctx context.Context) (string, error) {
	if !h.pager {
		k, err := h.stage.Knob(ctx, h.id)
		return k.State, err
	}
	k, err := h.stage.PagerKnob(ctx, h.id)
	switch {
	case k.Holding > 0:
		return "holding", err
	case k.Used > 0:
		return "done", err
	}
	return "waiting", err
}

// Held waits until it holds its call, which is an error when the process ends before it makes one.
func (h Hold) Held(ctx context.Context, pr *Process) error {
	return Until(ctx, func() (bool, error) {
		ended := pr.Ended()
		state, err := h.state(ctx)
		if err == nil && state != "holding" && ended {
			err = fmt.Errorf("%w:\n%s%s", ErrNotReached, pr.Err, pr.Out)
		}
		return state == "holding", err
	})
}

// ErrNotReached says that the process ended and never made the call.
var ErrNotReached = errors.New("the process ended and never made the call")

// Done waits until it has let go of its call: it has taken effect.
func (h Hold) Done(ctx context.Context) error {
	return Until(ctx, func() (bool, error) {
		state, err := h.state(ctx)
		return state == "done", err
	})
}

// Release lets the call go on.
func (h Hold) Release(ctx context.Context) error {
	if h.pager {
		return h.stage.ReleasePager(ctx, h.id)
	}
	return h.stage.Release(ctx, h.id)
}

// Says waits until a process has said something on stderr.
func (pr *Process) Says(ctx context.Context, what string) error {
	return Until(ctx, func() (bool, error) {
		if strings.Contains(pr.Err.String(), what) {
			return true, nil
		}
		if pr.Ended() {
			return false, fmt.Errorf("the process ended and never said %q:\n%s%s", what, pr.Err, pr.Out)
		}
		return false, nil
	})
}
