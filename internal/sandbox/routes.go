package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
)

// front says plainly what this is.
const front = `<!doctype html><meta charset=utf-8><title>firedrill sandbox</title>
<h1>This is a sandbox</h1>
<p>It only pretends: nothing here is AWS, PagerDuty or Slack. It is a toy staging environment of
<b>firedrill</b>, on this machine alone, made to be broken. What it holds is gone when it ends.</p>
<ul>
<li><code>/aws</code>: every AWS service; any credentials will do
<li><code>/pagerduty</code>, <code>/events/v2/enqueue</code>, <code>/integration/KEY/enqueue</code>, <code>/app</code>: the pager, and the phones of who is on call
<li><code>/slack</code>: the teams' channels; <a href="/_sandbox/slack">/_sandbox/slack</a>: what was said there, <code>POST /_sandbox/slack/replies</code> and <code>/_sandbox/slack/knobs</code>
<li><a href="/_sandbox/world">/_sandbox/world</a>: where everything is
<li><a href="/_sandbox/calls">/_sandbox/calls</a>, <a href="/_sandbox/config">/_sandbox/config</a>, <a href="/_sandbox/messages">/_sandbox/messages</a>: who called what, what people configured, every message of every queue
<li><a href="/_sandbox/schedules">/_sandbox/schedules</a>: what EventBridge Scheduler is still to do; <code>POST /_sandbox/schedules/advance {"by": "10m"}</code> moves its clock, and nobody else's, ahead
<li><a href="/_sandbox/logs">/_sandbox/logs</a>: what the shop writes into its log
<li><code>DELETE /_sandbox/sessions</code>: every session of an assumed role ends
<li><a href="/_sandbox/knobs">/_sandbox/knobs</a>, <a href="/_sandbox/pager/knobs">/_sandbox/pager/knobs</a>: what goes wrong
<li><a href="/_sandbox/pager/truth">/_sandbox/pager/truth</a>: when everything really happened; <a href="/_sandbox/pager/deliveries">/_sandbox/pager/deliveries</a>: every webhook and what became of it;
<a href="/_sandbox/pager/requests">/_sandbox/pager/requests</a>: who asked the pager for what, and how often a minute
<li><a href="/_sandbox/pager/account">/_sandbox/pager/account</a>, <code>/_sandbox/pager/services/ID</code>, <code>/users/ID</code>, <code>/policies/ID</code>: what an administrator sets up, by <code>PUT</code>
</ul>
`

// routes mounts everything on the one port.
func (s *Sandbox) routes() {
	m := s.mux
	m.Handle("/aws", s.cloud)
	m.Handle("/aws/", s.cloud)
	for _, path := range []string{"/pagerduty/", "/events/", "/integration/", "/app/"} {
		m.Handle(path, s.pager)
	}
	m.Handle("/slack/", s.slack)
	m.HandleFunc("GET /_sandbox/world", func(w http.ResponseWriter, _ *http.Request) {
		if !s.ready.Load() {
			http.Error(w, "not ready yet", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		_ = e.Encode(s.World())
	})
	m.HandleFunc("/_sandbox/calls", s.cloud.Calls)
	m.HandleFunc("/_sandbox/config", s.cloud.Config)
	m.HandleFunc("/_sandbox/messages", s.cloud.MessagesPage)
	m.HandleFunc("/_sandbox/schedules", s.cloud.Schedules)
	m.HandleFunc("/_sandbox/schedules/", s.cloud.Schedules)
	m.HandleFunc("/_sandbox/sessions", s.cloud.Sessions)
	m.HandleFunc("/_sandbox/knobs", s.cloud.Knobs)
	m.HandleFunc("/_sandbox/knobs/", s.cloud.Knobs)
	m.Handle("/_sandbox/pager/", http.StripPrefix("/_sandbox/pager", s.pager.Backstage()))
	m.HandleFunc("GET /_sandbox/slack", s.slack.Messages)
	m.Handle("/_sandbox/slack/", http.StripPrefix("/_sandbox/slack", s.slack.Backstage()))
	m.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, front)
	})
}
