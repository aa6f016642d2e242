package timeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// push is what a webhook tells of the truth, in milliseconds, at once.
func (s *story) push(truth float64, k journal.Kind, id string, f journal.Fact) *journal.Event {
	if f.Incident == "" {
		f.Incident = "Q1"
	}
	f.Entry = "webhook/" + id
	e := s.add(truth+0.05, k, f)
	e.Seen = &journal.Seen{At: s.real(truth + s.pd).Truncate(time.Millisecond), By: "pagerduty", ErrorS: 0.0005}
	return e
}

func lines(x timeline.Timeline, part string) (n int) {
	for _, e := range x.Entries() {
		if strings.Contains(e.Text, part) {
			n++
		}
	}
	return n
}

// A webhook and the log entry of the same thing are one fact, as exact as the webhook and as knowing as the log,
// whichever comes first, and however often.
func TestTwins(t *testing.T) {
	anna := journal.Fact{User: "PANNA", By: "Anna", Human: journal.Bool(true)}
	logged := anna
	logged.Channel, logged.Entry = "mobile", "R7"
	unsure := anna
	unsure.Human = nil
	for name, tell := range map[string]func(*story){
		"pushed first": func(s *story) {
			s.push(30.4, journal.IncidentAcknowledged, "1", unsure)
			s.push(30.4, journal.IncidentAcknowledged, "1", unsure) // once more
			s.pager(30.4, 33, journal.IncidentAcknowledged, logged)
			s.pager(30.4, 38, journal.IncidentAcknowledged, logged) // by another process
		},
		"polled first": func(s *story) {
			s.pager(30.4, 33, journal.IncidentAcknowledged, logged)
			s.push(30.4, journal.IncidentAcknowledged, "1", unsure).At = s.at(34)
		},
	} {
		s := felt(brief("direct"), 0, -72)
		s.push(9, journal.IncidentOpened, "0", journal.Fact{Role: journal.RoleOurs, Title: "[DRILL] orders", By: "firedrill"})
		s.pager(9, 10, journal.IncidentOpened, journal.Fact{Role: journal.RoleOurs, Title: "[DRILL] orders", By: "firedrill"})
		tell(s)
		x := s.of()
		i := x.Instant(timeline.Acknowledged)
		if d := i.At.Sub(s.zero).Seconds() - 30.4; d > 0.01 || d < -0.01 || i.Early > 210*time.Millisecond || i.Late > 210*time.Millisecond {
			t.Errorf("%s: %+v", name, i)
		}
		if n := lines(x, "acknowledged"); n != 1 || lines(x, "Anna acknowledged (mobile)") != 1 || lines(x, "incident opened") != 1 {
			t.Errorf("%s: told %d times: %+v", name, n, x.Entries())
		}
		if acts := x.Traces()[0].Acts; len(acts) != 1 || acts[0].Channel != "mobile" {
			t.Errorf("%s: %+v", name, acts)
		}
	}
}

// What is alike is not the same: another person, another second, two by the same means.
func TestNoTwins(t *testing.T) {
	anna := journal.Fact{User: "PANNA", By: "Anna", Human: journal.Bool(true)}
	ben := journal.Fact{User: "PBEN", By: "Ben", Human: journal.Bool(true)}
	s := felt(brief("direct"), 0, 0)
	s.page(8, 9, journal.RoleOurs)
	s.push(30.4, journal.IncidentAcknowledged, "1", anna)
	s.pager(30.6, 33, journal.IncidentAcknowledged, ben)
	s.pager(40, 43, journal.IncidentAcknowledged, anna)
	s.push(50, journal.IncidentNoted, "2", journal.Fact{User: "PANNA", By: "Anna", Text: "one"})
	s.pager(50, 53, journal.IncidentNoted, journal.Fact{User: "PANNA", By: "Anna", Text: "two"})
	if x := s.of(); lines(x, "acknowledged") != 3 || lines(x, "noted") != 2 {
		t.Errorf("%+v", x.Entries())
	}
}

// A machine and a person acknowledge within a second: the webhook of the one is not the log entry of the other.
func TestAMachineIsNotTakenForAPerson(t *testing.T) {
	for _, first := range []string{"machine", "person"} {
		s := begin(brief("alarm"), 0, 0)
		s.effective(5, 4.9)
		s.pager(12, 13, journal.IncidentOpened, journal.Fact{Incident: "Q1", Role: journal.RoleWatch, Title: alarmName})
		machine := func() {
			s.pager(40.1, 43, journal.IncidentAcknowledged, journal.Fact{Incident: "Q1", Entry: "R1", Channel: "api", Human: journal.Bool(false)})
		}
		if first == "machine" {
			machine()
		}
		s.push(40.9, journal.IncidentAcknowledged, "1", journal.Fact{User: "PAnna", By: "Anna", Human: journal.Bool(true)})
		if first == "person" {
			machine()
		}
		s.pager(40.9, 43, journal.IncidentAcknowledged, journal.Fact{Incident: "Q1", Entry: "R2", User: "PAnna", By: "Anna", Human: journal.Bool(true)})
		x := timeline.Of(s.finish(300), s.real(400))
		acts := x.Traces()[0].Acts
		if len(acts) != 2 {
			t.Errorf("%s first: %d acts: %+v", first, len(acts), acts)
		}
		for _, a := range acts {
			if *a.Human != (a.Name == "Anna") {
				t.Errorf("%s first: %s is called human %v", first, a.Name, *a.Human)
			}
		}
		within(t, s, timeline.Acknowledged, 40.9)
	}
}
