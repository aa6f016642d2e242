package drills

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// Speaking to people while a drill is on is nobody's wait: a courier carries it, and what came of it is recorded by the
// next poll. Nothing that only tells keeps a look late, or a fault in place.
type courier struct {
	mu     sync.Mutex
	busy   map[string]context.CancelFunc // of each lane that something is on its way in
	idle   chan struct{}                 // closed when the last of them ends
	events []journal.Event               // what was told and is not recorded yet
	thread string                        // the message that all later ones stand under
}

const (
	courierTime   = 5 * time.Second  // bounds one telling
	farewellsTime = 10 * time.Second // bounds all those at the end
	lastWords     = 2 * time.Second  // how long what is on its way then may still take
)

// carry tells each of a list by itself, and the messages of a channel in their order. What is on its way, or was told and
// is not recorded yet, is not told again.
func (c *courier) carry(ctx context.Context, list []telling, tell func(context.Context, telling) journal.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lanes := map[string][]telling{}
	for _, t := range list {
		told := slices.ContainsFunc(c.events, func(e journal.Event) bool { return e.Fact.Key == t.key })
		if lane := "in " + t.incident; c.busy[lane] == nil && !told {
			lanes[lane] = append(lanes[lane], t)
		}
	}
	if len(c.busy) == 0 {
		c.busy, c.idle = map[string]context.CancelFunc{}, make(chan struct{})
	}
	for lane, list := range lanes {
		ctx, cancel := context.WithCancel(ctx)
		c.busy[lane] = cancel
		go func() {
			defer c.back(lane)
			for _, t := range list {
				if ctx.Err() != nil {
					return // it was not even begun
				}
				e := tell(ctx, t)
				if c.told(e); e.Fact.Err != "" && !e.Fact.Definite {
					return // whoever cannot be reached is not waited for again: what is left is due again later
				}
			}
		}()
	}
	if len(c.busy) == 0 {
		close(c.idle)
	}
}

// told keeps what came of a telling.
func (c *courier) told(e journal.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
	if e.Kind == journal.MessageSent {
		c.thread = cmp.Or(c.thread, e.Fact.Thread)
	}
}

// back ends a lane.
func (c *courier) back(lane string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy[lane]()
	if delete(c.busy, lane); len(c.busy) == 0 {
		close(c.idle)
	}
}

// home is closed once nothing is on its way.
func (c *courier) home() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.busy) > 0 {
		return c.idle
	}
	none := make(chan struct{})
	close(none)
	return none
}

// recall has what is on its way end now.
func (c *courier) recall() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cancel := range c.busy {
		cancel()
	}
}

// hand returns what was told and is not recorded yet.
func (c *courier) hand() []journal.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	events := c.events
	c.events = nil
	return events
}

// under is the message that the next one stands under; empty: it is the first.
func (c *courier) under(known string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cmp.Or(known, c.thread)
}
