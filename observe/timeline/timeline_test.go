package timeline_test

import (
	"math"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

func TestExitCodes(t *testing.T) {
	for _, x := range []struct {
		o     timeline.Outcome
		later bool
		want  int
	}{{timeline.Met, false, 0}, {timeline.Failed, false, 1}, {timeline.Missed, false, 3}, {timeline.Undetected, false, 3},
		{timeline.Unanswered, false, 3}, {timeline.Refused, false, 4}, {timeline.Refused, true, 75}, {timeline.Dirty, false, 5},
		{timeline.Aborted, false, 6}, {timeline.Invalid, false, 7}, {timeline.Interrupted, false, 130}, {"", false, 1}} {
		if got := timeline.ExitCode(x.o, x.later); got != x.want {
			t.Errorf("%s, later %v: %d, want %d", x.o, x.later, got, x.want)
		}
	}
}

// of tells a story that has ended, or goes on where it was not finished.
func (s *story) of() timeline.Timeline {
	return timeline.Of(s.events, s.events[len(s.events)-1].At)
}

func verdict(t timeline.Timeline, name string) string {
	for _, v := range t.Expect {
		if v.Name == name {
			return v.Verdict
		}
	}
	return ""
}

func TestOutcomesByReason(t *testing.T) {
	for reason, want := range map[string]timeline.Outcome{
		"interrupted": timeline.Interrupted, "abort": timeline.Aborted, "recover": timeline.Aborted, "stop_condition": timeline.Aborted,
		"foreign_incident": timeline.Aborted, "world_gone": timeline.Aborted, "pager_lost": timeline.Failed,
		"engine_error": timeline.Failed, "journal_lost": timeline.Failed,
	} {
		s := felt(brief("alarm"), 0, 0)
		s.add(20, journal.AbortRequested, journal.Fact{Reason: reason, Why: "because"})
		s.undo(21, "restored")
		s.finish(25)
		if x := s.of(); x.Outcome != want || x.Reason != reason || x.Why != "because" {
			t.Errorf("%s: outcome %s, reason %s, why %s", reason, x.Outcome, x.Reason, x.Why)
		}
	}
	s := begin(brief("alarm"), 0, 0)
	s.add(4, journal.FaultApplyFailed, journal.Fact{Fault: "throttle", Err: "ResourceInUse"})
	s.undo(5, "never_applied")
	s.finish(6)
	if x := s.of(); x.Outcome != timeline.Failed || x.Why != "ResourceInUse" || x.Faults[0].How != "never_applied" {
		t.Errorf("apply failed: %s %q %+v", x.Outcome, x.Why, x.Faults[0])
	}
}

// A run that goes on has no outcome, and says not_yet; what is late already is missed.
func TestGoingOn(t *testing.T) {
	s := felt(brief("alarm"), 0, 0)
	x := timeline.Of(s.events, s.at(100))
	if x.Outcome != "" || x.Instant(timeline.Detected).Reason != timeline.NotYet || verdict(x, "detect") != "unknown" {
		t.Errorf("%s, %+v", x.Outcome, x.Expect)
	}
	if x = timeline.Of(s.events, s.at(400)); verdict(x, "detect") != "missed" || verdict(x, "acknowledge") != "unknown" {
		t.Errorf("%+v", x.Expect)
	}
}

func TestNotFelt(t *testing.T) {
	s := begin(brief("direct"), 0, 0)
	s.effective(5, 4.5)
	for i := range 10 {
		s.steady(float64(10+i), "ok")
	}
	ceased := len(s.events)
	s.undo(100, "restored")
	s.finish(110)
	if x := s.of(); x.Instant(timeline.Mitigated).Reason != timeline.NotFelt || verdict(x, "mitigate") != "unknown" {
		t.Errorf("never bad: %+v", x.Instant(timeline.Mitigated))
	}
	tail := append([]journal.Event(nil), s.events[ceased:]...)
	s.events = s.events[:ceased]
	s.add(39, journal.EffectRead, journal.Fact{Fault: "throttle", Reading: "yes"})
	s.add(40, journal.FaultCeased, journal.Fact{Fault: "throttle"})
	s.events = append(s.events, tail...)
	x := s.of().Instant(timeline.Mitigated)
	if got := x.At.Sub(s.zero); got != 40*time.Second || x.Early != time.Second {
		t.Errorf("ceased: %s -%s, %s", got, x.Early, x.Reason)
	}
}

// Three good readings in a row count, after a bad one and before any undo; an unknown one breaks the row.
func TestMitigatedNeedsThree(t *testing.T) {
	for name, x := range map[string]struct {
		readings []string
		want     float64
	}{
		"two":           {[]string{"bad", "ok", "ok"}, 0},
		"three":         {[]string{"bad", "ok", "ok", "ok"}, 12},
		"broken":        {[]string{"bad", "ok", "ok", "unknown", "ok", "ok"}, 0},
		"again":         {[]string{"bad", "ok", "bad", "ok", "ok", "ok", "ok"}, 14},
		"unknown first": {[]string{"bad", "unknown", "ok", "ok", "ok"}, 13},
	} {
		s := begin(brief("direct"), 0, 0)
		s.effective(5, 4.5)
		for i, r := range x.readings {
			s.steady(float64(11+i), r)
		}
		s.undo(30, "restored")
		for i := range 3 {
			s.steady(float64(40+i), "ok")
		}
		s.finish(50)
		i := s.of().Instant(timeline.Mitigated)
		if x.want == 0 && (!i.At.IsZero() || i.Reason != timeline.Censored) || x.want > 0 && i.At.Sub(s.zero).Seconds() != x.want {
			t.Errorf("%s: %+v", name, i)
		}
	}
}

// A stamp that contradicts what caused it moves to the nearest instant that does not, and its bar says from where.
func TestContradiction(t *testing.T) {
	s := felt(brief("alarm"), 0, 0)
	s.alarm(65.25, 66, journal.RoleWatch, alarmName)
	s.page(68, 70, journal.RoleWatch)
	s.looked = 0
	s.person(60, 92, journal.IncidentAcknowledged, true) // the pager says: before it was opened
	x := s.of()
	ack, paged := x.Instant(timeline.Acknowledged), x.Instant(timeline.Paged)
	if ack.At.Before(paged.At) || ack.At.Add(-ack.Early).After(s.at(61)) {
		t.Errorf("acknowledged %s -%s, paged %s", ack.At, ack.Early, paged.At)
	}
	if i := x.Interval("acknowledge"); !i.Known || i.Seconds < 0 || i.ErrorS < 8 {
		t.Errorf("%+v", i)
	}
}

// A clock that nobody could read leaves what our own looks bound.
func TestClockUnknown(t *testing.T) {
	s := felt(brief("alarm"), 0, 5000)
	s.events[4].Fact.Err = "connection refused"
	s.alarm(65.25, 66, journal.RoleWatch, alarmName)
	s.looked = 69
	s.page(70, 71, journal.RoleWatch)
	i := s.of().Instant(timeline.Paged)
	if lo, hi := i.At.Add(-i.Early), i.At.Add(i.Late); lo.Before(s.at(68.7)) || hi.After(s.at(73)) || lo.After(s.at(72)) || hi.Before(s.at(72)) {
		t.Errorf("paged between %s and %s", lo, hi)
	}
}

// A correction replaces what was read and keeps it; of what contradicts it no interval is made.
func TestCorrection(t *testing.T) {
	s := answered(brief("alarm"), 0, 0)
	at := s.at(69)
	s.add(223, journal.Correction, journal.Fact{Instant: "acknowledged", Value: &at})
	x := s.of()
	i := x.Instant(timeline.Acknowledged)
	if !i.Corrected || !i.At.Equal(at) || i.Original.IsZero() || !i.Original.After(at) {
		t.Errorf("%+v", i)
	}
	if i := x.Interval("acknowledge"); i.Known || i.Reason != timeline.Unknown {
		t.Errorf("%+v", i)
	}
}

// Whoever recovers a dead run has not looked in between: what was late meanwhile is not known to be missed.
func TestDeathIsNoLook(t *testing.T) {
	s := felt(brief("direct"), 0, 0)
	s.add(2000, journal.RunTaken, journal.Fact{Holder: "other"}).Gen = 2
	s.add(2000, journal.AbortRequested, journal.Fact{Reason: "recover"})
	s.undo(2001, "restored")
	s.finish(2010)
	x := s.of()
	if i := x.Instant(timeline.Mitigated); i.Censored.After(s.at(10)) || verdict(x, "mitigate") != "unknown" || x.Outcome != timeline.Aborted {
		t.Errorf("%+v %+v %s", i, x.Expect, x.Outcome)
	}
}

// A run that was dirty and is put back later is not dirty any more, and shows nothing left.
func TestReopened(t *testing.T) {
	events := scenarios()["dirty"]
	s := &story{zero: events[0].At, events: events, seq: events[len(events)-1].Seq}
	if x := s.of(); x.Outcome != timeline.Dirty || !x.Left() || x.Faults[0].State != "stuck" || x.Faults[0].Left == "" {
		t.Errorf("%s %+v", x.Outcome, x.Faults[0])
	}
	s.add(2000, journal.RunReopened, journal.Fact{})
	if x := s.of(); x.Outcome != "" {
		t.Errorf("reopened: %s", x.Outcome)
	}
	s.undo(2001, "restored")
	s.finish(2010)
	if x := s.of(); x.Outcome != timeline.Met || x.Left() || x.Faults[0].State != "settled" {
		t.Errorf("%s %+v", x.Outcome, x.Faults[0])
	}
}

func TestDetectedByProbe(t *testing.T) {
	b := brief("direct")
	b.Watch = []string{"sqs orders-dlq"}
	s := felt(b, 0, 0)
	s.add(7, journal.ProbeRead, journal.Fact{Probe: "sqs orders-dlq", Role: journal.RoleWatch, Reading: "ok"})
	s.add(9, journal.ProbeRead, journal.Fact{Probe: "sqs orders-dlq", Role: journal.RoleWatch, Reading: "bad"})
	i := s.of().Instant(timeline.Detected)
	if i.At.Sub(s.zero) != 9*time.Second || i.Early != 2*time.Second || i.By != "sqs orders-dlq" {
		t.Errorf("%+v", i)
	}
}

// A second try finds restored what the first restored: the fault was restored. Somebody's change stays told.
func TestHowItWasPutBack(t *testing.T) {
	for want, hows := range map[string][]string{
		"restored": {"never_applied", "restored", "already_restored"},
		"diverged": {"diverged", "already_restored"},
	} {
		s := felt(brief("direct"), 0, 0)
		for i, how := range hows {
			s.undo(float64(20+10*i), how)
		}
		if x := s.of(); x.Faults[0].How != want {
			t.Errorf("%v: %s", hows, x.Faults[0].How)
		}
	}
}

// An interval is the middle of what is possible and half its width, whichever way the bars of its instants lean.
func TestMiddle(t *testing.T) {
	s := begin(brief("alarm"), 0, 0)
	s.effective(5, 4) // between 4 and 5
	s.alarm(65.25, 66, journal.RoleWatch, alarmName)
	x := s.of()
	if i := x.Interval("effective"); i.Seconds != 1.5 || i.ErrorS != 0.5 { // applied at 3
		t.Errorf("%+v", i)
	}
	if i := x.Interval("detect"); math.Abs(i.Seconds-60.75) > 1e-6 || math.Abs(i.ErrorS-0.7065) > 1e-6 { // the clock's 0.2, 65 s of drift, and half of the look's second
		t.Errorf("%+v", i)
	}
}

// Two stamps of one clock in whole seconds tell their difference to a second, though nobody could read that clock and
// our looks are far apart.
func TestTwoStampsOfOneClock(t *testing.T) {
	s := felt(brief("alarm"), 0, 5000)
	s.events[4].Fact.Err = "connection refused"
	s.alarm(65.25, 66, journal.RoleWatch, alarmName)
	s.looked = 60
	s.page(70, 95, journal.RoleWatch)
	s.looked = 96
	s.person(120, 125, journal.IncidentAcknowledged, true)
	if i := s.of().Interval("acknowledge"); !i.Known || i.ErrorS > 1 || math.Abs(i.Seconds-48) > i.ErrorS {
		t.Errorf("%+v", i)
	}
}

// An alert of Alertmanager's is told with the time at which it began, on its own clock: that is when it detected, not
// when we looked. One that began before the drill detected nothing of it.
func TestDetectedByAlert(t *testing.T) {
	b := brief("direct")
	b.Watch = []string{"alertmanager HighErr"}
	read := func(s *story, sec float64, reading string, began float64) {
		e := s.add(sec, journal.ProbeRead, journal.Fact{Probe: "alertmanager HighErr", Role: journal.RoleWatch, Reading: reading})
		looked := s.at(sec - 0.1)
		e.Fact.LookedAt = &looked
		if began != 0 {
			e.Seen = &journal.Seen{At: s.at(began + 40), By: "alertmanager am", ErrorS: 0.001}
		}
	}
	for _, measured := range []bool{true, false} {
		s := felt(b, 0, 0)
		if measured {
			s.add(7, journal.ClockRead, journal.Fact{Source: "alertmanager am", OffsetS: 40, ErrorS: 0.1})
		}
		read(s, 20, "ok", 0)
		read(s, 25, "bad", 23.4)
		i := s.of().Instant(timeline.Detected)
		lo, hi := i.At.Add(-i.Early).Sub(s.zero).Seconds(), i.At.Add(i.Late).Sub(s.zero).Seconds()
		if i.At.IsZero() || lo > 23.4 || hi < 23.4 || measured && hi-lo > 0.3 {
			t.Errorf("measured %v: %.3f to %.3f", measured, lo, hi)
		}
		for _, e := range s.of().Entries() {
			if e.Kind == journal.ProbeRead && e.Name == timeline.Detected && !e.At.Equal(i.At) {
				t.Errorf("told at %s, detected at %s", e.At, i.At)
			}
		}
	}
	s := felt(b, 0, 0)
	s.add(7, journal.ClockRead, journal.Fact{Source: "alertmanager am", OffsetS: 40, ErrorS: 0.1})
	read(s, 8, "bad", -100)
	if i := s.of().Instant(timeline.Detected); !i.At.IsZero() {
		t.Errorf("it began before: %+v", i)
	}
	read(s, 20, "ok", 0)
	read(s, 25, "bad", 23.4)
	if i := s.of().Instant(timeline.Detected); i.At.IsZero() {
		t.Errorf("and again: %+v", i)
	}
}
