package timeline_test

import (
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// story writes a run as the engine would. Times are seconds of our clock since it was planned.
type story struct {
	zero    time.Time
	aws, pd float64 // how far their clocks are ahead of ours
	events  []journal.Event
	seq     int64
	looked  float64 // when the look before began
	set     []set   // how our own clock was set meanwhile
}

// set is a moment from which on our clock is ahead of what it was by so much.
type set struct{ from, by float64 }

// ahead is how far our clock is ahead of the one that the run began on.
func (s *story) ahead(sec float64) (by float64) {
	for _, x := range s.set {
		if sec >= x.from {
			by += x.by
		}
	}
	return by
}

const alarmName = "orders-write-throttled"

func brief(when string) *journal.Brief {
	return &journal.Brief{
		Drill: "orders-write-throttle", Title: "Order writes are throttled", Environment: "staging", Team: "orders",
		PageWhen: when, PageService: "PORDERS", LimitS: 3600,
		Steady: []string{"http https://orders/health"}, Watch: []string{"alarm " + alarmName},
		Faults: []journal.BriefFault{{ID: "throttle", Kind: "dynamodb.throttle", Target: "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
			Changes: []journal.Change{{What: "write capacity", Before: "100", During: "1", After: "100"}}}},
		Expect: []journal.Expectation{{Name: "effective", LimitS: 60}, {Name: "detect", LimitS: 300}, {Name: "acknowledge", LimitS: 120},
			{Name: "mitigate", LimitS: 900}, {Name: "resolve", LimitS: 1200}},
	}
}

func begin(b *journal.Brief, aws, pd float64) *story {
	s := &story{zero: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), aws: aws, pd: pd}
	s.add(0, journal.RunPlanned, journal.Fact{Brief: b})
	s.add(0.1, journal.GuardPassed, journal.Fact{})
	s.add(0.2, journal.SteadyRead, journal.Fact{Probe: "http https://orders/health", Role: journal.RoleSteady, Reading: "ok"})
	s.batch()
	s.more(1, journal.ClockRead, journal.Fact{Source: "aws", OffsetS: aws, ErrorS: 0.2})
	s.more(1, journal.ClockRead, journal.Fact{Source: "pagerduty", OffsetS: pd, ErrorS: 0.2})
	s.add(2, journal.FaultPrepared, journal.Fact{Fault: "throttle"})
	s.add(3, journal.FaultApplied, journal.Fact{Fault: "throttle"})
	return s
}

// at is what our clock shows.
func (s *story) at(sec float64) time.Time { return s.real(sec + s.ahead(sec)) }

// real is the truth.
func (s *story) real(sec float64) time.Time {
	return s.zero.Add(time.Duration(sec*1e6) * time.Microsecond)
}

// clocks measures both clocks again.
func (s *story) clocks(sec, off float64) {
	s.add(sec, journal.ClockRead, journal.Fact{Source: "aws", OffsetS: s.aws - s.ahead(sec) + off, ErrorS: 0.2})
	s.more(sec, journal.ClockRead, journal.Fact{Source: "pagerduty", OffsetS: s.pd - s.ahead(sec) - off, ErrorS: 0.2})
}

func (s *story) batch() { s.seq++ }

// more adds to the batch that is open.
func (s *story) more(sec float64, k journal.Kind, f journal.Fact) *journal.Event {
	n := 0
	if l := len(s.events); l > 0 && s.events[l-1].Seq == s.seq {
		n = s.events[l-1].N + 1
	}
	s.events = append(s.events, journal.Event{V: 1, Run: "01run", Seq: s.seq, N: n, Gen: 1, Kind: k, At: s.at(sec), Fact: f})
	return &s.events[len(s.events)-1]
}

// add is a batch of its own.
func (s *story) add(sec float64, k journal.Kind, f journal.Fact) *journal.Event {
	if len(s.events) > 0 {
		s.batch()
	}
	return s.more(sec, k, f)
}

// steady is a round of the steady state.
func (s *story) steady(sec float64, reading string) {
	s.add(sec, journal.ProbeRead, journal.Fact{Probe: "http https://orders/health", Role: journal.RoleSteady, Reading: reading})
}

// well: the steady state is good from sec on.
func (s *story) well(sec float64) {
	s.steady(sec-0.8, "bad")
	for i := range 3 {
		s.steady(sec+float64(2*i), "ok")
	}
}

