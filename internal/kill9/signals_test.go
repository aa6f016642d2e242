package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A signal at a random moment: everything is put back, our page is resolved, and the exit code says that the run was
// interrupted. The test's name is its seed.
func TestSignals(t *testing.T) {
	t.Parallel()
	count := 1
	if full() {
		count = 6
	}
	first := uint64(time.Now().UnixNano() % 1e6)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for i, f := range faults() {
			if !full() && i != int(first+uint64(s))%len(faults()) {
				continue
			}
			for n := range count {
				seed := first + uint64(n)
				t.Run(fmt.Sprintf("%s-%s-%d", f.Name, unix.SignalName(s), seed), func(t *testing.T) {
					t.Parallel()
					dice := rand.New(rand.NewPCG(seed, uint64(s)))
					p := newPlace(t, f, "none")
					run := p.run(f)
					p.says(run, "planned: ")
					p.after(time.Duration(dice.Int64N(int64(4 * time.Second))))
					ended := run.Ended()
					for range 1 + dice.IntN(2) { // a second one changes nothing
						p.must(run.Signal(s))
					}
					if ended {
						p.ends(run, 3)
					} else {
						p.ends(run, 130, 3) // 3 where it came after the last record
					}
					p.asBefore()
					p.verb(0, "status")
				})
			}
		}
	}
}

// A signal while the drill is only being planned: nothing was changed, and nobody waits for AWS.
func TestSignalWhilePlanning(t *testing.T) {
	t.Parallel()
	f := faults()[0]
	for _, w := range []writing{{"sts", "GetCallerIdentity", 1}, {"dynamodb", "DescribeTable", 1}} {
		t.Run(w.operation, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, f, "none")
			knob := p.holds(w, "before")
			run := p.run(f)
			p.held(knob, run)
			began := time.Now()
			p.must(run.Signal(syscall.SIGINT))
			p.ends(run, 130)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %s to end", took)
			}
			if n, err := p.stage.Writes(p.ctx); n > 0 || err != nil {
				t.Errorf("%d writes, %v", n, err)
			}
			if n := strings.Count(run.Err.String(), "firedrill: "); n > 1 || strings.Contains(run.Err.String(), "not injecting") {
				t.Errorf("it says %q", run.Err)
			}
		})
	}
}

// fill takes all the room there is.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	for err = nil; err == nil; {
		_, err = f.Write([]byte{0})
	}
	_ = f.Close()
}
