package contract

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// must is what an answer of PagerDuty's always holds, as its documentation and every recorded answer have it; its
// OpenAPI requires almost nothing. A name with [] is a list, of each of whose items the rest is asked; one that ends in
// ? is there, but may be null.
func must() map[string][]string {
	incident := []string{"id", "type=incident", "summary", "incident_number", "title", "status=triggered|acknowledged|resolved",
		"urgency=high|low", "created_at@", "updated_at@", "last_status_change_at@", "html_url", "service.id#", "service.type", "escalation_policy.id#",
		"alert_counts.all", "assignments?", "acknowledgements?", "incident_key?", "resolved_at?"}
	entry := []string{"id#", "type", "summary", "created_at@", "channel?", "service.id#", "incident.id#"}
	note := []string{"id#", "content", "created_at@", "user?", "channel?"}
	service := []string{"id#", "type", "name", "summary", "status=active|warning|critical|maintenance|disabled", "created_at@",
		"escalation_policy.id#", "incident_urgency_rule.type", "alert_creation", "html_url"}
	window := []string{"id#", "type", "start_time@", "end_time@", "services[].id#"}
	hook := []string{"id#", "type=webhook_subscription", "active", "events", "filter.type", "delivery_method.type=http_delivery_method", "delivery_method.url"}
	return map[string][]string{
		"POST /incidents":                         below("incident", incident),
		"PUT /incidents/{id}/merge":               {"incident.id#", "incident.type=incident_reference"},
		"GET /incidents/{id}/alerts/{id}":         below("alert", []string{"id#", "status=triggered|resolved", "alert_key", "created_at@", "incident.id#"}),
		"PUT /incidents/{id}/notes/{id}":          below("note", []string{"id#", "content"}),
		"DELETE /incidents/{id}/notes/{id}":       {},
		"POST /maintenance_windows":               below("maintenance_window", window),
		"GET /maintenance_windows/{id}":           below("maintenance_window", window),
		"DELETE /maintenance_windows/{id}":        {},
		"GET /webhook_subscriptions":              each("webhook_subscriptions", hook, "limit", "offset", "more"),
		"POST /webhook_subscriptions":             below("webhook_subscription", append(hook, "delivery_method.secret")),
		"GET /webhook_subscriptions/{id}":         below("webhook_subscription", hook),
		"PUT /webhook_subscriptions/{id}":         below("webhook_subscription", hook),
		"POST /webhook_subscriptions/{id}/enable": below("webhook_subscription", hook),
		"POST /webhook_subscriptions/{id}/ping":   {},
		"DELETE /webhook_subscriptions/{id}":      {},
		"GET /incidents/{id}":                     below("incident", incident),
		"PUT /incidents":                          each("incidents", incident),
		"POST /incidents/{id}/snooze":             below("incident", incident),
		"GET /log_entries/{id}":                   below("log_entry", entry),
		"GET /services":                           each("services", service, "limit", "offset", "more"),
		"GET /services/{id}/integrations/{id}":    below("integration", []string{"id#", "type", "name", "service.id#"}),
		"GET /escalation_policies/{id}":           below("escalation_policy", []string{"id#", "type", "name", "escalation_rules[].targets[].id#"}),
		"GET /users/{id}":                         below("user", []string{"id#", "type", "name", "email"}),
		"GET /priorities":                         each("priorities", []string{"id#", "type", "name"}),
		"GET /paused_incident_reports/alerts":     below("paused_incident_reporting_counts", []string{"triggered_after_pause_alerts", "resolved_after_pause_alerts"}),
		"GET /analytics/raw/incidents/{id}":       {"data.id#", "data.service_id#", "data.created_at"},
		"GET /incidents":                          each("incidents", incident, "limit", "offset", "more"),
		"PUT /incidents/{id}":                     below("incident", incident),
		"GET /incidents/{id}/alerts":              each("alerts", []string{"id#", "type", "status=triggered|resolved", "alert_key", "created_at@", "summary", "severity?", "suppressed", "service.id#", "incident.id#", "integration?", "body?"}, "limit", "offset", "more"),
		"GET /incidents/{id}/log_entries":         each("log_entries", entry, "limit", "offset", "more"),
		"GET /log_entries":                        each("log_entries", entry, "limit", "offset", "more"),
		"GET /incidents/{id}/notes":               each("notes", note),
		"POST /incidents/{id}/notes":              below("note", note),
		"GET /incidents/types":                    each("incident_types", []string{"id#", "name", "display_name", "enabled"}),
		"GET /abilities":                          {"abilities"},
		"GET /services/{id}": below("service", []string{"id#", "type", "name", "summary", "status=active|warning|critical|maintenance|disabled", "created_at@",
			"escalation_policy.id#", "incident_urgency_rule.type", "alert_creation", "html_url", "auto_pause_notifications_parameters?"}),
		"GET /oncalls":                                   each("oncalls", []string{"user.id#", "escalation_policy.id#", "escalation_level", "schedule?", "start?", "end?"}, "limit", "offset", "more"),
		"GET /maintenance_windows":                       each("maintenance_windows", []string{"id#", "start_time@", "end_time@", "services[].id#"}, "limit", "offset", "more"),
		"GET /users/{id}/notification_rules":             each("notification_rules", []string{"id#", "type", "start_delay_in_minutes", "urgency=high|low", "contact_method.id#"}),
		"GET /alert_grouping_settings":                   each("alert_grouping_settings", []string{"id#", "type", "services[].id#"}),
		"GET /incident_workflows/triggers":               each("triggers", []string{"id#", "trigger_type", "workflow.id#"}),
		"GET /event_orchestrations":                      each("orchestrations", []string{"id#", "name"}),
		"GET /event_orchestrations/services/{id}":        {"orchestration_path"},
		"GET /event_orchestrations/services/{id}/active": {"active"},
		"GET /event_orchestrations/{id}/router":          {"orchestration_path"},
		"GET /event_orchestrations/{id}/global":          {"orchestration_path"},
		"POST /analytics/raw/incidents":                  each("data", []string{"id#", "service_id#", "created_at", "urgency=high|low", "seconds_to_first_ack?", "seconds_to_resolve?"}, "more"),
		"POST /v2/enqueue":                               {"status=success", "message", "dedup_key"},
	}
}

