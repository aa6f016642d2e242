package drills

import (
	"context"
	"fmt"
	"sync"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// clocks measures how far the others' clocks are from ours, beside everything else: nobody waits for it.
type clocks struct {
	wg     sync.WaitGroup
	mu     sync.Mutex
	begun  bool
	events []journal.Event // measured and not recorded yet
}

// start measures every source once; a second call does nothing.
func (c *clocks) start(ctx context.Context, w World) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.begun {
		return
	}
	c.begun = true
	for _, source := range sortedKeys(w.Dates) {
		c.wg.Add(1)
		go func() {
			defer c.wg.Done()
			c.measure(ctx, w, source)
		}()
	}
}

// measure reads one clock. One that cannot be read is told, not guessed.
func (c *clocks) measure(ctx context.Context, w World, source string) {
	e := journal.Event{Kind: journal.ClockRead, At: w.Clock.Now(), Fact: journal.Fact{Source: source}}
	defer func() {
		if r := recover(); r != nil {
			e.Fact.Err = fmt.Sprintf("panic: %v", r)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.events = append(c.events, e)
	}()
	o, err := observe.MeasureClock(ctx, observe.Clock{Source: source, Look: w.Dates[source], Now: w.Clock.Now, Wait: w.Clock.Wait})
	if err != nil {
		e.Fact.Err = err.Error()
	} else {
		e.Fact.OffsetS, e.Fact.ErrorS = o.Offset.Seconds(), o.Error.Seconds()
	}
	e.At = w.Clock.Now()
}

// wait returns when nothing is measured any more.
func (c *clocks) wait() { c.wg.Wait() }

// clockEvents hands out what has been measured. A process that took the run over before anything was measures anew.
func (st *Steps) clockEvents(ctx context.Context, s *State) []journal.Event {
	if !s.Clocked {
		st.clocks.start(ctx, st.World)
	}
	st.clocks.mu.Lock()
	defer st.clocks.mu.Unlock()
	events := st.clocks.events
	st.clocks.events = nil
	return events
}
