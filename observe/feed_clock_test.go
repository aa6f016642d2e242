package observe

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

// Whatever the skew, the latency and the drift, the truth is inside the bar.
func TestTheTruthIsInsideTheClocksBar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		skew := time.Duration(rapid.Int64Range(int64(-90*time.Second), int64(90*time.Second)).Draw(t, "skew"))
		drift := rapid.Float64Range(-40e-6, 40e-6).Draw(t, "drift")
		began := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "phase")))
		there := func(at time.Time) time.Time {
			return at.Add(skew + time.Duration(float64(at.Sub(began))*drift))
		}
		var c clockBand
		for at, n := began, rapid.IntRange(1, 60).Draw(t, "answers"); n > 0; n-- {
			at = at.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "rest")))
			at = at.Add(c.aim(at))
			trip := time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "trip"))
			dated := at.Add(time.Duration(rapid.Int64Range(0, int64(trip)).Draw(t, "dated")))
			c.add(there(dated).Truncate(time.Second), at, at.Add(trip))
			at = at.Add(trip)
			o, ok := c.offset(at)
			if truth := there(at).Sub(at); !ok || truth < o.Offset-o.Error || truth > o.Offset+o.Error {
				t.Fatalf("the clock is %v off, told %v ± %v", truth, o.Offset, o.Error)
			}
		}
	})
}

// About five looks that are aimed leave a tenth of a second, and half a round trip.
func TestAimedLooksNarrowTheBarSoon(t *testing.T) {
	for range 200 {
		skew := time.Duration(rand.Int64N(int64(180*time.Second))) - 90*time.Second
		at := time.Date(2026, 11, 22, 10, 0, 0, rand.IntN(1e9), time.UTC)
		const trip = 60 * time.Millisecond
		var c clockBand
		for range 6 {
			at = at.Add(c.aim(at))
			c.add(at.Add(trip/2+skew).Truncate(time.Second), at, at.Add(trip))
			at = at.Add(5 * time.Second)
		}
		if o, _ := c.offset(at); o.Error > clockFine+trip/2 {
			t.Fatalf("± %v after six looks", o.Error)
		}
	}
}

func TestAClockThatWasSetIsFollowedAnew(t *testing.T) {
	var c clockBand
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, skew := range []time.Duration{0, 0, 0, 90 * time.Second, 90 * time.Second} {
		c.add(at.Add(skew).Truncate(time.Second), at, at.Add(time.Millisecond))
		at = at.Add(5*time.Second + 300*time.Millisecond)
	}
	if o, _ := c.offset(at); (o.Offset-90*time.Second).Abs() > o.Error || o.Trips != 2 {
		t.Errorf("%+v", o)
	}
	if _, ok := new(clockBand).offset(at); ok {
		t.Error("a clock that nobody has seen is known")
	}
}

func TestTheFeedFollowsTheClockByItsOrdinaryAnswers(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	a.skew = -87654 * time.Millisecond
	looks(t, a, f, 60, "PORDERS")
	o, ok := f.Clock()
	if !ok || (o.Offset-a.skew).Abs() > o.Error || o.Error > 200*time.Millisecond {
		t.Errorf("%+v", o)
	}
	if n := a.calls("/abilities"); n != 0 {
		t.Errorf("%d questions of their own", n)
	}
}
