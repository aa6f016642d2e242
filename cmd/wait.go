package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/firedrill/firedrill/drills"
)

// waitOptions say how a drill that may not run now is waited for, and how it surprises.
type waitOptions struct {
	wait   time.Duration // at most; zero: not at all
	within time.Duration // it begins at a random moment of so long; zero: now
}

func (o *waitOptions) flags(f *pflag.FlagSet) {
	f.DurationVar(&o.wait, "wait", 0, "where it is not now (75), wait for it so long, and try again")
	f.DurationVar(&o.within, "at-random-within", 0, "begin at a random moment of so long, inside the window")
}

// longestWait is more than any job lasts: whoever wants to begin tomorrow starts it tomorrow.
const longestWait = 72 * time.Hour

func (o *waitOptions) check() error {
	for name, d := range map[string]time.Duration{"wait": o.wait, "at-random-within": o.within} {
		if d < 0 || d > longestWait {
			return usage("--%s %s is not between 1s and %s", name, d, longestWait)
		}
	}
	return nil
}

// How often it is tried again where nobody knows when it could be. The sandbox's time is short.
const (
	firstPause   = 30 * time.Second
	longestPause = 5 * time.Minute
	sandboxPause = time.Second
	longestNap   = 20 * time.Second // a machine that sleeps stops the clock that timers go by
	repeatLine   = 10 * time.Minute
)

// patience waits for a run that may not begin yet.
type patience struct {
	d           *Deps
	until       time.Time // given up then
	pause, most time.Duration
	sleep       func(ctx context.Context, d time.Duration) error
	said        string    // the reason that was told last
	saidAt      time.Time //
}

// patiently runs try until it ends with anything else than not now, or the time for it is over. Each try looks at the
// world anew.
func (d *Deps) patiently(ctx context.Context, o *runOptions, try func() error) error {
	if err := o.check(); err != nil {
		return err
	}
	sleep := d.Sleep
	if sleep == nil {
		sleep = clock{d.Now}.Wait
	}
	w := &patience{d: d, pause: firstPause, most: longestPause, sleep: sleep}
	if env, err := d.meant(); err == nil && env.Sandbox != nil {
		w.pause, w.most = sandboxPause, sandboxPause
	}
	if err := w.surprise(ctx, o); err != nil {
		return interrupted(ctx, err)
	}
	for w.until = d.Now().Add(o.wait); ; {
		err := try()
		if o.wait <= 0 || codeOf(err) != exitLater || ctx.Err() != nil {
			return err
		}
		again, ok := w.again(err)
		if !ok {
			return err
		}
		if no := d.agree(ctx, o); no != nil {
			return interrupted(ctx, no)
		}
		w.say(err, again)
		if no := w.nap(ctx, again, true); no != nil {
			return interrupted(ctx, no)
		}
	}
}

