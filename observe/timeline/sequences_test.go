package timeline_test

import (
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// recorded replays log entries as PagerDuty recorded them: newest first, an agent without a type, two means of telling
// within a second of each other, one of which failed, an escalation by time-out, a resolve through the integration and
// one by a person.
func recorded() *story {
	s := felt(brief("direct"), 0, 0)
	s.add(10, journal.PageSent, journal.Fact{Key: "firedrill/01run", Title: "[DRILL] orders"})
	const opened = 12.0
	user := func(id, name, channel string) journal.Fact {
		return journal.Fact{User: id, By: name, Human: journal.Bool(true), Channel: channel}
	}
	type entry struct {
		after float64
		kind  journal.Kind
		fact  journal.Fact
	}
	service := journal.Fact{Human: journal.Bool(false), Channel: "timeout"}
	logged := func(kind, text string) journal.Fact { return journal.Fact{Type: kind, Text: text} }
	entries := []entry{
		{2474, journal.IncidentResolved, user("PBOB", "Bob", "website")},
		{1874, journal.IncidentResolved, journal.Fact{Human: journal.Bool(false), Channel: "api"}},
		{1846, journal.IncidentAcknowledged, journal.Fact{User: "PBOB", By: "Bob", Human: journal.Bool(false), Channel: "api"}},
		{1845, journal.IncidentAcknowledged, journal.Fact{Human: journal.Bool(false), Channel: "api"}},
		{1844, journal.IncidentAcknowledged, user("PBOB", "Bob", "mobile")},
		{1824, journal.IncidentNotified, user("PBOB", "Bob", "push")},
		{1824, journal.IncidentEscalated, journal.Fact{Human: journal.Bool(false), Channel: "auto", Level: 2, Text: "Escalated by timeout"}},
		{1824, journal.IncidentUnacknowledged, service},
		{74, journal.IncidentNoted, user("PANN", "Ann", "website")},
		{24, journal.IncidentAcknowledged, user("PANN", "Ann", "phone")},
		{6, journal.IncidentLogged, logged("notify_log_entry", "notification: no_answer")},
		{5, journal.IncidentNotified, user("PANN", "Ann", "email")},
		{4, journal.IncidentNotified, user("PANN", "Ann", "phone")},
		{0, journal.IncidentLogged, logged("assign_log_entry", "Assigned to Ann")},
	}
	s.looked = 11
	s.pager(opened, 13, journal.IncidentOpened, journal.Fact{Title: "[DRILL] orders", Role: journal.RoleOurs, By: "firedrill", Urgency: "high", Alerts: 1})
	for i, e := range entries {
		e.fact.Incident, e.fact.Entry = "Q1", string(rune('A'+i))
		if e.kind == journal.IncidentNoted {
			e.fact.Text = "checked the DLQ"
		}
		s.looked = opened + e.after - 1
		s.pager(opened+e.after, opened+e.after+4, e.kind, e.fact)
	}
	s.undo(3000, "restored")
	s.finish(3010)
	return s
}

// sequences are what people and the pager do one after the other.
func sequences(all map[string][]journal.Event) {
	end := func(name string, s *story) { s.well(300); s.undo(325, "restored"); all[name] = s.finish(330) }
	all["recorded"] = recorded().events

	s := told()
	s.by(20, journal.IncidentAcknowledged, "Anna")
	s.person(80, 81, journal.IncidentUnacknowledged, false)
	s.notify(82, "Anna")
	s.by(120, journal.IncidentAcknowledged, "Anna")
	s.by(320, journal.IncidentResolved, "Anna")
	end("seq-ack-timeout-ack", s)

	s = told()
	s.pager(42, 43, journal.IncidentEscalated, journal.Fact{Level: 2, Human: journal.Bool(false), Channel: "auto"})
	s.notify(42, "Ben")
	s.pager(72, 73, journal.IncidentEscalated, journal.Fact{Level: 3, Human: journal.Bool(false), Channel: "auto"})
	s.notify(74, "Chef")
	s.by(100, journal.IncidentAcknowledged, "Ben")
	s.by(320, journal.IncidentResolved, "Ben")
	end("seq-escalate-before-ack", s)

	s = told()
	s.by(20, journal.IncidentAcknowledged, "Anna")
	s.by(40, journal.IncidentReassigned, "Anna")
	s.notify(41, "Dora")
	s.by(60, journal.IncidentAcknowledged, "Dora")
	s.by(320, journal.IncidentResolved, "Dora")
	end("seq-reassigned", s)

	s = told()
	s.person(15, 16, journal.IncidentAcknowledged, false)
	s.by(20, journal.IncidentAcknowledged, "Ben") // whom nobody had called
	s.by(20, journal.IncidentAcknowledged, "Anna")
	s.by(50, journal.IncidentAcknowledged, "Chef")
	s.by(320, journal.IncidentResolved, "Anna")
	end("seq-several-acks", s)

	s = told()
	s.by(20, journal.IncidentAcknowledged, "Anna")
	s.pager(30, 31, journal.IncidentSnoozed, journal.Fact{User: "PAnna", By: "Anna", Human: journal.Bool(true), DurationS: 3600})
	s.by(320, journal.IncidentResolved, "Anna")
	end("seq-snoozed", s)
}

// told is a drill up to the moment at which Anna is notified, by our page.
func told() *story {
	s := paged()
	s.open(11, journal.Fact{Urgency: "high", Alerts: 1})
	s.notify(13, "Anna")
	return s
}

func moreSequences(all map[string][]journal.Event) {
	end := func(name string, s *story) { s.well(300); s.undo(325, "restored"); all[name] = s.finish(330) }
	s := told()
	s.by(60, journal.IncidentResolved, "Anna")
	end("seq-resolve-without-ack", s)

	s = told()
	s.by(20, journal.IncidentAcknowledged, "Anna")
	s.by(60, journal.IncidentResolved, "Anna") // and it is felt
	s.tick(70)
	s.by(90, journal.IncidentReopened, "Ben")
	s.by(91, journal.IncidentAcknowledged, "Ben")
	s.by(320, journal.IncidentResolved, "Ben")
	end("seq-reopened", s)

	s = told()
	s.pager(8, 14, journal.IncidentOpened, journal.Fact{Incident: "Q9", Role: journal.RoleRipple, Title: "orders-api-5xx", By: "their monitoring"})
	s.by(30, journal.IncidentResolved, "Anna")
	s.by(30, journal.IncidentMerged, "Anna")
	s.events[len(s.events)-1].Fact.Into = "Q9"
	s.pager(50, 51, journal.IncidentAcknowledged, journal.Fact{Incident: "Q9", User: "PBen", By: "Ben", Human: journal.Bool(true)})
	s.pager(320, 321, journal.IncidentResolved, journal.Fact{Incident: "Q9", User: "PBen", By: "Ben", Human: journal.Bool(true)})
	end("seq-merged", s)

	s = told()
	s.by(20, journal.IncidentAcknowledged, "Anna")
	s.person(120, 121, journal.IncidentUnacknowledged, false)
	s.undo(325, "already_restored")
	s.change(300, "ci", "terraform")
	all["seq-abandoned"] = s.finish(330)
}

// clockStories are runs on clocks that are off, cut, set, or doubled. All of them are one truth: see clockTruth.
func clockStories(all map[string][]journal.Event) {
	for name, x := range map[string]struct {
		aws, pd float64
		set     []set
		push    bool
		zone    bool
	}{
		"clock-skew":        {aws: 90, pd: -90},
		"clock-webhooks":    {aws: -90, pd: 90, push: true},
		"clock-jump-ahead":  {aws: 3, pd: -2, set: []set{{150, 3600}}},
		"clock-jump-back":   {aws: 3, pd: -2, set: []set{{150, -90}}, push: true},
		"clock-jumps-twice": {set: []set{{60, 45}, {250, -50}}},
		"clock-dst":         {aws: 1, pd: 1, zone: true},
	} {
		s := clockStory(brief("alarm"), x.aws, x.pd, x.set, x.push)
		if x.zone {
			inZones(s.events)
		}
		all[name] = s.events
	}
}

// clockTruth is when things happened in every one of the clocks' stories.
const (
	truthEffective, truthDetected, truthPaged, truthAcked, truthMitigated, truthResolved, truthRestored = 4.8, 65.25, 70.0, 90.4, 200.0, 321.7, 326.0
)

func clockStory(b *journal.Brief, aws, pd float64, sets []set, push bool) *story {
	s := begin(b, aws, pd)
	s.set = sets
	s.steady(4, "ok")
	s.effective(5, 4.5)
	tell := func(truth, sec float64, k journal.Kind, id string, f journal.Fact) {
		s.looked = sec - 5
		if push {
			s.push(truth, k, id, f)
		}
		f.Entry = "R" + id
		s.pager(truth, sec, k, f)
	}
	anna := journal.Fact{User: "PANNA", By: "Anna", Human: journal.Bool(true), Channel: "mobile"}
	for sec := 6.0; sec < 198; sec += 4 {
		s.steady(sec, "bad")
		switch sec {
		case 30, 118, 178:
			s.clocks(sec+1, 0.05)
		case 66:
			s.looked = 62
			s.alarm(truthDetected, 66.5, journal.RoleWatch, alarmName)
		case 70:
			tell(68, 71, journal.IncidentOpened, "1", journal.Fact{Title: "orders are slow", Role: journal.RoleWatch, By: "their monitoring", Urgency: "high", Alerts: 1})
			s.looked = 66
			s.pager(truthPaged, 71, journal.IncidentNotified, journal.Fact{User: "PANNA", By: "Anna", Human: journal.Bool(true), Channel: "push", Entry: "R2"})
		case 90:
			tell(truthAcked, 92, journal.IncidentAcknowledged, "3", anna)
		}
	}
	for i := range 40 {
		s.steady(truthMitigated+float64(3*i), "ok")
		if i%10 == 9 {
			s.clocks(truthMitigated+float64(3*i)+1, -0.05)
		}
	}
	tell(truthResolved, 324, journal.IncidentResolved, "4", anna)
	s.undo(325, "restored")
	s.finish(330)
	return s
}

// inZones writes the sources' stamps in a zone whose clocks are put forward in the middle of the run. It is the same
// time all the same.
func inZones(events []journal.Event) {
	for i := range events {
		if seen := events[i].Seen; seen != nil {
			zone := time.FixedZone("CET", 3600)
			if i > len(events)/3 {
				zone = time.FixedZone("CEST", 7200)
			}
			seen.At = seen.At.In(zone)
		}
	}
}
