package observe

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
)

// shelves are answers by path, to a service that is fine where nothing else is said. An answer that is a number
// is a status.
type shelves map[string]string

func (s shelves) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/pagerduty")
	body, ok := s[path]
	if status, err := strconv.Atoi(body); err == nil {
		w.WriteHeader(status)
		return
	}
	if !ok {
		body = map[string]string{
			"/services/PORDERS":              `{"service":` + fineService + `}`,
			"/oncalls":                       `{"oncalls":[` + fineOnCall + `]}`,
			"/users/PONE/notification_rules": `{"notification_rules":[{"urgency":"low","start_delay_in_minutes":0},{"urgency":"high","start_delay_in_minutes":1}]}`,
			"/users/PTWO/notification_rules": `{"notification_rules":[{"urgency":"high","start_delay_in_minutes":0}]}`,
			orderState:                       `{"active":false}`,
		}[path]
	}
	reply(w, http.StatusOK, cmp.Or(body, `{}`))
}

const (
	orderRules = "/event_orchestrations/services/PORDERS"
	orderState = orderRules + "/active"
	severe     = `{"service":{"id":"PORDERS","status":"active","escalation_policy":{"id":"PEP"},"incident_urgency_rule":{"type":"constant","urgency":"severity_based"}}}`
)

// risks checks the service at a Sunday noon and writes each risk as "verdict! why", with the ! where it refuses.
func (s shelves) risks(t *testing.T) ([]string, ServiceCheck, *fakePager) {
	t.Helper()
	p, f := newFake(t, s.ServeHTTP)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p.now = func() time.Time { return now }
	p.wire.now = p.now
	got, err := p.Check(t.Context(), "PORDERS")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range got.Risks {
		all = append(all, fmt.Sprintf("%s%s %s", r.Verdict, map[bool]string{true: "!"}[r.Refuses], r.Why))
	}
	return all, got, f
}

// ruled is an active orchestration with these rules in its start set.
func ruled(rules string, more ...string) shelves {
	path := `{"orchestration_path":{"sets":[{"id":"start","rules":[` + rules + `]}` + strings.Join(more, "") + `}}`
	if len(more) == 0 {
		path = `{"orchestration_path":{"sets":[{"id":"start","rules":[` + rules + `]}],"catch_all":{"actions":{}}}}`
	}
	return shelves{orderState: `{"active":true}`, orderRules: path}
}

func rule(label, actions string, conditions ...string) string {
	var all []string
	for _, c := range conditions {
		all = append(all, fmt.Sprintf(`{"expression":%q}`, c))
	}
	return fmt.Sprintf(`{"id":"r1","label":%q,"conditions":[%s],"actions":%s}`, label, strings.Join(all, ","), actions)
}

func (s shelves) with(path, body string) shelves { s[path] = body; return s }

