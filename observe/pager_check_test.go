package observe

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// books is what a pager says of one service.
type books struct{ service, windows, oncalls string }

const (
	fineService = `{"id":"PORDERS","name":"Orders (staging)","status":"active","html_url":"https://x/PORDERS","escalation_policy":{"id":"PEP"},"incident_urgency_rule":{"type":"constant","urgency":"high"},"auto_pause_notifications_parameters":{"enabled":false,"timeout":null},"support_hours":null}`
	fineOnCall  = `{"user":{"id":"PTWO","name":"Two"},"escalation_policy":{"id":"PEP"},"escalation_level":2,"schedule":null,"start":null,"end":null},{"user":{"id":"PONE","summary":"One"},"escalation_policy":{"id":"PEP"},"escalation_level":1}`
)

func (b books) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimPrefix(r.URL.Path, "/pagerduty") {
	case "/services/PORDERS":
		reply(w, 200, `{"service":`+b.service+`}`)
	case "/maintenance_windows":
		reply(w, 200, `{"maintenance_windows":[`+b.windows+`]}`)
	case "/oncalls":
		reply(w, 200, `{"oncalls":[`+b.oncalls+`]}`)
	default:
		reply(w, 404, `{}`)
	}
}

// checked checks the service at a Sunday noon in UTC.
func (b books) checked(t *testing.T) (ServiceCheck, *fakePager) {
	t.Helper()
	p, f := newFake(t, b.ServeHTTP)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p.now = func() time.Time { return now }
	p.wire.now = p.now
	got, err := p.Check(t.Context(), "PORDERS")
	if err != nil {
		t.Fatal(err)
	}
	return got, f
}

func TestCheckOfAServiceThatWillBeHeard(t *testing.T) {
	got, f := books{fineService, "", fineOnCall}.checked(t)
	if len(got.Problems) != 0 || got.Name != "Orders (staging)" || got.Urgency != "high" || got.Status != "active" {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(got.OnCall, []OnCall{{"PONE", "One", 1}, {"PTWO", "Two", 2}}) {
		t.Errorf("on call: %+v", got.OnCall)
	}
	if !slices.ContainsFunc(got.Unknown, func(s string) bool { return strings.Contains(s, "orchestration") }) {
		t.Errorf("orchestration is not left unknown: %v", got.Unknown)
	}
	for _, c := range f.calls {
		if c.Method != http.MethodGet {
			t.Errorf("%s %s: a check only reads", c.Method, c.Path)
		}
	}
}

func TestCheckFindsWhatSwallowsAPage(t *testing.T) {
	swap := func(old, new string) string {
		s := strings.Replace(fineService, old, new, 1)
		if s == fineService {
			t.Fatalf("%s is not in the service", old)
		}
		return s
	}
	window := func(from, to, service string) string {
		return `{"id":"PM","description":"upgrade","start_time":"` + from + `","end_time":"` + to + `","services":[{"id":"` + service + `"}]}`
	}
	hours := func(rule string) string {
		return swap(`"incident_urgency_rule":{"type":"constant","urgency":"high"}`, `"incident_urgency_rule":`+rule) // Sunday, 13:00 in Berlin
	}
	support := `{"type":"use_support_hours","during_support_hours":{"type":"constant","urgency":"high"},"outside_support_hours":{"type":"constant","urgency":"low"}}`
	for name, c := range map[string]struct {
		books books
		want  string // "" is no problem
	}{
		"disabled":          {books{swap(`"active"`, `"disabled"`), "", fineOnCall}, "disabled"},
		"in maintenance":    {books{swap(`"active"`, `"maintenance"`), "", fineOnCall}, "maintenance"},
		"odd status":        {books{swap(`"active"`, `"asleep"`), "", fineOnCall}, "unknown to us"},
		"low":               {books{swap(`"urgency":"high"`, `"urgency":"low"`), "", fineOnCall}, "low urgency"},
		"paused":            {books{swap(`"enabled":false,"timeout":null`, `"enabled":true,"timeout":300`), "", fineOnCall}, "300s"},
		"nobody":            {books{fineService, "", ""}, "nobody is on call"},
		"others on call":    {books{fineService, "", strings.ReplaceAll(fineOnCall, `"PEP"`, `"PEPX"`)}, "nobody is on call"},
		"no policy":         {books{swap(`"escalation_policy":{"id":"PEP"},`, ``), "", fineOnCall}, "no escalation policy"},
		"window on":         {books{fineService, window("2026-11-22T13:00:00+02:00", "2026-11-22T13:00:00Z", "PORDERS"), fineOnCall}, "maintenance window is on"},
		"window soon":       {books{fineService, window("2026-11-22T15:00:00Z", "2026-11-22T16:00:00Z", "PORDERS"), fineOnCall}, ""},
		"another's window":  {books{fineService, window("2026-11-22T11:00:00Z", "2026-11-22T13:00:00Z", "PWEB"), fineOnCall}, ""},
		"support hours off": {books{strings.Replace(hours(support), `"support_hours":null`, `"support_hours":{"type":"fixed_time_per_day","time_zone":"Europe/Berlin","start_time":"09:00:00","end_time":"17:00:00","days_of_week":[1,2,3,4,5]}`, 1), "", fineOnCall}, "low urgency"},
		"support hours on":  {books{strings.Replace(hours(support), `"support_hours":null`, `"support_hours":{"type":"fixed_time_per_day","time_zone":"Europe/Berlin","start_time":"09:00:00","end_time":"17:00:00","days_of_week":[7]}`, 1), "", fineOnCall}, ""},
		"hours unreadable":  {books{hours(support), "", fineOnCall}, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := c.books.checked(t)
			if c.want == "" && len(got.Problems) != 0 || c.want != "" && !slices.ContainsFunc(got.Problems, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("problems %q, want %q", got.Problems, c.want)
			}
			if wantWindow := strings.HasPrefix(name, "window"); wantWindow != (len(got.Maintenance) > 0) {
				t.Errorf("maintenance %q", got.Maintenance)
			}
		})
	}
}

func TestCheckFailsClosed(t *testing.T) {
	for _, broken := range []string{"/services/PORDERS", "/maintenance_windows", "/oncalls"} {
		p, _ := newFake(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, broken) {
				reply(w, 403, `{"error":{"message":"Forbidden"}}`)
				return
			}
			books{fineService, "", fineOnCall}.ServeHTTP(w, r)
		})
		if got, err := p.Check(t.Context(), "PORDERS"); err == nil || got.Problems != nil {
			t.Errorf("%s forbidden: %+v, %v", broken, got, err)
		}
	}
	p, _ := newFake(t, books{strings.Replace(fineService, `"PORDERS"`, `"PWEB"`, 1), "", fineOnCall}.ServeHTTP)
	if _, err := p.Check(t.Context(), "PORDERS"); err == nil {
		t.Error("took the answer about another service")
	}
}
