package inject

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of our own load.
const (
	maxInFlight  = 64 // requests at once; a slow answer slows the load down rather than pile up
	maxLooks     = 200
	requestLimit = 3 * time.Second
)

// load is traffic of ours: send n is called at a rate, its answers are counted.
type load struct {
	perSecond float64
	send      func(ctx context.Context, n int64) Reading
	now       func() time.Time
}

// run sends for d or until ctx ends, waits for every answer, and tells what came back. A request broken off at
// the end is not counted as an answer.
func (l load) run(ctx context.Context, d time.Duration) Loaded {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	pace := rate.NewLimiter(rate.Limit(l.perSecond), 1)
	slots := make(chan struct{}, maxInFlight)
	var all sync.WaitGroup
	var tally tally
	for n := int64(0); pace.Wait(ctx) == nil; n++ {
		select {
		case <-ctx.Done():
		case slots <- struct{}{}:
			all.Add(1)
			go func() {
				defer all.Done()
				defer func() { <-slots }()
				one, done := context.WithTimeout(ctx, requestLimit)
				defer done()
				from := l.now()
				r := l.send(one, n)
				tally.add(TimedLook{From: from, To: l.now(), Reading: r}, ctx.Err() != nil)
			}()
		}
	}
	all.Wait()
	return tally.end()
}

// tally counts answers. Both sides of every change become looks, so that an edge lies between two answers that follow
// each other, and the last one that felt nothing, where the next load may find the edge.
type tally struct {
	mu     sync.Mutex
	loaded Loaded
	last   *TimedLook // the latest answer, where it is no look yet
}

func (t *tally) add(look TimedLook, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loaded.Sent++
	switch look.Reading.Felt {
	case Yes:
		t.loaded.Felt++
	case Unknown:
		if ended {
			return
		}
		t.loaded.Failed++
		t.loaded.Why = look.Reading.Why
	}
	looks := t.loaded.Looks
	switch {
	case len(looks) >= maxLooks:
	case len(looks) > 0 && looks[len(looks)-1].Reading.Felt == look.Reading.Felt:
		t.last = &look
	default:
		if t.last != nil {
			looks = append(looks, *t.last)
		}
		t.loaded.Looks, t.last = append(looks, look), nil
	}
}

// end is the tally when every answer is there.
func (t *tally) end() Loaded {
	if t.last != nil && t.last.Reading.Felt == No {
		t.loaded.Looks = append(t.loaded.Looks, *t.last)
	}
	return t.loaded
}
