package drills_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

var dawn = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// tale is a run told event by event, without a world.
type tale struct {
	*drills.State
	now time.Time
}

// planned begins a tale of faults with these ids.
func planned(t interface{ Fatal(...any) }, change func(*drills.Plan), ids ...string) *tale {
	p := drills.Plan{V: drills.PlanVersion, Run: runID, Limit: 2 * time.Minute, Patience: time.Minute, Pace: drills.Pace{Look: time.Second},
		Page: drills.PlannedPage{When: drills.PageDirect, Service: "P1"}, Expect: drills.Expect{Effective: 10 * time.Second, Mitigate: 20 * time.Second}}
	for _, id := range ids {
		p.Faults = append(p.Faults, drills.PlannedFault{ID: id, Kind: "set"})
	}
	if change != nil {
		change(&p)
	}
	e, err := p.Planned(dawn, journal.Brief{})
	if err != nil {
		t.Fatal(err)
	}
	x := &tale{State: drills.NewState(runID), now: dawn}
	x.tell("plan", e)
	return x
}

func (x *tale) tell(action string, events ...journal.Event) {
	for n, e := range events {
		e.Action, e.N = action, n
		if e.At.IsZero() {
			e.At = x.now
		}
		x.Add(e)
	}
}

// fact is an event about a fault.
func fact(k journal.Kind, fault string) journal.Event {
	e := journal.Event{Kind: k, Fact: journal.Fact{Fault: fault}}
	if k == journal.FaultPrepared || k == journal.FaultStaged {
		e.Fact.Undo, _ = json.Marshal(inject.Undo{Kind: "set", V: 1})
	}
	return e
}

// wayIn says that a verb belongs to a run that still breaks things, or holds them broken.
func wayIn(v drills.Verb) bool {
	return slices.Contains([]drills.Verb{drills.Guard, drills.Steady, drills.Prepare, drills.Stage, drills.Apply, drills.Page, drills.Poll, drills.Hear}, v)
}

// The pauses between tries at one undo are 1, 2, 4, 8, 16, 30, 30, … seconds, however long a try takes; another fault
// that is due is tried meanwhile.
func TestUndoBacksOff(t *testing.T) {
	schedule := []time.Duration{1, 2, 4, 8, 16, 30, 30, 30, 30}
	rapid.Check(t, func(t *rapid.T) {
		x := planned(t, nil, "a")
		x.tell("x", fact(journal.FaultPrepared, "a"), fact(journal.FaultApplied, "a"), journal.Event{Kind: journal.AbortRequested, Fact: journal.Fact{Reason: drills.ReasonAbort}})
		for n, seconds := range schedule {
			a := drills.Next(x.State, x.now)
			if want := fmt.Sprintf("revert/a/%d", n); a.ID != want {
				t.Fatalf("next is %s, want %s", a.ID, want)
			}
			x.now = x.now.Add(rapid.Custom(shortly).Draw(t, "took"))
			failed := fact(journal.FaultRevertFailed, "a")
			failed.Fact.Err = "no"
			x.tell(a.ID, failed)
			due := x.now.Add(seconds * time.Second)
			for _, at := range []time.Time{x.now, due.Add(-1)} {
				if a := drills.Next(x.State, at); a.Verb != drills.Wait || !a.Until.Equal(due) {
					t.Fatalf("%s after try %d: %s until %s, want wait until %s", at.Sub(x.now), n, a.ID, a.Until, due)
				}
			}
			x.now = due
		}
	})
}

func shortly(t *rapid.T) time.Duration {
	return time.Duration(rapid.IntRange(0, 120_000).Draw(t, "ms")) * time.Millisecond
}

