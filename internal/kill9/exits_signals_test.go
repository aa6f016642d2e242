package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/firedrill/firedrill/internal/killtest"
)

// exitCells are the cells of waysOut by name.
func exitCells() map[string]func(p *place) ending {
	cells := map[string]func(p *place) ending{
		"SIGINT":                   signalled(syscall.SIGINT),
		"SIGTERM":                  signalled(syscall.SIGTERM),
		"SIGHUP":                   signalled(syscall.SIGHUP),
		"SIGPIPE":                  signalled(syscall.SIGPIPE),
		"two signals":              signalled(syscall.SIGTERM, syscall.SIGINT),
		"three signals":            thriceSignalled,
		"SIGINT, ignored at start": ignoring("INT", syscall.SIGINT),
		"SIGHUP, ignored at start": ignoring("HUP", syscall.SIGHUP),
		"SIGKILL":                  killedHard,
		"closed stdout":            closed("stdout"),
		"closed stderr":            closed("stderr"),
		"laptop sleep":             slept,
		"run taken over":           takenOver,
	}
	maps.Copy(cells, lossCells())
	maps.Copy(cells, stopCells())
	return cells
}

// inPlace runs the cell's drill until its fault is felt.
func (p *place) inPlace() *killtest.Process {
	p.Helper()
	run := p.run(faults()[2])
	p.says(run, "effective: ")
	return run
}

// code waits for a process's end.
func (p *place) code(pr *killtest.Process) int {
	p.Helper()
	code, err := pr.Wait(p.ctx)
	p.must(err)
	if strings.Contains(pr.Err.String(), "goroutine ") {
		p.Errorf("it panics: %s", pr.Err)
	}
	p.Cleanup(func() {
		if p.Failed() {
			p.Logf("the run said: %s%s", pr.Err, pr.Out)
		}
	})
	return code
}

func signalled(signals ...syscall.Signal) func(p *place) ending {
	return func(p *place) ending {
		run := p.inPlace()
		from := time.Now()
		for _, s := range signals {
			p.must(run.Signal(s))
		}
		return ending{code: p.code(run), from: from}
	}
}

func thriceSignalled(p *place) ending {
	run := p.inPlace()
	hold := p.holds(writing{"elasticloadbalancing", "DeleteRule", 1}, "before")
	p.must(run.Signal(syscall.SIGINT))
	p.held(hold, run)
	p.must(run.Signal(syscall.SIGINT))
	p.says(run, "a third signal gives up")
	p.must(run.Signal(syscall.SIGINT))
	code := p.code(run)
	if !strings.Contains(run.Err.String(), "Try: firedrill recover") {
		p.Errorf("it says %q", run.Err)
	}
	p.recovers()
	return ending{code: code, back: "recover"}
}

// ignoring starts the run from a script that ignores a signal.
func ignoring(trap string, s syscall.Signal) func(p *place) ending {
	return func(p *place) ending {
		script := filepath.Join(p.TempDir(), "background")
		p.must(os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\ntrap '' %s\nexec %q \"$@\"\n", trap, p.Path), 0o700))
		p.Path = script
		run := p.inPlace()
		e := ending{from: time.Now()}
		p.must(run.Signal(s))
		if e.code = p.code(run); s == syscall.SIGHUP {
			e.from = time.Time{} // it ended by its drill
		}
		return e
	}
}

func killedHard(p *place) ending {
	run := p.inPlace()
	p.must(run.Kill())
	from := time.Now()
	p.recovers()
	return ending{code: p.code(run), from: from, back: "recover"}
}

// closed: a pipe that nobody reads any more ends the run as a signal would.
func closed(which string) func(p *place) ending {
	return func(p *place) ending {
		r, w, err := os.Pipe()
		p.must(err)
		other := &killtest.Text{}
		args := []string{"run", faults()[2].file(p.T)}
		var run *killtest.Process
		if which == "stdout" {
			run, err = p.StartWith(p.ctx, w, other, append(args, "-o", "json")...)
		} else {
			run, err = p.StartWith(p.ctx, other, w, args...)
		}
		p.must(err)
		p.Cleanup(func() { _ = run.Kill() })
		p.must(w.Close())
		for lines := bufio.NewScanner(r); lines.Scan() && !strings.Contains(lines.Text(), "effective: ") && !strings.Contains(lines.Text(), "fault.effective"); {
			continue
		}
		from := time.Now()
		p.must(r.Close())
		return ending{code: p.code(run), from: from}
	}
}

// slept: the laptop sleeps for longer than the lease and the limit of the run. Nobody recovers meanwhile.
func slept(p *place) ending {
	run := p.inPlace()
	p.asleep(run)
	p.waitForLease()
	from := time.Now()
	p.must(run.Signal(syscall.SIGCONT))
	return ending{code: p.code(run), from: from}
}

func takenOver(p *place) ending {
	w := writing{"elasticloadbalancing", "CreateRule", 1}
	hold := p.holds(w, "before")
	run := p.run(faults()[2])
	p.held(hold, run)
	p.asleep(run)
	p.waitForLease()
	p.verb(0, "recover", "--all")
	p.must(hold.Release(p.ctx))
	p.changes() // the late call has landed, and nobody but the sleeper knows
	from := time.Now()
	p.must(run.Signal(syscall.SIGCONT))
	code := p.code(run)
	if !strings.Contains(run.Err.String(), "not recorded") {
		p.Errorf("whoever woke up says %q", run.Err)
	}
	return ending{code: code, from: from}
}
