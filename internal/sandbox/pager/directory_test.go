package pager

import (
	"testing"
	"time"

	"github.com/PagerDuty/go-pagerduty"
)

func TestServicesAndIntegrations(t *testing.T) {
	d := newDesk(t)
	s := d.service("PORDERS")
	if s.Status != "active" || s.EscalationPolicy.ID != "PEPORD" || len(s.Integrations) != 3 || s.Integrations[0].IntegrationKey != ourKey {
		t.Errorf("got %+v", s)
	}
	i := d.opened(ourKey, "k")
	if got := d.service("PORDERS").Status; got != "critical" {
		t.Errorf("with a triggered incident: %s", got)
	}
	d.phone("PRESP01", "acknowledge", i.ID, "")
	if got := d.service("PORDERS").Status; got != "warning" {
		t.Errorf("with an acknowledged incident: %s", got)
	}
	in, err := d.pd.GetIntegrationWithContext(t.Context(), "PORDERS", "PIOURS", pagerduty.GetIntegrationOptions{})
	if err != nil || in.IntegrationKey != ourKey {
		t.Errorf("got %+v, %v", in, err)
	}
	l, err := d.pd.ListServicesWithContext(t.Context(), pagerduty.ListServiceOptions{})
	if err != nil || len(l.Services) != 2 {
		t.Errorf("got %+v, %v", l, err)
	}
	var bare struct{ Service serviceShape }
	d.call("GET", "/pagerduty/services/PORDERS", "", &bare)
	if got := bare.Service.Integrations[0]; got.IntegrationKey != "" || got.Type != EventsV2+"_reference" {
		t.Errorf("unasked, integrations are references: %+v", got)
	}
	var full struct{ Service serviceShape }
	d.call("GET", "/pagerduty/services/PORDERS?include[]=escalation_policies&include[]=auto_pause_notifications_parameters", "", &full)
	if len(full.Service.EscalationPolicy.Rules) != 2 || full.Service.AutoPause == nil {
		t.Errorf("got %+v", full.Service)
	}
	for _, path := range []string{"/services/NONE", "/services/PORDERS/integrations/NONE", "/services/NONE/integrations/X",
		"/escalation_policies/NONE", "/users/NONE", "/users/NONE/notification_rules", "/maintenance_windows/NONE"} {
		if got := d.call("GET", "/pagerduty"+path, "", nil); got != 404 {
			t.Errorf("%s: got %d", path, got)
		}
	}
}

func TestKnobsShowInTheService(t *testing.T) {
	d := newDesk(t)
	d.knob(`{"effect":"low","service":"PORDERS","count":1}`)
	for range 3 {
		if got := d.service("PORDERS").IncidentUrgencyRule.Urgency; got != "low" {
			t.Fatalf("urgency %s: looking uses the knob up", got)
		}
	}
	d.knob(`{"effect":"disabled","service":"PORDERS"}`)
	if got := d.service("PORDERS").Status; got != "disabled" {
		t.Errorf("status %s", got)
	}
}

func TestOnCallsUsersAndRules(t *testing.T) {
	d := newDesk(t)
	l, err := d.pd.ListOnCallsWithContext(t.Context(), pagerduty.ListOnCallOptions{
		EscalationPolicyIDs: []string{"PEPORD"}, Includes: []string{"users"}})
	if err != nil || len(l.OnCalls) != 2 || l.OnCalls[0].User.Email != "first@example.invalid" || l.OnCalls[1].EscalationLevel != 2 {
		t.Fatalf("got %+v, %v", l, err)
	}
	l, err = d.pd.ListOnCallsWithContext(t.Context(), pagerduty.ListOnCallOptions{UserIDs: []string{"PRESP02"}})
	if err != nil || len(l.OnCalls) != 1 || l.OnCalls[0].User.Email != "" {
		t.Errorf("got %+v, %v", l, err)
	}
	u, err := d.pd.GetUserWithContext(t.Context(), "PRESP01", pagerduty.GetUserOptions{})
	if err != nil || u.Name != "First Responder" || u.Type != "user" {
		t.Errorf("got %+v, %v", u, err)
	}
	r, err := d.pd.ListUserNotificationRulesWithContext(t.Context(), "PRESP01")
	if err != nil || len(r.NotificationRules) != 2 || r.NotificationRules[0].Urgency != "high" {
		t.Errorf("got %+v, %v", r, err)
	}
	e, err := d.pd.GetEscalationPolicyWithContext(t.Context(), "PEPORD", nil)
	if err != nil || len(e.EscalationRules) != 2 || e.EscalationRules[0].Targets[0].ID != "PRESP01" {
		t.Errorf("got %+v, %v", e, err)
	}
	ab, err := d.pd.ListAbilitiesWithContext(t.Context())
	if err != nil || len(ab.Abilities) != 1 {
		t.Errorf("got %+v, %v", ab, err)
	}
}

func TestMaintenanceWindows(t *testing.T) {
	d := newDesk(t)
	future := d.maintain(time.Hour, 2*time.Hour)
	now := d.maintain(-time.Minute, 10*time.Minute)
	list := func(filter, service string) int {
		l, err := d.pd.ListMaintenanceWindowsWithContext(t.Context(), pagerduty.ListMaintenanceWindowsOptions{
			Filter: filter, ServiceIDs: []string{service}})
		if err != nil {
			t.Fatal(err)
		}
		return len(l.MaintenanceWindows)
	}
	for filter, want := range map[string]int{"open": 2, "ongoing": 1, "future": 1, "past": 0, "": 2} {
		if got := list(filter, "PORDERS"); got != want {
			t.Errorf("%q: got %d, want %d", filter, got, want)
		}
	}
	if got := list("", "PNOBODY"); got != 0 {
		t.Errorf("another service: %d", got)
	}
	for _, id := range []string{future.ID, now.ID} {
		if got := d.call("DELETE", "/pagerduty/maintenance_windows/"+id, "", nil); got != 204 {
			t.Errorf("delete: %d", got)
		}
	}
	if list("open", "PORDERS") != 0 || list("past", "PORDERS") != 1 {
		t.Error("a future window goes away, an ongoing one ends")
	}
	if got := d.call("DELETE", "/pagerduty/maintenance_windows/"+now.ID, "", nil); got != 405 {
		t.Errorf("delete a past window: %d", got)
	}
	from := []string{"From", "drills@example.invalid"}
	for _, bad := range []string{
		`{`,
		`{"maintenance_window":{"start_time":"2026-11-23T12:00:00Z","end_time":"2026-11-23T11:00:00Z","services":[{"id":"PORDERS"}]}}`,
		`{"maintenance_window":{"start_time":"2026-11-23T12:00:00Z","end_time":"2026-11-23T13:00:00Z"}}`,
		`{"maintenance_window":{"start_time":"2026-11-23T12:00:00Z","end_time":"2026-11-23T13:00:00Z","services":[{"id":"NONE"}]}}`,
	} {
		if got := d.call("POST", "/pagerduty/maintenance_windows", bad, nil, from...); got != 400 {
			t.Errorf("%s: got %d", bad, got)
		}
	}
}

func TestUnusedFeaturesAnswerEmpty(t *testing.T) {
	d := newDesk(t)
	for _, path := range []string{"/alert_grouping_settings", "/event_orchestrations/services/PORDERS/active",
		"/event_orchestrations/services/PORDERS", "/incident_workflows/triggers", "/paused_incident_reports/alerts", "/priorities"} {
		var v map[string]any
		if got := d.call("GET", "/pagerduty"+path, "", &v); got != 200 || len(v) == 0 {
			t.Errorf("%s: %d %v", path, got, v)
		}
	}
}
