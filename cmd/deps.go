package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/term"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Deps is the only wiring of the program: everything a verb needs of its surroundings, built when it is asked for.
type Deps struct {
	In       io.Reader
	Out      io.Writer // the answer, alone
	Err      io.Writer // progress and notices
	Now      func() time.Time
	Getenv   func(string) string
	Terminal func() bool // whether a person sits at In and Out
	Color    func() bool // whether Err is a terminal that wants colour
	Width    func() int  // of the terminal at Err, in columns; 0 where there is none
	Dir      string      // where the program was started
	// Below returns a random number from 0 to n, n excluded; Sleep waits, nil in real time.
	Below func(n int64) int64
	Sleep func(ctx context.Context, d time.Duration) error

	config, state, env string // the persistent flags
	output             string
	ahead              bool             // plans are made to their end, also when it is not the time for them
	approved           *drills.Approved // what a run must be, word for word; nil: nobody approved anything

	papers *papers // what a CI job is left; nil: nothing
	pushes pushes  // whose metrics are to be pushed
	pagers pagers
	known  secrecy // every secret read so far: nothing that leaves carries one
}

// NewDeps are the surroundings of the real program. time.Now stands here and nowhere else.
func NewDeps() *Deps {
	dir, _ := os.Getwd()
	return &Deps{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: newSteady(time.Now).Now, Getenv: os.Getenv, Dir: dir, Below: unforeseen,
		Terminal: func() bool { return term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd())) },
		Width: func() int {
			columns, _, _ := term.GetSize(int(os.Stderr.Fd()))
			return columns
		},
		Color: func() bool {
			return term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		},
	}
}

// stateDir is where the journal, the debriefs and the sandbox's address are kept.
func (d *Deps) stateDir() (string, error) {
	for _, dir := range []string{d.state, d.Getenv("FIREDRILL_STATE")} {
		if dir != "" {
			return filepath.Abs(dir)
		}
	}
	if base := d.Getenv("XDG_STATE_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "firedrill"), nil
	}
	home := d.Getenv("HOME")
	if home == "" {
		return "", &hinted{errors.New("find state directory: HOME is not set"), "--state DIR"}
	}
	return filepath.Join(home, ".local", "state", "firedrill"), nil
}

// kinds are the faults there are, for who reads drill files.
func (d *Deps) kinds() drills.Kinds { return drills.KnownKinds(d.catalog()) }

// catalog are the faults there are, for who reaches no account.
func (d *Deps) catalog() inject.Catalog { return inject.NewCatalog(nil, inject.CatalogOptions{}) }

// operator is who started the program, as the system knows them.
func (d *Deps) operator() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// outside is one environment with real clients.
type outside struct {
	env     *drills.Environment
	clients *inject.Clients
	world   drills.World
}

// connect makes the clients of an environment. Nothing is asked of it yet.
func (d *Deps) connect(ctx context.Context, env *drills.Environment, run string) (*outside, error) {
	out, secrets, err := d.open(ctx, env, run)
	if err != nil {
		return nil, err
	}
	return out, d.connectPager(ctx, out, secrets)
}

