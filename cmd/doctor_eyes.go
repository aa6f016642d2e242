package cmd

import (
	"context"
	"errors"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// examine makes the clients of an environment and has a doctor look through them. What cannot be made is a finding.
func (d *Deps) examine(ctx context.Context, f *drills.File, env *drills.Environment, more func(*drills.Examination)) ([]drills.Finding, error) {
	x := drills.Examination{Run: d.newRun()}
	x.Drills, x.Known = d.library(f).Examined(env)
	var stray *drills.Refusal
	if err := strayed(env); errors.As(err, &stray) {
		x.Known = append(x.Known, drills.Finding{Check: "endpoint", Health: drills.Wrong, Found: stray.Why, Try: stray.Try})
	}
	steps := &drills.Steps{Env: env, Outcome: outcome}
	out, secrets, err := d.open(ctx, env, x.Run)
	if err != nil {
		x.Shut = "there are no credentials"
		x.Known = append(x.Known, drills.Finding{Check: "credentials", Health: drills.Wrong, Found: err.Error(), Try: "aws configure list"})
		out, secrets = &outside{env: env}, d.offline()
		out.world = drills.World{Clock: clock{d.Now}, CI: d.ci(), Catalog: d.catalog(), Secret: secrets.resolve}
	} else {
		x.Eyes.Topic, x.Eyes.Queue = out.clients.Subscriptions, out.clients.HasQueue
		x.Eyes.Table = d.tableLook(env)
	}
	x.Pager = d.connectPager(ctx, out, secrets)
	d.pagerEyes(out, &x.Eyes)
	x.Eyes.Link = observe.Linker{}.Look
	if x.Eyes.Holder, err = journal.Self(); err == nil {
		if store, err := d.reading(ctx); err == nil {
			defer store.Close()
			x.Eyes.Store = store
		}
	}
	steps.World = out.world
	steps.Lever = func(ctx context.Context) (drills.Lever, error) { return d.lever(ctx, env.Name) }
	more(&x)
	return steps.Doctor(ctx, x)
}

// offline resolves what this machine has, and nothing of an account.
func (d *Deps) offline() *secrets { return &secrets{getenv: d.Getenv, learn: d.known.learn} }

// pagerEyes are what the pager's and Slack's own clients can tell beside what a run asks.
func (d *Deps) pagerEyes(out *outside, eyes *drills.Eyes) {
	if p, ok := out.world.Marker.(interface {
		Sender(ctx context.Context) (string, error)
		Date(ctx context.Context) (time.Time, error)
	}); ok {
		eyes.Sender, eyes.Date = p.Sender, p.Date
	}
	if door, ok := out.world.Slack.(*slackDoor); ok {
		eyes.Bot = door.who
	}
}

// who asks what speaks to teams as whom it does.
func (c *slackDoor) who(ctx context.Context) (string, error) {
	n, err := c.through(ctx)
	if err != nil {
		return "", err
	}
	if s, ok := n.(observe.SlackSpeaker); ok {
		return s.Who(ctx)
	}
	return "", errors.New("it cannot say as whom it speaks")
}

// tableLook looks at the shared store's table; nil where there is none.
func (d *Deps) tableLook(env *drills.Environment) func(context.Context) (journal.TableLook, error) {
	if env.Store.Kind != "dynamodb" {
		return nil
	}
	return func(ctx context.Context) (journal.TableLook, error) {
		clients, err := d.tableClients(ctx, env, "doctor")
		if err != nil {
			return journal.TableLook{}, err
		}
		return journal.LookDynamoDB(ctx, journal.TableOptions{Client: database(clients), Table: env.Store.Table})
	}
}
