package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

// How long init waits for an account: to learn who we are there, and for one list of it. Who has no credentials at all is
// told so after the first.
const (
	reachTime = 15 * time.Second
	listTime  = 20 * time.Second
)

// target is one thing that a first drill could break.
type target = inject.Candidate

// account is the account of an environment that is being written, as far as it can be reached. It is only read.
type account struct {
	who      drills.Caller
	steps    *drills.Steps
	things   *inject.Inventory
	services func(context.Context) ([]observe.PagerService, error)
	lost     error // why it was not reached; nil: it was
}

// lookInto reaches an account and asks who we are there.
func (d *Deps) lookInto(ctx context.Context, env *drills.Environment) *account {
	a := &account{}
	out, secrets, err := d.open(ctx, env, "init")
	if err != nil {
		a.lost = err
		return a
	}
	a.services = func(ctx context.Context) ([]observe.PagerService, error) { return d.pagerServices(ctx, env, secrets) }
	inner, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	defer d.meanwhile("reaching the account")()
	if a.who, a.lost = out.world.Caller(inner); a.lost != nil {
		return a
	}
	if want := env.AWS.Account; want != "" && want != a.who.Account {
		a.lost = fmt.Errorf("these credentials stand in account %s, not in %s: nothing was read there", a.who.Account, want)
		return a
	}
	a.steps = &drills.Steps{World: out.world, Env: env, Outcome: outcome}
	a.things = inject.NewInventory(out.clients, listTime)
	return a
}

// pagerServices lists PagerDuty's services, where the token may be read.
func (d *Deps) pagerServices(ctx context.Context, env *drills.Environment, s *secrets) ([]observe.PagerService, error) {
	token, err := s.resolve(ctx, env.PagerDuty.Token)
	if err != nil {
		return nil, err
	}
	p := d.pagerOf(ctx, env)
	client, err := observe.NewPagerDuty(observe.PagerOptions{Region: p.Region, API: p.API, Events: p.Events, Token: token, Now: d.Now})
	if err != nil {
		return nil, err
	}
	return client.Services(ctx)
}

// The services that --target names.
func targetServices() []string {
	return []string{inject.ServiceTables, inject.ServiceQueues, inject.ServiceBalancers}
}

// find looks at the one target that is meant; a *drills.Refusal says that no drill can break it.
func (a *account) find(ctx context.Context, service, name string) (target, error) {
	t, err := a.things.Find(ctx, service, name)
	var no *inject.Refusal
	if errors.As(err, &no) {
		return t, &drills.Refusal{Code: "target", Why: no.Why, Try: no.Try}
	}
	if err == nil && t.Out != "" && !t.Later {
		err = &drills.Refusal{Code: "target", Why: t.Out, Try: t.Mend}
	}
	return t, err
}

// named is a target that nobody could look at: what is known of it is its name.
func named(service, name string) target {
	return target{Service: service, Name: name, Unread: "the account was not reached"}
}
