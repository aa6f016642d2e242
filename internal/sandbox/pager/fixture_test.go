package pager

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PagerDuty/go-pagerduty"
)

const (
	ourKey   = "0123456789abcdef0123456789abcdef"
	otherKey = "fedcba9876543210fedcba9876543210"
	cwKey    = "c10dc10dc10dc10dc10dc10dc10dc10d"
	token    = "account-token"
)

// clock stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// desk is a pager behind a server, with one service, two levels and a clock in the test's hand.
type desk struct {
	t     *testing.T
	p     *Pager
	clock *clock
	srv   *httptest.Server
	pd    *pagerduty.Client
}

func newDesk(t *testing.T, change ...func(o *Options)) *desk {
	t.Helper()
	c := &clock{now: time.Date(2026, 11, 23, 10, 0, 0, 700e6, time.UTC)}
	o := Options{Now: c.Now, Seed: 7, URL: "http://pager.invalid", Account: Account{
		Users: []User{
			{ID: "PRESP01", Name: "First Responder", Email: "first@example.invalid",
				Contacts: []Contact{{Type: "push"}, {Type: "sms", Address: "+353 1 555 0101"}}},
			{ID: "PRESP02", Name: "Second Responder", Email: "second@example.invalid", Contacts: []Contact{{Type: "push"}}},
			{ID: "PBOT", Name: "Drills", Email: "drills@example.invalid"},
		},
		Policies: []Policy{
			{ID: "PEPORD", Name: "Orders", Levels: [][]string{{"PRESP01"}, {"PRESP02"}}},
			{ID: "PEPNONE", Name: "Nobody", Levels: [][]string{{}}},
		},
		Services: []Service{
			{ID: "PORDERS", Name: "Orders (staging)", Policy: "PEPORD", Integrations: []Integration{
				{ID: "PIOURS", Name: "firedrill", Type: EventsV2, Key: ourKey},
				{ID: "PIOTHER", Name: "other", Type: EventsV2, Key: otherKey},
				{ID: "PICW", Name: "CloudWatch", Type: CloudWatch, Key: cwKey},
			}},
			{ID: "PNOBODY", Name: "Unattended", Policy: "PEPNONE", Integrations: []Integration{
				{ID: "PINONE", Name: "none", Type: EventsV2, Key: strings.Repeat("9", 32)}}},
		},
		Tokens:    []Token{{Value: token}, {Value: "user-token", User: "PRESP01"}, {Value: "read-token", ReadOnly: true}},
		Abilities: []string{"teams"},
	}}
	for _, f := range change {
		f(&o)
	}
	p := New(o)
	mux := http.NewServeMux()
	mux.Handle("/", p)
	mux.Handle("/back/", http.StripPrefix("/back", p.Backstage()))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	pd := pagerduty.NewClient(token, pagerduty.WithAPIEndpoint(srv.URL+"/pagerduty"),
		pagerduty.WithV2EventsAPIEndpoint(srv.URL+"/events"))
	return &desk{t: t, p: p, clock: c, srv: srv, pd: pd}
}

// pass lets time pass in steps, as work comes due.
func (d *desk) pass(total time.Duration) {
	d.t.Helper()
	const step = 50 * time.Millisecond
	for ; total > 0; total -= step {
		d.clock.add(min(step, total))
		d.p.work()
	}
}

// call sends JSON and reads JSON; out may be nil.
func (d *desk) call(method, path, body string, out any, headers ...string) int {
	d.t.Helper()
	res, b := d.raw(method, path, body, headers...)
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			d.t.Fatalf("%s %s: %v in %s", method, path, err, b)
		}
	}
	return res.StatusCode
}

func (d *desk) raw(method, path, body string, headers ...string) (*http.Response, []byte) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.srv.URL+path, bytes.NewBufferString(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token token="+token)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res, b
}

// send enqueues an event and wants it accepted.
func (d *desk) send(key, action, dedup string) {
	d.t.Helper()
	body := `{"routing_key":"` + key + `","event_action":"` + action + `","dedup_key":"` + dedup +
		`","client":"firedrill","payload":{"summary":"[DRILL] writes","source":"test","severity":"critical","custom_details":{"n":1}}}`
	if got := d.call("POST", "/events/v2/enqueue", body, nil); got != http.StatusAccepted {
		d.t.Fatalf("enqueue: %d", got)
	}
}

// opened sends a trigger and waits for its incident.
func (d *desk) opened(key, dedup string) pagerduty.Incident {
	d.t.Helper()
	before := len(d.all())
	d.send(key, "trigger", dedup)
	d.pass(2 * time.Second)
	is := d.all()
	if len(is) != before+1 {
		d.t.Fatalf("got %d incidents, want %d", len(is), before+1)
	}
	return is[len(is)-1]
}

func (d *desk) all() []pagerduty.Incident {
	d.t.Helper()
	r, err := d.pd.ListIncidentsWithContext(d.t.Context(), pagerduty.ListIncidentsOptions{Limit: 100})
	if err != nil {
		d.t.Fatal(err)
	}
	return r.Incidents
}

func (d *desk) incident(id string) pagerduty.Incident {
	d.t.Helper()
	i, err := d.pd.GetIncidentWithContext(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return *i
}

// entries lists the log as go-pagerduty reads it.
func (d *desk) entries(id string) []pagerduty.LogEntry {
	d.t.Helper()
	r, err := d.pd.ListIncidentLogEntriesWithContext(d.t.Context(), id, pagerduty.ListIncidentLogEntriesOptions{
		Limit: 100, Includes: []string{"channels"}, TimeZone: "UTC"})
	if err != nil {
		d.t.Fatal(err)
	}
	return r.LogEntries
}

func (d *desk) kinds(id string) map[string]int {
	d.t.Helper()
	n := map[string]int{}
	for _, e := range d.entries(id) {
		n[strings.TrimSuffix(e.Type, "_log_entry")]++
	}
	return n
}

func (d *desk) knob(body string) string {
	d.t.Helper()
	var k knob
	if got := d.call("POST", "/back/knobs", body, &k); got != http.StatusCreated {
		d.t.Fatalf("knob %s: %d", body, got)
	}
	return k.ID
}

func (d *desk) phone(user, action, id, content string) int {
	d.t.Helper()
	return d.call("POST", "/app/"+user+"/"+action, `{"incident":"`+id+`","content":"`+content+`"}`, nil)
}

// outcomes are what became of the events, as the truth tells it.
func (d *desk) outcomes() []string {
	d.t.Helper()
	var tr truth
	d.call("GET", "/back/truth", "", &tr)
	var out []string
	for _, e := range tr.Events {
		out = append(out, e.Outcome)
	}
	return out
}
