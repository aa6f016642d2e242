package conformance

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/observe"
)

var listening = regexp.MustCompile(`msg="Listening on" address=([0-9.:]+)`)

const alertmanagerFile = `
route: {receiver: pager, group_by: [alertname, service], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: pager
    pagerduty_configs:
      - {routing_key: a1e40000000000000000000000000001, url: '%s/v2/enqueue', send_resolved: true}
`

// A real Alertmanager pages the sandbox's pager as it pages PagerDuty, and our client finds the page by the key that
// can be told beforehand: the hash of the group.
func TestAlertmanagerPages(t *testing.T) {
	program := part(t, "prometheus-alertmanager", "apt-get install prometheus-alertmanager")
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
	address := serve(t, listening, program, "--config.file="+file, "--storage.path="+t.TempDir(),
		"--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")[1]
	pager := must(observe.NewPagerDuty(observe.PagerOptions{API: w.Pager, Events: w.Events, Token: w.Token, From: w.From, Bots: []string{w.Bot}, Now: time.Now}))(t)
	key := fmt.Sprintf("%x", sha256.Sum256([]byte(`{}:{alertname="OrdersFail", service="orders"}`)))
	began := time.Now().Add(-time.Minute)
	find := func() *observe.Incident {
		return must(pager.Find(t.Context(), w.Teams["orders"].Service, key, began))(t)
	}

	fire(t, address, time.Now().Add(time.Hour))
	var incident *observe.Incident
	eventually(t.Context(), t, "an incident with Alertmanager's key", func() bool { incident = find(); return incident != nil })
	if incident.Status != "triggered" || len(incident.Alerts) != 1 {
		t.Fatalf("%+v", incident)
	}
	if a := incident.Alerts[0]; a.Key != key || a.Integration != "PIORDMON" || a.Suppressed {
		t.Errorf("%+v", a)
	}
	eventually(t.Context(), t, "somebody is notified", func() bool {
		for _, e := range must(pager.Log(t.Context(), incident.ID))(t) {
			if e.Kind == observe.EntryNotified && e.User != "" {
				return true
			}
		}
		return false
	})

	fire(t, address, time.Now().Add(-time.Second))
	eventually(t.Context(), t, "the incident is resolved", func() bool { incident = find(); return incident.Status == "resolved" })
	for _, e := range must(pager.Log(t.Context(), incident.ID))(t) {
		if e.Kind == observe.EntryResolved && e.Human {
			t.Errorf("a machine resolved it, and is taken for a person: %+v", e)
		}
	}
}

// fire posts one alert that is on until ends.
func fire(t *testing.T, address string, ends time.Time) {
	t.Helper()
	body := must(json.Marshal([]map[string]any{{
		"labels":   map[string]string{"alertname": "OrdersFail", "service": "orders", "severity": "critical"},
		"startsAt": time.Now().Add(-2 * time.Second), "endsAt": ends,
	}}))(t)
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/api/v2/alerts", bytes.NewReader(body)))(t)
	req.Header.Set("Content-Type", "application/json")
	resp := must(http.DefaultClient.Do(req))(t)
	if resp.Body.Close(); resp.StatusCode != http.StatusOK {
		t.Fatalf("post alert: %s", resp.Status)
	}
}
