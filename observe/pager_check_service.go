package observe

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"
)

// status reads whether the service takes events at all, and at once.
func (f *preflight) status(s pd.Service) {
	switch s.Status {
	case "active", "warning", "critical":
	case "disabled":
		f.refuse(ServiceOff, "the service is disabled: it makes no incidents")
	case "maintenance":
		f.refuse(InMaintenance, "the service is in maintenance: it makes no incidents, and resolving by event is not honoured")
	default:
		f.refuse(Unread, "the service's status %q is unknown to us", plain(s.Status))
	}
	if a := s.AutoPauseNotificationsParameters; a != nil && a.Enabled {
		f.risk(Delayed, time.Duration(a.Timeout)*time.Second >= tooLate, "the service pauses notifications for %ds", a.Timeout)
	}
}

// urgency reads the rule. A low one notifies by the slow rules and never escalates.
// https://support.pagerduty.com/main/docs/configurable-service-settings
func (f *preflight) urgency(s pd.Service) {
	rule := s.IncidentUrgencyRule
	if rule == nil {
		f.check.Urgency = "high" // PagerDuty's default
		return
	}
	f.check.Urgency = cmp.Or(rule.Urgency, rule.Type)
	if rule.Type == "use_support_hours" {
		now, known := supportUrgency(s, f.now)
		if !known {
			f.refuse(Unread, "the urgency depends on support hours that cannot be read")
			return
		}
		f.check.Urgency = now
		f.handback(s)
	}
	switch f.check.Urgency {
	case "low":
		f.refuse(LowUrgency, "incidents are of low urgency now: they notify slowly and never escalate")
	case "severity_based":
		f.severe = true
		f.tell(LowUrgency, "the urgency follows the severity of the alert: ours is critical, which is high; an alarm that is sent as warning or info is low")
	}
}

// supportUrgency is the urgency by support hours at a time.
func supportUrgency(s pd.Service, at time.Time) (string, bool) {
	inside, known := within(s.SupportHours, at)
	part := s.IncidentUrgencyRule.OutsideSupportHours
	if inside {
		part = s.IncidentUrgencyRule.DuringSupportHours
	}
	if !known || part == nil {
		return "", false
	}
	return cmp.Or(part.Urgency, part.Type), true
}

// handback tells when support hours will make incidents low soon.
func (f *preflight) handback(s pd.Service) {
	if f.check.Urgency == "low" {
		return
	}
	for at := f.now; at.Before(f.now.Add(supportAhead)); at = at.Add(5 * time.Minute) {
		if then, known := supportUrgency(s, at); known && then == "low" {
			f.tell(LowUrgency, "support hours end by %s: from then on incidents are of low urgency, notify slowly and never escalate", stamp(at))
			return
		}
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
func (f *preflight) maintenance(ctx context.Context) error {
	var got struct {
		Windows []pd.MaintenanceWindow `json:"maintenance_windows"`
	}
	q := url.Values{"service_ids[]": {f.service}, "filter": {"open"}, "limit": {"100"}}
	if err := f.p.wire.get(ctx, f.op, f.p.api+"/maintenance_windows?"+q.Encode(), &got); err != nil {
		return err
	}
	for _, w := range got.Windows {
		from, to := timeOf(w.StartTime), timeOf(w.EndTime)
		if !slices.ContainsFunc(w.Services, func(s pd.APIObject) bool { return s.ID == f.service }) ||
			from.After(f.now.Add(lookAhead)) || !to.IsZero() && to.Before(f.now) {
			continue
		}
		text := fmt.Sprintf("%s from %s to %s", cmp.Or(plain(w.Description), w.ID), stamp(from), stamp(to))
		f.check.Maintenance = append(f.check.Maintenance, text)
		if !from.After(f.now) {
			f.refuse(InMaintenance, "a maintenance window is on: %s", text)
			continue
		}
		f.tell(InMaintenance, "a maintenance window is near: %s", text)
		if f.check.Window.IsZero() || from.Before(f.check.Window) {
			f.check.Window = from
		}
	}
	return nil
}
