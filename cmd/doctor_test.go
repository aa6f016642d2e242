package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/firedrill/firedrill/internal/killtest"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// clinic is a real environment on a sandbox: its file, its drills, the pages it links to. A test spoils one thing of it.
type clinic struct {
	t     *testing.T
	dir   string
	state string
	env   map[string]string
	file  string // firedrill.yaml
	drill map[string]string
	w     sandbox.World
	stage killtest.Stage
	aws   aws.Config // of an administrator of the account
	pages *httptest.Server
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	var stands atomic.Bool
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: func() time.Time {
		if stands.Load() {
			return time.Now()
		}
		return time.Now().Add(-6 * time.Minute) // what was made a moment ago is left alone for five minutes
	}})
	if err != nil {
		t.Fatal(err)
	}
	stands.Store(true)
	t.Cleanup(func() { _ = box.Close() })
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": "AKIAFIREDRILL00000", "AWS_SECRET_ACCESS_KEY": "sandbox", "AWS_CONFIG_FILE": os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(k, v)
	}
	c := &clinic{t: t, dir: t.TempDir(), state: t.TempDir(), w: box.World(), stage: killtest.Stage{URL: box.World().URL}, drill: map[string]string{}}
	if c.aws, err = c.stage.AWS(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.pages = httptest.NewServer(http.HandlerFunc(servePage))
	t.Cleanup(c.pages.Close)
	c.env = map[string]string{"HOME": c.state, "PAGERDUTY_TOKEN": c.w.Token, "ORDERS_KEY": c.w.Teams["orders"].Key, "OWNER_KEY": c.w.Owner,
		"HOOK": "whsec", "SLACK": c.w.Slack.Token}
	c.drill["throttled"] = strings.ReplaceAll(throttledDrill, "PAGES", c.pages.URL)
	c.drill["poisoned"], c.drill["erring"] = poisonedDrill, erringDrill
	c.file = c.fill(clinicFile)
	c.write()
	if code, out := c.run("init", "--store", "dynamodb", "--env", "staging"); code != 0 {
		t.Fatalf("init ends with %d: %s", code, out)
	}
	return c
}

// servePage is a wiki with a login, and a Pushgateway.
func servePage(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/runbook", "/-/ready", "/login":
		if r.Method == http.MethodHead && r.URL.Path == "/runbook" {
			w.WriteHeader(http.StatusMethodNotAllowed) // some servers know GET alone
		}
	case "/dashboard":
		http.Redirect(w, r, "/login", http.StatusFound)
	default:
		http.NotFound(w, r)
	}
}

const clinicFile = `drills: [drills]
environments:
  staging:
    aws: {account: "111122223333", regions: [eu-west-1], endpoint: "AWS"}
    tags: {environment: sandbox, firedrill: allowed}
    window: {days: mon-sun, hours: "00:00-24:00", zone: UTC}
    pagerduty: {token: "env:PAGERDUTY_TOKEN", from: drills@firedrill.invalid, bots: [PFDRILL], webhook_secrets: ["env:HOOK"]}
    owner: {key: "env:OWNER_KEY"}
    teams: {orders: {service: PORDERS, key: "env:ORDERS_KEY", slack: "#orders-alerts"}}
    slack: {token: "env:SLACK"}
    metrics: {pushgateway: "PAGES"}
    deadman: {role: "ROLE", dlq: "DLQ", required: false}
    store: {dynamodb: {table: firedrill, region: eu-west-1}}
    vars: {table: orders, queue: "QUEUE", health: "HEALTH", balancer: "LISTENER"}
`

const throttledDrill = `drill: throttled
title: Order writes are throttled
scenario: Writes of the orders table are throttled.
team: orders
runbook: PAGES/runbook
look: [{dashboard: "PAGES/dashboard"}]
faults: [{dynamodb.throttle: {table: "${table}", writes: 1, load: 50/s}}]
steady_state: [{http: {url: "${health}", status: 200}}]
watch: [{alarm: orders-write-throttled}]
ripples: [orders-api-5xx]
stop_conditions: [{alarm: checkout-customers-hurt}]
page: {when: alarm, fallback: 30m}
expect: {effective: 10m, detect: 30m, acknowledge: 5m}
limit: 60m
`