// effective: felt at sec, not yet at before.
func (s *story) effective(sec, before float64) {
	at := s.at(before)
	s.add(sec, journal.FaultEffective, journal.Fact{Fault: "throttle", Reading: "yes", Why: "ThrottlingReasons names our table", LookedAt: &at})
}

// alarm is a transition at truth, seen at sec.
func (s *story) alarm(truth, sec float64, role journal.Role, name string) {
	e := s.add(sec, journal.AlarmFired, journal.Fact{Alarm: name, Role: role})
	e.Seen = &journal.Seen{At: s.real(truth + s.aws).Truncate(time.Millisecond), By: "aws"}
	s.look(e, sec)
}

// pager is something the pager says happened at truth, in whole seconds, seen at sec.
func (s *story) pager(truth, sec float64, k journal.Kind, f journal.Fact) {
	if f.Incident == "" {
		f.Incident = "Q1"
	}
	e := s.add(sec, k, f)
	e.Seen = &journal.Seen{At: s.real(truth + s.pd).Truncate(time.Second), By: "pagerduty", ErrorS: 0.5}
	s.look(e, sec)
}

func (s *story) look(e *journal.Event, sec float64) {
	if s.looked > 0 {
		at := s.at(s.looked)
		e.Fact.LookedAt = &at
	}
}

func (s *story) page(truth, sec float64, role journal.Role) {
	by := "their monitoring"
	if role == journal.RoleOurs {
		by = "firedrill"
	}
	s.pager(truth, sec, journal.IncidentOpened, journal.Fact{Title: "orders are slow", Role: role, By: by})
	s.pager(truth+2, sec+2, journal.IncidentNotified, journal.Fact{User: "PANNA", By: "Anna", Human: journal.Bool(true), Channel: "push"})
}

func (s *story) person(truth, sec float64, k journal.Kind, human bool) {
	f := journal.Fact{User: "PANNA", By: "Anna", Human: journal.Bool(human), Channel: "mobile"}
	if !human {
		f = journal.Fact{Human: journal.Bool(false), Channel: "api"}
	}
	s.pager(truth, sec, k, f)
}

// undo puts back from sec on.
func (s *story) undo(sec float64, how string) {
	at := s.at(sec)
	s.add(sec+0.2, journal.FaultReverted, journal.Fact{Fault: "throttle", How: how, LookedAt: &at})
	s.add(sec+1, journal.FaultSettled, journal.Fact{Fault: "throttle"})
}

func (s *story) finish(sec float64, left ...string) []journal.Event {
	s.add(sec, journal.RunFinished, journal.Fact{Left: left})
	return s.events
}

// felt is a run up to the moment the fault hurts.
func felt(b *journal.Brief, aws, pd float64) *story {
	s := begin(b, aws, pd)
	s.steady(4, "ok")
	s.effective(5, 4.5)
	s.steady(6, "bad")
	return s
}

// answered is a run in which all goes as it should, up to the resolve.
func answered(b *journal.Brief, aws, pd float64) *story {
	s := felt(b, aws, pd)
	s.alarm(65.25, 66, journal.RoleWatch, alarmName)
	s.page(68, 70, journal.RoleWatch)
	s.person(90, 92, journal.IncidentAcknowledged, true)
	s.well(200)
	s.person(220, 222, journal.IncidentResolved, true)
	return s
}