func TestCheckFindsEveryRisk(t *testing.T) {
	const host = "event.source matches part 'db'"
	disabled := func(actions string) string {
		return strings.Replace(rule("off", actions), `"actions"`, `"disabled":true,"actions"`, 1)
	}
	for name, c := range map[string]struct {
		s    shelves
		want []string // beginnings of what is told, in order
	}{
		"a quiet service":            {shelves{}, nil},
		"orchestration off":          {ruled(rule("x", `{"suppress":true}`)).with(orderState, `{"active":false}`), nil},
		"suppresses all":             {ruled(rule("mute", `{"suppress":true}`)), []string{"suppressed! rule mute of the service's event orchestration suppresses"}},
		"suppresses some":            {ruled(rule("mute", `{"suppress":true}`, host)), []string{"suppressed rule mute of the service's event orchestration (when " + host + ")"}},
		"suppresses drills":          {ruled(rule("mute", `{"suppress":true}`, host, "event.summary matches part '[DRILL]'")), []string{"suppressed! rule mute"}},
		"suppresses critical":        {ruled(rule("mute", `{"suppress":true}`, "event.severity matches 'critical'")), []string{"suppressed! rule mute"}},
		"suppresses warnings":        {ruled(rule("mute", `{"suppress":true}`, "event.severity matches 'warning'")), nil},
		"drops":                      {ruled(rule("bin", `{"drop_event":true}`)), []string{"suppressed! rule bin"}},
		"resolves":                   {ruled(rule("end", `{"event_action":"resolve"}`)), []string{"suppressed! rule end"}},
		"triggers":                   {ruled(rule("go", `{"event_action":"trigger","priority":"P1","annotate":"x","suppress":false,"suspend":null,"automation_actions":[]}`)), nil},
		"suspends long":              {ruled(rule("wait", `{"suspend":300}`)), []string{"delayed! rule wait of the service's event orchestration suspends events for 5m0s"}},
		"suspends shortly":           {ruled(rule("wait", `{"suspend":60}`)), []string{"delayed rule wait"}},
		"suspends some":              {ruled(rule("wait", `{"suspend":300}`, host)), []string{"delayed rule wait"}},
		"another policy":             {ruled(rule("give", `{"escalation_policy":"POTHER"}`)), []string{"assigned_not_notified! rule give"}},
		"the same policy":            {ruled(rule("give", `{"escalation_policy":"PEP"}`)), nil},
		"a new key":                  {ruled(rule("key", `{"extractions":[{"target":"event.dedup_key","template":"x"},{"target":"event.summary","template":"y"}]}`)), []string{"no_incident! rule key", "unread rule key"}},
		"severity, constant urgency": {ruled(rule("calm", `{"severity":"info"}`)), nil},
		"severity, urgency by it":    {ruled(rule("calm", `{"severity":"info"}`)).with("/services/PORDERS", severe), []string{"low_urgency! rule calm", "low_urgency the urgency follows"}},
		"webhook":                    {ruled(rule("fix", `{"automation_actions":[{"name":"restart","auto_send":true}]}`)), []string{`automation_fires! rule fix of the service's event orchestration sets webhook "restart" off`}},
		"webhook by hand":            {ruled(rule("fix", `{"automation_actions":[{"name":"restart","auto_send":false}]}`)), nil},
		"automation action":          {ruled(rule("fix", `{"pagerduty_automation_actions":[{"action_id":"A1"}]}`, host)), []string{"automation_fires rule fix"}},
		"disabled, would route":      {ruled(disabled(`{"escalation_policy":"PX"}`)), []string{"rule_disabled rule off"}},
		"disabled, would raise":      {ruled(disabled(`{"severity":"critical"}`)).with("/services/PORDERS", severe), []string{"low_urgency the urgency", "rule_disabled rule off"}},
		"disabled, would swallow":    {ruled(disabled(`{"suppress":true,"severity":"info"}`)), nil},
		"after one that takes all":   {ruled(rule("first", `{}`) + "," + rule("mute", `{"suppress":true}`)), nil},
		"after one that takes some":  {ruled(rule("first", `{}`, host) + "," + rule("mute", `{"suppress":true}`)), []string{"suppressed rule mute"}},
		"in another set":             {ruled(rule("on", `{"route_to":"s2"}`), `,{"id":"s2","rules":[`+rule("mute", `{"suppress":true}`)+`]}]`), []string{"suppressed! rule mute"}},
		"in a set nobody gets to":    {ruled(rule("on", `{}`), `,{"id":"s2","rules":[`+rule("mute", `{"suppress":true}`)+`]}]`), nil},
		"in a circle":                {ruled(rule("on", `{"route_to":"start"}`), `]`), nil},
		"the catch-all":              {ruled(rule("some", `{}`, host), `],"catch_all":{"actions":{"suppress":true}}`), []string{"suppressed what no rule of the service's event orchestration takes"}},
		"the catch-all alone":        {ruled("", `],"catch_all":{"actions":{"suppress":true}}`), []string{"suppressed! what no rule"}},
		"catch-all after a set":      {ruled(rule("on", `{"route_to":"s2"}`), `,{"id":"s2","rules":[]}],"catch_all":{"actions":{"suppress":true}}`), []string{"suppressed what no rule"}},
		"orchestration forbidden":    {shelves{orderState: "403"}, []string{"unread the service's event orchestration could not be looked at (403"}},
		"not in the plan":            {shelves{"/alert_grouping_settings": "402", "/incident_workflows/triggers": "404"}, []string{"unread alert grouping could not", "unread incident workflows could not"}},
		"rules forbidden":            {shelves{"/users/PONE/notification_rules": "403"}, []string{"unread how One is notified could not"}},
	} {
		t.Run(name, func(t *testing.T) { wantRisks(t, c.s, c.want) })
	}
}

