package timeline_test

import (
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

func (s *story) trace(t *testing.T) timeline.Trace {
	t.Helper()
	all := s.of().Traces()
	if len(all) == 0 {
		t.Fatal("no trace")
	}
	return all[0]
}

// Anna is told twice and does not answer; it goes on to Ben, who does.
func TestEscalation(t *testing.T) {
	s := paged()
	s.open(11, journal.Fact{})
	s.notify(13, "Anna")
	s.pager(15, 16, journal.IncidentNotified, journal.Fact{User: "PAnna", By: "Anna", Human: journal.Bool(true), Channel: "phone"})
	s.pager(313, 314, journal.IncidentEscalated, journal.Fact{Level: 2})
	s.notify(314, "Ben")
	s.by(330, journal.IncidentAcknowledged, "Ben")
	x := s.trace(t)
	if len(x.Rungs) != 2 || x.Rungs[0].Ended != "escalated" || x.Rungs[0].LastS < 301 || x.Rungs[0].LastS > 303 || x.Rungs[1].Level != 2 || x.Rungs[1].Ended != "acknowledged" {
		t.Fatalf("%+v", x.Rungs)
	}
	if anna := x.Rungs[0].Told; len(anna) != 1 || anna[0].Name != "Anna" || anna[0].Answered || len(anna[0].Channels) != 2 {
		t.Errorf("%+v", anna)
	}
	if ben := x.Rungs[1].Told; len(ben) != 1 || !ben[0].Answered || ben[0].AfterS != 16 {
		t.Errorf("%+v", ben)
	}
	if x.FirstHuman == nil || x.FirstHuman.Name != "Ben" || x.FirstHuman.Uncalled {
		t.Errorf("%+v", x.FirstHuman)
	}
}

// Who answers without having been told, also where they are told later, answered by themselves.
func TestAnsweredUncalled(t *testing.T) {
	s := paged()
	s.open(11, journal.Fact{})
	s.notify(13, "Anna")
	s.person(14, 15, journal.IncidentAcknowledged, false)
	s.by(40, journal.IncidentAcknowledged, "Carl")
	s.looked = 60
	s.notify(80, "Carl")
	x := s.trace(t)
	if x.FirstAck == nil || x.FirstAck.Human == nil || *x.FirstAck.Human || x.FirstHuman.Name != "Carl" || !x.FirstHuman.Uncalled {
		t.Errorf("%+v %+v", x.FirstAck, x.FirstHuman)
	}
}

// An acknowledgement that times out, and nobody wrote or did anything, was abandoned. A note, a change or a resolve is
// something.
func TestAbandoned(t *testing.T) {
	for name, x := range map[string]struct {
		did  func(*story)
		want int
	}{
		"nothing":         {func(*story) {}, 1},
		"a note":          {func(s *story) { s.by(60, journal.IncidentNoted, "Anna") }, 0},
		"a scribe's note": {func(s *story) { s.add(60, journal.NoteWritten, journal.Fact{Text: "she looks"}) }, 0},
		"a bot's note":    {func(s *story) { s.person(60, 61, journal.IncidentNoted, false) }, 1},
		"somebody else":   {func(s *story) { s.by(60, journal.IncidentReassigned, "Anna") }, 0},
		"a change":        {func(s *story) { s.change(60, "anna", "person") }, 0},
		"a deploy":        {func(s *story) { s.change(60, "ci", "deploy") }, 1},
	} {
		s := paged()
		s.open(11, journal.Fact{})
		s.notify(13, "Anna")
		s.by(20, journal.IncidentAcknowledged, "Anna")
		x.did(s)
		s.person(120, 121, journal.IncidentUnacknowledged, false)
		if got := s.trace(t).Abandoned; len(got) != x.want {
			t.Errorf("%s: %+v", name, got)
		}
		// and where the run comes to its own end instead
		s.events = s.events[:len(s.events)-1]
		s.undo(1500, "restored")
		s.finish(1510)
		if got := s.trace(t).Abandoned; len(got) != x.want {
			t.Errorf("%s, to the end: %+v", name, got)
		}
	}
	s := paged()
	s.open(11, journal.Fact{})
	s.by(20, journal.IncidentAcknowledged, "Anna")
	s.add(400, journal.AbortRequested, journal.Fact{Reason: "abort"})
	s.undo(401, "restored")
	s.finish(410)
	if got := s.trace(t).Abandoned; len(got) != 0 {
		t.Errorf("cut short: %+v", got)
	}
}

// Resolved while it was still felt: by the steady state, or by our own look; not by a look that began before.
func TestFalseResolve(t *testing.T) {
	s := paged()
	s.open(11, journal.Fact{})
	s.by(20, journal.IncidentAcknowledged, "Anna")
	s.by(40, journal.IncidentResolved, "Anna")
	if got := s.trace(t).False; len(got) != 0 {
		t.Errorf("nobody looked: %+v", got)
	}
	began := s.at(30)
	s.add(45, journal.ProbeRead, journal.Fact{Probe: "http https://orders/health", Role: journal.RoleSteady, Reading: "bad", LookedAt: &began})
	if got := s.trace(t).False; len(got) != 0 {
		t.Errorf("it was read before: %+v", got)
	}
	s.add(60, journal.EffectRead, journal.Fact{Fault: "throttle", Reading: "yes"})
	if got := s.trace(t).False; len(got) != 1 || got[0].Name != "Anna" || got[0].FeltS < 19 || got[0].FeltS > 21 {
		t.Errorf("%+v", got)
	}
	s.undo(70, "restored")
	s.tick(90)
	if got := s.trace(t).False; len(got) != 1 || got[0].FeltS > 21 {
		t.Errorf("after the undo: %+v", got)
	}
}

// One that was merged goes on as the other: who answers there answers, and who had before did not.
func TestMerged(t *testing.T) {
	s := paged()
	s.open(11, journal.Fact{})
	s.notify(13, "Anna")
	s.pager(5, 14, journal.IncidentOpened, journal.Fact{Incident: "Q9", Role: journal.RoleRipple, Title: "orders-api-5xx"})
	s.pager(8, 14, journal.IncidentAcknowledged, journal.Fact{Incident: "Q9", User: "PX", By: "Xaver", Human: journal.Bool(true)})
	s.by(30, journal.IncidentResolved, "Anna")
	s.pager(30, 31, journal.IncidentMerged, journal.Fact{Into: "Q9", User: "PAnna", By: "Anna", Human: journal.Bool(true)})
	s.looked = 31
	if i := s.of().Instant(timeline.Acknowledged); !i.At.IsZero() {
		t.Errorf("before it was ours: %+v", i)
	}
	if i := s.of().Instant(timeline.Resolved); !i.At.IsZero() {
		t.Errorf("merging is no resolving: %+v", i)
	}
	s.tick(40)
	if got := s.trace(t).False; len(got) != 0 {
		t.Errorf("merging is no resolving: %+v", got)
	}
	s.pager(50, 51, journal.IncidentAcknowledged, journal.Fact{Incident: "Q9", User: "PBen", By: "Ben", Human: journal.Bool(true)})
	s.pager(60, 61, journal.IncidentResolved, journal.Fact{Incident: "Q9", User: "PBen", By: "Ben", Human: journal.Bool(true)})
	x := s.of()
	if a, r := x.Instant(timeline.Acknowledged), x.Instant(timeline.Resolved); a.By != "Ben" || r.By != "Ben" {
		t.Errorf("%+v %+v", a, r)
	}
	if all := x.Traces(); len(all) != 2 || all[0].Into != "Q9" || all[1].Incident != "Q9" {
		t.Errorf("%+v", all)
	}
}

// What is opened again after it was escalated and resolved goes to the first level again: nobody had it any more.
func TestReopenedBeginsAtTheFirstLevel(t *testing.T) {
	s := paged()
	s.open(11, journal.Fact{})
	s.add(30, journal.IncidentEscalated, journal.Fact{Incident: "Q1"})
	s.by(40, journal.IncidentResolved, "Ben")
	s.by(60, journal.IncidentReopened, "Ben")
	s.add(61, journal.IncidentNotified, journal.Fact{Incident: "Q1", By: "Anna", User: "PANNA"})
	rungs := s.of().Traces()[0].Rungs
	if last := rungs[len(rungs)-1]; len(rungs) < 2 || last.Level != 1 || len(last.Told) != 1 {
		t.Errorf("%+v", rungs)
	}
}

// Opened again by hand, it is not resolved.
func TestReopenedByHand(t *testing.T) {
	s := paged()
	s.open(11, journal.Fact{})
	s.by(20, journal.IncidentAcknowledged, "Anna")
	s.by(40, journal.IncidentResolved, "Anna")
	s.by(60, journal.IncidentReopened, "Ben")
	if i := s.of().Instant(timeline.Resolved); !i.At.IsZero() {
		t.Errorf("%+v", i)
	}
	s.by(80, journal.IncidentResolved, "Ben")
	if i := s.of().Instant(timeline.Resolved); i.By != "Ben" {
		t.Errorf("%+v", i)
	}
}
