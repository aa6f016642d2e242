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
}

// Drills are the drills that the matrices go through: every fault, in every variant that is put back in its own way.
func Drills() []Drill {
	return []Drill{{"on-demand", 6 * time.Second, false}, {"provisioned", 10 * time.Second, false}, {"error", 5 * time.Second, false}, {"poison", 14 * time.Second, true}}
}

// Set makes the stage ready for a drill and remembers it.
func (s Stage) Set(ctx context.Context, d Drill) (Snapshot, error) {
	if d.Silent {
		if err := errors.Join(s.Silence(ctx), s.Strangers(ctx, 2), s.Consumed(ctx)); err != nil {
			return Snapshot{}, fmt.Errorf("set the stage for %s: %w", d.Name, err)
		}
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

// Held waits until a knob holds its call, which is an error when the process ends before it makes one.
func (s Stage) Held(ctx context.Context, knob string, pr *Process) error {
	return Until(ctx, func() (bool, error) {
		k, err := s.Knob(ctx, knob)
		if err == nil && k.State != "holding" && pr.Ended() {
			err = fmt.Errorf("%w:\n%s%s", ErrNotReached, pr.Err, pr.Out)
		}
		return k.State == "holding", err
	})
}

// ErrNotReached: the process ended and never made the call.
var ErrNotReached = errors.New("the process ended and never made the call")

// Done waits until a knob has let go of its call: it has taken effect.
func (s Stage) Done(ctx context.Context, knob string) error {
	return Until(ctx, func() (bool, error) {
		k, err := s.Knob(ctx, knob)
		return k.State == "done", err
	})
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
