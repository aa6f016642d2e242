package observe_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/observe"
)

// The user of pagerduty.from, and the bot of Slack, are asked for without anything being said.
func TestSandboxTellsWhoSpeaks(t *testing.T) {
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	w := box.World()
	for from, want := range map[string]string{w.From: "Firedrill", strings.ToUpper(w.From): "Firedrill", "firedrill.invalid": "", "nobody@firedrill.invalid": ""} {
		p, err := observe.NewPagerDuty(observe.PagerOptions{Region: "us", API: w.Pager, Events: w.Events, Token: w.Token, From: from, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		name, err := p.Sender(t.Context())
		var no *observe.Problem
		switch {
		case want != "" && (err != nil || name != want):
			t.Errorf("%s: %q, %v", from, name, err)
		case want == "" && (!errors.As(err, &no) || no.Status != 404 || no.Try == ""):
			t.Errorf("%s: %q, %v", from, name, err)
		}
	}
	for token, fine := range map[string]bool{w.Slack.Token: true, "xoxb-another": false} {
		n, err := observe.NewSlack(observe.SlackOptions{Token: token, API: w.Slack.API, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		who, err := n.(observe.SlackSpeaker).Who(t.Context())
		if fine != (err == nil) || fine && !strings.HasPrefix(who, "firedrill of Sandbox") || !fine && strings.Contains(err.Error(), token) {
			t.Errorf("%s: %q, %v", token, who, err)
		}
	}
	hook, err := observe.NewSlack(observe.SlackOptions{Webhook: w.Slack.Webhook, API: w.Slack.API, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if who, err := hook.(observe.SlackSpeaker).Who(t.Context()); err != nil || !strings.Contains(who, "takes messages only") {
		t.Errorf("webhook: %q, %v", who, err)
	}
}
