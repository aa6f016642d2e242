package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/firedrill/firedrill/internal/killtest"
)

// one checks that the process told its trouble in one line of its own, and a next step at most.
func (p *place) one(pr *killtest.Process, words ...string) {
	p.Helper()
	text := pr.Err.String()
	if strings.Count(text, "firedrill: ") != 1 {
		p.Errorf("not one clear line: %s", text)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			p.Errorf("it does not say %q: %s", w, text)
		}
	}
}

func (p *place) trouble(k killtest.Knob) (end func()) {
	p.Helper()
	if k.By == "" {
		k.By = "firedrill"
	}
	id, err := p.stage.Turn(p.ctx, k)
	p.must(err)
	return func() { p.must(p.stage.Release(p.ctx, id)) }
}

// refused lets an undo succeed for nobody: neither us, nor the dead-man's switch, which would come to our help.
func (p *place) refused(operation string) (end func()) {
	ours := p.trouble(killtest.Knob{Operation: operation, Effect: "deny"})
	switches := p.trouble(killtest.Knob{Operation: operation, Effect: "deny", By: "scheduler"})
	return func() {
		ours()
		switches()
	}
}

// Before a drill begins, whatever is wrong ends it in one line, with nothing changed.
func TestTroubleBefore(t *testing.T) {
	t.Parallel()
	f := faults()[0]
	for _, row := range []struct {
		name  string
		knob  killtest.Knob
		pager killtest.PagerKnob
		want  int
		words string
	}{
		{"AWS unreachable", killtest.Knob{Effect: "5xx"}, killtest.PagerKnob{}, 4, "sts"},
		{"expired credentials", killtest.Knob{Effect: "deny", Code: "ExpiredTokenException", Status: 403}, killtest.PagerKnob{}, 4, "ExpiredToken"},
		{"pager says 401", killtest.Knob{}, killtest.PagerKnob{Effect: "401"}, 4, "401"},
		{"pager down", killtest.Knob{}, killtest.PagerKnob{Effect: "down"}, 4, "pager"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, f, "none")
			if row.knob.Effect != "" {
				p.trouble(row.knob)
			} else {
				_, err := p.stage.TurnPager(p.ctx, row.pager)
				p.must(err)
			}
			run := p.run(f)
			p.ends(run, row.want)
			p.one(run, row.words)
			if n, err := p.stage.Writes(p.ctx); n > 0 || err != nil {
				t.Errorf("%d writes, %v", n, err)
			}
		})
	}
}

// While the fault is in place AWS goes away, or the credentials end, and come back: everything is put back.
func TestTroubleForAWhile(t *testing.T) {
	t.Parallel()
	for i, row := range []struct {
		name string
		knob killtest.Knob
	}{
		{"AWS unreachable", killtest.Knob{Effect: "5xx"}},
		{"expired credentials", killtest.Knob{Effect: "deny", Code: "ExpiredTokenException", Status: 403}},
		{"answers lost", killtest.Knob{Effect: "partial"}},
	} {
		for j, f := range faults() {
			if !full() && i != j {
				continue
			}
			t.Run(row.name+"/"+f.Name, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t, f, "none")
				run := p.run(f)
				p.says(run, "fault applied")
				end := p.trouble(row.knob)
				p.after(12 * time.Second) // longer than the drill: the undo meets it
				if run.Ended() {
					t.Errorf("the run ended while nothing could be put back: %s%s", run.Err, run.Out)
				}
				end()
				p.ends(run, 3, 6, 7)
				p.asBefore()
				p.verb(0, "status")
			})
		}
	}
}

// The undo is refused for longer than the run's patience: the owner is paged for real, the exit code is 5, status says
// what is left, and recover puts it back once it may.
func TestDirty(t *testing.T) {
	t.Parallel()
	for _, f := range faults() {
		if !full() {
			continue // one fault is among the ways out
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, f, "none")
			run := p.run(f)
			p.says(run, "fault applied")
			var ends []func()
			for _, operation := range []string{"UpdateTable", "DeleteRule", "DeleteMessageBatch", "PutResourcePolicy", "DeleteResourcePolicy", "SetQueueAttributes"} {
				ends = append(ends, p.refused(operation))
			}
			p.ends(run, 5)
			left := p.verb(5, "status")
			if !strings.Contains(left.Out.String(), "recover") {
				t.Errorf("status does not say what to do: %s", left.Out)
			}
			if n := p.owner(); n != 1 {
				t.Errorf("the owner has %d incidents", n)
			}
			p.verb(5, "recover", "--all") // another minute of patience
			for _, end := range ends {
				end()
			}
			p.recovers()
		})
	}
}

// owner counts the owner's incidents, once there is one.
func (p *place) owner() (n int) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second) // the pager takes in now and acts later
	defer cancel()
	p.must(killtest.Until(ctx, func() (bool, error) {
		incidents, err := p.stage.Incidents(ctx)
		n = 0
		for _, in := range incidents {
			if in.Service == "POWNER" {
				n++
			}
		}
		return n > 0, err
	}))
	return n
}

// Somebody deletes the table in the middle of the drill: there is nothing to put back, and the run ends.
func TestVanishedTable(t *testing.T) {
	t.Parallel()
	f := faults()[0]
	p := newPlace(t, f, "none")
	run := p.run(f)
	p.says(run, "effective: ")
	cfg, err := p.stage.AWS(p.ctx)
	p.must(err)
	_, err = dynamodb.NewFromConfig(cfg).DeleteTable(p.ctx, &dynamodb.DeleteTableInput{TableName: aws.String("orders")})
	p.must(err)
	p.ends(run, 3)
	now, err := p.stage.Look(p.ctx)
	p.must(err)
	if len(now.Ours) > 0 {
		t.Errorf("of ours is left: %v", now.Ours)
	}
	p.verb(0, "status")
}

// Run A is dead with its fault in place. Run B on the same table is refused, changes nothing, and says what to do; when
// A is recovered B may.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	for j, f := range faults() {
		if !full() && j != 0 {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, f, "none")
			a := p.run(f)
			p.says(a, "fault applied")
			p.must(a.Kill())
			before, err := p.stage.Writes(p.ctx)
			p.must(err)
			b := p.run(f)
			p.ends(b, 75)
			p.one(b, "Try: firedrill recover ")
			after, err := p.stage.Writes(p.ctx)
			p.must(err)
			if after > before {
				t.Errorf("B wrote %d times", after-before)
			}
			p.recovers()
		})
	}
}
