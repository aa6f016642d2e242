package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/observe"
)

// connectSlack makes what speaks to teams in their channels; nil where the environment has none. One that cannot be
// made keeps no drill from running and nothing from being put back: it says at each message why that was not sent.
func (d *Deps) connectSlack(ctx context.Context, env *drills.Environment, s *secrets) observe.Notifier {
	spec := d.slackOf(ctx, env)
	if spec.Token == "" && spec.Webhook == "" {
		return nil
	}
	o := observe.SlackOptions{API: spec.API, Now: d.Now}
	var err error
	if spec.Token != "" {
		o.Token, err = s.resolve(ctx, spec.Token)
	} else {
		o.Webhook, err = s.resolve(ctx, spec.Webhook)
	}
	if err != nil {
		return &mute{fmt.Errorf("set up Slack: %w", err)}
	}
	n, err := observe.NewSlack(o)
	if err != nil {
		return &mute{err}
	}
	return &clearSlack{Notifier: n, secrecy: &d.known}
}

// slackOf is the Slack of an environment: like its pager, that of the sandbox where its aws.endpoint is one's.
func (d *Deps) slackOf(ctx context.Context, env *drills.Environment) drills.SlackSpec {
	spec := env.Slack
	base, ok := strings.CutSuffix(env.AWS.Endpoint, "/aws")
	if spec.API != "" || spec.Token == "" && spec.Webhook == "" || !ok || !loopback(base) {
		return spec
	}
	if w, err := askWorld(ctx, base); err == nil && w.AWS == env.AWS.Endpoint {
		spec.API = w.Slack.API
	}
	return spec
}

// mute says why nothing can be said.
type mute struct{ err error }

func (m *mute) Post(context.Context, string, observe.Message) (string, error) { return "", m.err }

func (m *mute) Replies(context.Context, string, string) ([]observe.Reply, error) { return nil, m.err }

// clearSlack tells people no secret.
type clearSlack struct {
	observe.Notifier
	secrecy *secrecy
}

// Post is the notifier's, without secrets.
func (c *clearSlack) Post(ctx context.Context, channel string, m observe.Message) (string, error) {
	m.Text, m.Image = c.secrecy.clean(m.Text), c.secrecy.clean(m.Image)
	return c.Notifier.Post(ctx, channel, m)
}
