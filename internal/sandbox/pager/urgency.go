package pager

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Urgency is a service's rule for how loudly its incidents call.
type Urgency struct {
	// Rule is high (the default), low or severity_based; with Hours, it is the rule within them.
	Rule string `json:"rule"`
	// Outside is the rule outside of Hours.
	Outside string `json:"outside"`
	Hours   *Hours `json:"hours"`
	// Raise lets what is open and low become high when the hours begin.
	Raise bool `json:"raise"`
}

// Hours are a service's support hours.
type Hours struct {
	Zone string `json:"zone"` // IANA name
	From string `json:"from"` // 09:00:00
	To   string `json:"to"`
	Days []int  `json:"days"` // Monday is 1
}

func (u Urgency) check() error {
	rules := []string{"", "high", "low", "severity_based"}
	if !slices.Contains(rules, u.Rule) || !slices.Contains(rules, u.Outside) {
		return fmt.Errorf("urgency rules are %v", rules[1:])
	}
	if u.Hours == nil {
		return nil
	}
	_, err := time.LoadLocation(u.Hours.Zone)
	_, err1 := time.Parse(time.TimeOnly, u.Hours.From)
	_, err2 := time.Parse(time.TimeOnly, u.Hours.To)
	return errors.Join(err, err1, err2)
}

// rule is the one that holds now.
func (u Urgency) rule(now time.Time) string {
	if u.Hours != nil && !u.Hours.on(now) {
		return cmp.Or(u.Outside, "high")
	}
	return cmp.Or(u.Rule, "high")
}

// on says whether now is within the hours.
func (h *Hours) on(now time.Time) bool {
	zone, err := time.LoadLocation(h.Zone)
	if err != nil {
		return false
	}
	local := now.In(zone)
	day, at := (int(local.Weekday())+6)%7+1, local.Format(time.TimeOnly)
	return slices.Contains(h.Days, day) && at >= h.From && at < h.To
}

// begin is when the hours begin next; zero: they never do.
func (h *Hours) begin(now time.Time) time.Time {
	zone, err := time.LoadLocation(h.Zone)
	from, err1 := time.Parse(time.TimeOnly, h.From)
	if err != nil || err1 != nil {
		return time.Time{}
	}
	y, m, d := now.In(zone).Date()
	for n := range 8 {
		at := time.Date(y, m, d+n, from.Hour(), from.Minute(), from.Second(), 0, zone)
		if at.After(now) && h.on(at) {
			return at
		}
	}
	return time.Time{}
}

func (p *Pager) urgencyOf(s *Service, severity string, now time.Time) string {
	rule := s.Urgency.rule(now)
	switch {
	case p.knobFor("low", s.ID) != nil || rule == "low":
		return "low"
	case rule == "severity_based" && (severity == "warning" || severity == "info"):
		return "low"
	}
	return "high"
}

// raiseLater plans the change of urgency at the beginning of the support hours, where the service asks for it.
func (p *Pager) raiseLater(i *incident, now time.Time) {
	u := i.service.Urgency
	if !u.Raise || u.Hours == nil || i.urgency != "low" || u.Hours.on(now) {
		return
	}
	if i.urgentAt = u.Hours.begin(now); i.urgentAt.IsZero() {
		return
	}
	at := i.urgentAt
	p.later(at, func(now time.Time) {
		if i.urgentAt.Equal(at) && i.status != resolved {
			_ = p.setUrgency(i, "high", actor{as: serviceRef(i.service), channel: channel{Type: "auto"}}, now)
		}
	})
}

// urgencyShape is the rule as the API tells it.
type urgencyShape struct {
	Type    string        `json:"type"`
	Urgency string        `json:"urgency,omitempty"`
	During  *urgencyShape `json:"during_support_hours,omitempty"`
	Outside *urgencyShape `json:"outside_support_hours,omitempty"`
}

type hoursShape struct {
	Type string `json:"type"`
	Zone string `json:"time_zone"`
	From string `json:"start_time"`
	To   string `json:"end_time"`
	Days []int  `json:"days_of_week"`
}

type scheduledAction struct {
	Type string `json:"type"`
	At   struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"at"`
	To string `json:"to_urgency"`
}

// shape tells the rule; the knob low shows as a rule too.
func (u Urgency) shape(low bool) (urgencyShape, *hoursShape, []scheduledAction) {
	constant := func(rule string) urgencyShape { return urgencyShape{Type: "constant", Urgency: cmp.Or(rule, "high")} }
	switch {
	case low:
		return constant("low"), nil, []scheduledAction{}
	case u.Hours == nil:
		return constant(u.Rule), nil, []scheduledAction{}
	}
	during, outside := constant(u.Rule), constant(u.Outside)
	actions := []scheduledAction{}
	if u.Raise {
		a := scheduledAction{Type: "urgency_change", To: "high"}
		a.At.Type, a.At.Name = "named_time", "support_hours_start"
		actions = append(actions, a)
	}
	return urgencyShape{Type: "use_support_hours", During: &during, Outside: &outside},
		&hoursShape{"fixed_time_per_day", u.Hours.Zone, u.Hours.From, u.Hours.To, u.Hours.Days}, actions
}