// open makes all of them but the pager's.
func (d *Deps) open(ctx context.Context, env *drills.Environment, run string) (*outside, *secrets, error) {
	o := d.awsOptions(env, run)
	timing := inject.AWSTiming()
	if len(env.AWS.Regions) > 0 {
		o.Region = env.AWS.Regions[0]
	}
	if env.Sandbox != nil {
		o.AccessKey, o.Secret, timing = env.Sandbox.KeyID, env.Sandbox.Secret, inject.SandboxTiming()
	}
	clients, err := inject.Open(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	out := &outside{env: env, clients: clients}
	secrets := &secrets{getenv: d.Getenv, clients: clients, plain: env.Sandbox != nil, learn: d.known.learn}
	out.world = drills.World{
		Catalog: inject.NewCatalog(clients, inject.CatalogOptions{Timing: timing, Roles: d.rolesOf(env)}),
		Caller: func(ctx context.Context) (drills.Caller, error) {
			c, err := clients.Identity(ctx)
			return drills.Caller{Account: c.Account, ARN: c.ARN, Alias: c.Alias, Region: o.Region}, err
		},
		Credentials: lifetime(clients),
		Secret:      secrets.resolve,
		Simulate:    clients.Simulate,
		Clock:       clock{d.Now},
		CI:          d.ci(),

		Leftovers: inject.NewSweeper(clients, inject.CatalogOptions{Timing: timing}),
		Switch:    inject.NewSwitch(clients, switchOptions(env)),
		Lever:     observe.FISLever(clients.Config),
		Trail:     observe.NewTrail(clients.Config, trailOptions(env)),
		Dates:     map[string]func(context.Context) (time.Time, error){"aws": awsDate(clients)},
	}
	d.look(&out.world, clients, secrets)
	out.world.Slack = d.connectSlack(env, secrets)
	return out, secrets, nil
}

// rolesOf are those that a fault must not shut out: ours, and that of the dead-man's switch.
func (d *Deps) rolesOf(env *drills.Environment) (roles []string) {
	for _, r := range []string{env.AWS.Role, d.actsAs(env), env.Deadman.Role} {
		if r != "" && !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles
}

// switchOptions are those of an environment's dead-man's switch. Deleting one takes neither role nor queue.
func switchOptions(env *drills.Environment) inject.SwitchOptions {
	o := inject.SwitchOptions{Role: env.Deadman.Role, DLQ: env.Deadman.DLQ}
	if env.Sandbox != nil {
		o.Apart = 50 * time.Millisecond
	}
	return o
}

// trailOptions say which role of an environment is ours alone. The sandbox answers as often as it is asked.
func trailOptions(env *drills.Environment) observe.TrailOptions {
	o := observe.TrailOptions{Roles: []string{env.Deadman.Role}}
	if env.Sandbox != nil {
		o.Apart = 10 * time.Millisecond
	}
	return o
}

// look gives a world its eyes.
func (d *Deps) look(w *drills.World, clients *inject.Clients, s *secrets) {
	cw, queues := observe.CloudWatchOf(clients.Config), sqs.NewFromConfig(clients.Config)
	eyes := observe.Clients{HTTP: &http.Client{}, CloudWatch: cw, SQS: queues, Now: d.Now, Secret: s.resolve}
	w.Alarms, w.Calendar = observe.NewAlarms(cw), observe.FetchCalendar(eyes.HTTP)
	w.Probe = func(s observe.ProbeSpec) (observe.Probe, error) { return observe.NewProbe(s, eyes) }
	w.Forecast = func(ctx context.Context, s observe.ProbeSpec) (observe.AlertmanagerForecast, error) {
		return observe.Forecast(ctx, s, eyes)
	}
}

// fetchCalendar fetches calendars for who reaches nothing else.
func (d *Deps) fetchCalendar() func(context.Context, string) ([]byte, error) {
	return observe.FetchCalendar(&http.Client{})
}

// unforeseen is a number below n that nobody can foretell.
func unforeseen(n int64) int64 {
	v, err := rand.Int(rand.Reader, big.NewInt(n))
	if err != nil { // the system has no randomness: it ends the process before that
		return 0
	}
	return v.Int64()
}

// connectPager makes the pager's client. An environment without a token has no pager: it can still put back.
func (d *Deps) connectPager(ctx context.Context, out *outside, s *secrets) error {
	p := d.pagerOf(ctx, out.env)
	if p.Token == "" {
		return nil
	}
	token, err := s.resolve(ctx, p.Token)
	if err != nil {
		return &drills.Refusal{Code: "pager", Why: fmt.Sprintf("read PagerDuty token: %v", err), Try: "set it, and check that it may be read"}
	}
	pager, feed, err := d.pagers.of(observe.PagerOptions{Region: p.Region, API: p.API, Events: p.Events, Token: token,
		From: p.From, Bots: p.Bots, Now: d.Now}, feedPace(out.env))
	if err != nil {
		return err
	}
	out.world.Pager = &clearPager{Pager: pager, secrecy: &d.known}
	out.world.Feed, out.world.Notebook, out.world.Marker, out.world.Woken = feed, pager, pager, pager.Woken
	return nil
}

// pagers are the clients of a process, one for each account and key, with the feed that all its runs share.
type pagers struct {
	mu    sync.Mutex
	known map[string]pagerAccount
}

type pagerAccount struct {
	client *observe.PagerDuty
	feed   *observe.SharedFeed
}

// of is the account's client and feed. Its clock needs no looks of its own: the feed reads it off every answer.
func (p *pagers) of(o observe.PagerOptions, pace observe.FeedOptions) (*observe.PagerDuty, *observe.SharedFeed, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := strings.Join(append([]string{o.Region, o.API, o.Token, o.From}, o.Bots...), "\n")
	if a, ok := p.known[key]; ok {
		return a.client, a.feed, nil
	}
	client, err := observe.NewPagerDuty(o)
	if err != nil {
		return nil, nil, err
	}
	if p.known == nil {
		p.known = map[string]pagerAccount{}
	}
	pace.Now = o.Now
	p.known[key] = pagerAccount{client, observe.NewFeed(client, pace)}
	return client, p.known[key].feed, nil
}

// feedPace: the sandbox's pager is looked at more often, because its time is short.
func feedPace(env *drills.Environment) observe.FeedOptions {
	if env.Sandbox == nil || env.Sandbox.Unhurried {
		return observe.FeedOptions{}
	}
	return observe.FeedOptions{PerMinute: 240, Pace: 500 * time.Millisecond, Aim: 250 * time.Millisecond}
}

// strayed refuses a real drill where an AWS_ENDPOINT_URL* is set: whoever set it expects it to count, and it does not.
// Putting back asks nobody: our clients never follow it.
func strayed(env *drills.Environment) error {
	name := strayEndpoint()
	if env.Sandbox != nil || name == "" {
		return nil
	}
	return &drills.Refusal{Code: "endpoint", Why: fmt.Sprintf("%s is set: a drill on %s is never sent to another endpoint", name, env.Name),
		Try: "unset " + name + ", or write aws.endpoint in firedrill.yaml"}
}

// strayEndpoint names an AWS_ENDPOINT_URL* that is set.
func strayEndpoint() string {
	for _, kv := range os.Environ() {
		const prefix = "AWS_ENDPOINT_URL"
		if len(kv) > len(prefix) && kv[:len(prefix)] == prefix {
			name, value, _ := cutEnv(kv)
			if value != "" {
				return name
			}
		}
	}
	return ""
}

// engine is a loop for one run in an environment.
func (d *Deps) engine(store journal.Store, out *outside, watch func([]journal.Event)) (*drills.Engine, error) {
	self, err := journal.Self()
	if err != nil {
		return nil, err
	}
	store, watch = d.planted(store, out, watch)
	steps := &drills.Steps{World: out.world, Env: out.env, Outcome: outcome}
	return &drills.Engine{Store: store, Steps: steps, Clock: clock{d.Now}, Holder: self, Watch: watch}, nil
}

func outcome(events []journal.Event, now time.Time) string {
	return string(timeline.Of(events, now).Outcome)
}