const poisonedDrill = `drill: poisoned
title: Orders end up in the dead-letter queue
scenario: They cannot be read.
team: orders
faults: [{sqs.stall: {queue: "${queue}"}}]
page: {when: direct}
expect: {acknowledge: 5m}
limit: 30m
`

const erringDrill = `drill: erring
title: The user API answers with errors
scenario: Nobody can sign in.
team: orders
faults: [{http.error: {listener: "${balancer}", path: "/users*", status: 500}}]
page: {when: direct}
expect: {acknowledge: 5m}
limit: 30m
`

func (c *clinic) fill(text string) string {
	return strings.NewReplacer("AWS", c.w.AWS, "PAGES", c.pages.URL, "ROLE", c.w.Deadman.Role, "DLQ", c.w.Deadman.DLQ, "QUEUE", c.w.Vars["orders_queue"],
		"HEALTH", c.w.Vars["orders_url"]+"/health", "LISTENER", c.w.Vars["listener"]).Replace(strings.ReplaceAll(text, "PAGERDUTY_TOKEN", "PAGERDUTY\x00TOKEN")) // placeholders are words of their own
}

func (c *clinic) write() {
	c.t.Helper()
	file := strings.ReplaceAll(c.file, "\x00", "_")
	err := os.WriteFile(filepath.Join(c.dir, "firedrill.yaml"), []byte(file), 0o600)
	if err == nil {
		err = os.MkdirAll(filepath.Join(c.dir, "drills"), 0o700)
	}
	for name, text := range c.drill {
		if err == nil {
			err = os.WriteFile(filepath.Join(c.dir, "drills", name+".yaml"), []byte(text), 0o600)
		}
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// run runs one command line, by a process of its own as it were: nothing is remembered from the one before.
func (c *clinic) run(args ...string) (int, string) {
	c.t.Helper()
	d := newDesk(c.t)
	d.Dir, d.env = c.dir, map[string]string{"FIREDRILL_STATE": c.state}
	for k, v := range c.env {
		d.env[k] = v
	}
	code := d.run(c.t, args...)
	return code, d.out.String() + d.err.String()
}

// examine runs the doctor, and returns what it says.
func (c *clinic) examine() (code int, said diagnosed) {
	c.t.Helper()
	code, out := c.run("doctor", "--env", "staging", "-o", "json")
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&said); err != nil {
		c.t.Fatalf("doctor ends with %d and no answer: %v\n%s", code, err, out)
	}
	return code, said
}

// ill are the findings that are neither ok nor only not looked at.
func (v diagnosed) ill() (list []diagnosedFinding) {
	for _, f := range v.Findings {
		if f.Health == "warn" || f.Health == "wrong" {
			list = append(list, f)
		}
	}
	return list
}

func (f diagnosedFinding) String() string {
	return fmt.Sprintf("%s %s of %s: %s\n    Try: %s", f.Health, f.Check, f.On, f.Found, f.Try)
}

// setup sets something of the sandbox's pager up, as its administrator.
func (c *clinic) setup(path, body string) {
	c.t.Helper()
	c.ask(http.MethodPut, "/_sandbox/pager/"+path, body)
}

// knob makes calls of AWS go wrong; what it returns ends it.
func (c *clinic) knob(k killtest.Knob) (cure func()) {
	c.t.Helper()
	id, err := c.stage.Turn(c.t.Context(), k)
	if err != nil {
		c.t.Fatal(err)
	}
	return func() {
		if err := c.stage.Release(c.t.Context(), id); err != nil {
			c.t.Error(err)
		}
	}
}

func (c *clinic) ask(method, path, body string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.w.URL+path, bytes.NewBufferString(body))
	if err != nil {
		c.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		c.t.Fatalf("%s %s: %s", method, path, res.Status)
	}
}
