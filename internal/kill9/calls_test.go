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

// writings lists what an undisturbed run of each fault writes; TestWritings finds out whether it still does. The last
// of them are the undo's.
func writings(f fault) (in, out []writing) {
	const scaling = "application-autoscaling"
	one := func(service string, n int, operations ...string) (list []writing) {
		for _, o := range operations {
			list = append(list, writing{service, o, n})
		}
		return list
	}
	switch f.Name {
	case "on-demand":
		return append(one("dynamodb", 1, "TagResource", "UpdateTable"), writing{"dynamodb", "TagResource", 2}),
			append(one("dynamodb", 2, "UpdateTable"), writing{"dynamodb", "TagResource", 3}, writing{"dynamodb", "UntagResource", 1})
	case "provisioned":
		return append(one("dynamodb", 1, "TagResource", "UpdateTable"), writing{scaling, "RegisterScalableTarget", 1}, writing{"dynamodb", "TagResource", 2}),
			append(one("dynamodb", 2, "UpdateTable"), writing{"dynamodb", "TagResource", 3}, writing{scaling, "RegisterScalableTarget", 2}, writing{"dynamodb", "UntagResource", 1})
	case "error":
		return one("elasticloadbalancing", 1, "CreateRule", "ModifyRule"), one("elasticloadbalancing", 1, "DeleteRule")
	default:
		return append(one("sqs", 1, "TagQueue", "SendMessageBatch"), writing{"sqs", "TagQueue", 2}, writing{"sqs", "TagQueue", 3}),
			append(one("sqs", 1, "DeleteMessageBatch", "UntagQueue"), writing{"sqs", "TagQueue", 4}, writing{"sqs", "UntagQueue", 2})
	}
}

// The list above is what runs really write: every operation, as often as it says, and no other.
func TestWritings(t *testing.T) {
	t.Parallel()
	for _, f := range faults() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, f, "none")
			p.ends(p.run(f), 3)
			p.asBefore()
			want, got := map[string]int{}, map[string]int{}
			in, out := writings(f)
			for _, w := range append(in, out...) {
				want[w.operation] = max(want[w.operation], w.nth)
			}
			calls, err := p.stage.Calls(p.ctx)
			p.must(err)
			for _, c := range calls {
				if c.By == "firedrill" && c.Writes && c.Operation != "UpdateItem" && c.Operation != "ReceiveMessage" && c.Operation != "ChangeMessageVisibilityBatch" {
					got[c.Operation]++
				}
			}
			for operation, n := range got {
				often := operation == "DeleteMessageBatch" || operation == "TagQueue" // one for each look that found some
				if n < want[operation] || want[operation] == 0 || n > want[operation] && !often {
					t.Errorf("runs write %d of %s, the list says %d", n, operation, want[operation])
				}
				delete(want, operation)
			}
			if len(want) > 0 {
				t.Errorf("runs never write %v", want)
			}
		})
	}
}

// Death between a call and its record: a call is held, before or after it takes effect, and the process that waits for
// its answer is killed. A held call takes effect when its client has gone. Then another process recovers, or is killed
// in the same way and a third one recovers.
func TestKilledInACall(t *testing.T) {
	t.Parallel()
	for _, f := range faults() {
		in, out := writings(f)
		for i, w := range append(in, out...) {
			for j, when := range []string{"before", "after"} {
				if !full() && (i+j)%3 != 0 {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s-%d-%s", f.Name, w.operation, w.nth, when), func(t *testing.T) {
					t.Parallel()
					p := newPlace(t, f, "none")
					p.killedAt(w, when, func() *killtest.Process { return p.run(f) })
					p.recovers()
				})
			}
		}
		for i, w := range out {
			for j, when := range []string{"before", "after"} {
				if !full() && (i+j)%4 != 0 {
					continue
				}
				t.Run(fmt.Sprintf("%s/recover-%s-%d-%s", f.Name, w.operation, w.nth, when), func(t *testing.T) {
					t.Parallel()
					p := newPlace(t, f, "none")
					run := p.run(f)
					p.says(run, "fault applied")
					p.must(run.Kill())
					w := p.left(w)
					p.killedAt(w, when, func() *killtest.Process {
						again, err := p.Start(p.ctx, "recover", "--all")
						p.must(err)
						return again
					})
					p.recovers()
				})
			}
		}
	}
}

// left is which call of its operation is meant, counted from now on.
func (p *place) left(w writing) writing {
	p.Helper()
	calls, err := p.stage.Calls(p.ctx)
	p.must(err)
	for _, c := range calls {
		if c.By == "firedrill" && c.Operation == w.operation {
			w.nth--
		}
	}
	w.nth = max(w.nth, 1)
	return w
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

func (p *place) killedAt(w writing, when string, start func() *killtest.Process) {
	p.Helper()
	knob := p.holds(w, when)
	pr := start()
	p.held(knob, pr)
	p.must(pr.Kill())
	p.must(knob.Done(p.ctx))
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
	for _, f := range faults() {
		in, _ := writings(f)
		for _, w := range in {
			switch w.operation {
			case "UpdateTable", "CreateRule", "ModifyRule", "SendMessageBatch":
			default:
				continue
			}
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