// Of several faults each gets a try before any is read back or gets its second, whatever fails; and what is due is
// done, last in first out.
func TestEveryFaultGetsATryBeforeAnyItsSecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := []string{"a", "b", "c", "d"}[:rapid.IntRange(1, 4).Draw(t, "faults")]
		x := planned(t, nil, ids...)
		for _, id := range ids {
			x.tell("x", fact(journal.FaultPrepared, id), fact(journal.FaultApplied, id))
		}
		x.tell("abort", journal.Event{Kind: journal.AbortRequested})
		var tried []string
		for range 200 {
			a := drills.Next(x.State, x.now)
			switch a.Verb {
			case drills.Wait:
				x.now = a.Until
				continue
			case drills.Revert, drills.Settle:
			default:
				return
			}
			id := ids[a.Fault]
			if len(tried) < len(ids) {
				if want := ids[len(ids)-1-len(tried)]; a.Verb != drills.Revert || id != want {
					t.Fatalf("%s, and %s has had no try: %v", a.ID, want, tried)
				}
				tried = append(tried, id)
			}
			x.now = x.now.Add(rapid.Custom(shortly).Draw(t, "took"))
			e := fact(map[drills.Verb]journal.Kind{drills.Revert: journal.FaultReverted, drills.Settle: journal.FaultSettled}[a.Verb], id)
			if rapid.Bool().Draw(t, "fails") {
				e = fact(journal.FaultRevertFailed, id)
				e.Fact.Err = "no"
			}
			x.tell(a.ID, e)
		}
	})
}

// anything draws an event of any kind, likely or not, with any reason, fault and time.
func anything(t *rapid.T) journal.Event {
	e := journal.Event{Kind: rapid.SampledFrom([]journal.Kind{
		journal.RunPlanned, journal.RunTaken, journal.RunReopened, journal.RunFinished, journal.GuardPassed, journal.GuardRefused,
		journal.SteadyRead, journal.ProbeRead, journal.ClockRead, journal.FaultPrepared, journal.FaultStaged, journal.FaultApplied,
		journal.FaultApplyFailed, journal.FaultEffective, journal.FaultCeased, journal.FaultReverted, journal.FaultRevertFailed,
		journal.FaultSettled, journal.EffectRead, journal.LoadRead, journal.PageSent, journal.PageResolved, journal.NoteSent,
		journal.AlarmFired, journal.AlarmCleared, journal.IncidentOpened, journal.IncidentNotified, journal.IncidentAcknowledged,
		journal.IncidentUnacknowledged, journal.IncidentNoted, journal.IncidentResolved, journal.AbortRequested, journal.NoteWritten,
		journal.Correction, journal.CommandHeard, journal.IncidentNoteEdited, journal.IncidentNoteDeleted, "lunch.eaten"}).Draw(t, "kind")}
	f := fact(e.Kind, rapid.SampledFrom([]string{"a", "b", "ghost", ""}).Draw(t, "fault"))
	e.Fact = f.Fact
	e.Fact.Incident = rapid.SampledFrom([]string{"", "PI1", "PI2"}).Draw(t, "incident")
	e.Fact.Role = rapid.SampledFrom([]journal.Role{"", journal.RoleSteady, journal.RoleWatch, journal.RoleOurs, journal.RoleRipple, journal.RoleOther, "owner"}).Draw(t, "role")
	e.Fact.Reading = rapid.SampledFrom([]string{"", "ok", "bad", "unknown", "yes", "no"}).Draw(t, "reading")
	e.Fact.Reason = rapid.SampledFrom([]string{"", "patience", "no_owner", drills.ReasonAbort}).Draw(t, "reason")
	e.Fact.Err = rapid.SampledFrom([]string{"", "no"}).Draw(t, "err")
	e.Fact.Definite = rapid.Bool().Draw(t, "definite")
	e.Fact.Human = journal.Bool(rapid.Bool().Draw(t, "human"))
	e.Fact.Text = rapid.SampledFrom([]string{"", "stop", "drill stop", "drill hint\ndrill status"}).Draw(t, "text")
	e.Fact.Was = rapid.SampledFrom([]string{"", "drill stop"}).Draw(t, "was")
	if e.Kind == journal.RunTaken {
		e.Gen = rapid.IntRange(1, 4).Draw(t, "gen")
	}
	if rapid.IntRange(0, 9).Draw(t, "broken undo") == 0 {
		e.Fact.Undo = json.RawMessage(`{`)
	}
	return e
}

// actionsOf are ids that an engine, or somebody who pretends to be one, may have given.
func actionsOf(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "poll/0", "calm/0", "page/0", "revert/a/0", "finish/0", "x", "/"}).Draw(t, "action")
}

