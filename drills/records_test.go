package drills_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// The process that puts back may be another program than the one that broke: it lives on the records alone.
func TestPutsBackFromTheRecordsAlone(t *testing.T) {
	for _, row := range []struct {
		name   string
		record func(e *journal.Event) // what stands in the journal instead
		engine func(e *drills.Engine)
		left   string
	}{
		{name: "parameters that build no fault any more", engine: func(e *drills.Engine) {
			kind(e, func(k *inject.Kind) {
				k.New = func(json.RawMessage) (inject.Fault, error) { return nil, errors.New("unknown parameter") }
			})
		}},
		{name: "building a fault panics", engine: func(e *drills.Engine) {
			kind(e, func(k *inject.Kind) { k.New = func(json.RawMessage) (inject.Fault, error) { panic("params") } })
		}},
		{name: "no guards", engine: func(e *drills.Engine) { e.Steps.Env = nil }},
		{name: "a kind that this program lacks", left: "[a b]", engine: func(e *drills.Engine) { e.Steps.World.Catalog = inject.Catalog{} }},
		{name: "an undo that cannot be read", left: "[b]", record: func(e *journal.Event) {
			if e.Kind == journal.FaultPrepared && e.Fact.Fault == "b" {
				e.Fact.Undo = json.RawMessage(`{"kind":7}`)
			}
		}},
		{name: "no undo at all", left: "[b]", record: func(e *journal.Event) {
			if e.Kind == journal.FaultPrepared && e.Fact.Fault == "b" {
				e.Fact.Undo = nil
			}
		}},
		{name: "a plan of a newer program", record: func(e *journal.Event) {
			if e.Kind == journal.RunPlanned {
				e.Fact.Plan = json.RawMessage(`{"v":99,"faults":[{"id":"x"}]}`)
			}
		}},
		{name: "a plan that cannot be read", record: func(e *journal.Event) {
			if e.Kind == journal.RunPlanned {
				e.Fact.Plan = json.RawMessage(`{"v":"two","faults":7}`)
			}
		}},
		{name: "a fault that the plan lacks", record: func(e *journal.Event) {
			if e.Kind == journal.RunPlanned {
				e.Fact.Plan = json.RawMessage(strings.ReplaceAll(string(e.Fact.Plan), `"id":"b"`, `"id":"c"`))
			}
		}},
	} {
		for _, mode := range []string{"resume", "recover"} {
			t.Run(row.name+"/"+mode, func(t *testing.T) { putsBack(t, mode, row.record, row.engine, row.left) })
		}
	}
}

func putsBack(t *testing.T, mode string, record func(*journal.Event), change func(*drills.Engine), left string) {
	full := newStage(t)
	if _, err := full.start(context.Background(), full.engine(1)); err != nil {
		t.Fatal(err)
	}
	s := newStage(t)
	s.clock.t = full.clock.Now()
	events, last := full.events(t), int64(0)
	for i := range events {
		if record != nil {
			record(&events[i])
		}
		if events[i].Kind == journal.FaultApplied {
			last = events[i].Seq
		}
	}
	replay(t, s, events, last)
	e := s.engine(2)
	if change != nil {
		change(e)
	}
	ends(t, func() {
		var st *drills.State
		var err error
		if mode == "resume" {
			st, err = e.Resume(context.Background(), runID)
		} else {
			st, err = e.Recover(context.Background(), runID, drills.ReasonRecover, "test")
		}
		if writes := fmt.Sprint(s.w.writes); st != nil && (mode == "recover" || st.Unplanned != "") && strings.Contains(writes, "=broken") {
			t.Errorf("it breaks more: %s", writes)
		}
		if left == "" {
			s.check(t, st, err)
			return
		}
		if err != nil || st.Outcome != "dirty" || fmt.Sprint(st.InPlace()) != left {
			t.Errorf("outcome %s, in place %v, err %v", st.Outcome, st.InPlace(), err)
		}
		if record != nil { // the other one is put back all the same
			if s.w.get("a") != "before-a" {
				t.Errorf("world %v", s.w.values)
			}
			return
		}
		st, err = s.engine(3).Recover(context.Background(), runID, drills.ReasonRecover, "by a program that can")
		s.check(t, st, err)
	})
}

// What stands in the way when the delay has ended refuses, whatever stood there when the run was planned.
func TestTroubleDuringTheDelayRefuses(t *testing.T) {
	s := newStage(t)
	s.plan.Faults[0].After = time.Minute
	begin := s.clock.Now()
	s.w.steady = func() observe.Value {
		if s.clock.Now().Sub(begin) > 30*time.Second {
			return observe.Bad
		}
		return observe.OK
	}
	st, err := s.start(context.Background(), s.engine(1))
	s.check(t, st, err)
	if st.Outcome != "refused" || len(s.w.writes) > 0 {
		t.Errorf("outcome %s, writes %v", st.Outcome, s.w.writes)
	}
}
