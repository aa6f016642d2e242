package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/observe"
	"github.com/firedrill/firedrill/observe/timeline"
)

const installPrometheus = "apt-get install -y --no-install-recommends prometheus prometheus-alertmanager"

// What the team of the orders service has configured: a metric of its health, a rule on it, and who is told.
const (
	prometheusFile = `
global: {scrape_interval: 500ms, evaluation_interval: 500ms}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['%s']}]}]}
scrape_configs: [{job_name: orders, static_configs: [{targets: ['%s']}]}]
`
	rulesFile = `
groups:
  - name: orders
    rules:
      - {alert: OrdersFail, expr: orders_healthy == 0, labels: {team: orders, severity: critical}, annotations: {summary: Orders are not taken}}
`
	ordersRouting = `
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes: [{matchers: ['team="orders"'], receiver: oncall, group_by: [alertname, team]}]
receivers:
  - {name: nobody}
  - {name: oncall, pagerduty_configs: [{routing_key: a1e40000000000000000000000000001, url: '%s/v2/enqueue', send_resolved: true}]}
`
	prometheusDrill = `
drill: orders-prometheus
title: Orders are not taken
scenario: The orders service fails, and Prometheus sees it first.
team: orders
steady_state:
  - promql: {url: "%[1]s", query: "min(orders_healthy)", is: "== 1"}
faults:
  - dynamodb.throttle: {table: "${orders_table}", writes: 1, load: 50/s}
watch:
  - alertmanager: {url: "%[2]s", alert: OrdersFail, labels: {team: orders}}
ripples: [orders-write-throttled, orders-api-5xx]
page: {when: alarm, fallback: 40s}
expect: {effective: 20s, detect: 30s, acknowledge: 30s, resolve: 50s}
limit: 90s
`
)

// TestPrometheusDetectsADrill runs a whole drill that nobody but a real Prometheus and a real Alertmanager detects: the
// run is timed by the alert's own start, and the incident is theirs by the key that the plan foretold.
func TestPrometheusDetectsADrill(t *testing.T) {
	m := startMonitoring(t)
	dir := t.TempDir()
	program, drill := filepath.Join(dir, "firedrill"), filepath.Join(dir, "orders-prometheus.yaml")
	err := errors.Join(os.Symlink(must(os.Executable())(t), program),
		os.WriteFile(drill, fmt.Appendf(nil, prometheusDrill, m.prometheus, m.alertmanager), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), program, "run", drill, "--env", "sandbox", "-o", "json")
	run.Dir = dir
	run.Env = append(os.Environ(), "HOME="+dir, "FIREDRILL_STATE="+filepath.Join(dir, "state"), "FIREDRILL_SANDBOX="+m.world.URL)
	var told bytes.Buffer
	run.Stderr = &told
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, told.String(), out)
	}
	fold := timeline.New()
	var keys, opened []string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var e journal.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%v\n%s", err, lines.Text())
		}
		fold.Add(e)
		if e.Kind == journal.RunPlanned {
			keys = keysOf(t, e.Fact.Plan)
		}
		if e.Kind == journal.IncidentOpened && e.Fact.Role == journal.RoleWatch {
			opened = append(opened, e.Fact.Incident)
		}
	}
	line := fold.Timeline(time.Now())
	if line.Outcome != timeline.Met {
		t.Errorf("outcome %s\n%s", line.Outcome, told.String())
	}
	m.detected(t, line.Instant(timeline.Detected))
	if len(opened) != 1 || len(keys) != 1 || !slices.Contains(m.keys(t, opened[0]), keys[0]) {
		t.Errorf("incidents %v with key %v", opened, keys)
	}
	if i := line.Interval("detect"); !i.Known {
		t.Errorf("detect: %+v", i)
	} else {
		t.Logf("detected after %.2f s ± %.2f s", i.Seconds, i.ErrorS)
	}
}

// keysOf are the dedup keys of a plan's one watched probe.
func keysOf(t *testing.T, plan json.RawMessage) []string {
	t.Helper()
	var p struct {
		Watch []struct{ Keys []string }
	}
	if err := json.Unmarshal(plan, &p); err != nil || len(p.Watch) != 1 {
		t.Fatalf("%v: plan %s", err, plan)
	}
	return p.Watch[0].Keys
}