// history folds up to 30 events of any kind and calls look after each.
func history(t *rapid.T, look func(x *tale, e journal.Event)) *tale {
	x := planned(t, func(p *drills.Plan) {
		p.Page.When = rapid.SampledFrom([]string{drills.PageAlarm, drills.PageDirect, drills.PageReport}).Draw(t, "when")
		p.Page.Fallback = time.Duration(rapid.IntRange(0, 60).Draw(t, "fallback")) * time.Second
		p.Faults[1].After = time.Duration(rapid.IntRange(0, 90).Draw(t, "after")) * time.Second
		p.Faults[1].Staged = rapid.Bool().Draw(t, "staged")
		p.Expect.Acknowledge = time.Duration(rapid.IntRange(0, 30).Draw(t, "acknowledge")) * time.Second
		p.Steady = []drills.PlannedProbe{{Label: ""}}
	}, "a", "b")
	for range rapid.IntRange(0, 30).Draw(t, "events") {
		x.now = x.now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "later")) * time.Millisecond)
		e := anything(t)
		x.tell(actionsOf(t), e)
		look(x, e)
	}
	return x
}

// Once an undo has begun, a run only ever undoes, whatever else is written to it; and what was prepared stays open
// until it has been read back.
func TestNothingTurnsAnUndoAround(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		undoing, open := false, map[string]bool{}
		history(t, func(x *tale, e journal.Event) {
			if id := e.Fact.Fault; id != "" {
				switch e.Kind {
				case journal.FaultPrepared, journal.FaultStaged, journal.FaultApplied:
					open[id] = true
				case journal.FaultSettled:
					delete(open, id)
				case journal.FaultReverted, journal.FaultRevertFailed:
					undoing = true
				}
			}
			a := drills.Next(x.State, x.now)
			if undoing && wayIn(a.Verb) {
				t.Fatalf("after %s comes %s", e.Kind, a.ID)
			}
			for id := range open {
				if !slices.Contains(x.InPlace(), id) {
					t.Fatalf("after %s nobody knows of %s: %v", e.Kind, id, x.InPlace())
				}
			}
		})
	})
}

// From wherever a run stands, with a world that is willing the loop ends, with nothing in place but what is stuck.
func TestLoopEndsWithAWillingWorld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := history(t, func(*tale, journal.Event) {})
		if x.Finished {
			return
		}
		begin := x.now
		for n := 0; ; n++ {
			a := drills.Next(x.State, x.now)
			if a.Verb == drills.Done {
				break
			}
			if n > 2000 || x.now.Sub(begin) > time.Hour {
				t.Fatalf("after %d actions and %s it is at %s", n, x.now.Sub(begin), a.ID)
			}
			x.does(a)
		}
		if len(x.InPlace()) > 0 && !x.Dirty() {
			t.Fatalf("it ended with %v in place", x.InPlace())
		}
	})
}

// does is a world in which everything succeeds at once.
func (x *tale) does(a drills.Action) {
	id := ""
	if a.Fault >= 0 {
		id = x.Plan.Faults[a.Fault].ID
	}
	switch a.Verb {
	case drills.Wait:
		x.now = a.Until
	case drills.Poll:
		x.now = a.Until
		x.tell(a.ID, journal.Event{Kind: journal.LoadRead})
	case drills.Hear:
		st := drills.Steps{World: drills.World{Clock: &fakeClock{t: x.now}}}
		x.tell(a.ID, st.Do(context.Background(), x.State, a)...)
	case drills.PageOwner:
		x.tell(a.ID, journal.Event{Kind: journal.PageSent, Fact: journal.Fact{Role: "owner"}})
	default:
		k := map[drills.Verb]journal.Kind{
			drills.Guard: journal.GuardPassed, drills.Steady: journal.SteadyRead, drills.Calm: journal.SteadyRead,
			drills.Prepare: journal.FaultPrepared, drills.Stage: journal.FaultStaged, drills.Apply: journal.FaultApplied,
			drills.Page: journal.PageSent, drills.Revert: journal.FaultReverted, drills.Settle: journal.FaultSettled,
			drills.ResolvePage: journal.PageResolved, drills.Finish: journal.RunFinished}[a.Verb]
		x.tell(a.ID, fact(k, id))
	}
}
