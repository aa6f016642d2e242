package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// sweepOptions are the flags of recover --sweep.
type sweepOptions struct {
	dry, force, yes bool
}

// runSweep looks through an environment's account for what carries our marks, and puts back what they suffice for. Where
// the journal knows a run, its record is used instead.
func runSweep(ctx context.Context, d *Deps, o sweepOptions) error {
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	if err := d.answerable(o.yes || o.dry); err != nil {
		return err
	}
	f, err := d.file()
	if err != nil {
		return err
	}
	env, stop, err := d.environment(ctx, f, sandboxUse{})
	defer func() { stop() }()
	if err != nil {
		return err
	}
	w, err := d.sweep(ctx, env)
	if err != nil {
		return err
	}
	defer func() { closed(w.Store) }()
	w.Force = o.force
	fmt.Fprintf(d.Err, "looking through %s, account %s\n", env.Name, env.AWS.Account)
	list, survey, err := w.Look(ctx)
	if err != nil {
		return interrupted(ctx, err)
	}
	fmt.Fprintf(d.Err, "looked at %s\n", counted(survey.Looked))
	for _, u := range survey.Unread {
		fmt.Fprintf(d.Err, "firedrill: not looked at: %s\n", u)
	}
	d.printFound(list, o.dry)
	todo := 0
	for _, s := range list {
		if s.By == drills.KeeperMark || s.By == drills.KeeperJournal {
			todo++
		}
	}
	if o.dry || todo == 0 {
		return d.swept(list, len(survey.Unread))
	}
	if err := d.agreed(ctx, env, o.yes, fmt.Sprintf("This puts back %s in %s", things(todo), env.Name)); err != nil {
		return interrupted(ctx, err)
	}
	closed(w.Store)
	d.keep(ctx, w, d.store)
	var after []drills.Swept
	if _, err := sig.wait(func() (*drills.State, error) { after = d.putBack(ctx, w, list); return nil, nil }); err != nil {
		return err
	}
	d.tellPages(after)
	return d.swept(after, len(survey.Unread))
}

// tellPages reminds of what no mark tells: whom a run had paged.
func (d *Deps) tellPages(list []drills.Swept) {
	told := map[string]bool{}
	for _, s := range list {
		if s.By == drills.KeeperMark && s.Undo != nil && s.Err == nil && !told[s.Mark.Run] {
			told[s.Mark.Run] = true
			fmt.Fprintf(d.Err, "if run %s has paged somebody, that incident is still open: resolve it there (key %s)\n", s.Mark.Run, drills.Dedup(s.Mark.Run))
		}
	}
}

// sweep makes a sweep of an environment. A journal that cannot be read is told, and done without.
func (d *Deps) sweep(ctx context.Context, env *drills.Environment) (*drills.Sweep, error) {
	out, err := d.connect(ctx, env, "sweep")
	if err != nil && env.PagerDuty.Token != "" { // it needs no pager
		bare := *env
		bare.PagerDuty.Token = ""
		out, err = d.connect(ctx, &bare, "sweep")
	}
	if err != nil {
		return nil, err
	}
	self, err := journal.Self()
	if err != nil {
		return nil, err
	}
	w := &drills.Sweep{Steps: &drills.Steps{World: out.world, Env: out.env, Outcome: outcome}, Holder: self}
	d.keep(ctx, w, d.reading)
	w.Tell = d.tellSwept
	return w, nil
}

// keep opens the journal for a sweep, which goes on without.
func (d *Deps) keep(ctx context.Context, w *drills.Sweep, open func(context.Context) (journal.Store, error)) {
	store, err := open(ctx)
	if w.Store = store; err != nil {
		fmt.Fprintf(d.Err, "firedrill: going on without the journal: %v\n", err)
		w.Store = nil
	}
}

func closed(store journal.Store) {
	if store != nil {
		_ = store.Close()
	}
}

// putBack puts back by journal what it knows, and the rest by marks.
func (d *Deps) putBack(ctx context.Context, w *drills.Sweep, list []drills.Swept) []drills.Swept {
	done := map[string]error{}
	for i, s := range list {
		if s.By != drills.KeeperJournal {
			continue
		}
		err, tried := done[s.Mark.Run]
		if !tried {
			err = d.recoverOne(ctx, w.Store, s.Mark.Run, recovery{reason: drills.ReasonRecover, why: "recovered by " + d.operator() + ", who swept"})
			done[s.Mark.Run] = err
			if err != nil {
				fmt.Fprintf(d.Err, "firedrill: %v\n", err)
			}
		}
		if list[i].Err = err; err == nil {
			list[i].How = "recovered"
		}
	}
	return w.PutBack(ctx, list)
}