func below(name string, fields []string) (out []string) {
	for _, f := range fields {
		out = append(out, name+"."+f)
	}
	return out
}

func each(name string, fields []string, also ...string) []string {
	return append(append([]string{name}, also...), below(name+"[]", fields)...)
}

var (
	idForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{5,39}$`)
	pathForm = regexp.MustCompile(`/[A-Z][A-Z0-9]{3,}(/|$)`)
)

// shape is a call with its ids left out.
func (x exchange) shape() string {
	return x.Method + " " + pathForm.ReplaceAllString(x.Path, "/{id}$1")
}

// lacks are the required fields that an answer has not. An error is one of PagerDuty's.
func lacks(x exchange) (all []string) {
	var v any
	if fields, known := must()[x.shape()]; known && len(fields) == 0 && x.Status/100 == 2 {
		return nil
	}
	if err := json.Unmarshal(x.Answer, &v); err != nil {
		return []string{x.String() + ": the answer is no JSON"}
	}
	fields, known := must()[x.shape()]
	switch {
	case x.Status >= 400 && x.Events:
		fields, known = []string{"status", "message", "errors?"}, true
	case x.Status >= 400:
		fields, known = []string{"error.message", "error.code"}, true
	}
	if !known {
		return []string{x.String() + ": this call has no list of required fields"}
	}
	for _, f := range fields {
		for _, bad := range lack(v, f) {
			all = append(all, x.String()+": "+bad)
		}
	}
	return all
}

// lack follows one name.
func lack(v any, field string) []string {
	name, rest, deeper := strings.Cut(field, ".")
	list := strings.HasSuffix(name, "[]")
	name = strings.TrimSuffix(name, "[]")
	want := ""
	if !deeper {
		if i := strings.IndexAny(name, "?@#="); i >= 0 {
			name, want = name[:i], name[i:]
		}
	}
	o, ok := v.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s: %v is no object", field, v)}
	}
	value, there := o[name]
	if !there || value == nil && want != "?" {
		return []string{fmt.Sprintf("%s is missing or null", field)}
	}
	switch {
	case list:
		items, ok := value.([]any)
		if !ok {
			return []string{name + " is no list"}
		}
		var all []string
		for _, item := range items {
			all = append(all, lack(item, rest)...)
		}
		return slices.Compact(all)
	case deeper:
		return lack(value, rest)
	}
	text, _ := value.(string)
	switch {
	case want == "@":
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return []string{fmt.Sprintf("%s is %v, no time", name, value)}
		}
	case want == "#" && !idForm.MatchString(text):
		return []string{fmt.Sprintf("%s is %v, no id", name, value)}
	case strings.HasPrefix(want, "=") && !slices.Contains(strings.Split(want[1:], "|"), text):
		return []string{fmt.Sprintf("%s is %v, want %s", name, value, want[1:])}
	}
	return nil
}

// The list says no.
func TestRequiredFieldsAreRequired(t *testing.T) {
	good := `{"notes":[{"id":"PNOTE01","content":"x","created_at":"2026-11-22T10:00:00Z","user":null,"channel":null}]}`
	x := exchange{Method: "GET", Path: "/incidents/Q1ABCDE/notes", Status: 200}
	for answer, want := range map[string]int{
		good: 0, `{"notes":[]}`: 0, `{}`: 6, `x`: 1, `{"notes":[{}]}`: 5, `[]`: 6,
		strings.Replace(good, `"x"`, `null`, 1): 1, strings.Replace(good, `"PNOTE01"`, `"?"`, 1): 1,
		strings.Replace(good, `"2026-11-22T10:00:00Z"`, `"yesterday"`, 1): 1, strings.Replace(good, `,"user":null`, ``, 1): 1,
	} {
		x.Answer = []byte(answer)
		if got := lacks(x); len(got) != want {
			t.Errorf("%s: %q, want %d complaints", answer, got, want)
		}
	}
	x.Status, x.Answer = 404, []byte(`{"error":{"message":"Not Found","code":2100}}`)
	if got := lacks(x); len(got) > 0 {
		t.Error(got)
	}
	x.Path, x.Status = "/nobody/knows", 200
	if got := lacks(x); len(got) != 1 {
		t.Error(got)
	}
}
