package drills

import (
	"context"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

// World is everything outside the program that a run reads or changes. The wiring fills it with real clients; tests
// fill it with fakes.
type World struct {
	Catalog inject.Catalog
	// Caller tells which account our credentials stand in, from STS itself.
	Caller func(ctx context.Context) (Caller, error)
	// Credentials tells how long ours last and whether they renew; nil where nobody asks.
	Credentials func(ctx context.Context) (Credentials, error)
	// Probe makes a probe of its description.
	Probe func(observe.ProbeSpec) (observe.Probe, error)
	// Forecast tells which way an alert of Alertmanager would take to people, and under which key; nil where nobody asks.
	Forecast func(context.Context, observe.ProbeSpec) (observe.AlertmanagerForecast, error)
	// Alarms reads the environment's alarms; nil where there are none.
	Alarms observe.Alarms
	// Pager speaks to PagerDuty; nil where the environment has none.
	Pager observe.Pager
	// Feed tells what the pager knows, for every run of this process; nil: the run asks Pager itself.
	Feed observe.Feed
	// Notebook reads notes on incidents; nil where nobody can.
	Notebook observe.Notebook
	// Marker gives incidents the type of a drill; nil where nobody can.
	Marker observe.Marker
	// Slack speaks to teams in their channels; nil where the environment has none.
	Slack observe.Notifier
	// Trail tells who else changed a target; nil where nobody asks.
	Trail observe.Trail
	// Switch is the dead-man's switch; nil where there is none.
	Switch inject.Switch
	// Leftovers finds what is ours by its marks; nil where nobody looks.
	Leftovers Leftovers
	// Lever reads AWS FIS's own safety lever; nil where nobody asks.
	Lever func(ctx context.Context) (engaged bool, reason string, err error)
	// Secret resolves a reference: env:, file:, ssm:, secretsmanager:.
	Secret func(ctx context.Context, ref string) (string, error)
	// Simulate asks IAM which of these lines a user or role is not allowed, and makes no call; an error that wraps
	// inject.ErrUnchecked says that nobody can tell.
	Simulate func(ctx context.Context, principal string, list []inject.Permission, facts map[string]string) ([]inject.Permission, error)
	// Calendar fetches a calendar of holidays over https; nil where nobody can. A *observe.SilentError may answer later.
	Calendar func(ctx context.Context, url string) ([]byte, error)
	// Woken tells when real incidents last woke people; nil where nobody can tell.
	Woken func(ctx context.Context, q observe.NightQuery) (observe.Woken, error)
	// CI says that this machine serves one job and is thrown away after it.
	CI bool
	// Dates ask a source for its time, by the source's name: aws, pagerduty.
	Dates map[string]func(ctx context.Context) (time.Time, error)
	Clock TimeKeeper
}

// TimeKeeper is the clock of a run: time is an argument everywhere else.
type TimeKeeper interface {
	Now() time.Time
	// Wait returns after d, or with ctx's error when it ends before.
	Wait(ctx context.Context, d time.Duration) error
	// Every ticks each d until ctx ends.
	Every(ctx context.Context, d time.Duration) <-chan time.Time
}

// Caller is who our credentials are, as the account itself says.
type Caller struct {
	Account string
	ARN     string
	Alias   string // account alias; empty when it has none or may not be read
	Region  string // where our clients point to
}

// Credentials is how long the credentials of a run last.
type Credentials struct {
	Source  string    // for people: "GitHub's OIDC", "AWS_ACCESS_KEY_ID", "profile staging", …
	Renews  bool      // they are renewed without anybody's help for as long as a run may last
	Expires time.Time // when they end; zero: never, or nobody knows
	Unknown bool      // a session whose end nobody can tell
}
