package drills

import (
	"context"
	"sync"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// audience tells whoever watches a run what happens, without the run ever waiting for them: a terminal that is held, a
// pipe that is full or a renderer that panics must not keep a fault in place.
type audience struct {
	watch func([]journal.Event)

	mu     sync.Mutex
	queue  []journal.Event
	news   chan struct{}
	closed chan struct{}
	done   chan struct{}
}

// farewellTime is how long the end of a run waits for its audience to hear the last of it.
const farewellTime = 2 * time.Second

func newAudience(watch func([]journal.Event)) *audience {
	a := &audience{watch: watch, news: make(chan struct{}, 1), closed: make(chan struct{}), done: make(chan struct{})}
	if watch == nil {
		close(a.done)
		return a
	}
	go a.run()
	return a
}

func (a *audience) tell(events []journal.Event) {
	if a.watch == nil {
		return
	}
	a.mu.Lock()
	a.queue = append(a.queue, events...)
	a.mu.Unlock()
	select {
	case a.news <- struct{}{}:
	default:
	}
}

// run tells in order, until closed and everything is told. A panic ends the telling, not the run.
func (a *audience) run() {
	defer close(a.done)
	defer func() { _ = recover() }()
	for open := true; open; {
		select {
		case <-a.news:
		case <-a.closed:
			open = false
		}
		a.mu.Lock()
		events := a.queue
		a.queue = nil
		a.mu.Unlock()
		if len(events) > 0 {
			a.watch(events)
		}
	}
}

// close waits a moment for the last events to be told.
func (a *audience) close(ctx context.Context) {
	close(a.closed)
	ctx, cancel := context.WithTimeout(ctx, farewellTime)
	defer cancel()
	select {
	case <-a.done:
	case <-ctx.Done():
	}
}
