package observe

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// nightEntry is a log entry of the night, as PagerDuty tells it.
func nightEntry(id, at, user, service, incident, urgency string) string {
	return fmt.Sprintf(`{"id":%q,"type":"notify_log_entry","created_at":%q,"user":{"id":%q,"type":"user_reference","summary":"Ann"},
		"channel":{"type":"auto","notification":{"type":"phone_notification","address":"+353 1 555 0102","status":"success"}},
		"service":{"id":%q},"incident":{"id":%q,"urgency":%q,"incident_type":{"name":"incident_default"},"service":{"id":%q}}}`,
		id, at, user, service, incident, urgency, service)
}

// nightLog is an account whose incidents have alerts of these keys.
func nightLog(t *testing.T, keys map[string]string, entries ...string) (*PagerDuty, *fakePager) {
	t.Helper()
	return newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if id, ok := strings.CutPrefix(r.URL.Path, "/pagerduty/incidents/"); ok {
			id = strings.TrimSuffix(id, "/alerts")
			if keys[id] == "" {
				reply(w, 404, `{"error":{"message":"Not Found","code":2100}}`)
				return
			}
			var alerts []string
			for i, key := range strings.Fields(keys[id]) {
				alerts = append(alerts, fmt.Sprintf(`{"id":"A%s%d","alert_key":%q}`, id, i, key))
			}
			reply(w, 200, `{"alerts":[`+strings.Join(alerts, ",")+`],"more":false}`)
			return
		}
		var told []string // the pager tells what lies between, and some of it a second early
		for _, e := range entries {
			_, at, _ := strings.Cut(e, `"created_at":"`)
			at, _, _ = strings.Cut(at, `"`)
			if since := r.URL.Query().Get("since"); at >= since && at <= r.URL.Query().Get("until") {
				told = append(told, e)
			}
		}
		reply(w, 200, `{"log_entries":[`+strings.Join(told, ",")+`],"more":false}`)
	})
}

func nightQuery() NightQuery {
	at := func(text string) time.Time { t, _ := time.Parse(time.RFC3339, text); return t }
	return NightQuery{Service: "PORDERS", People: []string{"PANN"}, Ours: "firedrill/", Type: "drill", Nights: []Night{
		{at("2026-11-21T21:00:00Z"), at("2026-11-22T06:00:00Z")}, {at("2026-11-22T21:00:00Z"), at("2026-11-23T06:00:00Z")}}}
}

func TestFindsWhomTheNightHasWoken(t *testing.T) {
	const at = "2026-11-23T02:12:07Z"
	keys := map[string]string{"PREAL": "their-monitoring", "POURS": "firedrill/01jdrun", "PBOTH": "firedrill/01jdrun db-down"}
	for name, c := range map[string]struct {
		entries []string
		want    string // at, incident
	}{
		"quiet":                           {nil, ""},
		"the team's service":              {[]string{nightEntry("R1", at, "PBEN", "PORDERS", "PREAL", "high")}, at + " PREAL"},
		"its on-call, by another service": {[]string{nightEntry("R1", at, "PANN", "PWEB", "PREAL", "high")}, at + " PREAL"},
		"somebody else":                   {[]string{nightEntry("R1", at, "PBEN", "PWEB", "PREAL", "high")}, ""},
		"low urgency":                     {[]string{nightEntry("R1", at, "PANN", "PORDERS", "PREAL", "low")}, ""},
		"an urgency that is not told":     {[]string{nightEntry("R1", at, "PANN", "PORDERS", "PREAL", "")}, at + " PREAL"},
		"our own page":                    {[]string{nightEntry("R1", at, "PANN", "PORDERS", "POURS", "high")}, ""},
		"ours joined a real one":          {[]string{nightEntry("R1", at, "PANN", "PORDERS", "PBOTH", "high")}, at + " PBOTH"},
		"a drill's, by its type": {[]string{strings.Replace(nightEntry("R1", at, "PANN", "PORDERS", "PREAL", "high"),
			"incident_default", "drill", 1)}, ""},
		"one that is gone":                 {[]string{nightEntry("R1", at, "PANN", "PORDERS", "PGONE", "high")}, at + " PGONE"},
		"a machine's":                      {[]string{nightEntry("R1", at, "PBOT", "PORDERS", "PREAL", "high")}, ""},
		"one that did not arrive":          {[]string{strings.Replace(nightEntry("R1", at, "PANN", "PORDERS", "PREAL", "high"), "success", "failed", 1)}, ""},
		"an acknowledgement alone":         {[]string{strings.Replace(nightEntry("R1", at, "PANN", "PORDERS", "PREAL", "high"), "notify_log", "acknowledge_log", 1)}, ""},
		"by day":                           {[]string{nightEntry("R1", "2026-11-22T12:00:00Z", "PANN", "PORDERS", "PREAL", "high")}, ""},
		"the night's first second":         {[]string{nightEntry("R1", "2026-11-22T21:00:00Z", "PANN", "PORDERS", "PREAL", "high")}, "2026-11-22T21:00:00Z PREAL"},
		"when the night is over":           {[]string{nightEntry("R1", "2026-11-23T06:00:00Z", "PANN", "PORDERS", "PREAL", "high")}, ""},
		"the last of several":              {[]string{nightEntry("R1", at, "PANN", "PORDERS", "PREAL", "high"), nightEntry("R2", "2026-11-23T03:00:00Z", "PANN", "PORDERS", "POURS", "high"), nightEntry("R3", "2026-11-22T23:00:00Z", "PANN", "PORDERS", "PREAL", "high")}, at + " PREAL"},
		"the night before, as ours counts": {[]string{nightEntry("R1", "2026-11-22T01:00:00Z", "PANN", "PORDERS", "PREAL", "high")}, "2026-11-22T01:00:00Z PREAL"},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := nightLog(t, keys, c.entries...)
			w, err := p.Woken(t.Context(), nightQuery())
			got := ""
			if !w.At.IsZero() {
				got = w.At.Format(time.RFC3339) + " " + w.Incident
			}
			if err != nil || got != c.want {
				t.Errorf("%q (%v), want %q", got, err, c.want)
			}
		})
	}
}

