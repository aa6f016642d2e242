package pager

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// rules is an orchestration whose first rule does this to every event.
func rules(actions string) string {
	return `{"orchestration":{"active":true,"sets":[{"id":"start","rules":[{"id":"r1","label":"l","conditions":[],"actions":{` +
		actions + `}}]}],"catch_all":{"actions":{}}}}`
}

// TestWhatMutesAPage sets one thing up over HTTP, pages, and looks what came of it: at once, and after a while.
func TestWhatMutesAPage(t *testing.T) {
	first := func(d *desk) incidentSeen { return d.seen(0) }
	for name, tt := range map[string]struct {
		path, setup string
		outcome     string
		after       time.Duration // beside the two seconds that an event takes at most
		check       func(t *testing.T, d *desk)
	}{
		"disabled":                      {path: "/services/PORDERS", setup: `{"disabled":true}`, outcome: "dropped: service is disabled"},
		"nobody on call":                {path: "/policies/PEPORD", setup: `{"levels":[[]]}`, outcome: "dropped: nobody is on call"},
		"a rule drops":                  {path: "/services/PORDERS", setup: rules(`"drop_event":true`), outcome: "dropped: by a rule"},
		"a rule suppresses":             {path: "/services/PORDERS", setup: rules(`"suppress":true`), outcome: "suppressed by a rule"},
		"a rule resolves":               {path: "/services/PORDERS", setup: rules(`"event_action":"resolve"`), outcome: "dropped: a rule resolved it"},
		"a rule suspends, not yet over": {path: "/services/PORDERS", setup: rules(`"suspend":60`), outcome: "held back by rules"},
		"a rule suspends": {path: "/services/PORDERS", setup: rules(`"suspend":60`), outcome: "held back by rules", after: time.Minute,
			check: func(t *testing.T, d *desk) {
				if i := first(d); i.CreatedAt.Sub(d.clock.Now()) > 0 || d.clock.Now().Sub(i.CreatedAt) > 5*time.Second {
					t.Errorf("created at %v, now %v", i.CreatedAt, d.clock.Now())
				}
			}},
		"auto-pause": {path: "/services/PORDERS", setup: `{"auto_pause":{"enabled":true,"after_s":120}}`, outcome: "held back by auto_pause"},
		"auto-pause is over": {path: "/services/PORDERS", setup: `{"auto_pause":{"enabled":true,"after_s":120}}`, outcome: "held back by auto_pause",
			after: 2 * time.Minute, check: func(t *testing.T, d *desk) {
				if i := first(d); i.Status != triggered {
					t.Errorf("got %+v", i)
				}
			}},
		"a disabled rule does nothing": {path: "/services/PORDERS", setup: strings.Replace(rules(`"drop_event":true`), `"label":"l"`, `"label":"l","disabled":true`, 1),
			outcome: "opened", check: func(t *testing.T, d *desk) { first(d) }},
		"an orchestration that is not active does nothing": {path: "/services/PORDERS",
			setup: strings.Replace(rules(`"drop_event":true`), `"active":true`, `"active":false`, 1), outcome: "opened",
			check: func(t *testing.T, d *desk) { first(d) }},
		"low urgency": {path: "/services/PORDERS", setup: `{"urgency":{"rule":"low"}}`, outcome: "opened", after: time.Minute,
			check: func(t *testing.T, d *desk) {
				if i := first(d); i.Urgency != "low" || i.n["notify"] != 0 || i.n["escalate"] != 0 {
					t.Errorf("got %+v", i)
				}
			}},
		"low by severity, which a rule lowered": {path: "/services/PORDERS",
			setup: strings.TrimSuffix(rules(`"severity":"warning"`), "}") + `,"urgency":{"rule":"severity_based"}}`, outcome: "opened",
			check: func(t *testing.T, d *desk) {
				if i := first(d); i.Urgency != "low" || i.Severity != "warning" {
					t.Errorf("got %+v", i)
				}
			}},
		"no rule of the user's": {path: "/users/PRESP01", setup: `{"contacts":[]}`, outcome: "opened", after: 10 * time.Second,
			check: func(t *testing.T, d *desk) {
				if i := first(d); i.n["assign"] != 1 || i.n["notify"] != 0 {
					t.Errorf("got %+v", i)
				}
			}},
		"only a low rule of the user's": {path: "/users/PRESP01", setup: `{"contacts":[{"type":"push","urgency":"low"}]}`, outcome: "opened",
			after: 10 * time.Second, check: func(t *testing.T, d *desk) {
				if i := first(d); i.n["notify"] != 0 {
					t.Errorf("got %+v", i)
				}
			}},
		"a rule of the user's that waits": {path: "/users/PRESP01", setup: `{"contacts":[{"type":"push","after_s":20}]}`, outcome: "opened",
			after: 22 * time.Second, check: func(t *testing.T, d *desk) {
				e := d.last(first(d).ID, "notify")
				at, _ := time.Parse(time.RFC3339, e["created_at"].(string))
				if late := at.Sub(first(d).CreatedAt); late < 20*time.Second || late > 22*time.Second {
					t.Errorf("notified after %v", late)
				}
			}},
		"automation and a workflow fire": {path: "/services/PORDERS",
			setup: strings.TrimSuffix(rules(`"automation_actions":[{"name":"reboot","url":"https://x","auto_send":true},{"name":"offered","url":"https://y"}]`), "}") +
				`,"workflows":[{"id":"PW1","name":"page the execs","trigger":"conditional","condition":"incident.urgency matches 'high'"},
				{"id":"PW2","name":"off","trigger":"conditional","disabled":true},{"id":"PW3","name":"by hand","trigger":"manual"}]}`,
			outcome: "opened", check: func(t *testing.T, d *desk) {
				if got := d.truth().Incidents[0].Fired; !slices.Equal(got, []string{"reboot", "page the execs"}) {
					t.Errorf("fired %v", got)
				}
			}},
		"another policy": {path: "/services/PORDERS", setup: rules(`"escalation_policy":"PEPTWO"`), outcome: "opened",
			check: func(t *testing.T, d *desk) {
				if i := first(d); i.EscalationPolicy.ID != "PEPTWO" || i.Assignments[0].Assignee.ID != "PRESP02" {
					t.Errorf("got %+v", i)
				}
			}},
		"another title, key and priority, and a bot's note": {path: "/services/PORDERS",
			setup: rules(`"extractions":[{"target":"event.dedup_key","template":"x-{{event.source}}"},{"target":"event.summary","source":"event.summary","regex":"(wri)tes"}],
				"priority":"PP1","annotate":"see the runbook"`), outcome: "opened",
			check: func(t *testing.T, d *desk) {
				if i := first(d); i.Title != "wri" || d.truth().Incidents[0].AlertKeys[0] != "x-test" || i.Priority.ID != "PP1" || i.note.Type != "bot_user_reference" {
					t.Errorf("got %+v", i)
				}
			}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.put("/policies/PEPTWO", `{"name":"Two","levels":[["PRESP02"]]}`)
			d.put("/account", `{"priorities":[{"id":"PP1","name":"P1"}]}`)
			d.put(tt.path, tt.setup)
			d.send(ourKey, "trigger", "k")
			d.pass(2*time.Second + tt.after)
			if got := d.outcomes()[0]; !strings.HasPrefix(got, tt.outcome) {
				t.Errorf("got %q, want %q", got, tt.outcome)
			}
			if tt.check != nil {
				tt.check(t, d)
			} else if n := len(d.all()); n != 0 {
				t.Errorf("%d incidents", n)
			}
		})
	}
}