// watching is a real Prometheus beside a real Alertmanager that pages the sandbox's pager.
type watching struct {
	prometheus, alertmanager string // base addresses
	world                    sandbox.World
	pager                    *observe.PagerDuty
	starts                   chan time.Time // the alert's own start, once it was seen
}

func startMonitoring(t *testing.T) *watching {
	t.Helper()
	programs := map[string]string{}
	for _, name := range []string{"prometheus", "prometheus-alertmanager"} {
		programs[name] = part(t, name, installPrometheus)
		version(t, programs[name])
	}
	s := must(sandbox.Start(t.Context(), sandbox.Options{Responder: "auto", Now: time.Now}))(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := s.World()
	m := &watching{world: w, starts: make(chan time.Time, 1)}
	m.pager = must(observe.NewPagerDuty(observe.PagerOptions{API: w.Pager, Events: w.Events, Token: w.Token, From: w.From, Bots: []string{w.Bot}, Now: time.Now}))(t)
	exporter := httptest.NewServer(healthOf(w.Vars["orders_url"] + "/health"))
	t.Cleanup(exporter.Close)
	dir := t.TempDir()
	write := func(name, text string, args ...any) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, fmt.Appendf(nil, text, args...), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	address := serve(t, listening, programs["prometheus-alertmanager"], "--config.file="+write("alertmanager.yml", ordersRouting, w.Events),
		"--storage.path="+filepath.Join(dir, "alerts"), "--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")[1]
	m.alertmanager = "http://" + address
	write("rules.yml", rulesFile)
	file := write("prometheus.yml", prometheusFile, address, strings.TrimPrefix(exporter.URL, "http://"))
	m.prometheus = "http://" + serve(t, listening, programs["prometheus"], "--config.file="+file,
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0")[1]
	probe := must(observe.NewProbe(observe.ProbeSpec{PromQL: &observe.PromQLProbe{URL: m.prometheus, Query: "orders_healthy", Is: "== 1"}}, observe.Clients{Now: time.Now}))(t)
	eventually(t.Context(), t, "Prometheus sees that orders are well", func() bool { return probe.Read(t.Context()).Value == observe.OK })
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended })
	go func() {
		defer close(ended)
		m.await(t)
	}()
	return m
}

// healthOf is an exporter of the team's own: it knows no fault, and asks what anybody may ask.
func healthOf(url string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		healthy := 0
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, url, nil)
		if err == nil {
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					healthy = 1
				}
			}
		}
		_, _ = fmt.Fprintf(w, "orders_healthy %d\n", healthy)
	}
}

// await asks Alertmanager itself, until the alert is there or the test ends.
func (m *watching) await(t *testing.T) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var alerts []struct{ StartsAt time.Time }
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.alertmanager+"/api/v2/alerts", nil)
		if err == nil {
			var resp *http.Response
			if resp, err = http.DefaultClient.Do(req); err == nil {
				err = errors.Join(json.NewDecoder(resp.Body).Decode(&alerts), resp.Body.Close())
			}
		}
		if err == nil && len(alerts) > 0 {
			m.starts <- alerts[0].StartsAt
			return
		}
		select {
		case <-t.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// detected holds what the run says against what Alertmanager said.
func (m *watching) detected(t *testing.T, i timeline.Instant) {
	t.Helper()
	select {
	case truth := <-m.starts:
		off := truth.Sub(i.At)
		t.Logf("detected at %s, −%s +%s; the alert began %s later", i.At.Format(time.RFC3339Nano), i.Early, i.Late, off)
		if off < -i.Early || off > i.Late || !strings.HasPrefix(i.By, "alertmanager OrdersFail{team=orders}") || i.Early+i.Late > 2*time.Second {
			t.Errorf("detected %+v, and the alert began at %s", i, truth)
		}
		if !i.Source.Truncate(time.Millisecond).Equal(truth.Truncate(time.Millisecond)) {
			t.Errorf("by the source's own clock at %s, want %s", i.Source, truth)
		}
	default:
		t.Errorf("Alertmanager was never seen to have the alert; the run says %+v", i)
	}
}

// keys are those of an incident's alerts, as the pager has them.
func (m *watching) keys(t *testing.T, incident string) (keys []string) {
	t.Helper()
	for _, in := range must(m.pager.Incidents(t.Context(), []string{m.world.Teams["orders"].Service}, time.Now().Add(-time.Hour)))(t) {
		for _, a := range in.Alerts {
			if in.ID == incident {
				keys = append(keys, a.Key)
			}
		}
	}
	return keys
}
