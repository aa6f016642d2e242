package drills

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

func TestRunsThatShareATargetOrAServiceAreNotOnTogether(t *testing.T) {
	plan := func(drill, service string, arns ...string) *Plan {
		p := &Plan{Drill: drill, Page: PlannedPage{Service: service}}
		for _, arn := range arns {
			p.Faults = append(p.Faults, PlannedFault{Target: inject.Target{ARN: arn, Also: []string{arn + "-dlq"}}})
		}
		return p
	}
	for _, c := range []struct {
		plans []*Plan
		want  string
	}{
		{[]*Plan{plan("a", "PA", "x"), plan("b", "PB", "y"), plan("c", "PC", "z", "w")}, ""},
		{[]*Plan{plan("a", "PA", "x"), plan("b", "PB", "y"), plan("c", "PC", "z", "x")}, "a and c both change x"},
		{[]*Plan{plan("a", "PA", "x"), plan("b", "PB", "x-dlq")}, "a and b both change x-dlq"},
		{[]*Plan{plan("a", "PA", "x"), plan("b", "PA", "y")}, "a and b both page service PA"},
	} {
		r := Together(c.plans)
		if got := r != nil; got != (c.want != "") || got && (!strings.Contains(r.Error(), c.want) || r.Try == "") {
			t.Errorf("%v, want %q", r, c.want)
		}
	}
}

func TestRunsThatAreOnTogetherKnowEachOthersAlarms(t *testing.T) {
	run := func(watch string, ripples ...string) *Preview {
		spec := &Spec{Ripples: ripples}
		return &Preview{spec: spec, Plan: &Plan{Ripples: ripples, Watch: []PlannedProbe{{Alarm: watch}}}}
	}
	a, b, c := run("a-rings", "a-echo-*"), run("b-rings", "a-rings"), run("c-rings")
	Introduce([]*Preview{a, b, c})
	for _, x := range []struct {
		v    *Preview
		want string
	}{{a, "a-echo-* b-rings c-rings"}, {b, "a-rings a-echo-* c-rings"}, {c, "a-rings a-echo-* b-rings"}} {
		if got := strings.Join(x.v.Plan.Ripples, " "); got != x.want || strings.Join(x.v.Brief.Ripples, " ") != got {
			t.Errorf("%q, want %q", got, x.want)
		}
	}
	if role := a.Plan.roleOf("ALARM: b-rings"); role != journal.RoleRipple {
		t.Errorf("what a sister watches is %s", role)
	}
}

// The page of another drill, on the same service, ends no drill; one that somebody's real alert has joined does.
func TestAnotherDrillsPageIsNoRealIncident(t *testing.T) {
	page := func(keys ...string) observe.Incident {
		in := observe.Incident{ID: "P1", Title: "[DRILL] another", Status: "triggered"}
		for _, k := range keys {
			in.Alerts = append(in.Alerts, observe.Alert{Key: k})
		}
		return in
	}
	for _, c := range []struct {
		in     observe.Incident
		events int
	}{
		{page(Dedup("other")), 0},
		{page(Dedup("other"), Dedup("third")), 0},
		{page(Dedup("other"), "disk-full"), 2},
		{page(Dedup("other") + "/left"), 2}, // what it could not put back is real
		{page("disk-full"), 2},
		{page(), 2},
	} {
		s := NewState("mine")
		now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
		if got := s.judge(c.in, s.Plan.incidentRole(s.Run, c.in), now, now); len(got) != c.events {
			t.Errorf("%+v: %+v", c.in, got)
		} else if c.events == 2 && got[1].Kind != journal.AbortRequested {
			t.Errorf("%+v: %+v", c.in, got)
		}
	}
}
