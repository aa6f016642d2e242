package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// TestKills kills the runner at random moments, and often enough whoever recovers, once or twice; then one more recover
// must find the world as before. FIREDRILL_KILLS says how many a fault (three otherwise), FIREDRILL_SEED where to begin;
// each test's name is its seed, so `go test -run 'Kills/poison-17$'` with the same FIREDRILL_SEED repeats it.
func TestKills(t *testing.T) {
	t.Parallel()
	count, first := 3, uint64(time.Now().UnixNano()%1e6)
	if n, err := strconv.Atoi(os.Getenv("FIREDRILL_KILLS")); err == nil {
		count = n
	}
	if n, err := strconv.ParseUint(os.Getenv("FIREDRILL_SEED"), 10, 64); err == nil {
		first = n
	}
	t.Logf("FIREDRILL_SEED=%d", first)
	for _, f := range faults() {
		for i := range count {
			seed := first + uint64(i)
			t.Run(fmt.Sprintf("%s-%d", f.Name, seed), func(t *testing.T) {
				t.Parallel()
				killed(t, f, seed)
			})
		}
	}
}

func killed(t *testing.T, f fault, seed uint64) {
	dice := rand.New(rand.NewPCG(seed, uint64(len(f.Name))))
	responder := "none"
	if !f.Silent && dice.IntN(3) == 0 {
		responder = "auto"
	}
	p := newPlace(t, f, responder)
	run := p.run(f)
	moment := time.Duration(dice.Int64N(int64(f.Lasts)))
	p.after(moment)
	p.must(run.Kill())
	story := fmt.Sprintf("responder %s, killed after %s", responder, moment)
	for range dice.IntN(3) {
		again, err := p.Start(p.ctx, "recover", "--all")
		p.must(err)
		moment := time.Duration(dice.Int64N(int64(4 * time.Second)))
		p.after(moment)
		p.must(again.Kill())
		story += fmt.Sprintf(", recover killed after %s", moment)
	}
	p.recovers()
	if t.Failed() {
		t.Logf("seed %d: %s", seed, story)
	}
}

// after waits for a moment of the test's choosing: when, not how long, is what is tried.
func (p *place) after(d time.Duration) {
	select {
	case <-time.After(d):
	case <-p.ctx.Done():
	}
}
