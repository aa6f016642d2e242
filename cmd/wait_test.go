package cmd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
)

// waiting is a desk whose time moves only when somebody waits.
type waiting struct {
	*desk
	now     time.Time
	slept   []time.Duration
	onSleep func()
}

func newWaiting(t *testing.T, now string) *waiting {
	t.Helper()
	at, err := time.Parse(time.RFC3339, now)
	if err != nil {
		t.Fatal(err)
	}
	w := &waiting{desk: newDesk(t), now: at}
	w.Now = func() time.Time { return w.now }
	w.Sleep = func(ctx context.Context, d time.Duration) error {
		w.now = w.now.Add(d)
		w.slept = append(w.slept, d)
		if w.onSleep != nil {
			w.onSleep()
		}
		return ctx.Err()
	}
	w.Below = func(n int64) int64 { return n - 1 }
	return w
}

// staged writes an environment of the window 10:00-16:00 UTC on every day, and more.
func (w *waiting) staged(t *testing.T, more string) {
	t.Helper()
	src := `environments:
  staging:
    aws: {account: "123456789012", regions: [eu-west-1]}
    tags: {environment: staging}
    window: {days: mon-sun, hours: "10:00-16:00", zone: UTC}
    pagerduty: {token: "env:T", from: a@example.com}
    owner: {key: "env:K"}
    teams: {orders: {service: PORDERS, key: "env:K"}}
` + more
	if err := os.WriteFile(filepath.Join(w.Dir, "firedrill.yaml"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
}

func notNow(code, why string, next time.Time) error {
	return &drills.Refusal{Code: code, Why: why, Later: true, Next: next, Waits: "it is over"}
}

func TestWaitsUntilTheNextTimeItCouldBe(t *testing.T) {
	w := newWaiting(t, "2026-11-23T08:00:00Z")
	w.staged(t, "")
	opens, tries := w.now.Add(90*time.Minute), 0
	o := &runOptions{yes: true, waitOptions: waitOptions{wait: 2 * time.Hour}}
	err := w.patiently(t.Context(), o, func() error {
		if tries++; w.now.Before(opens) {
			return notNow("window", "it is outside the window", opens)
		}
		return &exitError{exitMissed, nil}
	})
	if codeOf(err) != exitMissed || tries != 2 || !w.now.Equal(opens) {
		t.Errorf("%v after %d tries at %s", err, tries, w.now)
	}
	if got := w.err.String(); strings.Count(got, "it is outside the window; next: Mon 23 Nov 09:30 UTC") != 1 || strings.Count(got, "waiting until Mon 10:00:00 UTC at most") != 1 {
		t.Errorf("told:\n%s", got)
	}
	for _, d := range w.slept {
		if d > longestNap {
			t.Errorf("slept %s at once: a machine that sleeps meanwhile would oversleep", d)
		}
	}
}

func TestDoesNotWaitForWhatComesTooLate(t *testing.T) {
	w := newWaiting(t, "2026-11-23T08:00:00Z")
	w.staged(t, "")
	tries := 0
	o := &runOptions{yes: true, waitOptions: waitOptions{wait: time.Hour}}
	err := w.patiently(t.Context(), o, func() error {
		tries++
		return notNow("holidays", "it is a holiday", w.now.Add(24*time.Hour))
	})
	if codeOf(err) != exitLater || tries != 1 || len(w.slept) > 0 {
		t.Errorf("%v after %d tries and %v", err, tries, w.slept)
	}
}

// What has no time is tried again after half a minute, and ever more rarely; the lever may be let go before its time.
func TestTriesAgainWhereNobodyKnowsWhen(t *testing.T) {
	w := newWaiting(t, "2026-11-23T08:00:00Z")
	w.staged(t, "")
	start := w.now
	for name, no := range map[string]error{"open_incident": notNow("open_incident", "an open incident", time.Time{}), "lever": notNow("lever", "pulled", start.Add(9*time.Hour))} {
		w.now = start
		w.err.Reset()
		var at []string
		o := &runOptions{yes: true, waitOptions: waitOptions{wait: 30 * time.Minute}}
		err := w.patiently(t.Context(), o, func() error {
			at = append(at, w.now.Sub(start).Round(time.Second).String())
			return no
		})
		want := "0s 30s 1m15s 2m23s 4m4s 6m36s 10m23s 15m23s 20m23s 25m23s 30m0s"
		if got := strings.Join(at, " "); codeOf(err) != exitLater || got != want {
			t.Errorf("%s: %v at %s, want %s", name, err, got, want)
		}
		if got := strings.Count(w.err.String(), "\n"); got > 5 {
			t.Errorf("%s: %d lines in half an hour:\n%s", name, got, w.err.String())
		}
	}
}

func TestWaitsForNothingElse(t *testing.T) {
	w := newWaiting(t, "2026-11-23T08:00:00Z")
	w.staged(t, "")
	for _, end := range []error{nil, usage("x"), &drills.Refusal{Code: "tags", Why: "no tags"}, &exitError{exitDirty, nil}, errors.New("lost")} {
		o, tries := &runOptions{yes: true, waitOptions: waitOptions{wait: time.Hour}}, 0
		err := w.patiently(t.Context(), o, func() error { tries++; return end })
		if !errors.Is(err, end) || tries != 1 || len(w.slept) > 0 {
			t.Errorf("%v: %v after %d tries", end, err, tries)
		}
	}
	o, tries := &runOptions{yes: true}, 0
	if err := w.patiently(t.Context(), o, func() error { tries++; return notNow("window", "x", time.Time{}) }); codeOf(err) != exitLater || tries != 1 {
		t.Errorf("without --wait: %v after %d tries", err, tries)
	}
}

// A signal ends the waiting at once, and says that nothing was changed.
func TestASignalEndsTheWaiting(t *testing.T) {
	for name, o := range map[string]waitOptions{"wait": {wait: 2 * time.Hour}, "surprise": {within: 4 * time.Hour}} {
		w := newWaiting(t, "2026-11-23T11:00:00Z")
		w.staged(t, "")
		ctx, cancel := context.WithCancelCause(t.Context())
		w.onSleep = func() { cancel(&interruption{"interrupt"}) }
		tries := 0
		p := &patience{d: w.Deps, pause: firstPause, most: longestPause, sleep: w.Sleep}
		var err error
		if o.within > 0 {
			err = interrupted(ctx, p.nap(ctx, w.now.Add(o.within), false))
		} else {
			err = w.patiently(ctx, &runOptions{yes: true, waitOptions: o}, func() error { tries++; return notNow("open_incident", "x", time.Time{}) })
		}
		if codeOf(err) != exitInterrupted || !strings.Contains(err.Error(), "before anything was changed") || len(w.slept) != 1 || tries > 1 {
			t.Errorf("%s: %v after %d naps and %d tries", name, err, len(w.slept), tries)
		}
	}
}

// The moment lies inside the window, and nothing on the terminal tells it.
func TestSurprisesInsideTheWindow(t *testing.T) {
	w := newWaiting(t, "2026-11-23T08:00:00Z")
	w.staged(t, "    freezes: [{from: 2026-11-24, to: 2026-11-24}]\n")
	p := &patience{d: w.Deps, sleep: w.Sleep}
	env, err := w.meant()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.moment(t.Context(), env, 4*time.Hour); err != nil {
		t.Fatal(err)
	}
	begun := w.now
	if want := time.Date(2026, 11, 23, 12, 0, 0, -1, time.UTC); !begun.Equal(want) {
		t.Errorf("began at %s, want the last instant of the window within four hours", begun)
	}
	if got := w.err.String(); got != "a surprise: some time before Mon 12:00 UTC; ^C ends it, nothing was changed\n" {
		t.Errorf("told %q", got)
	}
	w.now = time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)
	err = p.moment(t.Context(), env, 4*time.Hour)
	var no *drills.Refusal
	if !errors.As(err, &no) || codeOf(err) != exitLater || no.When() != "Wed 25 Nov 10:00 UTC" {
		t.Errorf("none open: %v", err)
	}
}

func TestWaitsAreBounded(t *testing.T) {
	d := newDesk(t)
	for _, args := range [][]string{{"--wait", "-1s"}, {"--wait", "100h"}, {"--at-random-within", "-2h"}, {"--wait", "soon"}} {
		if code := d.run(t, append([]string{"run", "orders-write-throttle", "--env", "sandbox"}, args...)...); code != exitUsage {
			t.Errorf("%v: exit %d: %s", args, code, d.err.String())
		}
	}
}

// Nobody sits here when the time has come: whoever waits for a real environment agrees before.
func TestAgreesBeforeItWaits(t *testing.T) {
	w := newWaiting(t, "2026-11-23T08:00:00Z")
	w.staged(t, "")
	o := &runOptions{waitOptions: waitOptions{wait: time.Hour}}
	if err := w.patiently(t.Context(), o, func() error { return notNow("lease", "held", time.Time{}) }); codeOf(err) != exitUsage || len(w.slept) > 0 {
		t.Errorf("nobody is here: %v, %v", err, w.slept)
	}
	w.Terminal = func() bool { return true }
	for answer, want := range map[string]int{"staging\n": exitMet, "no\n": exitUsage} {
		w.In, o.yes = strings.NewReader(answer), false
		tries := 0
		err := w.patiently(t.Context(), o, func() error {
			if tries++; tries == 1 {
				return notNow("lease", "held", time.Time{})
			}
			if !o.yes {
				t.Error("it would ask again")
			}
			return nil
		})
		if codeOf(err) != want {
			t.Errorf("%q: %v", answer, err)
		}
	}
}
