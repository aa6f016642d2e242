package timeline_test

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// reads is a look at a probe that took a while: what it says held at some moment of it.
func (s *story) reads(from, to float64, role journal.Role, probe, reading string) {
	began := s.at(from)
	s.add(to, journal.ProbeRead, journal.Fact{Probe: probe, Role: role, Reading: reading, LookedAt: &began})
}

// within says that an instant's bar holds what truly was.
func within(t *testing.T, s *story, name timeline.Name, truth float64) {
	t.Helper()
	i := timeline.Of(s.events, s.real(1000)).Instant(name)
	at, want := i.At, s.real(truth)
	if at.IsZero() || want.Before(at.Add(-i.Early)) || want.After(at.Add(i.Late)) {
		t.Errorf("%s was at %.1f; told %.1f -%s +%s (%s)", name, truth, at.Sub(s.zero).Seconds(), i.Early, i.Late, i.Reason)
	}
}

// A look that ends badly says that it was bad at some moment of the look, which may have been its first: one that waits
// for its time limit says nothing of its end.
func TestALongLookSaysNothingOfItsEnd(t *testing.T) {
	const probe = "http https://orders/health"
	s := begin(brief("alarm"), 0, 0)
	s.effective(5, 4.5)
	s.reads(10, 20, journal.RoleSteady, probe, "bad") // asked at 10, timed out at 20; well again at 11
	for i := range 3 {
		s.reads(20.1+float64(2*i), 20.2+float64(2*i), journal.RoleSteady, probe, "ok")
	}
	within(t, s, timeline.Mitigated, 11)
}

// A look that could not be read proves nothing, so the bar reaches back to the one that was bad.
func TestARoundThatCouldNotBeReadBoundsNothing(t *testing.T) {
	s := begin(brief("alarm"), 0, 0)
	s.effective(5, 4.5)
	s.steady(10, "bad")
	s.steady(15, "unknown")
	s.steady(20, "unknown")
	for i := range 3 {
		s.steady(25+float64(2*i), "ok")
	}
	within(t, s, timeline.Mitigated, 12)
}

// What was felt last was felt at some moment of that look.
func TestAnEffectCeasedAfterTheLookThatFeltItBegan(t *testing.T) {
	b := brief("alarm")
	b.Steady = nil
	s := begin(b, 0, 0)
	s.effective(5, 4.5)
	began := s.at(10)
	s.add(18, journal.EffectRead, journal.Fact{Fault: "throttle", Reading: "yes", LookedAt: &began})
	s.add(20, journal.FaultCeased, journal.Fact{Fault: "throttle"})
	within(t, s, timeline.Mitigated, 11)
}

// A watched probe rang after the look began that was still good.
func TestAWatchedProbeRangAfterTheLookThatWasGoodBegan(t *testing.T) {
	b := brief("alarm")
	b.Watch = []string{"http https://orders/canary"}
	s := begin(b, 0, 0)
	s.reads(3.1, 9, journal.RoleWatch, b.Watch[0], "ok") // answered slowly
	s.effective(5, 4.5)
	s.reads(10, 10.1, journal.RoleWatch, b.Watch[0], "bad")
	within(t, s, timeline.Detected, 6)
	if i := timeline.Of(s.events, s.zero.Add(time.Hour)).Interval("detect"); !i.Known || i.Seconds-i.ErrorS > 1 {
		t.Errorf("%+v", i)
	}
}

// How long it was still felt after a resolve is told as the least that it can have been.
func TestAFalseResolveIsToldForNoLongerThanItWas(t *testing.T) {
	s := begin(brief("alarm"), 0, 0)
	s.effective(5, 4.5)
	s.alarm(10, 11, journal.RoleWatch, alarmName)
	s.pager(12, 13, journal.IncidentOpened, journal.Fact{Incident: "Q1", Role: journal.RoleWatch, Title: alarmName})
	s.pager(50, 51, journal.IncidentResolved, journal.Fact{Incident: "Q1", Entry: "R1", User: "PAnna", By: "Anna", Human: journal.Bool(true)})
	s.reads(53, 63, journal.RoleSteady, "http https://orders/health", "bad") // it was well from 54 on, and timed out all the same
	ends := timeline.Of(s.finish(100), s.real(200)).Traces()[0].False
	if len(ends) != 1 || ends[0].FeltS > 4 {
		t.Errorf("%+v", ends)
	}
}
