package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/internal/sandbox/hands"
)

const playHelp = `Be on call yourself, in this terminal: a drill breaks a sandbox, its alarms page you, and you find and mend what is wrong.
It takes ten minutes and no account. Everything is put back, whatever you do.

It starts a sandbox of its own, unless FIREDRILL_SANDBOX names one that nobody answers for (firedrill sandbox
--responder none). While it is on you acknowledge, look around, write notes and change things; each change is a call of
the AWS API, shown as the line of the AWS CLI that makes it. "help" there lists the words. ^D or "stop" ends it.

It ends with your own times. DRILL is the name of a drill, or a path to its file; left out, it is ` + defaultDrill + `.
Without a terminal the words are read from stdin, a line each, and "wait" waits until something has happened.`

// defaultDrill is the first one of most teams.
const defaultDrill = "orders-write-throttle"

func newPlayCommand(d *Deps) *cobra.Command {
	return &cobra.Command{
		Use: "play [DRILL]", Short: "Be on call yourself, on a sandbox: the first ten minutes",
		Long: playHelp + exits("3 missed, undetected or unanswered", "4 refused", "5 something is left in place",
			"6 stopped", "7 the fault was never felt", "75 not now", "130 interrupted"),
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: d.completeDrill,
		RunE: func(c *cobra.Command, args []string) error {
			name := defaultDrill
			if len(args) > 0 {
				name = args[0]
			}
			return runPlay(c.Context(), d, name)
		},
	}
}

func runPlay(ctx context.Context, d *Deps, name string) error {
	for _, env := range []string{d.env, d.Getenv("FIREDRILL_ENV")} {
		if env != "" && env != sandboxName {
			return usage("who plays breaks a sandbox, not %s. Try: firedrill run %s --env %s", env, name, env)
		}
	}
	console := newConsole(d)
	out, notices := d.Out, d.Err
	d.Out, d.Err = console, console // one hand writes on the terminal, or prompt and news would tear each other
	defer func() { d.Out, d.Err = out, notices }()
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	defer console.close()
	p, stop, err := d.preparePlay(ctx, name)
	defer stop()
	if err != nil {
		return interrupted(ctx, err)
	}
	run := p.preview.Plan.Run
	store, err := d.storeOf(ctx, p.out.env, run)
	if err != nil {
		return err
	}
	defer store.Close()
	g := newGame(d, console, p)
	g.tell = func(ctx context.Context, action string, e journal.Event) error {
		select { // who is quick with ^D stops a run that is not in the journal yet
		case <-g.begun:
		case <-ctx.Done():
			return ctx.Err()
		}
		return d.outsider(ctx, store, run, action, e)
	}
	defer g.hands.Close()
	e, err := d.engine(store, p.out, g.add)
	if err != nil {
		return err
	}
	if err := console.open(sig.interrupt, g.complete); err != nil {
		return err
	}
	g.welcome()
	end := g.start(ctx)
	state, err := sig.wait(func() (*drills.State, error) { return e.Start(ctx, p.preview.Plan, p.preview.Brief) })
	end()
	console.close()
	if state == nil {
		return interrupted(ctx, err)
	}
	g.debrief(state)
	return d.ended(state, err, false)
}

// played is a drill that is ready to be played: its card, and whose phone and keys the player has.
type played struct {
	prepared
	spec  *drills.Spec
	world sandbox.World
	next  string // the drill that may be played after it
}

// preparePlay makes the plan of a drill on a sandbox that nobody else answers for.
func (d *Deps) preparePlay(ctx context.Context, name string) (p played, stop func(), err error) {
	stop = func() {}
	f, err := d.file()
	if err != nil {
		return p, stop, err
	}
	if p.spec, err = d.drill(f, name); err != nil {
		return p, stop, err
	}
	p.next = d.nextDrill(f, p.spec.Drill)
	env, stop, err := d.sandboxEnvironment(ctx, sandboxUse{start: true, own: true, responder: "none"})
	if err != nil {
		return p, stop, err
	}
	if p.world, err = askInstance(ctx, env.Sandbox.URL, env.Sandbox.Instance); err != nil {
		return p, stop, fmt.Errorf("reach the sandbox: %w", err)
	}
	if p.world.OnCall.Answers {
		return p, stop, &hinted{errors.New("somebody else answers the pages of the sandbox that FIREDRILL_SANDBOX names"),
			"firedrill sandbox --responder none, or unset FIREDRILL_SANDBOX"}
	}
	p.prepared, err = d.prepareIn(ctx, env, p.spec, d.newRun(), true)
	return p, stop, err
}

// nextDrill is the one after this in the list of those that come with firedrill, and the first after the last: what others
// have written may break what no sandbox has.
func (d *Deps) nextDrill(f *drills.File, name string) string {
	list, _ := d.library(f).List() // what cannot be read is not offered
	var names []string
	for _, l := range list {
		if l.Broken == nil && l.Source == "" {
			names = append(names, l.Name)
		}
	}
	if i := slices.Index(names, name); len(names) > 0 {
		return names[(i+1)%len(names)]
	}
	return defaultDrill
}

// handsIn are those of whoever is on call in a sandbox, with the keys of a stranger to the shop.
func (d *Deps) handsIn(w sandbox.World) *hands.Hands {
	k := w.Keys["other"]
	return hands.New(hands.Options{AWS: w.AWS, Region: w.Region, Key: k.ID, Secret: k.Secret, Now: d.Now, Logs: w.URL + "/_sandbox/logs",
		Pager: w.Pager, Phone: w.OnCall.Phone, Token: w.OnCall.Token, User: w.OnCall.User,
		Pages: []hands.Page{{Name: "the shop's /health", URL: w.Vars["orders_url"] + "/health"},
			{Name: "/users", URL: w.Vars["users_url"]}, {Name: "/", URL: w.Vars["home_url"]}}})
}
