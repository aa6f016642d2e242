package cmd

import (
	"context"
	"fmt"
	"sync"

	"github.com/firedrill/firedrill/internal/journal"
)

// recoverAtOnce is how many runs are put back side by side: none waits until the people of another are told.
const recoverAtOnce = 8

// recovery is why runs are put back, and how they are shown.
type recovery struct {
	reason, why string
	several     bool
}

// recoverMany puts runs back, and tells of each how that went.
func (d *Deps) recoverMany(ctx context.Context, store journal.Store, runs []string, how recovery) []error {
	how.several = len(runs) > 1
	errs := make([]error, len(runs))
	turn := make(chan struct{}, recoverAtOnce)
	var wg sync.WaitGroup
	for i, run := range runs {
		turn <- struct{}{}
		if ctx.Err() != nil {
			errs[i] = fmt.Errorf("recover run %s: not begun: %w", run, context.Cause(ctx))
			<-turn
			continue
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { <-turn }()
			errs[i] = d.recoverOne(ctx, store, run, how)
		}()
	}
	wg.Wait()
	return errs
}

// shown is the display of a run that is put back; one of several has no line of its own at the bottom.
func (d *Deps) shown(run string, how recovery) *live {
	if !how.several {
		return newLive(d, false, nil)
	}
	show := newLive(&Deps{Out: d.Out, Err: d.Err, Now: d.Now, Color: func() bool { return false }, Width: d.Width}, false, nil)
	show.name, show.narrow = run, d.Color()
	return show
}
