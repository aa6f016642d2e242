package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/killtest"
)

// Result is how a cell ended.
type Result struct {
	Cell
	OK bool `json:"ok"`
	// Missed: the process ended before it came to the point, and everything was as before. Not every run looks as often.
	Missed   bool    `json:"missed,omitempty"`
	Why      string  `json:"why,omitempty"` // of a cell that is not ok
	Recovery float64 `json:"recover_s"`     // how long recover took, start and end of the process included
	Took     float64 `json:"took_s"`
	Build    string  `json:"build"`
}

// errMissed: the process ended before it came to the point.
var errMissed = errors.New("the process ended before it came to the point")

// try kills a process at the cell's point and lets another one recover.
func (l lab) try(ctx context.Context, c Cell, d killtest.Drill) (r Result) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	r.Cell = c
	s, err := l.open(ctx, d)
	if err == nil {
		err = s.kill(ctx, c)
		if r.Missed = errors.Is(err, errMissed); r.Missed || err == nil {
			err = s.putBack(ctx, &r)
		}
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, s.story())
		}
		err = errors.Join(err, s.close())
	}
	if r.OK = err == nil; err != nil {
		r.Why = err.Error()
	}
	r.Took = time.Since(began).Seconds()
	return r
}

// kill brings the process to its point and sees that it dies there.
func (s *scene) kill(ctx context.Context, c Cell) error {
	start := s.run
	if c.Phase == inRecover {
		if err := s.leaveInPlace(ctx); err != nil {
			return err
		}
		start = func(ctx context.Context, crash string) (*killtest.Process, error) {
			return s.start(ctx, crash, "recover", "--all")
		}
	}
	if c.Append != "" {
		pr, err := start(ctx, c.When+":"+c.Append)
		if err != nil {
			return err
		}
		return s.died(ctx, pr, c)
	}
	hold, err := s.stage.Hold(ctx, c.Call, c.Nth, c.When)
	if err != nil {
		return err
	}
	pr, err := start(ctx, "")
	if err != nil {
		return err
	}
	if err := hold.Held(ctx, pr); errors.Is(err, killtest.ErrNotReached) {
		return s.died(ctx, pr, c)
	} else if err != nil {
		return err
	}
	return errors.Join(pr.Kill(), hold.Done(ctx))
}

// died: a process was killed, or has ended as it does when nobody kills it.
func (s *scene) died(ctx context.Context, pr *killtest.Process, c Cell) error {
	code, err := pr.Wait(ctx)
	normal := 3
	if c.Phase == inRecover {
		normal = 0
	}
	switch {
	case err != nil:
		return err
	case code == -1:
		return nil
	case code != normal:
		return fmt.Errorf("%s: exit %d, and it was to be killed", pr, code)
	}
	return errMissed
}

// putBack recovers from another process and looks at everything that must hold afterwards.
func (s *scene) putBack(ctx context.Context, r *Result) error {
	began := time.Now()
	if _, err := s.verb(ctx, 0, "recover", "--all"); err != nil {
		return err
	}
	r.Recovery = time.Since(began).Seconds()
	if err := s.stage.AsBefore(ctx, s.before); err != nil {
		return err
	}
	again, err := s.verb(ctx, 0, "recover", "--all")
	if err == nil && !strings.Contains(again.Out.String(), "nothing to recover") {
		err = fmt.Errorf("recover again says %q", again.Out)
	}
	if err != nil {
		return err
	}
	return s.readable(ctx)
}

// readable: the journal tells the run, from other processes.
func (s *scene) readable(ctx context.Context) error {
	run, events, err := s.events(ctx)
	if err != nil || run == "" {
		return err
	}
	status, err := s.verb(ctx, 0, "status", run)
	if err != nil {
		return err
	}
	told, err := s.verb(ctx, 0, "debrief", run)
	if err != nil {
		return err
	}
	if !strings.Contains(status.Out.String(), run[:8]) && !strings.Contains(told.Out.String(), run[:8]) || len(events) == 0 {
		return fmt.Errorf("neither status nor debrief tells of run %s: %s%s", run, status.Out, told.Out)
	}
	return nil
}

// story is what every process of a scene said.
func (s *scene) story() string {
	var out strings.Builder
	for _, pr := range s.ran {
		fmt.Fprintf(&out, "$ %s\n%s%s", pr, pr.Err, pr.Out)
	}
	return out.String()
}
