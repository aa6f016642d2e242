package observe

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"
)

// lookAhead is how far ahead maintenance windows are told.
const lookAhead = 6 * time.Hour

// Check reads what may swallow a page before anybody is paged. What it does not look at is listed under Unknown.
func (p *PagerDuty) Check(ctx context.Context, service string) (ServiceCheck, error) {
	op := "check PagerDuty service " + plain(service)
	if err := checkID("check PagerDuty service", "service", service); err != nil {
		return ServiceCheck{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	var got struct {
		Service pd.Service `json:"service"`
	}
	q := url.Values{"include[]": {"escalation_policies", "auto_pause_notifications_parameters"}}
	if err := p.wire.get(ctx, op, p.api+"/services/"+service+"?"+q.Encode(), &got); err != nil {
		return ServiceCheck{}, err
	}
	s := got.Service
	if s.ID != service {
		return ServiceCheck{}, &Problem{Op: op, Why: "the answer is about another service"}
	}
	check := ServiceCheck{Name: cmp.Or(s.Name, s.Summary), Status: s.Status, URL: s.HTMLURL}
	check.status(s)
	check.urgency(s, p.now())
	if err := p.maintenance(ctx, op, service, &check); err != nil {
		return ServiceCheck{}, err
	}
	if err := p.onCall(ctx, op, s.EscalationPolicy.ID, &check); err != nil {
		return ServiceCheck{}, err
	}
	check.Unknown = append(check.Unknown,
		"event orchestration may suppress, delay or reroute the page",
		"incident workflows may start by themselves",
		"people's own notification rules may be slow or empty")
	return check, nil
}

func (c *ServiceCheck) problem(text string, args ...any) {
	c.Problems = append(c.Problems, fmt.Sprintf(text, args...))
}

// status reads whether the service takes events at all, at once, and each for itself.
func (c *ServiceCheck) status(s pd.Service) {
	switch s.Status {
	case "active", "warning", "critical":
	case "disabled":
		c.problem("the service is disabled: it makes no incidents")
	case "maintenance":
		c.problem("the service is in maintenance: it makes no incidents, and resolving by event is not honoured")
	default:
		c.problem("the service's status %q is unknown to us", plain(s.Status))
	}
	if a := s.AutoPauseNotificationsParameters; a != nil && a.Enabled {
		c.problem("the service pauses notifications for %ds", a.Timeout)
	}
	if g := s.AlertGroupingParameters; g != nil && g.Type != "" {
		c.Unknown = append(c.Unknown, fmt.Sprintf("alert grouping is on (%s): the page may join an open incident, which notifies nobody anew", plain(g.Type)))
	}
}

// urgency reads the rule. A low one notifies by the slow rules and never escalates.
func (c *ServiceCheck) urgency(s pd.Service, now time.Time) {
	rule := s.IncidentUrgencyRule
	if rule == nil {
		c.Urgency = "high" // PagerDuty's default
		return
	}
	c.Urgency = cmp.Or(rule.Urgency, rule.Type)
	if rule.Type == "use_support_hours" {
		inside, known := within(s.SupportHours, now)
		part := rule.OutsideSupportHours
		if inside {
			part = rule.DuringSupportHours
		}
		if !known || part == nil {
			c.problem("the urgency depends on support hours that cannot be read")
			return
		}
		c.Urgency = cmp.Or(part.Urgency, part.Type)
	}
	if c.Urgency == "low" {
		c.problem("incidents are of low urgency now: they notify slowly and never escalate")
	}
}

// within says whether now is in a service's support hours.
func within(h *pd.SupportHours, now time.Time) (inside, known bool) {
	if h == nil {
		return false, false
	}
	zone, err := time.LoadLocation(h.Timezone)
	if err != nil || len(h.StartTime) < 5 || len(h.EndTime) < 5 || h.EndTime <= h.StartTime {
		return false, false
	}
	local := now.In(zone)
	day := uint((int(local.Weekday())+6)%7 + 1) // PagerDuty counts Monday as 1
	clock := local.Format(time.TimeOnly)
	return slices.Contains(h.DaysOfWeek, day) && clock >= h.StartTime && clock < h.EndTime, true
}

// maintenance reads windows that are on or will be soon.
func (p *PagerDuty) maintenance(ctx context.Context, op, service string, check *ServiceCheck) error {
	var got struct {
		Windows []pd.MaintenanceWindow `json:"maintenance_windows"`
	}
	q := url.Values{"service_ids[]": {service}, "filter": {"open"}, "limit": {"100"}}
	if err := p.wire.get(ctx, op, p.api+"/maintenance_windows?"+q.Encode(), &got); err != nil {
		return err
	}
	now := p.now()
	for _, w := range got.Windows {
		from, to := timeOf(w.StartTime), timeOf(w.EndTime)
		if !slices.ContainsFunc(w.Services, func(s pd.APIObject) bool { return s.ID == service }) ||
			from.After(now.Add(lookAhead)) || !to.IsZero() && to.Before(now) {
			continue
		}
		text := fmt.Sprintf("%s from %s to %s", cmp.Or(plain(w.Description), w.ID), stamp(from), stamp(to))
		check.Maintenance = append(check.Maintenance, text)
		if !from.After(now) {
			check.problem("a maintenance window is on: %s", text)
		}
	}
	return nil
}

// onCall reads who would be notified now.
func (p *PagerDuty) onCall(ctx context.Context, op, policy string, check *ServiceCheck) error {
	if policy == "" {
		check.problem("the service has no escalation policy")
		return nil
	}
	var got struct {
		OnCalls []pd.OnCall `json:"oncalls"`
	}
	now := p.now()
	q := url.Values{
		"escalation_policy_ids[]": {policy}, "include[]": {"users"}, "time_zone": {"UTC"}, "limit": {"100"},
		"since": {stamp(now)}, "until": {stamp(now.Add(time.Minute))},
	}
	if err := p.wire.get(ctx, op, p.api+"/oncalls?"+q.Encode(), &got); err != nil {
		return err
	}
	for _, o := range got.OnCalls {
		who := OnCall{User: o.User.ID, Name: plain(cmp.Or(o.User.Name, o.User.Summary)), Level: int(o.EscalationLevel)}
		if who.User != "" && o.EscalationPolicy.ID == policy && !slices.Contains(check.OnCall, who) {
			check.OnCall = append(check.OnCall, who)
		}
	}
	slices.SortFunc(check.OnCall, func(a, b OnCall) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), strings.Compare(a.User, b.User))
	})
	if len(check.OnCall) == 0 {
		check.problem("nobody is on call")
	}
	return nil
}
