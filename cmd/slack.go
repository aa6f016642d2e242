package cmd

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/observe"
)

// connectSlack is what speaks to teams in their channels; nil where the environment has none. It is made when there is
// something to say: neither a drill nor an undo waits for a secret that only speaks. One that cannot be made says at each
// message why that was not sent.
func (d *Deps) connectSlack(env *drills.Environment, s *secrets) observe.Notifier {
	if env.Slack.Token == "" && env.Slack.Webhook == "" {
		return nil
	}
	return &slackDoor{secrecy: &d.known, open: func(ctx context.Context) (observe.Notifier, error) { return d.openSlack(ctx, env, s) }}
}

// openSlack reads the secret and makes the client.
func (d *Deps) openSlack(ctx context.Context, env *drills.Environment, s *secrets) (n observe.Notifier, err error) {
	spec := d.slackOf(ctx, env)
	o := observe.SlackOptions{API: spec.API, Now: d.Now}
	if spec.Token != "" {
		o.Token, err = s.resolve(ctx, spec.Token)
	} else {
		o.Webhook, err = s.resolve(ctx, spec.Webhook)
	}
	if err != nil {
		return nil, fmt.Errorf("set up Slack: %w", err)
	}
	return observe.NewSlack(o)
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

// slackDoor speaks to Slack once it is open, and tells people no secret.
type slackDoor struct {
	secrecy *secrecy
	open    func(context.Context) (observe.Notifier, error)

	mu   sync.Mutex
	made observe.Notifier
}

// through is what speaks; where it cannot be made it is tried again for the next message.
func (c *slackDoor) through(ctx context.Context) (observe.Notifier, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made != nil {
		return c.made, nil
	}
	n, err := c.open(ctx)
	if err == nil {
		c.made = n
	}
	return n, err
}

// Post is the notifier's, without secrets.
func (c *slackDoor) Post(ctx context.Context, channel string, m observe.Message) (string, error) {
	n, err := c.through(ctx)
	if err != nil {
		return "", err
	}
	m.Text, m.Image = c.secrecy.clean(m.Text), c.secrecy.clean(m.Image)
	return n.Post(ctx, channel, m)
}

// Replies is the notifier's.
func (c *slackDoor) Replies(ctx context.Context, channel, thread string) ([]observe.Reply, error) {
	n, err := c.through(ctx)
	if err != nil {
		return nil, err
	}
	return n.Replies(ctx, channel, thread)
}
