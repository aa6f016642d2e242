package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/observe"
)

// speaking is a program in whose environment SLACK and HOOK are set.
func speaking(t *testing.T) (*desk, *secrets) {
	d := newDesk(t)
	d.env["SLACK"], d.env["HOOK"] = "xoxb-0123456789", "https://hooks.slack.com/services/T1/B1/0123456789"
	return d, &secrets{getenv: d.Getenv, plain: true, learn: d.known.learn}
}

func TestConnectSlack(t *testing.T) {
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	d, s := speaking(t)
	if n := d.connectSlack(&drills.Environment{}, s); n != nil {
		t.Errorf("an environment without Slack has %v", n)
	}
	env := sandboxOf(box.World())
	id, err := d.connectSlack(env, s).Post(t.Context(), env.Teams["orders"].Slack, observe.Message{Text: "a drill"})
	if err != nil || id == "" {
		t.Errorf("the sandbox's: %q, %v", id, err)
	}
	// A real environment that is practised at a sandbox's endpoint speaks to the sandbox's Slack.
	d.env["SLACK"] = box.World().Slack.Token
	practice := &drills.Environment{AWS: drills.AWSSpec{Endpoint: box.World().AWS}, Slack: drills.SlackSpec{Token: "env:SLACK"}}
	if _, err := d.connectSlack(practice, s).Post(t.Context(), "#web-alerts", observe.Message{Text: "a drill"}); err != nil {
		t.Error(err)
	}
	d.env["HOOK"] = box.World().Slack.Webhook
	practice.Slack = drills.SlackSpec{Webhook: "env:HOOK"}
	if _, err := d.connectSlack(practice, s).Post(t.Context(), "#web-alerts", observe.Message{Text: "a drill"}); err != nil {
		t.Error(err)
	}
}

// Whatever is wrong with Slack, a drill runs and puts back: every message says why it was not sent.
func TestSlackThatCannotBeMadeIsMute(t *testing.T) {
	d, s := speaking(t)
	for ref, want := range map[drills.SlackSpec]string{
		{Token: "env:NOWHERE"}:  "it is empty",
		{Token: "vault:slack"}:  "no reference",
		{Webhook: "env:SLACK"}:  "no address of Slack's",
		{Webhook: "file:/none"}: "no such file",
	} {
		n := d.connectSlack(&drills.Environment{Slack: ref}, s)
		if n == nil {
			t.Errorf("%v: nobody says what is wrong", ref)
			continue
		}
		_, err := n.Post(t.Context(), "#c", observe.Message{Text: "x"})
		_, err2 := n.Replies(t.Context(), "#c", "1.2")
		if err == nil || err2 == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "0123456789") {
			t.Errorf("%v: %v, %v", ref, err, err2)
		}
	}
}

// hanging is a server that takes every request in, and answers none.
func hanging(t *testing.T) *httptest.Server {
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // until then nobody is told that the client has gone
		<-r.Context().Done()
	}))
	t.Cleanup(hung.Close)
	return hung
}

// A secret that only speaks is read when there is something to say: no drill and no undo waits for it.
func TestNobodyWaitsForSlacksSecret(t *testing.T) {
	d, s := speaking(t)
	hung := hanging(t)
	clients, err := inject.Open(t.Context(), inject.Options{Endpoint: hung.URL, Region: "eu-central-1", AccessKey: "AKIA", Secret: "x", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.clients = clients
	began := time.Now()
	n := d.connectSlack(&drills.Environment{Slack: drills.SlackSpec{Token: "ssm:/slack"}}, s)
	if took := time.Since(began); took > time.Second {
		t.Errorf("waited %s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := n.Post(ctx, "#c", observe.Message{Text: "x"}); err == nil || !strings.Contains(err.Error(), "set up Slack") {
		t.Errorf("%v", err)
	}
}

func TestClearSlackTellsNoSecret(t *testing.T) {
	d, s := speaking(t)
	if _, err := s.resolve(t.Context(), "env:SLACK"); err != nil {
		t.Fatal(err)
	}
	told := &toldSlack{}
	c := &slackDoor{secrecy: &d.known, open: func(context.Context) (observe.Notifier, error) { return told, nil }}
	if _, err := c.Post(t.Context(), "#c", observe.Message{Text: "it is xoxb-0123456789", Image: "https://x.example.com/xoxb-0123456789", Thread: "C1/1.2"}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(told.Text+told.Image, "0123456789") || told.Thread != "C1/1.2" || !strings.Contains(told.Text, "it is ") {
		t.Errorf("told %+v", told.Message)
	}
}

type toldSlack struct {
	observe.Notifier
	observe.Message
}

func (s *toldSlack) Post(_ context.Context, _ string, m observe.Message) (string, error) {
	s.Message = m
	return "C1/1.3", nil
}

// gossiped adds a reply to a thread in Slack, with a secret and an address in it.
func gossiped(res *http.Response) error {
	var page map[string]any
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil {
		return err
	}
	replies, _ := page["messages"].([]any)
	now, mail := time.Now(), canaries()["an e-mail address"]
	page["messages"] = append(replies, map[string]any{"type": "message", "user": "UCANARY", "ts": fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000),
		"text": fmt.Sprintf("in Slack I pasted %s, ask <mailto:%s|%[2]s>", canaries()["the pager's token"], mail)})
	b, err := json.Marshal(page)
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	res.Header.Set("Content-Length", fmt.Sprint(len(b)))
	return err
}