// again is when to try again: when it could be, else after a pause that grows. False: the time is over before, or there is
// no use in waiting.
func (w *patience) again(err error) (time.Time, bool) {
	now := w.d.Now()
	if !now.Before(w.until) {
		return now, false
	}
	next := now.Add(w.pause)
	w.pause = min(w.pause*3/2, w.most)
	var r *drills.Refusal
	if errors.As(err, &r) && r.Next.After(now) {
		switch {
		case r.Code == "lever": // somebody may let it go earlier
			next = earlier(next, r.Next)
		case r.Next.After(w.until):
			return r.Next, false
		default:
			next = r.Next
		}
	}
	return earlier(next, w.until), true
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// say tells once why it waits and until when, and again when the reason is another or a while has passed.
func (w *patience) say(err error, again time.Time) {
	now, why := w.d.Now(), harmless(err.Error())
	var ended *exitError
	if errors.As(err, &ended) && ended.err == nil { // the run itself has told why
		why = "the run was refused, for now"
	}
	switch {
	case why != w.said:
		fmt.Fprintf(w.d.Err, "%s\nwaiting until %s at most; ^C ends it, nothing was changed\n", why, w.until.UTC().Format("Mon 15:04:05 MST"))
	case now.Sub(w.saidAt) >= repeatLine:
		fmt.Fprintf(w.d.Err, "still waiting: next try at %s\n", again.UTC().Format("Mon 15:04:05 MST"))
	default:
		return
	}
	w.said, w.saidAt = why, now
}

// nap waits until a time, in short pieces. On a terminal it counts down, unless nobody is to know.
func (w *patience) nap(ctx context.Context, until time.Time, count bool) error {
	count = count && w.d.Color()
	defer func() {
		if count {
			fmt.Fprint(w.d.Err, "\r\x1b[K")
		}
	}()
	for {
		left := until.Sub(w.d.Now())
		if left <= 0 {
			return context.Cause(ctx)
		}
		piece := min(left, longestNap)
		if count {
			fmt.Fprintf(w.d.Err, "\r\x1b[Knext try in %s", left.Round(time.Second))
			piece = min(piece, time.Second)
		}
		if err := w.sleep(ctx, piece); err != nil {
			return err
		}
	}
}

// surprise waits for a random moment of those at which people may be woken. What must be mended is told at once, not
// hours later; the moment itself is told to nobody.
func (w *patience) surprise(ctx context.Context, o *runOptions) error {
	if o.within <= 0 {
		return nil
	}
	if err := w.d.rehearse(ctx, o); err != nil && codeOf(err) != exitLater {
		return err
	}
	env, err := w.d.meant()
	if err != nil {
		return err
	}
	if err := w.d.agree(ctx, o); err != nil {
		return err
	}
	return w.moment(ctx, env, o.within)
}

// moment picks it and waits for it.
func (w *patience) moment(ctx context.Context, env *drills.Environment, within time.Duration) error {
	steps := &drills.Steps{Env: env, World: drills.World{Clock: clock{w.d.Now}, Calendar: w.d.fetchCalendar()}}
	at, err := steps.Surprise(ctx, within, w.d.Below)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.d.Err, "a surprise: some time before %s; ^C ends it, nothing was changed\n", w.d.Now().Add(within).UTC().Format("Mon 15:04 MST"))
	return w.nap(ctx, at, false)
}

// rehearse makes the plans and throws them away.
func (d *Deps) rehearse(ctx context.Context, o *runOptions) error {
	if len(o.drills) > 1 {
		all, stop, err := d.prepareMany(ctx, *o)
		defer stop()
		if err == nil {
			err = d.confirmMany(ctx, all, o.yes)
		}
		o.yes = o.yes || err == nil
		return err
	}
	p, err := d.prepare(ctx, o.drills[0], d.newRun(), sandboxUse{start: true, responder: o.responder})
	defer func() { p.stop() }()
	if err == nil {
		err = d.confirm(ctx, p, o.yes)
	}
	o.yes = o.yes || err == nil
	return err
}

// agree asks, before anything is waited for, what would be asked when the time has come and nobody may sit here any more.
func (d *Deps) agree(ctx context.Context, o *runOptions) error {
	env, err := d.meant()
	if err != nil || env.Sandbox != nil || o.yes {
		return err
	}
	if !d.Terminal() {
		return usage("%s is a real environment, and nobody is here to confirm. Try: --yes", env.Name)
	}
	fmt.Fprintf(d.Err, "\nThis changes %s for real, by itself, as soon as it may. Type its name to let it: ", env.Name)
	if err := d.askName(ctx, env.Name); err != nil {
		return err
	}
	o.yes = true
	return nil
}

// meant is the environment that is meant, as its file tells it: nothing of it is reached.
func (d *Deps) meant() (*drills.Environment, error) {
	f, err := d.file()
	if err != nil {
		return nil, err
	}
	name, err := d.environmentName(f)
	if err != nil {
		return nil, err
	}
	if name == sandboxName {
		return &drills.Environment{Name: name, Sandbox: &drills.SandboxRef{}}, nil
	}
	env, ok := f.Environments[name]
	if !ok {
		return nil, unknownEnvironment(f, name)
	}
	return &env, nil
}
