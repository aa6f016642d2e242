package drills

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// clocks measures how far the others' clocks are from ours, again and again beside everything else: nobody waits for it.
type clocks struct {
	wg     sync.WaitGroup
	mu     sync.Mutex
	begun  map[string]time.Time // the last measurement of each source
	busy   map[string]bool
	told   observe.Offset // what the pager's feed has told last, and was recorded
	toldAt time.Time
	events []journal.Event // measured and not recorded yet
}

// clockPace is how often a clock is measured where the plan does not say: one that drifts by 50 ppm, which a bad quartz
// does, is 3 ms off by then.
const clockPace = time.Minute

// start measures every source whose time has come.
func (c *clocks) start(ctx context.Context, w World, pace time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.begun == nil {
		c.begun, c.busy = map[string]time.Time{}, map[string]bool{}
	}
	if pace <= 0 {
		pace = clockPace
	}
	now := w.Clock.Now()
	for _, source := range sortedKeys(w.Dates) {
		last, was := c.begun[source]
		if c.busy[source] || was && now.Before(last.Add(pace)) {
			continue
		}
		c.begun[source], c.busy[source] = now, true
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
		delete(c.busy, source)
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

// feed takes in what the pager's own answers tell of its clock: when it is new, or narrower, or the pace says so.
func (c *clocks) feed(o observe.Offset, now time.Time, pace time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if pace <= 0 {
		pace = clockPace
	}
	outside := (o.Offset - c.told.Offset).Abs() > c.told.Error
	if !c.toldAt.IsZero() && !outside && o.Error > c.told.Error/2 && now.Before(c.toldAt.Add(pace)) {
		return
	}
	c.told, c.toldAt = o, now
	c.events = append(c.events, journal.Event{Kind: journal.ClockRead, At: now, Fact: journal.Fact{
		Source: o.Source, OffsetS: o.Offset.Seconds(), ErrorS: o.Error.Seconds()}})
}

// clockEvents hands out what has been measured, and has measured anew what is due.
func (st *Steps) clockEvents(ctx context.Context, s *State) []journal.Event {
	if !s.Started.IsZero() {
		st.clocks.start(ctx, st.sources(&s.Plan), s.Plan.Pace.Clock)
		if st.World.Feed != nil {
			if o, known := st.World.Feed.Clock(); known {
				st.clocks.feed(o, st.World.Clock.Now(), s.Plan.Pace.Clock)
			}
		}
	}
	st.clocks.mu.Lock()
	defer st.clocks.mu.Unlock()
	events := st.clocks.events
	st.clocks.events = nil
	return events
}
