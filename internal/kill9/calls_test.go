package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // its driver

	"github.com/firedrill/firedrill/internal/killtest"
)

// writing is one call of a run that changes something: the n-th of its operation.
type writing struct {
	service, operation string
	nth                int
}

// holds turns a knob that holds one call of firedrill's.
func (p *place) holds(w writing, when string) killtest.Hold {
	p.Helper()
	knob, err := p.stage.Hold(p.ctx, w.service+" "+w.operation, w.nth, when)
	p.must(err)
	return knob
}

// held waits until a knob holds its call.
func (p *place) held(knob killtest.Hold, pr *killtest.Process) {
	p.Helper()
	p.must(knob.Held(p.ctx, pr))
}

// says waits until a process has said something on stderr.
func (p *place) says(pr *killtest.Process, what string) {
	p.Helper()
	p.must(pr.Says(p.ctx, what))
}

// A process that is stopped in the middle of its change is not dead: its lease ends, another process recovers, the late
// call lands, and when it wakes it puts back what it did.
func TestStoppedInApply(t *testing.T) {
	t.Parallel()
	changes := map[string][]writing{
		"on-demand":   {{"dynamodb", "UpdateTable", 1}},
		"provisioned": {{"dynamodb", "UpdateTable", 1}},
		"error":       {{"elasticloadbalancing", "CreateRule", 1}, {"elasticloadbalancing", "ModifyRule", 1}},
		"poison":      {{"sqs", "SendMessageBatch", 1}},
		"denied":      {{"dynamodb", "PutResourcePolicy", 1}},
		"stalled":     {{"sqs", "SetQueueAttributes", 1}},
	}
	for _, f := range faults() {
		for _, w := range changes[f.Name] {
			for _, late := range []bool{true, false} {
				if !full() && late != (w.operation == "UpdateTable" || w.operation == "CreateRule") {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/late=%t", f.Name, w.operation, late), func(t *testing.T) {
					t.Parallel()
					p := newPlace(t, f, "none")
					p.stopped(f, w, late)
				})
			}
		}
	}
}

func (p *place) stopped(f fault, w writing, late bool) {
	p.Helper()
	knob := p.holds(w, "before")
	run := p.run(f)
	p.held(knob, run)
	p.asleep(run)
	if !late {
		p.must(knob.Release(p.ctx))
	}
	early := p.verb(75, "recover", runOf(p, run)) // its process lives and its lease has not ended
	if !strings.Contains(early.Err.String(), "held by run") {
		p.Errorf("an early recover says %q", early.Err)
	}
	p.waitForLease()
	p.verb(0, "recover", "--all")
	if !late {
		p.asBefore()
	} else {
		p.must(knob.Release(p.ctx))
		if w.operation != "ModifyRule" { // whose rule is gone: it lands on nothing
			p.changes() // the late call has landed, and nobody but the sleeper knows
		}
	}
	p.must(run.Signal(syscall.SIGCONT))
	p.ends(run, 1)
	if !strings.Contains(run.Err.String(), "not recorded") {
		p.Errorf("whoever woke up says %q", run.Err)
	}
	p.recovers()
}

// asleep stops a process where it does not hold the journal's lock, as it does for a moment whenever it renews its
// lease: with SQLite nobody else could record anything until it wakes.
func (p *place) asleep(run *killtest.Process) {
	p.Helper()
	p.must(killtest.Until(p.ctx, func() (bool, error) {
		if err := run.Signal(syscall.SIGSTOP); err != nil {
			return true, err
		}
		if err := killtest.Until(p.ctx, func() (bool, error) { return stopped(run.PID()), nil }); err != nil || p.unlocked() {
			return true, err
		}
		return false, run.Signal(syscall.SIGCONT)
	}))
}

// stopped says that every thread of a process has come to a stop: a signal does not wait for that. Where the kernel
// does not tell, it is believed.
func stopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, t := range threads {
		stat, err := os.ReadFile(t)
		if _, state, ok := strings.Cut(string(stat), ") "); err == nil && ok && !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}

// unlocked says that the journal can be written.
func (p *place) unlocked() bool {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.State, "firedrill.db"))
	if err != nil {
		return false
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(p.ctx, "BEGIN IMMEDIATE"); err != nil {
		return false
	}
	_, err = db.ExecContext(p.ctx, "ROLLBACK")
	return err == nil
}

// runOf finds the run's id in the state directory: a process that is stopped says nothing.
func runOf(p *place, run *killtest.Process) string {
	p.Helper()
	st := p.verb(5, "status", "-o", "json")
	_, id, ok := strings.Cut(st.Out.String(), `"run":`)
	if !ok {
		p.Fatalf("status of pid %d says %q", run.PID(), st.Out)
	}
	return strings.Trim(strings.TrimSpace(strings.SplitN(id, ",", 2)[0]), `"`)
}

// waitForLease waits until recover may take the run over: 15 s after it was last renewed.
func (p *place) waitForLease() {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	t := time.NewTimer(16 * time.Second)
	defer t.Stop()
	select {
	case <-ctx.Done():
		p.Fatal(ctx.Err())
	case <-t.C:
	}
}

// changes waits until the world is not as before.
func (p *place) changes() {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	if err := killtest.Until(ctx, func() (bool, error) {
		now, err := p.stage.Look(ctx)
		return p.before.Difference(now) != "", err
	}); err != nil {
		p.Errorf("the late call never landed: %v", err)
	}
}
