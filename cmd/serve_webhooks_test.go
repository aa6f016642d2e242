package cmd

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

const hookSecret = "a-secret-that-both-know"

// paged plans a run whose page is the key firedrill/<run> on the service PORDERS.
func paged(t *testing.T, store journal.Store, run, env string) {
	t.Helper()
	p := &drills.Plan{V: drills.PlanVersion, Run: run, Drill: "orders", Environment: env, Page: drills.PlannedPage{When: "direct", Service: "PORDERS", Title: "[DRILL] Orders"}}
	e, err := p.Planned(time.Now(), journal.Brief{Drill: p.Drill, Environment: env, Team: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	b := journal.Batch{Action: "plan", Events: []journal.Event{e}}
	if _, _, err := journal.Record(t.Context(), store, journal.Position{Run: run, After: journal.Start}, b); err != nil {
		t.Fatal(err)
	}
}

// webhookOf is the body of a V3 webhook about the page of a run.
func webhookOf(id, kind, run string, at time.Time) []byte {
	return fmt.Appendf(nil, `{"event":{"id":%q,"event_type":%q,"resource_type":"incident","occurred_at":%q,"agent":{"id":"PADA","type":"user_reference","summary":"Ada"},
"client":{"name":"PagerDuty"},"data":{"id":"PINC1","type":"incident","title":"[DRILL] Orders","status":"triggered","urgency":"high","incident_key":"firedrill/%s",
"created_at":%q,"service":{"id":"PORDERS","type":"service_reference"}}}}`, id, kind, at.UTC().Format("2006-01-02T15:04:05.000Z"), run, at.UTC().Format(time.RFC3339))
}

func signatureOf(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return "v1=" + hex.EncodeToString(m.Sum(nil))
}

// deliver posts a webhook and returns the status.
func deliver(t *testing.T, url, signature string, body []byte) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-PagerDuty-Signature", signature)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return res.StatusCode
}

// doorOf serves webhooks of staging into a store.
func doorOf(t *testing.T, d *desk, store journal.Store) *httptest.Server {
	t.Helper()
	door, err := drills.NewWebhooks(store, &drills.Environment{Name: "staging"}, []string{hookSecret}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(d.handlerWith(store, newWebhooks(door, d.Err)))
	t.Cleanup(s.Close)
	return s
}

func incidentsOf(t *testing.T, store journal.Store, run string) (events []journal.Event) {
	t.Helper()
	all, err := store.Load(t.Context(), run, journal.Start)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e journal.Event) bool { return e.Fact.Incident == "" })
}

