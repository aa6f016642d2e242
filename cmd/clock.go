package cmd

import (
	"context"
	"time"
)

// clock is the run's time: the machine's, handed in by Deps.
type clock struct{ now func() time.Time }

func (c clock) Now() time.Time { return c.now() }

// Wait returns after d, or when ctx ends.
func (c clock) Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Every ticks until ctx ends.
func (c clock) Every(ctx context.Context, d time.Duration) <-chan time.Time {
	t := time.NewTicker(d)
	context.AfterFunc(ctx, t.Stop)
	return t.C
}
