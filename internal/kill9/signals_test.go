package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/firedrill/firedrill/internal/killtest"
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
			if !full() && i != int(first+uint64(s))%4 {
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

// The third signal gives up, says so, and another process puts back what is left.
func TestThreeSignals(t *testing.T) {
	t.Parallel()
	f := faults()[0]
	p := newPlace(t, f, "none")
	run := p.run(f)
	p.says(run, "effective: ")
	knob := p.holds(writing{"dynamodb", "UpdateTable", 1}, "before")
	p.must(run.Signal(syscall.SIGINT))
	p.held(knob, run)
	p.must(run.Signal(syscall.SIGINT))
	p.says(run, "a third signal gives up")
	p.must(run.Signal(syscall.SIGINT))
	p.ends(run, 5)
	if !strings.Contains(run.Err.String(), "Try: firedrill recover") {
		t.Errorf("it says %q", run.Err)
	}
	p.recovers()
}

// A script's background job ignores SIGINT, and nohup SIGHUP: the first counts all the same, the second stays ignored.
func TestIgnoredSignals(t *testing.T) {
	t.Parallel()
	f := faults()[2]
	for _, row := range []struct {
		trap   string
		signal syscall.Signal
		want   int
	}{{"INT", syscall.SIGINT, 130}, {"HUP", syscall.SIGHUP, 3}} {
		t.Run(row.trap, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, f, "none")
			script := filepath.Join(t.TempDir(), "background")
			p.must(os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\ntrap '' %s\nexec %q \"$@\"\n", row.trap, p.Path), 0o700))
			p.Path = script
			run := p.run(f)
			p.says(run, "effective: ")
			p.must(run.Signal(row.signal))
			p.ends(run, row.want)
			p.asBefore()
		})
	}
}

// Whoever reads goes away: a closed pipe on stdout or stderr ends the run as a signal would.
func TestClosedPipes(t *testing.T) {
	t.Parallel()
	f := faults()[2]
	for _, row := range []struct {
		name string
		args []string
	}{{"stdout", []string{"-o", "json"}}, {"stderr", nil}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, f, "none")
			r, w, err := os.Pipe()
			p.must(err)
			other := &killtest.Text{}
			args := append([]string{"run", f.file(t)}, row.args...)
			var run *killtest.Process
			if row.name == "stdout" {
				run, err = p.StartWith(p.ctx, w, other, args...)
			} else {
				run, err = p.StartWith(p.ctx, other, w, args...)
			}
			p.must(err)
			p.must(w.Close())
			p.changes()
			p.must(r.Close())
			p.ends(run, 130)
			p.asBefore()
			p.verb(0, "status")
		})
	}
}

// The journal is lost in the middle of the fault: everything is put back all the same, and the exit code says that the
// record is not whole.
func TestLostJournal(t *testing.T) {
	t.Parallel()
	f := faults()[0]
	t.Run("full disk", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t, f, "none")
		disk := filepath.Join(p.TempDir(), "disk")
		p.must(os.Mkdir(disk, 0o700))
		if out, err := exec.CommandContext(p.ctx, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk).CombinedOutput(); err != nil {
			t.Skipf("no small disk can be made here: %v %s", err, out)
		}
		t.Cleanup(func() { _ = exec.CommandContext(t.Context(), "umount", disk).Run() })
		t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
		p.State = disk
		run := p.run(f)
		p.says(run, "fault applied")
		fill(t, disk)
		p.ends(run, 1)
		p.asBefore()
		if n := strings.Count(run.Err.String(), "database or disk is full"); n != 1 || !strings.Contains(run.Err.String(), "not recorded") {
			t.Errorf("told %d times: %s", n, run.Err)
		}
		p.must(os.Remove(filepath.Join(disk, "filler")))
		p.recovers()

		run = p.run(f) // and once more: now whoever recovers meets the full disk
		p.says(run, "fault applied")
		p.must(run.Kill())
		fill(t, disk)
		p.verb(1, "recover", "--all")
		p.asBefore()
		p.must(os.Remove(filepath.Join(disk, "filler")))
		p.recovers()
	})
	t.Run("directory removed", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t, f, "none")
		p.State = filepath.Join(p.State, "state")
		run := p.run(f)
		p.says(run, "fault applied")
		p.must(os.RemoveAll(p.State))
		p.ends(run, 1, 3)
		p.asBefore()
	})
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
