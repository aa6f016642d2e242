package observe

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Whatever the sandbox's pager can do to a page is seen before one is sent.
func TestTheSandboxesPagerIsSeenThrough(t *testing.T) {
	const orders, first = "/services/PORDERS", "/users/PRESP01"
	orchestrated := func(rule string) string {
		return `{"orchestration":{"active":true,"sets":[{"id":"start","rules":[{"id":"r1","label":"l",` + rule + `}]}],"catch_all":{"actions":{}}}}`
	}
	does := func(actions string) string { return orchestrated(`"conditions":[],"actions":{` + actions + `}`) }
	flow := func(rest string) string { return `{"workflows":[{"id":"PW1","name":"page the execs",` + rest + `}]}` }
	for name, c := range map[string]struct{ path, setup, want string }{
		"nothing":                {orders, `{}`, ""},
		"disabled":               {orders, `{"disabled":true}`, "service_off!"},
		"auto-pause":             {orders, `{"auto_pause":{"enabled":true,"after_s":120}}`, "delayed!"},
		"low urgency":            {orders, `{"urgency":{"rule":"low"}}`, "low_urgency!"},
		"urgency by severity":    {orders, `{"urgency":{"rule":"severity_based"}}`, "low_urgency"},
		"lowered by a rule":      {orders, strings.TrimSuffix(does(`"severity":"warning"`), "}") + `,"urgency":{"rule":"severity_based"}}`, "low_urgency! low_urgency"},
		"suppressed":             {orders, does(`"suppress":true`), "suppressed!"},
		"suppressed by chance":   {orders, orchestrated(`"conditions":[{"expression":"event.source matches part 'db'"}],"actions":{"suppress":true}`), "suppressed"},
		"dropped":                {orders, does(`"drop_event":true`), "suppressed!"},
		"resolved by a rule":     {orders, does(`"event_action":"resolve"`), "suppressed!"},
		"suspended":              {orders, does(`"suspend":300`), "delayed!"},
		"rerouted":               {orders, does(`"escalation_policy":"PEPNONE"`), "assigned_not_notified!"},
		"another key":            {orders, does(`"extractions":[{"target":"event.dedup_key","template":"x"}]`), "no_incident!"},
		"automation":             {orders, does(`"automation_actions":[{"name":"reboot","url":"https://x","auto_send":true}]`), "automation_fires!"},
		"a disabled rule":        {orders, orchestrated(`"disabled":true,"conditions":[],"actions":{"suppress":true}`), ""},
		"a disabled route":       {orders, orchestrated(`"disabled":true,"conditions":[],"actions":{"escalation_policy":"PEPNONE"}`), "rule_disabled"},
		"inactive rules":         {orders, strings.Replace(does(`"suppress":true`), `"active":true`, `"active":false`, 1), ""},
		"grouping":               {orders, `{"grouping":{"type":"time"}}`, "merged_into_other"},
		"a workflow":             {orders, flow(`"trigger":"conditional","condition":"incident.urgency matches 'high'"`), "automation_fires!"},
		"a workflow by chance":   {orders, flow(`"trigger":"conditional","condition":"incident.priority matches 'P1'"`), "automation_fires"},
		"a workflow by hand":     {orders, flow(`"trigger":"manual"`), ""},
		"a disabled workflow":    {orders, flow(`"trigger":"conditional","disabled":true`), ""},
		"nobody on call":         {"/policies/PEPORD", `{"levels":[[]]}`, "nobody_on_call!"},
		"no notification rule":   {first, `{"contacts":[]}`, "assigned_not_notified!"},
		"a low one only":         {first, `{"contacts":[{"type":"push","urgency":"low"}]}`, "assigned_not_notified!"},
		"one that waits 5 m":     {first, `{"contacts":[{"type":"push","after_s":300}]}`, "assigned_not_notified"},
		"one that waits an hour": {first, `{"contacts":[{"type":"push","after_s":3600}]}`, "assigned_not_notified!"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesktop(t)
			d.setUp(c.path, c.setup)
			check, err := d.Check(t.Context(), "PORDERS")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range check.Risks {
				got = append(got, fmt.Sprint(r.Verdict, map[bool]string{true: "!"}[r.Refuses]))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%q, want %q: %+v", got, c.want, check.Risks)
			}
		})
	}
}

func TestWhatTheSandboxesAccountLacksIsUnread(t *testing.T) {
	d := newDesktop(t)
	d.knob(map[string]any{"effect": "402", "path": "/pagerduty/alert_grouping_settings"})
	check, err := d.Check(t.Context(), "PORDERS")
	if err != nil || len(check.Problems) != 0 || !slices.ContainsFunc(check.Risks, func(r Risk) bool { return r.Verdict == Unread && !r.Refuses }) {
		t.Errorf("%+v, %v", check, err)
	}
}
