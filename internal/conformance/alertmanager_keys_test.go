package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/observe"
)

// routingTree has every way of writing a route that the forecast reads. Each receiver pages under a routing key that
// tells it apart.
const routingTree = `
route:
  receiver: everybody
  group_by: [alertname, cluster]
  group_wait: 0s
  group_interval: 1s
  routes:
    - {matchers: [severity="info"], receiver: info, group_by: []}
    - match: {team: orders}
      match_re: {alertname: 'Orders.*|Stock.*'}
      receiver: orders
      continue: true
      routes: [{matchers: ['env=~"stag.*"', 'zone!="a\"b, c"'], receiver: staging, group_by: ['...']}]
    - {matchers: ['{team="orders",severity!~"info|debug"}'], group_by: [team]}
    - {matchers: ['owner = "say \"hi\"\\"'], receiver: quoted, group_by: [owner, alertname]}
receivers:
%s`

// TestAlertmanagerKeys holds the keys that are foretold against those that a real Alertmanager pages under.
func TestAlertmanagerKeys(t *testing.T) {
	program := part(t, "prometheus-alertmanager", installAlertmanager)
	version(t, program)
	heard := &doorbell{}
	pager := httptest.NewServer(heard)
	t.Cleanup(pager.Close)
	receivers := ""
	for i, name := range []string{"everybody", "info", "orders", "staging", "quoted"} {
		receivers += fmt.Sprintf("  - {name: %s, pagerduty_configs: [{routing_key: %032d, url: '%s'}]}\n", name, i, pager.URL)
	}
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, routingTree, receivers), 0o600); err != nil {
		t.Fatal(err)
	}
	url := "http://" + serve(t, listening, program, "--config.file="+file, "--storage.path="+t.TempDir(),
		"--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")[1]
	m := &alertmanager{address: url[len("http://"):]}
	var want []string
	for _, labels := range []map[string]string{
		{"alertname": "Other", "cluster": "a", "severity": "page", "team": "web", "owner": "me"},
		{"alertname": "Other", "cluster": "b", "severity": "info", "team": "web", "owner": "me"},
		{"alertname": "OrdersFail", "cluster": "a", "severity": "page", "team": "orders", "env": "test", "zone": "c", "owner": "me"},
		{"alertname": "StockLow", "cluster": "a", "severity": "page", "team": "orders", "env": "staging", "zone": "c", "owner": "me"},
		{"alertname": "Quoted", "cluster": "a", "severity": "page", "team": "web", "owner": `say "hi"\`},
	} {
		known := map[string]string{}
		for name, value := range labels {
			if name != "alertname" {
				known[name] = value
			}
		}
		f := must(observe.Forecast(t.Context(), observe.ProbeSpec{Alertmanager: &observe.AlertmanagerProbe{URL: url, Alert: labels["alertname"], Labels: known}},
			observe.Clients{Now: time.Now}))(t)
		for _, r := range f.Routes {
			if !slices.Contains(want, r.Key) {
				want = append(want, r.Key)
			}
			t.Logf("%s: %s", r.Receiver, r.Group)
		}
		m.fire(t, labels, time.Now().Add(time.Hour))
	}
	slices.Sort(want)
	eventually(t.Context(), t, "every page has come", func() bool { return len(heard.keys()) >= len(want) })
	if got := heard.keys(); !slices.Equal(got, want) {
		t.Errorf("paged under %q, foretold %q", got, want)
	}
}

// doorbell takes pages in, and remembers their keys.
type doorbell struct {
	mu   sync.Mutex
	seen []string
}

func (d *doorbell) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var e struct {
		Key string `json:"dedup_key"`
	}
	_ = json.NewDecoder(r.Body).Decode(&e)
	d.mu.Lock()
	if !slices.Contains(d.seen, e.Key) {
		d.seen = append(d.seen, e.Key)
	}
	d.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	_, _ = fmt.Fprint(w, `{"status":"success","message":"Event processed"}`)
}

// keys are those heard so far, sorted.
func (d *doorbell) keys() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	keys := slices.Clone(d.seen)
	slices.Sort(keys)
	return keys
}
