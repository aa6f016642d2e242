package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/internal/sandbox"
)

// canaries are secrets, and addresses of responders, planted wherever a drill can meet one. None may ever leave.
func canaries() map[string]string {
	return map[string]string{
		"the pager's token":   "canary+Token/0123456789",
		"the routing key":     "ca4a41e5000000000000000000000001",
		"the owner's key":     "ca4a41e5000000000000000000000003",
		"Slack's token":       "xoxb-canary-0123456789",
		"the AWS secret":      "canary/Secret+Access0Key0123456789012345",
		"the session token":   "canarySessionToken==/+0123456789",
		"a phone number":      "+49 171 5550199",
		"an e-mail address":   "canary.responder@example.invalid",
		"a responder's phone": "+353 1 555 0101",
		"a responder's mail":  "first@firedrill.invalid",
	}
}

// heard is what left the program, by where it was found.
type heard struct {
	mu    sync.Mutex
	texts map[string]string
}

func (h *heard) add(where, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.texts[where] += text + "\n"
}

// check wants no canary anywhere, in any form.
func (h *heard) check(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, where := range slices.Sorted(maps.Keys(h.texts)) {
		for name, canary := range canaries() {
			quoted, _ := json.Marshal(canary)
			for _, form := range []string{canary, strings.Trim(string(quoted), `"`), url.QueryEscape(canary), url.PathEscape(canary)} {
				if at := strings.Index(h.texts[where], form); at >= 0 {
					t.Errorf("%s tells %s: …%s…", where, name, h.texts[where][max(0, at-120):min(len(h.texts[where]), at+len(form)+60)])
				}
			}
		}
	}
}

// A drill is run with canaries planted, and every verb is run after it: what they print, write, journal, serve and tell
// people carries none. Verbs are read from the command tree: who adds one says here how it is run.
func TestNothingLeaks(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a drill at a real environment's pace, and every verb after it")
	}
	d := newDesk(t)
	h := &heard{texts: map[string]string{}}
	at := nosy(t, h)
	d.env["FIREDRILL_SANDBOX"] = at
	d.plantSecrets(t)
	d.describe(t, at)
	papers := filepath.Join(d.env["FIREDRILL_STATE"], "papers") // looked through with all that is kept
	if code := d.run(t, "run", "throttled", "--env", "staging", "--yes", "-o", "json", "--artifacts", papers, "--junit", filepath.Join(papers, "junit.xml"),
		"--summary", filepath.Join(papers, "summary.md")); code != exitMet && code != exitMissed {
		t.Fatalf("the drill ended with %d: %s", code, d.err.String())
	}
	stream := d.out.String()
	h.add("run -o json", stream+d.err.String())
	for what, planted := range map[string]string{"a responder's note": "I pasted " + redacted + " here", "an error that quotes a secret": "is not valid: " + redacted} {
		if !strings.Contains(stream, planted) {
			t.Errorf("%s is lost, or was never planted", what)
		}
	}
	d.everyVerb(t, h)
	for where, planted := range map[string]string{"debrief --collect -o json": "in Slack I pasted " + redacted + ", ask [address]", "message": "A fire drill is on"} {
		if !strings.Contains(h.texts[where], planted) {
			t.Errorf("%s does not say %q: it is lost, or was never planted", where, planted)
		}
	}
	d.kept(t, h)
	h.check(t)
}

// everyVerb runs each verb of the command tree.
func (d *desk) everyVerb(t *testing.T, h *heard) {
	t.Helper()
	lines := map[string][][]string{
		"plan": {{"throttled", "--env", "staging"}, {"throttled", "--env", "gossip"}},
		"run":  {{"throttled", "--env", "gossip", "--yes"}}, "play": {{}}, // ended by a signal, as it were
		"doctor": {{"--env", "staging"}, {"--env", "gossip"}},
		"list":   {{}}, "note": {{"we looked at the graphs"}}, "sandbox": {{}}, "sandbox env": {{}},
		"status": {{}}, "abort": {{}}, "recover": {{}, {"--sweep", "--env", "staging", "--yes"}, {"--sweep", "--env", "gossip", "--yes"}},
		"halt":    {{"--env", "staging", "--why", "a canary sang"}, {"--env", "staging", "--release"}},
		"policy":  {{"throttled", "--for", "run", "--env", "staging"}, {"throttled", "--for", "run", "--env", "gossip"}},
		"debrief": {{}, {"--collect"}}, "report": {{}}, "serve": {{"--listen", "127.0.0.1:0"}},
		"selftest": {{"--env", "gossip", "--yes"}},
		"init":     {{"--account", "123456789012", "--region", "eu-west-1", "--service", "PORDERS", "--from", "drills@example.com"}}, // refused: there is a file
		"new":      {{"canary-drill"}}, "validate": {{}}, "schema": {{"drill"}}, "version": {{}}, "help": {{}, {"run"}},
		"completion bash": {{}}, "completion zsh": {{}}, "completion fish": {{}}, "completion powershell": {{}},
	}
	for _, c := range leaves(newRoot(d.Deps)) {
		verb := strings.TrimPrefix(c.CommandPath(), "firedrill ")
		if lines[verb] == nil {
			t.Errorf("no canary has heard %s yet: say in this test how it is run", verb)
		}
		for _, args := range lines[verb] {
			line := append(strings.Fields(verb), args...)
			d.brief(t, h, line)
			if c.Flags().Lookup("output") != nil && verb != "policy" {
				d.brief(t, h, append(line, "-o", "json"))
			}
		}
	}
}

