package conformance

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/observe"
)

const installAlertmanager = "apt-get install -y --no-install-recommends prometheus-alertmanager"

var listening = regexp.MustCompile(`msg="Listening on" address=([0-9.:]+)`)

// alertmanagerFile pages the door of the orders service that is not ours.
const alertmanagerFile = `
route:
  receiver: pager
  group_by: [alertname, service]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
  routes:
    - {matchers: ['team="web"'], group_by: [alertname]}
receivers:
  - name: pager
    pagerduty_configs:
      - {routing_key: a1e40000000000000000000000000001, url: '%s/v2/enqueue', send_resolved: true}
`

// TestAlertmanager lets a real Alertmanager page the sandbox's pager as it pages PagerDuty. Our client finds the
// page by a key that can be told beforehand, the hash of route and group, and tells its end from a person's.
func TestAlertmanager(t *testing.T) {
	program := part(t, "prometheus-alertmanager", installAlertmanager)
	version(t, program)
	s := must(sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now}))(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := s.World()
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, alertmanagerFile, w.Events), 0o600); err != nil {
		t.Fatal(err)
	}
	m := &alertmanager{address: serve(t, listening, program, "--config.file="+file, "--storage.path="+t.TempDir(),
		"--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")[1], service: w.Teams["orders"].Service, since: time.Now().Add(-time.Minute)}
	m.pager = must(observe.NewPagerDuty(observe.PagerOptions{API: w.Pager, Events: w.Events, Token: w.Token, From: w.From, Bots: []string{w.Bot}, Now: time.Now}))(t)
	for group, labels := range map[string]map[string]string{
		`{}:{alertname="OrdersFail", service="orders"}`: {"alertname": "OrdersFail", "service": "orders", "severity": "critical"},
		`{}/{team="web"}:{alertname="PageFails"}`:       {"alertname": "PageFails", "service": "web", "team": "web"},
	} {
		t.Run(labels["alertname"], func(t *testing.T) {
			t.Parallel()
			m.pages(t, fmt.Sprintf("%x", sha256.Sum256([]byte(group))), labels)
		})
	}
}

// alertmanager is a running one, and the pager that it pages as we see it.
type alertmanager struct {
	address string
	pager   observe.Pager
	service string
	since   time.Time
}

// pages fires an alert, sees it arrive under its key and reach a person, lets it end, and sees a machine resolve it.
func (m *alertmanager) pages(t *testing.T, key string, labels map[string]string) {
	began := time.Now()
	m.fire(t, labels, began.Add(time.Hour))
	i := m.await(t, key, "triggered")
	t.Logf("paged after %s", time.Since(began).Round(100*time.Millisecond))
	if len(i.Alerts) != 1 || i.Alerts[0].Integration != "PIORDMON" || i.Alerts[0].Suppressed || !strings.Contains(i.Title, labels["alertname"]) {
		t.Errorf("%+v", i)
	}
	if found := must(m.pager.Find(t.Context(), m.service, key, m.since))(t); found == nil || found.ID != i.ID {
		t.Errorf("by its key it is %+v, want %s", found, i.ID)
	}
	eventually(t.Context(), t, "somebody is notified", func() bool {
		_, notified := m.entry(t, i.ID, observe.EntryNotified)
		return notified
	})
	if e, ok := m.entry(t, i.ID, observe.EntryTriggered); !ok || e.Human || e.User != "" {
		t.Errorf("triggered by %+v", e)
	}
	m.fire(t, labels, time.Now().Add(-time.Second))
	m.await(t, key, "resolved")
	if e, ok := m.entry(t, i.ID, observe.EntryResolved); !ok || e.Human || e.User != "" {
		t.Errorf("a machine resolved it: %+v", e)
	}
	if e, ok := m.entry(t, i.ID, observe.EntryAcknowledged); ok {
		t.Errorf("nobody acknowledged it: %+v", e)
	}
}

// await waits until the service has an incident with the key in this state.
func (m *alertmanager) await(t *testing.T, key, status string) (found observe.Incident) {
	t.Helper()
	eventually(t.Context(), t, "an incident is "+status, func() bool {
		for _, i := range must(m.pager.Incidents(t.Context(), []string{m.service}, m.since))(t) {
			if i.Status == status && slices.ContainsFunc(i.Alerts, func(a observe.Alert) bool { return a.Key == key }) {
				found = i
				return true
			}
		}
		return false
	})
	return found
}

// entry is the incident's first log entry of a kind.
func (m *alertmanager) entry(t *testing.T, incident string, kind observe.EntryKind) (observe.Entry, bool) {
	t.Helper()
	log := must(m.pager.Log(t.Context(), incident))(t)
	at := slices.IndexFunc(log, func(e observe.Entry) bool { return e.Kind == kind })
	if at < 0 {
		return observe.Entry{}, false
	}
	return log[at], true
}

// fire posts one alert that is on until ends.
func (m *alertmanager) fire(t *testing.T, labels map[string]string, ends time.Time) {
	t.Helper()
	body := must(json.Marshal([]map[string]any{{"labels": labels, "startsAt": time.Now().Add(-2 * time.Second), "endsAt": ends}}))(t)
	if status, answer := post(t, "http://"+m.address+"/api/v2/alerts", string(body), nil); status != 200 {
		t.Fatalf("post alert: %d %s", status, answer)
	}
}