// wantRisks compares the beginnings.
func wantRisks(t *testing.T, s shelves, want []string) {
	t.Helper()
	got, check, f := s.risks(t)
	short := slices.Clone(got)
	for i := range short {
		if i < len(want) && strings.HasPrefix(short[i], want[i]) {
			short[i] = want[i]
		}
	}
	if differ := diff.Diff(want, short); differ != "" {
		t.Errorf("-want +got:\n%s", differ)
	}
	if f.count() > checkCalls {
		t.Errorf("%d calls", f.count())
	}
	refusing := 0
	for _, r := range check.Risks {
		if r.Refuses {
			refusing++
		}
	}
	if refusing != len(check.Problems) {
		t.Errorf("%d risks refuse, and the problems are %q", refusing, check.Problems)
	}
}

func TestCheckOfAlertGrouping(t *testing.T) {
	grouped := func(how, open string) shelves {
		return shelves{
			"/alert_grouping_settings": `{"alert_grouping_settings":[{"type":"` + how + `","services":[{"id":"PORDERS"},{"id":"PWEB"}]}]}`,
			"/incidents":               `{"incidents":[` + open + `]}`,
		}
	}
	there := incident("PINC", "PWEB", "2026-11-22T10:00:00Z")
	for name, c := range map[string]struct {
		s    shelves
		want []string
	}{
		"by time, one open": {grouped("time", there), []string{"merged_into_other! alerts are grouped (time), and this is open: t (PWEB)"}},
		"by time, long since": {grouped("time", there).with("/alert_grouping_settings", `{"alert_grouping_settings":[{"type":"time","config":{"timeout":3600},"services":[{"id":"PORDERS"},{"id":"PWEB"}]}]}`),
			[]string{"merged_into_other alerts are grouped (time), and this is open"}},
		"by content, one open":    {grouped("content_based", there), []string{"merged_into_other alerts are grouped (content_based), and this is open: t (PWEB)"}},
		"nothing open":            {grouped("intelligent", ""), []string{"merged_into_other alerts are grouped (intelligent): the page may join"}},
		"a stranger's open":       {grouped("time", incident("PINC", "PX", "2026-11-22T10:00:00Z")), []string{"merged_into_other alerts are grouped (time): the page may join"}},
		"another service's group": {shelves{"/alert_grouping_settings": `{"alert_grouping_settings":[{"type":"time","services":[{"id":"PWEB"}]}]}`}, nil},
	} {
		t.Run(name, func(t *testing.T) { wantRisks(t, c.s, c.want) })
	}
	_, _, f := grouped("time", "").risks(t)
	for _, c := range f.calls {
		if strings.HasSuffix(c.Path, "/incidents") && !slices.Equal(c.Query["service_ids[]"], []string{"PORDERS", "PWEB"}) {
			t.Errorf("asked for incidents of %v", c.Query)
		}
	}
}

func TestCheckOfWorkflows(t *testing.T) {
	trigger := func(fields string) shelves {
		return shelves{"/incident_workflows/triggers": `{"triggers":[{"workflow_name":"Tell everybody","services":[{"id":"PORDERS"}],` + fields + `}]}`}
	}
	for name, c := range map[string]struct {
		s    shelves
		want []string
	}{
		"with every incident": {trigger(`"trigger_type":"conditional","condition":null`), []string{"automation_fires! incident workflow Tell everybody starts with every"}},
		"with high urgency":   {trigger(`"trigger_type":"conditional","condition":"incident.urgency matches 'high'"`), []string{"automation_fires! incident workflow Tell"}},
		"with a priority":     {trigger(`"trigger_type":"conditional","condition":"incident.priority matches 'P1'"`), []string{"automation_fires incident workflow Tell everybody starts when incident.priority matches 'P1'"}},
		"with a type":         {trigger(`"trigger_type":"incident_type"`), []string{"automation_fires incident workflow"}},
		"by hand":             {trigger(`"trigger_type":"manual"`), nil},
		"disabled":            {trigger(`"trigger_type":"conditional","is_disabled":true`), nil},
		"of another service":  {trigger(`"trigger_type":"conditional","services":[{"id":"PWEB"}]`), nil},
		"of all services":     {trigger(`"trigger_type":"conditional","services":[],"is_subscribed_to_all_services":true`), []string{"automation_fires! incident workflow"}},
		"more than one page":  {shelves{"/incident_workflows/triggers": `{"triggers":[],"more":true}`}, []string{"unread there are more"}},
	} {
		t.Run(name, func(t *testing.T) { wantRisks(t, c.s, c.want) })
	}
}