// incidentSeen is an incident as the API tells it, with its first alert's severity and first note's author.
type incidentSeen struct {
	ID, Title, Status, Urgency, Severity string
	CreatedAt                            time.Time `json:"created_at"`
	EscalationPolicy                     ref       `json:"escalation_policy"`
	Assignments                          []assignmentShape
	Priority                             *ref
	n                                    map[string]int
	note                                 ref
}

func (d *desk) seen(n int) incidentSeen {
	d.t.Helper()
	var out struct{ Incidents []incidentSeen }
	d.call("GET", "/pagerduty/incidents", "", &out)
	if len(out.Incidents) <= n {
		d.t.Fatalf("%d incidents: %v", len(out.Incidents), d.outcomes())
	}
	i := out.Incidents[n]
	i.n = d.kinds(i.ID)
	var alerts struct{ Alerts []struct{ Severity string } }
	d.call("GET", "/pagerduty/incidents/"+i.ID+"/alerts", "", &alerts)
	i.Severity = alerts.Alerts[0].Severity
	var notes struct{ Notes []struct{ User ref } }
	d.call("GET", "/pagerduty/incidents/"+i.ID+"/notes", "", &notes)
	if len(notes.Notes) > 0 {
		i.note = notes.Notes[0].User
	}
	return i
}

func (d *desk) truth() truth {
	d.t.Helper()
	var tr truth
	d.call("GET", "/back/truth", "", &tr)
	return tr
}