// TestWebhooksAreAnswered: each in the way that makes PagerDuty do the right thing next, and counted.
func TestWebhooksAreAnswered(t *testing.T) {
	d := newDesk(t)
	store, err := d.store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	paged(t, store, "01kaaa", "staging")
	s := doorOf(t, d, store)
	now := time.Now()
	good := webhookOf("e1", "incident.triggered", "01kaaa", now)
	foreign := bytes.ReplaceAll(webhookOf("e2", "incident.triggered", "01kzzz", now), []byte("PORDERS"), []byte("POTHER"))
	old := webhookOf("e3", "incident.triggered", "01kaaa", now.Add(-49*time.Hour))
	odd, long := []byte(`{"event":7}`), bytes.Repeat([]byte(" "), drills.WebhookLimit+1)
	for _, c := range []struct {
		name, signature string
		body            []byte
		want            int
	}{
		{"ours", signatureOf(hookSecret, good), good, 202},
		{"again", signatureOf(hookSecret, good), good, 202},
		{"nobody's drill", signatureOf(hookSecret, foreign), foreign, 202},
		{"a replay", signatureOf(hookSecret, old), old, 202}, // a 4xx would turn the subscription off where our clock is wrong
		{"a stranger's", signatureOf("guess", good), good, 401},
		{"signed with an empty secret", signatureOf("", good), good, 401},
		{"not signed", "", good, 401},
		{"no webhook", signatureOf(hookSecret, odd), odd, 400},
		{"too long", signatureOf(hookSecret, long), long, 413},
	} {
		if got := deliver(t, s.URL+webhookPath, c.signature, c.body); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if events := incidentsOf(t, store, "01kaaa"); len(events) != 1 || events[0].Kind != journal.IncidentOpened {
		t.Errorf("%d events", len(events))
	}
	for path, want := range map[string]int{webhookPath: 405, "/webhooks/other": 404} {
		res, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != want {
			t.Errorf("GET %s: %d", path, res.StatusCode)
		}
	}
	res, err := http.Get(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	metrics, _ := io.ReadAll(res.Body)
	for result, n := range map[string]int{"recorded": 1, "duplicate": 1, "other": 1, "time": 1, "unsigned": 3, "malformed": 1, "too_long": 1, "failed": 0} {
		if want := fmt.Sprintf("firedrill_webhooks_received_total{result=%q} %d\n", result, n); !strings.Contains(string(metrics), want) {
			t.Errorf("no %s", want)
		}
	}
	if n := strings.Count(d.err.String(), "(unsigned)"); n != 1 || strings.Contains(d.err.String(), "v1=") {
		t.Errorf("strangers are told of %d times in\n%s", n, d.err.String())
	}
}

// TestWebhooksWithoutAJournal are asked for again.
func TestWebhooksWithoutAJournal(t *testing.T) {
	d, store := newDesk(t), journal.NewMemory()
	paged(t, store, "01kaaa", "staging")
	s := doorOf(t, d, store)
	body := webhookOf("e1", "incident.triggered", "01kaaa", time.Now())
	store.Lose(errors.New("read /secret/path: no such disk"))
	if got := deliver(t, s.URL+webhookPath, signatureOf(hookSecret, body), body); got != 503 {
		t.Errorf("%d", got)
	}
	store.Lose(nil)
	if got := deliver(t, s.URL+webhookPath, signatureOf(hookSecret, body), body); got != 202 || len(incidentsOf(t, store, "01kaaa")) != 1 {
		t.Errorf("%d", got)
	}
}

// TestWebhookLatency: what is sent stands in the journal, durably, within milliseconds, as another process reads it.
func TestWebhookLatency(t *testing.T) {
	d := newDesk(t)
	store, err := d.store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	reader, err := d.reading(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	paged(t, store, "01kaaa", "staging")
	s := doorOf(t, d, store)
	const n = 200
	var took []time.Duration
	for i := range n {
		sent := time.Now()
		body := webhookOf(fmt.Sprint("e", i), "incident.acknowledged", "01kaaa", sent)
		if got := deliver(t, s.URL+webhookPath, signatureOf(hookSecret, body), body); got != 202 {
			t.Fatalf("%d", got)
		}
		took = append(took, time.Since(sent))
	}
	events := incidentsOf(t, reader, "01kaaa")
	if len(events) != n+1 {
		t.Fatalf("%d of %d", len(events), n+1)
	}
	slices.Sort(took)
	t.Logf("webhook sent → in the journal: p50 %s, p95 %s, max %s over %d", took[n/2], took[n*95/100], took[n-1], n)
	if took[n/2] > 200*time.Millisecond {
		t.Errorf("p50 %s", took[n/2])
	}
	for _, e := range events[1:] {
		if e.Seen.ErrorS != 0.0005 || e.Seen.At.Nanosecond()%int(time.Millisecond) != 0 || e.At.Sub(e.Seen.At) < 0 {
			t.Fatalf("%+v at %s", e.Seen, e.At)
		}
	}
}

// lines is what a command prints, readable while it runs.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const hookConfig = `environments:
  staging:
    aws: {account: "111122223333", regions: [eu-west-1]}
    tags: {environment: staging, firedrill: allowed}
    window: {days: mon-fri, hours: "10:00-16:00", zone: Europe/Berlin}
    pagerduty: {region: eu, token: "env:PD_TOKEN", from: drills@example.com, webhook_secrets: ["env:HOOK_NEW", "env:HOOK_OLD"]}
    owner: {key: "env:OWNER_KEY"}
    teams: {orders: {service: PORDERS, key: "env:ORDERS_KEY"}}
`

// TestServeTakesWebhooksOfAnEnvironment: the verb itself, with two secrets while one replaces the other.
func TestServeTakesWebhooksOfAnEnvironment(t *testing.T) {
	d := newDesk(t)
	var out, notices lines
	d.Out, d.Err = &out, &notices
	if err := os.WriteFile(filepath.Join(d.Dir, "firedrill.yaml"), []byte(hookConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	d.env["HOOK_NEW"], d.env["HOOK_OLD"] = "the-new-secret", "the-old-secret"
	d.config = filepath.Join(d.Dir, "firedrill.yaml")
	ctx, stop := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() {
		code <- Run(ctx, d.Deps, []string{"serve", "--webhooks", "--listen", "127.0.0.1:0", "--config", d.config})
	}()
	address := regexp.MustCompile(`taking webhooks at (http://\S+)`)
	var url string
	for end := time.Now().Add(20 * time.Second); url == ""; time.Sleep(10 * time.Millisecond) {
		if m := address.FindStringSubmatch(out.String()); m != nil {
			url = m[1]
		} else if time.Now().After(end) {
			t.Fatalf("no address in %q %q", out.String(), notices.String())
		}
	}
	store, err := d.store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	paged(t, store, "01kaaa", "staging")
	for i, secret := range []string{"the-new-secret", "the-old-secret"} {
		body := webhookOf(fmt.Sprint("e", i), "incident.acknowledged", "01kaaa", time.Now())
		if got := deliver(t, url, signatureOf(secret, body), body); got != 202 {
			t.Errorf("%s: %d", secret, got)
		}
	}
	if n := len(incidentsOf(t, store, "01kaaa")); n != 3 {
		t.Errorf("%d events", n)
	}
	stop()
	if got := <-code; got != 0 {
		t.Errorf("exit code %d: %s", got, notices.String())
	}
	how := notices.String()
	for _, want := range []string{"https://api.eu.pagerduty.com/webhook_subscriptions", "incident.acknowledged", "$PAGERDUTY_TOKEN"} {
		if !strings.Contains(how, want) {
			t.Errorf("no %s in\n%s", want, how)
		}
	}
	if all := how + out.String(); strings.Contains(all, "-secret\"") || strings.Contains(all, "the-new-secret") {
		t.Error("a secret is told")
	}
}

// TestServeWebhooksNeedASecret: without one anybody could write into the journal.
func TestServeWebhooksNeedASecret(t *testing.T) {
	for name, c := range map[string]struct {
		config, old, want string
	}{
		"none":     {strings.Replace(hookConfig, `, webhook_secrets: ["env:HOOK_NEW", "env:HOOK_OLD"]`, "", 1), "x", "no pagerduty.webhook_secrets"},
		"an empty": {hookConfig, "", "HOOK_OLD"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			path := filepath.Join(t.TempDir(), "firedrill.yaml")
			if err := os.WriteFile(path, []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			d.env["HOOK_NEW"], d.env["HOOK_OLD"] = "the-new-secret", c.old
			if code := d.run(t, "serve", "--webhooks", "--listen", "127.0.0.1:0", "--config", path); code != 1 || !strings.Contains(d.err.String(), c.want) {
				t.Errorf("%d %s", code, d.err.String())
			}
		})
	}
}

// TestSubscriptionIsWhatPagerDutyDocuments: the names of its API, and no secret of ours.
func TestSubscriptionIsWhatPagerDutyDocuments(t *testing.T) {
	b, err := json.Marshal(subscription("https://example.com" + webhookPath))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"type":"webhook_subscription"`, `"type":"http_delivery_method"`, `"type":"account_reference"`, `"url":"https://example.com/webhooks/pagerduty"`, `"incident.resolved"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
}