func TestCheckOfPeoplesOwnRules(t *testing.T) {
	with := func(one string) shelves {
		return shelves{"/users/PONE/notification_rules": `{"notification_rules":[` + one + `]}`}
	}
	both := `{"oncalls":[{"user":{"id":"PONE","name":"One"},"escalation_policy":{"id":"PEP"},"escalation_level":1},{"user":{"id":"PTWO","name":"Two"},"escalation_policy":{"id":"PEP"},"escalation_level":1}]}`
	third := strings.Replace(both, `]}`, `,{"user":{"id":"PZZZ","name":"ann@example.com"},"escalation_policy":{"id":"PEP"},"escalation_level":1}]}`, 1)
	for name, c := range map[string]struct {
		s    shelves
		want []string
	}{
		"none":                  {with(``), []string{"assigned_not_notified! One has no notification rule for high urgency"}},
		"low only":              {with(`{"urgency":"low","start_delay_in_minutes":0}`), []string{"assigned_not_notified! One has no"}},
		"after 5 minutes":       {with(`{"urgency":"high","start_delay_in_minutes":5},{"urgency":"high","start_delay_in_minutes":9}`), []string{"assigned_not_notified One is notified only 5m0s"}},
		"after half an hour":    {with(`{"urgency":"high","start_delay_in_minutes":30}`), []string{"assigned_not_notified! One is notified only 30m0s"}},
		"at once":               {with(`{"urgency":"high","start_delay_in_minutes":30},{"start_delay_in_minutes":0}`), nil},
		"disabled":              {with(`{"urgency":"high","disabled":true},{"urgency":"high"}`), []string{"rule_disabled a notification rule of One"}},
		"none, but another has": {with(``).with("/oncalls", both), []string{"assigned_not_notified One has no"}},
		"one of three":          {with(``).with("/oncalls", third).with("/users/PTWO/notification_rules", `{}`), []string{"assigned_not_notified One has no", "assigned_not_notified Two has no"}},
		"nobody at level 1":     {shelves{"/oncalls": `{"oncalls":[{"user":{"id":"PTWO"},"escalation_policy":{"id":"PEP"},"escalation_level":2}]}`}, []string{"nobody_on_call nobody is on call at level 1"}},
		"nobody at all":         {shelves{"/oncalls": `{"oncalls":[]}`}, []string{"nobody_on_call! nobody"}},
	} {
		t.Run(name, func(t *testing.T) { wantRisks(t, c.s, c.want) })
	}
	if _, got, _ := (shelves{"/oncalls": third}).risks(t); strings.Contains(jsonOf(t, got), "@example.com") {
		t.Errorf("tells an address: %+v", got)
	}
}

func TestCheckOfTheAccountsOrchestrations(t *testing.T) {
	const list = `{"orchestrations":[{"id":"O0","name":"idle","routes":0},{"id":"O1","name":"one","routes":1},{"id":"O2","name":"two","routes":3},{"id":"O3","name":"three","routes":3}]}`
	router := func(to string) string {
		return `{"orchestration_path":{"sets":[{"id":"start","rules":[{"actions":{"route_to":"` + to + `"}}]}],"catch_all":{"actions":{"route_to":"unrouted"}}}}`
	}
	drops := `{"orchestration_path":{"sets":[{"id":"start","rules":[` + rule("bin", `{"drop_event":true}`) + `]}]}}`
	s := shelves{"/event_orchestrations": list, "/event_orchestrations/O1/router": router("PWEB"), "/event_orchestrations/O2/router": router("PORDERS"), "/event_orchestrations/O2/global": drops}
	wantRisks(t, s, []string{"suppressed rule bin of event orchestration two"}) // their alarms' way, not ours: told
	s = shelves{"/event_orchestrations": list, "/event_orchestrations/O1/router": router("PWEB"), "/event_orchestrations/O2/router": "403"}
	wantRisks(t, s, []string{"unread the router of event orchestration two", "unread the account has more"})
	off := strings.Replace(router("PORDERS"), `{"actions"`, `{"disabled":true,"actions"`, 1)
	s = shelves{"/event_orchestrations": list, "/event_orchestrations/O1/router": off, "/event_orchestrations/O2/router": router("PWEB")}
	wantRisks(t, s, []string{"rule_disabled a rule of event orchestration one", "unread the account has more"})
}

