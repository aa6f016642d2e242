package observe

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// twoClocks is ours and a source's, with a network between them, all on pretended time.
type twoClocks struct {
	now     time.Time
	offset  time.Duration
	there   func() time.Duration // request's way
	back    func() time.Duration // answer's way
	trips   int
	stale   time.Duration // added to every second answer: a cache
	failing map[int]bool
}

func (w *twoClocks) Now() time.Time { return w.now }

func (w *twoClocks) Wait(_ context.Context, d time.Duration) error {
	if d < 0 {
		panic("negative wait")
	}
	w.now = w.now.Add(d)
	return nil
}

func (w *twoClocks) Look(context.Context) (time.Time, error) {
	w.trips++
	w.now = w.now.Add(w.there())
	server := w.now.Add(w.offset)
	w.now = w.now.Add(w.back())
	if w.failing[w.trips] {
		return time.Time{}, errors.New("no route")
	}
	if w.trips%2 == 0 {
		server = server.Add(w.stale)
	}
	return server.Truncate(time.Second), nil
}

func (w *twoClocks) measure(trips int) (Offset, error) {
	return MeasureClock(context.Background(), Clock{Source: "aws", Trips: trips, Look: w.Look, Now: w.Now, Wait: w.Wait})
}

func steady(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

func TestMeasureClockHoldsTheTruth(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		span := func(name string, limit time.Duration) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(limit)).Draw(r, name))
		}
		slowest := span("slowest", 700*time.Millisecond)
		w := &twoClocks{
			now:    time.Unix(1_700_000_000, 0).UTC().Add(span("phase", time.Second)),
			offset: span("offset", 180*time.Second) - 90*time.Second,
			there:  func() time.Duration { return span("there", slowest) },
			back:   func() time.Duration { return span("back", slowest) },
		}
		began := w.now
		got, err := w.measure(rapid.IntRange(0, 8).Draw(r, "trips"))
		if err != nil {
			r.Fatal(err)
		}
		if off := got.Offset - w.offset; off > got.Error || -off > got.Error {
			r.Fatalf("offset %v, got %v ± %v after %d trips", w.offset, got.Offset, got.Error, got.Trips)
		}
		if got.Trips < MinTrips || got.Trips > maxTrips {
			r.Fatalf("%d trips", got.Trips)
		}
		if slowest <= 100*time.Millisecond {
			if got.Error > narrow {
				r.Fatalf("bar ± %v on a quick network", got.Error)
			}
			if took := w.now.Sub(began); took > 2*time.Second {
				r.Fatalf("took %v", took)
			}
		}
	})
}

func TestMeasureClockIsQuickAndNarrowOnLoopback(t *testing.T) {
	w := &twoClocks{now: time.Unix(1_700_000_000, 123), offset: -5 * time.Second, there: steady(time.Millisecond), back: steady(time.Millisecond)}
	began := w.now
	got, err := w.measure(0)
	if err != nil {
		t.Fatal(err)
	}
	if got.Trips != 5 || got.Error > 105*time.Millisecond || got.Source != "aws" {
		t.Errorf("got %+v, want 5 trips and at most ± 0.105 s", got)
	}
	if took := w.now.Sub(began); took > time.Second {
		t.Errorf("took %v, want at most a second", took)
	}
}

func TestMeasureClockLooksAgainWhenTheBarIsWide(t *testing.T) {
	// Slow ways that bring every look into the same phase leave a wide bar after five.
	w := &twoClocks{now: time.Unix(1_700_000_000, 0), offset: 300 * time.Millisecond, there: steady(350 * time.Millisecond), back: steady(350 * time.Millisecond)}
	got, err := w.measure(5)
	if err != nil {
		t.Fatal(err)
	}
	if got.Trips <= 5 {
		t.Errorf("stopped after %d trips with ± %v", got.Trips, got.Error)
	}
}

func TestMeasureClockWidensOnContradiction(t *testing.T) {
	w := &twoClocks{now: time.Unix(1_700_000_000, 0), stale: -7 * time.Second, there: steady(time.Millisecond), back: steady(time.Millisecond)}
	got, err := w.measure(5)
	if err != nil {
		t.Fatal(err)
	}
	for _, claim := range []time.Duration{0, -7 * time.Second} {
		if off := claim - got.Offset; off > got.Error || -off > got.Error {
			t.Errorf("%v ± %v leaves out %v, which a look told", got.Offset, got.Error, claim)
		}
	}
}

func TestMeasureClockFailures(t *testing.T) {
	quick := steady(time.Millisecond)
	w := &twoClocks{now: time.Unix(1_700_000_000, 0), there: quick, back: quick, failing: map[int]bool{1: true, 4: true}}
	got, err := w.measure(5)
	if err != nil || got.Trips != 5 {
		t.Errorf("two failed looks: %+v, %v", got, err)
	}
	w = &twoClocks{now: time.Unix(1_700_000_000, 0), there: quick, back: quick, failing: map[int]bool{1: true, 2: true, 3: true}}
	if _, err := w.measure(5); err == nil {
		t.Error("three failed looks are no error")
	}
	if _, err := MeasureClock(t.Context(), Clock{Source: "aws"}); err == nil {
		t.Error("a clock without a look is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w = &twoClocks{now: time.Unix(1_700_000_000, 0), there: quick, back: quick}
	_, err = MeasureClock(ctx, Clock{Source: "aws", Look: w.Look, Now: w.Now, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
}

func TestDateLookerTakesAnyAnswer(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 5, 0, time.UTC)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", at.Format(http.TimeFormat))
		http.Redirect(w, r, "https://docs.example.com/", http.StatusFound)
	}))
	defer srv.Close()
	got, err := DateLooker{URL: srv.URL}.Look(t.Context())
	if err != nil || !got.Equal(at) {
		t.Errorf("got %v, %v", got, err)
	}
	srv.Close()
	if _, err := (DateLooker{URL: srv.URL}).Look(t.Context()); err == nil {
		t.Error("nobody answered, and no error")
	}
	if _, err := DateOf(http.Header{}); !errors.Is(err, errNoDate) {
		t.Errorf("no header: %v", err)
	}
	if _, err := DateOf(http.Header{"Date": {"yesterday"}}); err == nil {
		t.Error("a date that is none")
	}
}
