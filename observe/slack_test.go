package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack/slacktest"

	workspace "github.com/firedrill/firedrill/internal/sandbox/slack"
)

const (
	slackToken  = "xoxb-not-to-be-seen"
	slackSecret = "T1/B1/not-to-be-seen"
)

// slackFixture is a workspace on loopback, a bot in it, and what is said there.
type slackFixture struct {
	url   string
	waits []time.Duration
	mu    sync.Mutex
}

func newSlackFixture(t *testing.T) *slackFixture {
	t.Helper()
	s := workspace.New(workspace.Options{Token: slackToken, Secret: slackSecret, Channels: []string{"orders-alerts", "web-alerts"}, Now: time.Now})
	mux := http.NewServeMux()
	mux.Handle("/slack/", s)
	mux.Handle("/back/", http.StripPrefix("/back", s.Backstage()))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return &slackFixture{url: srv.URL}
}

func (f *slackFixture) notifier(t *testing.T, change func(*SlackOptions)) Notifier {
	t.Helper()
	o := SlackOptions{Token: slackToken, API: f.url + "/slack/api", Now: time.Now, Wait: func(_ context.Context, d time.Duration) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.waits = append(f.waits, d)
		return nil
	}}
	if change != nil {
		change(&o)
	}
	n, err := NewSlack(o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (f *slackFixture) webhook(t *testing.T) Notifier {
	return f.notifier(t, func(o *SlackOptions) { o.Token, o.Webhook = "", f.url+"/slack/services/"+slackSecret })
}

func (f *slackFixture) backstage(t *testing.T, path string, in any) {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(f.url+"/back"+path, "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		t.Fatalf("%s: %s", path, res.Status)
	}
}

func (f *slackFixture) said(t *testing.T) (list []workspace.Message) {
	t.Helper()
	res, err := http.Get(f.url + "/back/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSlackBotWritesAndReadsAThread(t *testing.T) {
	f := newSlackFixture(t)
	n := f.notifier(t, nil)
	id, err := n.Post(t.Context(), "#orders-alerts", Message{Text: "[DRILL] it is over", Image: "https://pictures.example.com/a.png"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Post(t.Context(), "#orders-alerts", Message{Text: "and a word under it", Thread: id}); err != nil {
		t.Fatal(err)
	}
	channel, ts := splitSlackID(id)
	f.backstage(t, "/replies", map[string]any{"channel": channel, "thread": ts, "user": "UANNA", "text": "crappy: the &lt;runbook&gt;, ask <@U1> or <mailto:a@example.com|a@example.com>"})
	f.backstage(t, "/replies", map[string]any{"channel": channel, "thread": ts, "text": "awesome: <https://dash.example.com|the dashboard>"})
	f.backstage(t, "/replies", map[string]any{"channel": channel, "text": "beside the point"})
	got, err := n.Replies(t.Context(), "#orders-alerts", id)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range got {
		lines = append(lines, r.User+": "+r.Text)
		if r.Thread != id || r.ID == "" || time.Since(r.At) > time.Minute || r.At.Nanosecond()%1000 != 0 {
			t.Errorf("reply %+v", r)
		}
	}
	want := "UANNA: crappy: the <runbook>, ask @somebody or [address]\nUPERSON1: awesome: the dashboard (https://dash.example.com)"
	if s := strings.Join(lines, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	said := f.said(t)
	if said[0].Name != "#orders-alerts" || said[1].Thread != ts || said[1].Channel != channel {
		t.Errorf("said %+v", said[:2])
	}
	var blocks []map[string]any
	if err := json.Unmarshal(said[0].Blocks, &blocks); err != nil || len(blocks) != 2 || blocks[1]["image_url"] != "https://pictures.example.com/a.png" {
		t.Errorf("blocks %s: %v", said[0].Blocks, err)
	}
	if text, _ := blocks[0]["text"].(map[string]any); text["verbatim"] != true {
		t.Errorf("Slack may find mentions in %v", text)
	}
}

func TestSlackThreadsOfManyPages(t *testing.T) {
	f := newSlackFixture(t)
	n := f.notifier(t, nil)
	id, err := n.Post(t.Context(), "web-alerts", Message{Text: "over"})
	if err != nil {
		t.Fatal(err)
	}
	channel, ts := splitSlackID(id)
	for i := range 250 {
		f.backstage(t, "/replies", map[string]any{"channel": channel, "thread": ts, "text": fmt.Sprint("answer ", i)})
	}
	if got, err := n.Replies(t.Context(), "", id); err != nil || len(got) != 250 || got[249].Text != "answer 249" {
		t.Errorf("%d replies, %v", len(got), err)
	}
}

func TestSlackPictureThatIsGoneBecomesALink(t *testing.T) {
	f := newSlackFixture(t)
	for _, n := range []Notifier{f.notifier(t, nil), f.webhook(t)} {
		if _, err := n.Post(t.Context(), "web-alerts", Message{Text: "look", Image: "https://gone.example.com/a.png"}); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range f.said(t) {
		if i > 1 || m.Text != "look\n<https://gone.example.com/a.png>" {
			t.Errorf("said %+v", m)
		}
	}
}

func TestSlackWebhookHasNoEars(t *testing.T) {
	f := newSlackFixture(t)
	n := f.webhook(t)
	id, err := n.Post(t.Context(), "#web-alerts", Message{Text: "a drill is on", Image: "https://pictures.example.com/a.png"})
	if err != nil || id != "" {
		t.Fatalf("id %q, %v", id, err)
	}
	if said := f.said(t); len(said) != 1 || said[0].By != "webhook" || said[0].Name != "#orders-alerts" || len(said[0].Blocks) == 0 {
		t.Errorf("said %+v: a webhook has its own channel", said)
	}
	if _, err := n.Replies(t.Context(), "#web-alerts", "1.2"); !errors.Is(err, ErrNoReplies) {
		t.Errorf("replies: %v", err)
	}
}

func TestSlackWebhookThatIsGone(t *testing.T) {
	f := newSlackFixture(t)
	gone := f.notifier(t, func(o *SlackOptions) { o.Token, o.Webhook = "", f.url+"/slack/services/T9/B9/not-to-be-seen" })
	_, err := gone.Post(t.Context(), "web-alerts", Message{Text: "x"})
	var p *Problem
	if !errors.As(err, &p) || !strings.Contains(p.Why, "no_service") || !strings.Contains(p.Try, "make a new one") {
		t.Errorf("%v, try %+v", err, p)
	}
	f.backstage(t, "/knobs", map[string]any{"effect": "channel_is_archived", "count": 1})
	if _, err := f.webhook(t).Post(t.Context(), "web-alerts", Message{Text: "x"}); err == nil || !strings.Contains(err.Error(), "channel_is_archived") {
		t.Errorf("archived: %v", err)
	}
	f.backstage(t, "/knobs", map[string]any{"effect": "503", "count": 1})
	if _, err := f.webhook(t).Post(t.Context(), "web-alerts", Message{Text: "x"}); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("503: %v", err)
	}
}

func TestSlackWaitsAsItIsTold(t *testing.T) {
	f := newSlackFixture(t)
	for name, n := range map[string]Notifier{"bot": f.notifier(t, nil), "webhook": f.webhook(t)} {
		f.waits = nil
		f.backstage(t, "/knobs", map[string]any{"effect": "429", "retry_s": 7, "count": 2})
		if _, err := n.Post(t.Context(), "web-alerts", Message{Text: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(f.waits) != 2 || f.waits[0] != 7*time.Second {
			t.Errorf("%s: waited %v", name, f.waits)
		}
	}
	f.backstage(t, "/knobs", map[string]any{"effect": "429", "retry_s": 20})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	f.waits = nil
	_, err := f.notifier(t, nil).Post(ctx, "web-alerts", Message{Text: "late"})
	var p *Problem
	if !errors.As(err, &p) || p.Status != http.StatusTooManyRequests || len(f.waits) != 0 {
		t.Errorf("a pause longer than the time there is: %v after %v", err, f.waits)
	}
}

func TestSlackRefusalsInPlainWords(t *testing.T) {
	for effect, want := range map[string]string{
		"invalid_auth": "install the app anew", "token_revoked": "install the app anew", "missing_scope": "give the app the scope",
		"channel_not_found": "invite the bot", "not_in_channel": "invite it", "is_archived": "name another", "500": "", "403": "slack.webhook", "down": "network",
		"<!channel>": "",
	} {
		f := newSlackFixture(t)
		f.backstage(t, "/knobs", map[string]any{"effect": effect})
		_, err := f.notifier(t, nil).Post(t.Context(), "#orders-alerts", Message{Text: "x"})
		var p *Problem
		if !errors.As(err, &p) || !strings.Contains(p.Try, want) || (want == "") != (p.Try == "") {
			t.Errorf("%s: %v, try %+v", effect, err, p)
			continue
		}
		if strings.Contains(err.Error(), slackToken) || strings.Contains(err.Error(), "<!") {
			t.Errorf("%s: tells too much: %v", effect, err)
		}
	}
	f := newSlackFixture(t)
	if _, err := f.notifier(t, nil).Post(t.Context(), "#nowhere", Message{Text: "x"}); err == nil || !strings.Contains(err.Error(), "#nowhere") {
		t.Errorf("an unknown channel: %v", err)
	}
	if _, err := f.notifier(t, func(o *SlackOptions) { o.Token = "xoxb-another" }).Replies(t.Context(), "c", "CSAND001/1.000001"); err == nil {
		t.Error("read with a wrong token")
	}
}

func TestSlackIsNeverWaitedForLong(t *testing.T) {
	f := newSlackFixture(t)
	f.backstage(t, "/knobs", map[string]any{"effect": "slow", "delay_s": 30})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for name, n := range map[string]Notifier{"bot": f.notifier(t, nil), "webhook": f.webhook(t)} {
		began := time.Now()
		if _, err := n.Post(ctx, "web-alerts", Message{Text: "x"}); err == nil || time.Since(began) > 2*time.Second {
			t.Errorf("%s: %v after %s", name, err, time.Since(began))
		}
	}
}

// A webhook's address is a secret, and slack-go's errors quote it.
func TestSlackSecretsStayInside(t *testing.T) {
	f := newSlackFixture(t)
	f.backstage(t, "/knobs", map[string]any{"effect": "down"})
	for name, n := range map[string]Notifier{"bot": f.notifier(t, nil), "webhook": f.webhook(t)} {
		_, err := n.Post(t.Context(), "web-alerts", Message{Text: "x"})
		all := fmt.Sprintf("%v %+v %#v %v %+v %#v", err, err, err, n, n, n)
		for e := err; e != nil; e = errors.Unwrap(e) {
			all += fmt.Sprintf(" %v %+v", e, e)
		}
		if err == nil || strings.Contains(all, "not-to-be-seen") {
			t.Errorf("%s: %s", name, all)
		}
	}
	o := SlackOptions{Token: slackToken, Webhook: slackSecret}
	if s := fmt.Sprintf("%v %+v %#v", o, o, o); strings.Contains(s, "not-to-be-seen") {
		t.Error(s)
	}
}

func TestNewSlackRefuses(t *testing.T) {
	now := time.Now
	for name, o := range map[string]SlackOptions{
		"nothing":                      {Now: now},
		"both":                         {Token: "xoxb-1", Webhook: "https://hooks.slack.com/services/T/B/x", Now: now},
		"no clock":                     {Token: "xoxb-1"},
		"a line break":                 {Token: "xoxb-1\n", Now: now},
		"another host":                 {Token: "xoxb-1", API: "https://slack.example.com/api", Now: now},
		"a webhook elsewhere":          {Webhook: "https://hooks.example.com/services/T/B/x", Now: now},
		"a webhook in clear":           {Webhook: "http://hooks.slack.com/services/T/B/x", Now: now},
		"a webhook of this machine":    {Webhook: "http://127.0.0.1:1/services/T/B/x", Now: now},
		"a webhook beside the sandbox": {Webhook: "https://hooks.slack.com/services/T/B/x", API: "http://127.0.0.1:1", Now: now},
	} {
		if n, err := NewSlack(o); err == nil {
			t.Errorf("%s: %v", name, n)
		}
	}
	for name, o := range map[string]SlackOptions{"bot": {Token: "xoxb-1", Now: now}, "webhook": {Webhook: "https://hooks.slack.com/services/T/B/x", Now: now}} {
		if _, err := NewSlack(o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSlackMessagesThatNobodyTakes(t *testing.T) {
	f := newSlackFixture(t)
	for name, m := range map[string]Message{"empty": {Text: " "}, "a picture in clear": {Text: "x", Image: "http://example.com/a.png"}, "no address": {Image: "a.png"}} {
		for _, n := range []Notifier{f.notifier(t, nil), f.webhook(t)} {
			if _, err := n.Post(t.Context(), "web-alerts", m); err == nil {
				t.Errorf("%s was sent", name)
			}
		}
	}
	if _, err := f.notifier(t, nil).Post(t.Context(), " ", Message{Text: "x"}); err == nil {
		t.Error("sent to no channel")
	}
	if _, err := f.notifier(t, nil).Replies(t.Context(), "c", "../auth.test"); err == nil {
		t.Error("read what is no message")
	}
	if said := f.said(t); len(said) != 0 {
		t.Errorf("said %+v", said)
	}
}

// slack-go's own fake of Slack takes what the bot sends: it reads every block, and answers 500 to one it cannot read.
func TestSlackAgainstSlacktest(t *testing.T) {
	fake := slacktest.NewTestServer()
	fake.Start()
	defer fake.Stop()
	n, err := NewSlack(SlackOptions{Token: "xoxb-1", API: strings.TrimSuffix(fake.GetAPIURL(), "/"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	id, err := n.Post(t.Context(), "C024BE91L", Message{Text: "a drill & its <end>", Image: "https://pictures.example.com/a.png"})
	if err != nil || !strings.HasPrefix(id, "C024BE91L/") {
		t.Fatalf("id %q, %v", id, err)
	}
}