// brief runs one command line; who would serve for ever is ended.
func (d *desk) brief(t *testing.T, h *heard, line []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	if line[0] == "serve" || line[0] == "play" || len(line) == 1 && line[0] == "sandbox" {
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	}
	defer cancel()
	d.out.Reset()
	d.err.Reset()
	d.config, d.state, d.Deps.env, d.output = "", "", "", ""
	code := Run(ctx, d.Deps, line)
	if code == exitUsage && !strings.Contains("init new validate", line[0]) { // these say no to what is there
		t.Errorf("%s: %s", strings.Join(line, " "), d.err.String())
	}
	h.add(strings.Join(line, " "), d.out.String()+d.err.String())
}

// leaves are the commands that do something.
func leaves(c *cobra.Command) (all []*cobra.Command) {
	for _, below := range c.Commands() {
		all = append(all, leaves(below)...)
		if below.Runnable() && (!below.HasSubCommands() || below.Name() != "completion") {
			all = append(all, below)
		}
	}
	return all
}

// kept adds what is on disk afterwards, the journal's bytes among it, and what is served of it.
func (d *desk) kept(t *testing.T, h *heard) {
	t.Helper()
	err := filepath.WalkDir(d.env["FIREDRILL_STATE"], func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		h.add(path, string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := d.reading(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, page := range []string{"/metrics", "/healthz", "/"} {
		w := httptest.NewRecorder()
		d.handler(store).ServeHTTP(w, httptest.NewRequest(http.MethodGet, page, nil))
		h.add("serve "+page, w.Body.String())
	}
}

// plantSecrets puts canaries where the references of an environment and the SDK look for secrets.
func (d *desk) plantSecrets(t *testing.T) {
	t.Helper()
	c := canaries()
	d.env["PAGERDUTY_TOKEN"], d.env["ROUTING_KEY"], d.env["OWNER_KEY"] = c["the pager's token"], c["the routing key"], c["the owner's key"]
	d.env["SLACK_TOKEN"] = c["Slack's token"]
	for _, name := range []string{"AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAFIREDRILL00000")
	t.Setenv("AWS_SECRET_ACCESS_KEY", c["the AWS secret"])
	t.Setenv("AWS_SESSION_TOKEN", c["the session token"])
	t.Setenv("AWS_CREDENTIAL_EXPIRATION", time.Now().Add(12*time.Hour).UTC().Format(time.RFC3339))
}

// describe writes a drill and two environments: staging, where it is run, and gossip, whose AWS quotes in its refusals
// whatever secret it was sent, and one that it could not have been.
func (d *desk) describe(t *testing.T, at string) {
	t.Helper()
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusForbidden)
		said := fmt.Sprintf("the token %s is not for %s", r.Header.Get("X-Amz-Security-Token"), canaries()["the AWS secret"])
		if r.Header.Get("X-Amz-Target") == "" {
			fmt.Fprintf(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>%s</Message></Error></ErrorResponse>", said)
			return
		}
		b, _ := json.Marshal(map[string]string{"__type": "AccessDeniedException", "message": said})
		_, _ = w.Write(b)
	}))
	t.Cleanup(aws.Close)
	text := "drills: [.]\nenvironments:\n"
	for name, endpoint := range map[string]string{"staging": at + "/aws", "gossip": aws.URL} {
		text += fmt.Sprintf(`  %s:
    aws: {account: "111122223333", regions: [eu-west-1], endpoint: %q}
    tags: {environment: sandbox, firedrill: allowed}
    window: {days: mon-sun, hours: "00:00-24:00", zone: UTC}
    pagerduty: {token: "env:PAGERDUTY_TOKEN", from: drills@firedrill.invalid, bots: [PFDRILL]}
    owner: {key: "env:OWNER_KEY"}
    teams: {orders: {service: PORDERS, key: "env:ROUTING_KEY", slack: "#orders-alerts"}}
    slack: {token: "env:SLACK_TOKEN"}
    settle: 20s
`, name, endpoint)
	}
	for name, text := range map[string]string{"firedrill.yaml": text, "throttled.yaml": `drill: throttled
title: Order writes are throttled
scenario: Writes of the orders table are throttled.
team: orders
faults: [{dynamodb.throttle: {table: orders, writes: 1, load: 30/s}}]
ripples: [orders-write-throttled, orders-api-5xx, orders-dead-letters, user-api-5xx]
page: {when: direct}
expect: {effective: 8s, acknowledge: 30s}
limit: 60s
`} {
		if err := os.WriteFile(filepath.Join(d.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// nosy is a sandbox behind a proxy: it opens to canaries, its pager quotes them in its refusals, and tells everything of
// everybody in its log. It listens to what people are told. It returns its URL.
func nosy(t *testing.T, h *heard) string {
	t.Helper()
	s, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "auto", Now: time.Now, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p := &gossip{heard: h, world: s.World()}
	at, err := url.Parse(p.world.URL)
	if err != nil {
		t.Fatal(err)
	}
	p.to = httputil.NewSingleHostReverseProxy(at)
	p.to.ModifyResponse = p.answer
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return server.URL
}

// gossip is that proxy.
type gossip struct {
	heard *heard
	world sandbox.World
	url   string
	to    *httputil.ReverseProxy
	mu    sync.Mutex
	calls map[string]int
}

// keys are the real keys by their canaries.
func (g *gossip) keys() map[string]string {
	c := canaries()
	return map[string]string{c["the pager's token"]: g.world.Token, c["the routing key"]: g.world.Teams["orders"].Key, c["the owner's key"]: g.world.Owner,
		c["Slack's token"]: g.world.Slack.Token}
}

func (g *gossip) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/_sandbox/world" {
		world := g.world
		world.AWS = g.url + "/aws"
		world.URL, world.Pager, world.Events = g.url, g.url+"/pagerduty", g.url+"/events"
		world.Slack.API = g.url + "/slack/api"
		_ = json.NewEncoder(w).Encode(world)
		return
	}
	body, _ := io.ReadAll(r.Body)
	what := "page"
	if strings.HasSuffix(r.URL.Path, "/notes") && r.Method == http.MethodPost {
		what = "note"
	}
	if what == "note" || strings.HasPrefix(r.URL.Path, "/events") {
		g.heard.add(what, withoutKey(body))
		if g.first(what) { // 400 is not repeated by the client; the drill tries again
			w.WriteHeader(http.StatusBadRequest)
			said := "is not valid: " + canaries()["the pager's token"] + " in " + r.Header.Get("Authorization") + " or " + string(body)
			_ = json.NewEncoder(w).Encode(map[string]any{"status": "invalid event", "message": said, "errors": []string{said},
				"error": map[string]any{"code": 2001, "message": said, "errors": []string{said}}})
			return
		}
	}
	if strings.HasSuffix(r.URL.Path, "/chat.postMessage") {
		form, _ := url.ParseQuery(string(body))
		g.heard.add("message", form.Encode()+form.Get("text"))
		if g.first("message") {
			_ = json.NewEncoder(w).Encode(map[string]any{"ok": false, "error": "not with " + r.Header.Get("Authorization")})
			return
		}
	}
	text := string(body)
	for canary, key := range g.keys() {
		text = strings.ReplaceAll(text, canary, key)
		r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), canary, key))
	}
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	r.Header.Del("Accept-Encoding")
	g.to.ServeHTTP(w, r)
}

