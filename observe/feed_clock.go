package observe

import "time"

// How the pager's clock is followed.
const (
	clockKept  = 3 * time.Minute        // for how long an answer's date counts
	clockDrift = 50e-6                  // how fast two clocks may drift apart: 50 parts in a million
	clockFine  = 100 * time.Millisecond // a bar that no look is aimed at any more
)

// clockBand follows another's clock by the dates of its ordinary answers. A date in whole seconds, cut off, on an answer
// that was sent between two times of ours bounds how far that clock is from ours; what all answers of the last minutes
// allow is the bar. Its zero value knows nothing.
type clockBand struct {
	bounds []clockBound // oldest first
}

// clockBound is what one answer allows.
type clockBound struct {
	at     time.Time // when it was there, our clock
	lo, hi time.Duration
	trip   time.Duration
}

// add takes in one answer. One that contradicts the others means that a clock was set: all begins anew with it.
func (c *clockBand) add(server, sent, received time.Time) {
	b := clockBound{at: received, lo: server.Sub(received), hi: server.Add(resolution).Sub(sent), trip: received.Sub(sent)}
	kept := c.bounds[:0]
	for _, old := range c.bounds {
		if received.Sub(old.at) < clockKept {
			kept = append(kept, old)
		}
	}
	c.bounds = append(kept, b)
	if lo, hi := c.span(received); lo > hi {
		c.bounds = append(c.bounds[:0], b)
	}
}

// span is what all answers allow, each widened by what the clocks may have drifted apart since.
func (c *clockBand) span(now time.Time) (lo, hi time.Duration) {
	for i, b := range c.bounds {
		drift := time.Duration(float64(now.Sub(b.at).Abs()+b.trip)*clockDrift) + 2 // it may be dated as early as it was asked
		if i == 0 {
			lo, hi = b.lo-drift, b.hi+drift
			continue
		}
		lo, hi = max(lo, b.lo-drift), min(hi, b.hi+drift)
	}
	return lo, hi
}

// offset is the other clock minus ours.
func (c *clockBand) offset(now time.Time) (Offset, bool) {
	if len(c.bounds) == 0 {
		return Offset{}, false
	}
	lo, hi := c.span(now)
	return Offset{Source: "pagerduty", Offset: lo + (hi-lo)/2, Error: (hi-lo)/2 + 1, Trips: len(c.bounds)}, true
}

// aim is how long to wait so that the next answer is dated right where the other's second should turn if the offset were
// the middle of the bar: that halves it. Zero: nothing is known, or the bar is fine enough.
func (c *clockBand) aim(now time.Time) time.Duration {
	if len(c.bounds) == 0 {
		return 0
	}
	lo, hi := c.span(now)
	if (hi-lo)/2 <= clockFine {
		return 0
	}
	there := now.Add(lo + (hi-lo)/2 + c.bounds[len(c.bounds)-1].trip/2)
	return there.Truncate(resolution).Add(resolution).Sub(there)
}