// A log that cannot be read is never a quiet night.
func TestANightThatCannotBeReadIsAnError(t *testing.T) {
	entry := nightEntry("R1", "2026-11-23T02:12:07Z", "PANN", "PORDERS", "PREAL", "high")
	for name, do := range map[string]http.HandlerFunc{
		"the log is forbidden": func(w http.ResponseWriter, _ *http.Request) { reply(w, 403, `{}`) },
		"the log is broken":    func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `<html>`) },
		"the alerts are broken": func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/alerts") {
				reply(w, 400, `{}`)
				return
			}
			reply(w, 200, `{"log_entries":[`+entry+`],"more":false}`)
		},
	} {
		p, _ := newFake(t, do)
		if w, err := p.Woken(t.Context(), nightQuery()); err == nil {
			t.Errorf("%s: %+v", name, w)
		}
	}
}

// A log with more than one question tells is read in halves, the later first; one without end is given up.
func TestReadsALongNightInHalves(t *testing.T) {
	var asked []string
	full := true
	page := strings.TrimSuffix(strings.Repeat(`{"id":"","type":"annotate_log_entry","created_at":"2026-11-23T02:00:00Z"},`, pagerPage), ",")
	p, f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("offset") == "0" {
			asked = append(asked, q.Get("since")[11:16]+"-"+q.Get("until")[11:16])
		}
		if full || q.Get("since") == "2026-11-22T21:00:00Z" && q.Get("until") == "2026-11-23T06:00:00Z" {
			reply(w, 200, `{"log_entries":[`+page+`],"more":true}`)
			return
		}
		reply(w, 200, `{"log_entries":[],"more":false}`)
	})
	q := nightQuery()
	q.Nights = q.Nights[1:]
	if w, err := p.Woken(t.Context(), q); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%+v, %v", w, err)
	}
	if n := f.count(); n > nightLooks*nightPages {
		t.Errorf("%d requests", n)
	}
	asked, full = nil, false
	if w, err := p.Woken(t.Context(), q); err != nil || !w.At.IsZero() {
		t.Errorf("%+v, %v", w, err)
	}
	if got := strings.Join(asked, " "); got != "21:00-06:00 01:30-06:00 21:00-01:30" {
		t.Error(got)
	}
}

// On the sandbox's pager: a stranger's incident wakes somebody, ours does not.
func TestNightsOnTheSandbox(t *testing.T) {
	d := newDesktop(t)
	now := time.Now()
	q := NightQuery{Service: "PORDERS", Ours: "firedrill/", Nights: []Night{{now.Add(-time.Hour), now.Add(time.Hour)}}}
	look := func() Woken {
		w, err := d.Woken(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	d.told(d.paged(testPage).ID, EntryNotified)
	if w := look(); !w.At.IsZero() {
		t.Errorf("our own page woke them: %+v", w)
	}
	d.post("/events/v2/enqueue", map[string]any{"routing_key": theirKey, "event_action": "trigger", "dedup_key": "db-down",
		"payload": map[string]any{"summary": "the database is down", "source": "db", "severity": "critical"}})
	d.told(d.found("db-down").ID, EntryNotified)
	if w := look(); w.At.IsZero() || w.Incident == "" || w.At.Before(now.Add(-2*time.Second)) {
		t.Errorf("%+v", w)
	}
}