func (g *gossip) first(what string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls == nil {
		g.calls = map[string]int{}
	}
	g.calls[what]++
	return g.calls[what] == 1
}

// withoutKey is an event without its routing key, which must be in it.
func withoutKey(body []byte) string {
	var event map[string]any
	if json.Unmarshal(body, &event) != nil {
		return string(body)
	}
	delete(event, "routing_key")
	b, _ := json.Marshal(event)
	return string(b)
}

// answer adds to a log what PagerDuty tells of people, wherever an entry has an object, and a note with a secret in it.
func (g *gossip) answer(res *http.Response) error {
	if strings.HasSuffix(res.Request.URL.Path, "/conversations.replies") {
		return gossiped(res)
	}
	if !strings.HasSuffix(res.Request.URL.Path, "/log_entries") || res.StatusCode != http.StatusOK {
		return nil
	}
	var page map[string]any
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil {
		return err
	}
	entries, _ := page["log_entries"].([]any)
	for _, e := range entries {
		plant(e)
	}
	if len(entries) > 0 && page["offset"] == float64(0) {
		one := entries[0].(map[string]any)
		page["log_entries"] = append(entries, map[string]any{"id": "RCANARY", "type": "annotate_log_entry", "created_at": one["created_at"], "incident": one["incident"],
			"agent":   map[string]any{"id": "PRESP01", "type": "user_reference", "summary": "First Responder <" + canaries()["an e-mail address"] + ">"},
			"channel": map[string]any{"type": "note", "content": "I pasted " + canaries()["the pager's token"] + " here"}})
	}
	b, err := json.Marshal(page)
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	res.Header.Set("Content-Length", fmt.Sprint(len(b)))
	return err
}

// plant puts addresses into every object below.
func plant(v any) {
	o, ok := v.(map[string]any)
	if !ok {
		return
	}
	for _, below := range o {
		plant(below)
	}
	phone, mail := canaries()["a phone number"], canaries()["an e-mail address"]
	o["address"], o["email"] = phone, mail
	o["contact_methods"] = []any{map[string]any{"type": "sms_contact_method", "address": phone, "summary": "Mobile " + phone}}
	o["notification"] = map[string]any{"type": "sms_notification", "address": phone, "status": "success", "user": map[string]any{"email": mail}}
}