// scenarios are the runs whose timelines are kept as golden files.
func scenarios() map[string][]journal.Event {
	all := map[string][]journal.Event{}
	end := func(name string, s *story) { s.undo(225, "restored"); all[name] = s.finish(230) }

	end("met", answered(brief("alarm"), 0.31, -1.2))
	end("late-clocks", answered(brief("alarm"), 87, -90))

	s := felt(brief("alarm"), 0, 0)
	s.add(305, journal.PageSent, journal.Fact{Key: "firedrill/01run", Title: "[DRILL] orders"})
	s.page(306, 308, journal.RoleOurs)
	s.person(330, 331, journal.IncidentAcknowledged, true)
	s.undo(3602, "restored")
	all["undetected"] = s.finish(3610)

	s = felt(brief("alarm"), 0, 0)
	s.alarm(65.25, 66, journal.RoleWatch, alarmName)
	s.page(68, 70, journal.RoleWatch)
	s.pager(130, 131, journal.IncidentEscalated, journal.Fact{Level: 2})
	s.undo(1206, "restored")
	all["unanswered"] = s.finish(1210)

	s = begin(brief("alarm"), 0, 0)
	s.alarm(30, 31, journal.RoleWatch, alarmName)
	s.steady(60, "ok")
	s.undo(64, "restored")
	all["invalid"] = s.finish(70)

	s = felt(brief("alarm"), 0, 0)
	s.add(20, journal.AbortRequested, journal.Fact{Reason: "foreign_incident", Why: "a real incident is open"})
	s.undo(21, "restored")
	all["aborted"] = s.finish(25)

	s = felt(brief("alarm"), 0, 0)
	s.add(20, journal.AbortRequested, journal.Fact{Reason: "interrupted", Why: "interrupt"})
	s.undo(21, "already_restored")
	all["interrupted"] = s.finish(25)

	s = answered(brief("alarm"), 0, 0)
	s.add(225, journal.FaultRevertFailed, journal.Fact{Fault: "throttle", Err: "AccessDenied"})
	s.add(1125, journal.FaultRevertFailed, journal.Fact{Fault: "throttle", Err: "AccessDenied", Reason: "patience"})
	s.add(1126, journal.PageSent, journal.Fact{Role: "owner", Key: "firedrill/01run/left"})
	all["dirty"] = s.finish(1127, "throttle is in place")

	answers(all)
	corrections(all)
	sequences(all)
	moreSequences(all)
	clockStories(all)
	return all
}

// answers are the runs that differ in how people, and machines, answer.
func answers(all map[string][]journal.Event) {
	end := func(name string, s *story) { s.undo(225, "restored"); all[name] = s.finish(230) }
	b := brief("report")
	b.Expect, b.Watch = append(b.Expect[:1:1], b.Expect[2:]...), nil
	s := felt(b, 0, 0)
	s.add(7, journal.PageSent, journal.Fact{Key: "firedrill/01run", Title: "[DRILL] orders"})
	s.page(8, 9, journal.RoleOurs)
	s.person(60, 61, journal.IncidentAcknowledged, true)
	s.well(100)
	s.person(220, 222, journal.IncidentResolved, true)
	end("report", s)

	s = felt(brief("alarm"), 0, 0)
	s.alarm(65.25, 66, journal.RoleWatch, alarmName)
	s.page(68, 70, journal.RoleWatch)
	s.person(75, 76, journal.IncidentAcknowledged, false)
	s.well(80)
	s.person(90, 91, journal.IncidentResolved, false)
	end("machines", s)

	s = felt(brief("alarm"), 0, 0)
	s.alarm(65.25, 66, journal.RoleWatch, alarmName)
	s.page(68, 70, journal.RoleWatch)
	s.person(80, 81, journal.IncidentAcknowledged, true)
	s.person(110, 111, journal.IncidentUnacknowledged, false)
	s.person(120, 121, journal.IncidentAcknowledged, true)
	s.person(150, 151, journal.IncidentResolved, true)
	s.person(170, 171, journal.IncidentAcknowledged, true) // opened again
	s.well(180)
	s.person(220, 222, journal.IncidentResolved, true)
	end("again", s)

}

// corrections are the runs in which something is not what it seems, or nothing was done at all.
func corrections(all map[string][]journal.Event) {
	s := felt(brief("alarm"), 87, 0)
	s.undo(225, "restored")
	s.alarm(226, 227, journal.RoleWatch, alarmName)
	all["alarm-after-revert"] = s.finish(230)

	s = begin(brief("alarm"), 0, 0)
	s.add(3.5, journal.GuardRefused, journal.Fact{Reason: "lease", Why: "held by another run", Facts: map[string]string{"when": "later"}})
	s.undo(4, "never_applied")
	all["refused-later"] = s.finish(6)

	s = &story{zero: s.zero}
	s.add(0, journal.RunPlanned, journal.Fact{Brief: brief("alarm")})
	s.add(1, journal.GuardRefused, journal.Fact{Reason: "tags", Why: "orders carries no tag firedrill"})
	all["refused"] = s.finish(2)

	s = answered(brief("direct"), 0, 0)
	to := s.at(80)
	s.add(223, journal.Correction, journal.Fact{Instant: "acknowledged", Value: &to, By: "Ben", Why: "she called back first"})
	s.undo(225, "restored")
	all["corrected"] = s.finish(230)
}