func TestAlertGroupingJoinsWhatIsOpen(t *testing.T) {
	for name, tt := range map[string]struct {
		setup   string
		wait    time.Duration
		grouped bool
	}{
		"time":                      {setup: `{"type":"time"}`, grouped: true},
		"time, over":                {setup: `{"type":"time","window_s":60}`, wait: 2 * time.Minute},
		"intelligent":               {setup: `{"type":"intelligent","window_s":300}`, grouped: true},
		"content, the same":         {setup: `{"type":"content_based","fields":["source","custom_details.n"]}`, grouped: true},
		"content, another":          {setup: `{"type":"content_based","fields":["source","dedup_key"]}`},
		"content, any is the same":  {setup: `{"type":"content_based","fields":["source","dedup_key"],"any":true}`, grouped: true},
		"content, none is the same": {setup: `{"type":"content_based","fields":["dedup_key"],"any":true}`},
		"none":                      {setup: `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.put("/services/PORDERS", `{"grouping":`+tt.setup+`}`)
			i := d.opened(otherKey, "theirs")
			d.pass(tt.wait)
			d.send(ourKey, "trigger", "ours")
			d.pass(2 * time.Second)
			if got := strings.HasPrefix(d.outcomes()[1], "grouped into "+i.ID); got != tt.grouped {
				t.Errorf("got %q", d.outcomes()[1])
			}
			if n := d.kinds(i.ID)["notify"]; tt.grouped && n != 2 {
				t.Errorf("%d notifications: nobody is told anew", n)
			}
		})
	}
}

func TestWhatIsHeldBackMayResolveOrRepeat(t *testing.T) {
	d := newDesk(t)
	d.put("/services/PORDERS", `{"auto_pause":{"enabled":true,"after_s":60}}`)
	d.send(ourKey, "trigger", "a")
	d.pass(2 * time.Second)
	d.send(ourKey, "trigger", "a")
	d.pass(2 * time.Second)
	d.send(ourKey, "resolve", "a")
	d.send(ourKey, "trigger", "b")
	d.pass(2 * time.Minute)
	if got := d.outcomes(); got[1] != "repeated while it is held back" || got[2] != "resolved while it was held back" || len(d.all()) != 1 {
		t.Errorf("got %v, %d incidents", got, len(d.all()))
	}
	var out struct {
		Counts pausedReport `json:"paused_incident_reporting_counts"`
	}
	d.call("GET", "/pagerduty/paused_incident_reports/alerts?service_id=PORDERS", "", &out)
	if len(out.Counts.Triggered) != 1 || len(out.Counts.Resolved) != 1 || out.Counts.Triggered[0].ServiceID != "PORDERS" {
		t.Errorf("got %+v", out.Counts)
	}
	for range 7 {
		d.send(ourKey, "trigger", "c")
		d.send(ourKey, "resolve", "c")
		d.pass(3 * time.Second)
	}
	d.call("GET", "/pagerduty/paused_incident_reports/alerts", "", &out)
	if len(out.Counts.Resolved) != 5 {
		t.Errorf("%d resolved, want the newest five", len(out.Counts.Resolved))
	}
	d.call("GET", "/pagerduty/paused_incident_reports/alerts?suspended_by=rules", "", &out)
	if len(out.Counts.Resolved)+len(out.Counts.Triggered) != 0 {
		t.Errorf("by rules: %+v", out.Counts)
	}
}

func TestSupportHoursLowerAndRaise(t *testing.T) {
	d := newDesk(t) // a Monday, ten o'clock
	hours := `{"urgency":{"rule":"high","outside":"low","raise":true,"hours":{"zone":"Europe/Berlin","from":"12:00:00","to":"18:00:00","days":[1,2,3,4,5]}}}`
	d.put("/services/PORDERS", hours)
	i := d.opened(ourKey, "k")
	if acts := d.incident(i.ID).PendingActions; i.Urgency != "low" || len(acts) != 1 || acts[0].Type != "urgency_change" || acts[0].At != "2026-11-23T11:00:00Z" {
		t.Fatalf("%s, pending %+v", i.Urgency, acts)
	}
	s := d.service("PORDERS")
	if s.IncidentUrgencyRule.Type != "use_support_hours" || s.IncidentUrgencyRule.OutsideSupportHours.Urgency != "low" ||
		s.SupportHours.Timezone != "Europe/Berlin" || len(s.ScheduledActions) != 1 {
		t.Errorf("got %+v", s)
	}
	d.clock.add(time.Hour - 10*time.Second)
	d.pass(12 * time.Second)
	if got := d.incident(i.ID); got.Urgency != "high" || d.kinds(i.ID)["urgency_change"] != 1 || d.kinds(i.ID)["notify"] != 2 {
		t.Errorf("within the hours: %s %v", got.Urgency, d.kinds(i.ID))
	}
	if again := d.opened(ourKey, "within"); again.Urgency != "high" {
		t.Errorf("within the hours: %s", again.Urgency)
	}
}

func TestRulesLeadOnAndCatchAll(t *testing.T) {
	d := newDesk(t)
	d.put("/services/PORDERS", `{"orchestration":{"active":true,"sets":[
		{"id":"start","rules":[{"id":"a","conditions":[{"expression":"event.source matches 'test'"}],"actions":{"route_to":"two","severity":"info"}}]},
		{"id":"two","rules":[{"id":"b","conditions":[{"expression":"event.severity matches part 'nfo'"}],"actions":{"route_to":"three"}}]},
		{"id":"three","rules":[{"id":"c","conditions":[{"expression":"event.custom_details.n matches '2'"}],"actions":{}}]}],
		"catch_all":{"actions":{"suppress":true}}}}`)
	d.send(ourKey, "trigger", "k")
	d.pass(2 * time.Second)
	if got := d.outcomes()[0]; got != "suppressed by a rule" {
		t.Errorf("got %q", got)
	}
}

func TestPreflightSeesWhatSwallows(t *testing.T) {
	d := newDesk(t)
	d.put("/users/PRESP01", `{"contacts":[{"type":"push","urgency":"low"},{"type":"sms","address":"1","after_s":90}]}`)
	d.put("/services/PORDERS", strings.TrimSuffix(rules(`"suspend":300,"automation_actions":[{"name":"reboot","url":"https://x","auto_send":true}]`), "}")+
		`,"auto_pause":{"enabled":true,"after_s":300},"grouping":{"type":"content_based","fields":["source"],"window_s":600},
		"workflows":[{"id":"PW1","name":"execs","trigger":"conditional","condition":"c"},{"id":"PW2","name":"typed","trigger":"incident_type","types":["drill"],"disabled":true}]}`)
	for path, want := range map[string]string{
		"/event_orchestrations/services/PORDERS/active":                            `{"active":true}`,
		"/event_orchestrations/services/PNOBODY/active":                            `{"active":false}`,
		"/event_orchestrations/services/PORDERS":                                   `"suspend":300,"automation_actions":[{"name":"reboot","url":"https://x","auto_send":true}]`,
		"/alert_grouping_settings?service_ids[]=PORDERS":                           `"type":"content_based","config":{"time_window":600,"aggregate":"all","fields":["source"]}`,
		"/alert_grouping_settings?service_ids[]=PNOBODY":                           `"alert_grouping_settings":[]`,
		"/services/PORDERS?include[]=auto_pause_notifications_parameters":          `"auto_pause_notifications_parameters":{"enabled":true,"timeout":300}`,
		"/services/PNOBODY?include[]=auto_pause_notifications_parameters":          `"auto_pause_notifications_parameters":{"enabled":false,"timeout":null}`,
		"/incident_workflows/triggers?service_id=PORDERS&trigger_type=conditional": `"workflow_name":"execs"`,
		"/incident_workflows/triggers?service_id=PORDERS&is_disabled=true":         `"workflow_name":"typed"`,
		"/incident_workflows/triggers?service_id=PNOBODY":                          `"triggers":[]`,
		"/users/PRESP01/notification_rules":                                        `"start_delay_in_minutes":2,"urgency":"high"`,
	} {
		if res, b := d.raw("GET", "/pagerduty"+path, ""); res.StatusCode != 200 || !strings.Contains(string(b), want) {
			t.Errorf("%s: %d %s", path, res.StatusCode, b)
		}
	}
	for _, path := range []string{"/event_orchestrations/services/PNONE", "/event_orchestrations/services/PNONE/active"} {
		if got := d.call("GET", "/pagerduty"+path, "", nil); got != http.StatusNotFound {
			t.Errorf("%s: %d", path, got)
		}
	}
}

func TestFeaturesThatAnAccountLacks(t *testing.T) {
	d := newDesk(t)
	for path, effect := range map[string]string{"/incident_workflows": "402", "/event_orchestrations": "403", "/alert_grouping_settings": "404"} {
		d.knob(`{"effect":"` + effect + `","path":"/pagerduty` + path + `"}`)
	}
	for path, want := range map[string]struct {
		status int
		words  string
	}{
		"/incident_workflows/triggers":           {402, `"code":2014`},
		"/event_orchestrations/services/PORDERS": {403, "Access Denied"},
		"/alert_grouping_settings":               {404, "Not Found"},
		"/services/PORDERS":                      {200, "Orders"},
	} {
		if res, b := d.raw("GET", "/pagerduty"+path, ""); res.StatusCode != want.status || !strings.Contains(string(b), want.words) {
			t.Errorf("%s: %d %s", path, res.StatusCode, b)
		}
	}
}