// agreed asks a person for the name of a real environment.
func (d *Deps) agreed(ctx context.Context, env *drills.Environment, yes bool, what string) error {
	if env.Sandbox != nil || yes {
		return nil
	}
	fmt.Fprintf(d.Err, "\n%s, for real. Type its name to go on: ", what)
	return d.askName(ctx, env.Name)
}

// printFound lists what was found, run by run, with the words of the mark and who is to put it back.
func (d *Deps) printFound(list []drills.Swept, dry bool) {
	if len(list) == 0 {
		fmt.Fprintln(d.Out, "nothing of ours is left")
		return
	}
	fmt.Fprintf(d.Out, "found %s with our mark\n", things(len(list)))
	for _, s := range list {
		fmt.Fprintf(d.Out, "\n%s\n  %s\n", s.Thing, whose(s))
		if s.Finds != "" {
			fmt.Fprintf(d.Out, "  %s\n", s.Finds)
		}
		switch s.By {
		case drills.KeeperMark:
			if dry {
				fmt.Fprintln(d.Out, "  its mark suffices to put it back")
			}
		case drills.KeeperJournal:
			fmt.Fprintf(d.Out, "  %s: %s\n", s.Why, s.Try)
		case drills.KeeperRun:
			fmt.Fprintf(d.Out, "  left alone: %s\n", s.Why)
			if s.Try != "" {
				fmt.Fprintf(d.Out, "  Try: %s\n", s.Try)
			}
		default:
			d.printByHand(s, s.Why)
		}
	}
	fmt.Fprintln(d.Out)
}

func whose(s drills.Swept) string {
	text := "run " + s.Mark.Run
	if s.Mark.Run == "" {
		text = "no run"
	}
	if s.Mark.Fault != "" {
		text += ", fault " + s.Mark.Fault
	}
	if !s.Mark.Until.IsZero() {
		text += ", until " + s.Mark.Until.UTC().Format(time.RFC3339)
	}
	return text
}

// printByHand tells a person what to type.
func (d *Deps) printByHand(s drills.Swept, why string) {
	fmt.Fprintf(d.Out, "  for a person, who looks first: %s\n", why)
	for _, line := range s.ByHand {
		fmt.Fprintf(d.Out, "    %s\n", line)
	}
}

// tellSwept tells what became of one thing.
func (d *Deps) tellSwept(s drills.Swept) {
	if s.Err != nil {
		fmt.Fprintf(d.Out, "left in place: %s: %v\n", s.Thing, s.Err)
		d.printByHand(s, "it could not be put back")
		return
	}
	verb := "put back"
	if s.Schedule != "" || s.Selftest != "" {
		verb = "deleted"
	}
	fmt.Fprintf(d.Out, "%s: %s (%s)", verb, s.Thing, s.How)
	if s.Told != "" {
		fmt.Fprintf(d.Out, ": %s", s.Told)
	}
	fmt.Fprintln(d.Out)
	for _, i := range s.Items {
		fmt.Fprintf(d.Out, "  %s: %s %s\n", i.Name, i.End, i.Why)
	}
}

// swept says how a sweep ended: nothing of ours is left, something is, or only what its run holds.
func (d *Deps) swept(list []drills.Swept, unread int) error {
	back, held, left := 0, 0, 0
	for _, s := range list {
		switch {
		case s.How != "" && s.Err == nil:
			back++
		case s.By == drills.KeeperRun:
			held++
		default:
			left++
		}
	}
	if len(list) > 0 {
		fmt.Fprintf(d.Out, "%d found: %d put back, %d of runs that live or may live, %d left\n", len(list), back, held, left)
	}
	switch {
	case left > 0:
		return &exitError{exitDirty, nil}
	case unread > 0:
		return &hinted{errors.New("not everything could be looked at, so something may be left"), "firedrill policy --for sweep, and allow what it says"}
	case held > 0:
		return &exitError{exitLater, nil}
	}
	return nil
}

func things(n int) string {
	if n == 1 {
		return "1 thing"
	}
	return fmt.Sprintf("%d things", n)
}

func counted(looked map[string]int) string {
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(looked)) {
		n := looked[kind]
		if n == 1 {
			kind = strings.TrimSuffix(kind, "s")
		}
		words = append(words, fmt.Sprintf("%d %s", n, kind))
	}
	return strings.Join(words, ", ")
}
