package timeline_test

import (
	"strings"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// change is what the trail tells of a change at truth, read at the end.
func (s *story) change(truth float64, by, how string) {
	e := s.add(230, journal.ChangeSeen, journal.Fact{By: by, How: how, Text: "UpdateTable", Target: "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"})
	e.Seen = &journal.Seen{At: s.real(truth + s.aws).Truncate(1e9), By: "aws", ErrorS: 0.5}
}

func TestMitigation(t *testing.T) {
	for name, x := range map[string]struct {
		how   string // what the undo found
		well  float64
		trail func(*story)
		kind  timeline.Mender
		who   string
		why   string
	}{
		"a person":                {"already_restored", 100, func(s *story) { s.change(95, "anna", "person") }, timeline.ByPerson, "anna", "UpdateTable by anna on orders"},
		"a person, and it held":   {"diverged", 0, func(s *story) { s.change(95, "anna", "person") }, timeline.ByPerson, "anna", "anna"},
		"terraform":               {"already_restored", 100, func(s *story) { s.change(95, "ci", "terraform") }, timeline.ByAutomation, "ci", "terraform apply"},
		"auto scaling":            {"diverged", 100, func(s *story) { s.change(95, "", "autoscaling") }, timeline.ByAutomation, "", "auto scaling"},
		"a deploy":                {"diverged", 100, func(s *story) { s.change(95, "ecs", "deploy") }, timeline.ByAutomation, "ecs", "a deploy"},
		"the last one counts":     {"already_restored", 100, func(s *story) { s.change(90, "ci", "deploy"); s.change(95, "anna", "person") }, timeline.ByPerson, "anna", ""},
		"after it was well":       {"restored", 100, func(s *story) { s.change(150, "anna", "person") }, timeline.ByItself, "", "nobody else's"},
		"ours alone":              {"restored", 100, func(s *story) { s.change(3, "firedrill", "firedrill"); s.change(226, "firedrill", "firedrill") }, timeline.ByItself, "", "nobody else's"},
		"not caught up yet":       {"restored", 100, func(s *story) { s.change(3, "firedrill", "firedrill") }, timeline.ByUnknown, "", "CloudTrail has not said"},
		"our switch":              {"already_restored", 0, func(s *story) { s.change(3, "us", "firedrill"); s.change(215, "us", "firedrill") }, timeline.ByUs, "", "dead-man's switch"},
		"a person, then our undo": {"diverged", 0, func(s *story) { s.change(95, "anna", "person"); s.change(226, "us", "firedrill") }, timeline.ByPerson, "anna", "anna"},
		"whoever it was":          {"already_restored", 100, func(s *story) { s.change(95, "role/x", "unknown") }, timeline.ByUnknown, "role/x", "not known"},
		"nobody can say":          {"already_restored", 100, nil, timeline.ByUnknown, "", "CloudTrail has not said"},
		"well, and nobody knows":  {"restored", 100, nil, timeline.ByUnknown, "", "CloudTrail has not said"},
		"we did":                  {"restored", 0, nil, timeline.ByUs, "", "still in place"},
		"the trail does not tell": {"diverged", 0, func(s *story) { s.change(226, "", "firedrill") }, timeline.ByUnknown, "", "does not say"},
	} {
		s := felt(brief("direct"), 12, 0)
		if x.well > 0 {
			s.well(x.well)
		}
		s.undo(225, x.how)
		if x.trail != nil {
			x.trail(s)
		}
		s.finish(240)
		if m := s.of().Mitigation(); m.Kind != x.kind || m.Who != x.who || !strings.Contains(m.Why, x.why) {
			t.Errorf("%s: %+v", name, m)
		}
	}
	s := felt(brief("direct"), 0, 0)
	if m := s.of().Mitigation(); m.Kind != "" {
		t.Errorf("not yet: %+v", m)
	}
	if m := begin(brief("direct"), 0, 0).of().Mitigation(); m.Kind != "" {
		t.Errorf("never felt: %+v", m)
	}
}

// A failed change mended nothing, and one of before the drill is no answer to it.
func TestNoCreditForNothing(t *testing.T) {
	s := felt(brief("direct"), 0, 0)
	s.well(100)
	s.undo(225, "restored")
	s.change(1, "ci", "deploy")
	s.change(95, "anna", "person")
	s.events[len(s.events)-1].Fact.Err = "AccessDenied"
	s.change(226, "us", "firedrill")
	s.finish(240)
	if m := s.of().Mitigation(); m.Kind != timeline.ByItself {
		t.Errorf("%+v", m)
	}
}

// What rang before the drill cannot ring for it.
func TestRinging(t *testing.T) {
	s := felt(brief("alarm"), 0, 0)
	s.alarm(-300, 7, journal.RoleWatch, alarmName)
	if got := s.of().Ringing(); len(got) != 1 || got[0] != alarmName {
		t.Errorf("%v", got)
	}
	s.alarm(65, 66, journal.RoleWatch, alarmName)
	if got := s.of().Ringing(); len(got) != 0 {
		t.Errorf("it rang anew: %v", got)
	}
}