// Whatever there is to look at, a check asks one question after another, and not many.
func TestACheckCostsLittle(t *testing.T) {
	s := ruled(rule("x", `{}`))
	s["/alert_grouping_settings"] = `{"alert_grouping_settings":[{"type":"time","services":[{"id":"PORDERS"}]}]}`
	s["/event_orchestrations"] = `{"orchestrations":[{"id":"O1","routes":1},{"id":"O2","routes":1},{"id":"O3","routes":1}]}`
	s["/event_orchestrations/O1/router"] = `{}`
	s["/event_orchestrations/O2/router"] = `{"orchestration_path":{"catch_all":{"actions":{"route_to":"PORDERS"}}}}`
	s["/event_orchestrations/O2/global"] = `{}`
	var many []string
	for n := range 9 {
		many = append(many, fmt.Sprintf(`{"user":{"id":"PONE%d"},"escalation_policy":{"id":"PEP"},"escalation_level":1}`, n))
		s[fmt.Sprintf("/users/PONE%d/notification_rules", n)] = `{"notification_rules":[{"urgency":"high"}]}`
	}
	s["/oncalls"] = `{"oncalls":[` + strings.Join(many, ",") + `]}`
	_, _, f := s.risks(t)
	if f.count() != checkCalls {
		t.Errorf("%d calls, and %d are the most there can be", f.count(), checkCalls)
	}
	for _, c := range f.calls {
		if c.Method != http.MethodGet {
			t.Errorf("%s %s: a check only reads", c.Method, c.Path)
		}
	}
}

func TestACheckThatMeetsTroubleIsAnError(t *testing.T) {
	for _, broken := range []string{orderState, "/alert_grouping_settings", "/incident_workflows/triggers", "/event_orchestrations", "/users/PONE/notification_rules"} {
		p, _ := newFake(t, shelves{broken: "500"}.ServeHTTP)
		if _, err := p.Check(t.Context(), "PORDERS"); err == nil || !strings.Contains(err.Error(), "in trouble") {
			t.Errorf("%s: %v", broken, err)
		}
	}
}

func TestMaintenanceAndSupportHoursAhead(t *testing.T) {
	soon := `{"maintenance_windows":[{"id":"PM2","description":"late","start_time":"2026-11-22T17:00:00Z","end_time":"2026-11-22T18:00:00Z","services":[{"id":"PORDERS"}]},
		{"id":"PM1","description":"deploy","start_time":"2026-11-22T12:30:00Z","end_time":"2026-11-22T13:00:00Z","services":[{"id":"PORDERS"}]}]}`
	_, got, _ := shelves{"/maintenance_windows": soon}.risks(t)
	if !got.Window.Equal(time.Date(2026, 11, 22, 12, 30, 0, 0, time.UTC)) || len(got.Maintenance) != 2 || len(got.Problems) != 0 {
		t.Errorf("%+v", got)
	}
	hours := `{"service":{"id":"PORDERS","status":"active","escalation_policy":{"id":"PEP"},"incident_urgency_rule":{"type":"use_support_hours","during_support_hours":{"urgency":"high"},"outside_support_hours":{"urgency":"low"}},
		"support_hours":{"time_zone":"UTC","start_time":"09:00:00","end_time":"13:30:00","days_of_week":[7]}}}`
	wantRisks(t, shelves{"/services/PORDERS": hours}, []string{"low_urgency support hours end by 2026-11-22T13:30:00Z"})
	wantRisks(t, shelves{"/services/PORDERS": strings.Replace(hours, "13:30", "17:30", 1)}, nil)
}
