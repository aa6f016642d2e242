package observe

import (
	"context"
	"fmt"
	"time"
)

// MinTrips is how many round trips a clock is measured with at least.
const MinTrips = 5

const (
	maxTrips    = 8                      // looks at most, failed ones included
	maxFailures = 3                      // failed looks at most
	narrow      = 300 * time.Millisecond // a bar that needs no further look
	resolution  = time.Second            // of an HTTP Date header
)

// Clock says whose clock to measure, and with what.
type Clock struct {
	Source string                                   // aws, pagerduty
	Trips  int                                      // round trips; at least MinTrips, which is also what 0 means
	Look   func(context.Context) (time.Time, error) // the source's time, in whole seconds, cut off
	Now    func() time.Time                         // our clock
	Wait   func(context.Context, time.Duration) error
}

// MeasureClock tells how far a source's clock is from ours, source minus ours. A source tells whole seconds, so one
// round trip from t0 to t1 that is answered with D bounds the offset to D − t1 … D + 1s − t0. Looks at different
// phases of the second bound it differently; what all of them allow is the bar. Looks that contradict each other (a
// clock was set, an answer came from a cache) widen the bar to what any of them allows: it never claims more than was
// seen. Five looks take about a second and leave ±0.1 s plus half a round trip; up to eight are made while the bar is
// wider than ±0.3 s.
func MeasureClock(ctx context.Context, c Clock) (Offset, error) {
	if c.Look == nil || c.Now == nil || c.Wait == nil {
		return Offset{}, fmt.Errorf("measure clock of %s: look, now and wait are all needed", c.Source)
	}
	m := measure{trips: min(max(c.Trips, MinTrips), maxTrips), taken: map[int64]bool{}}
	failures := 0
	for tries := range maxTrips {
		if tries > 0 {
			if err := c.Wait(ctx, m.pause(c.Now())); err != nil {
				return Offset{}, fmt.Errorf("measure clock of %s: %w", c.Source, err)
			}
		}
		t0 := c.Now()
		server, err := c.Look(ctx)
		t1 := c.Now()
		if err != nil {
			failures++
			if failures >= maxFailures || ctx.Err() != nil {
				return Offset{}, fmt.Errorf("measure clock of %s: %w", c.Source, err)
			}
			continue
		}
		m.add(server, t0, t1)
		if m.done >= m.trips && m.half() <= narrow {
			break
		}
	}
	if m.done < MinTrips {
		return Offset{}, fmt.Errorf("measure clock of %s: only %d looks of %d were answered", c.Source, m.done, m.trips)
	}
	lo, hi := m.bounds()
	mid := lo + (hi-lo)/2
	return Offset{Source: c.Source, Offset: mid, Error: m.half(), Trips: m.done}, nil
}

// measure holds what the looks have told so far.
type measure struct {
	trips      int
	done       int
	first      time.Time      // when the first look began
	rtt        time.Duration  // of the last look
	taken      map[int64]bool // phases of the second that a look has begun in
	lo, hi     time.Duration  // what all looks allow
	least, big time.Duration  // what any look allows
}

// add takes in one look.
func (m *measure) add(server, t0, t1 time.Time) {
	lo, hi := server.Sub(t1), server.Add(resolution).Sub(t0)
	if m.done == 0 {
		m.first, m.lo, m.hi, m.least, m.big = t0, lo, hi, lo, hi
	}
	m.lo, m.hi = max(m.lo, lo), min(m.hi, hi)
	m.least, m.big = min(m.least, lo), max(m.big, hi)
	m.rtt = t1.Sub(t0)
	m.taken[m.phase(t0)] = true
	m.done++
}

func (m *measure) step() time.Duration { return resolution / time.Duration(m.trips) }

// phase is the slot of the second, counted from the first look, in which a look began.
func (m *measure) phase(at time.Time) int64 {
	slot := int64((at.Sub(m.first) + m.step()/2) / m.step())
	return slot % int64(m.trips)
}

// bounds is what all looks allow, or, when they contradict each other, what any of them allows.
func (m *measure) bounds() (lo, hi time.Duration) {
	if m.lo > m.hi {
		return m.least, m.big
	}
	return m.lo, m.hi
}

// half is half the width of the bar, rounded up.
func (m *measure) half() time.Duration {
	lo, hi := m.bounds()
	return (hi-lo)/2 + 1
}

// pause is how long to wait so that the next look tells something new: first until each slot of the second has had its
// look, soonest free slot first; then until the source's second should turn if the offset were the middle of the bar,
// which halves it.
func (m *measure) pause(now time.Time) time.Duration {
	if m.done == 0 {
		return m.step()
	}
	if m.done < m.trips {
		step := m.step()
		slot := int64((now.Sub(m.first) + step - 1) / step)
		for range m.trips {
			if !m.taken[slot%int64(m.trips)] {
				break
			}
			slot++
		}
		return max(0, m.first.Add(time.Duration(slot)*step).Sub(now))
	}
	lo, hi := m.bounds()
	there := now.Add(lo + (hi-lo)/2 + m.rtt/2)
	return there.Truncate(resolution).Add(resolution).Sub(there)
}
