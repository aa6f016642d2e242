package timeline

import (
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// clockRead is one measurement of a source's clock.
type clockRead struct {
	source      string
	at          time.Time
	offset, err time.Duration
}

// measured is a clock.read as a measurement; false: it could not be read, or it is our own.
func measured(e journal.Event) (clockRead, bool) {
	if e.Kind != journal.ClockRead || e.Fact.Err != "" || e.Fact.Source == "local" {
		return clockRead{}, false
	}
	return clockRead{e.Fact.Source, e.At, seconds(e.Fact.OffsetS), max(0, seconds(e.Fact.ErrorS))}, true
}

// drift is how much two clocks that nobody sets may part: 100 ppm, more than a computer's crystal is off.
const drift = 1e-4

// remembered is how far from a moment a measurement still says something about it.
const remembered = 10 * time.Minute

// most is how many measurements on either side are asked: more would narrow nothing.
const most = 20

// around is what a measurement allows at another moment: the further away, the less.
func (c clockRead) around(at time.Time) (lo, hi time.Duration) {
	w := c.err + time.Duration(float64(at.Sub(c.at).Abs())*drift)
	return c.offset - w, c.offset + w
}

// clocks are the measurements of every source's clock, in order of time.
type clocks map[string][]clockRead

// add keeps them in order: some are told late.
func (k clocks) add(c clockRead) {
	list := k[c.source]
	i := len(list)
	for i > 0 && c.at.Before(list[i-1].at) {
		i--
	}
	k[c.source] = slices.Insert(list, i, c)
}

// clocksOf gathers the measurements of events.
func clocksOf(events []journal.Event) clocks {
	k := clocks{}
	for i := range events {
		if events[i].Kind != journal.ClockRead {
			continue
		}
		if c, ok := measured(events[i]); ok {
			k.add(c)
		}
	}
	return k
}

// nearest is the index of the measurement nearest to a moment.
func nearest(reads []clockRead, at time.Time) int {
	i, _ := slices.BinarySearchFunc(reads, at, func(c clockRead, at time.Time) int { return c.at.Compare(at) })
	if i == len(reads) || i > 0 && at.Sub(reads[i-1].at) <= reads[i].at.Sub(at) {
		return i - 1
	}
	return i
}

// offset is how far a source's clock is from ours at a moment, and half the width of what it may be. The measurement
// nearest in time says so; those around it that agree narrow it. Where the next one on the other side contradicts it,
// one of the clocks was set in between, nobody knows when: the bar holds both.
func (k clocks) offset(source string, at time.Time) (off, half time.Duration, known bool) {
	reads := k[source]
	if ours := source == "local" || source == ""; ours || len(reads) == 0 {
		return 0, 0, ours
	}
	best := nearest(reads, at)
	lo, hi := reads[best].around(at)
	for _, step := range []int{-1, 1} {
		for i := best + step; i >= 0 && i < len(reads) && at.Sub(reads[i].at).Abs() <= remembered && (i-best)*step <= most; i += step {
			l, h := reads[i].around(at)
			if l > hi || h < lo {
				if between := at.Before(reads[best].at) == (step < 0); between && i == best+step {
					lo, hi = min(lo, l), max(hi, h)
				}
				break
			}
			lo, hi = max(lo, l), min(hi, h)
		}
	}
	half = (hi - lo) / 2
	return lo + half, half, true
}
