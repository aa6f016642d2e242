package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

const statusHelp = `Show how a run stands: its instants, its expectations, what was changed, and what is still in place.

RUN is a run id or any unique prefix; left out, it is the run that is on, else the last. It is found in the journal of
this machine and in the shared one of every environment in firedrill.yaml (with --env of that one), whichever machine
runs it; --follow shows it there as it goes on, until it has ended.

--correct records that one of the seven instants was another than what was read, as RFC 3339 or as an hour of the run's
day in your zone; what was read is kept, and shown beside it:
  firedrill status 01hx --correct acknowledged=14:03:10 --why "she called back before she tapped"`

func newStatusCommand(d *Deps) *cobra.Command {
	follow, correct, why := false, "", ""
	c := &cobra.Command{
		Use: "status [RUN]", Short: "Show how a run stands, and what is left in place",
		Long: statusHelp + exits("5 something is in place"), Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("correct") {
				if follow || c.Flags().Changed("output") {
					return usage("--correct only records. Try: firedrill status, after it")
				}
				return runCorrect(c.Context(), d, argument(args), correct, why)
			}
			if why != "" {
				return usage("--why goes with --correct. Try: firedrill note %q", brief(why))
			}
			return runStatus(c.Context(), d, argument(args), follow)
		},
	}
	c.Flags().StringVar(&correct, "correct", "", "NAME=TIME: record that this instant was then")
	c.Flags().StringVar(&why, "why", "", "with --correct: how you know")
	c.Flags().BoolVar(&follow, "follow", false, "show the run as it goes on, and how it stands once it has ended")
	outputFlag(c, d)
	return c
}

// argument is the one argument, or empty.
func argument(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func runStatus(ctx context.Context, d *Deps, named string, follow bool) error {
	asJSON, err := d.json()
	if err != nil {
		return err
	}
	store, err := d.reading(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	t, err := d.timelineOf(ctx, store, named)
	if err == nil && follow && t.Ended.IsZero() {
		if err := d.follow(ctx, store, t.Run); err != nil {
			return err
		}
		t, err = d.timelineOf(ctx, store, t.Run)
	}
	switch {
	case errors.Is(err, errNoRuns):
		d.tellLevers(ctx, store)
		return d.printNothing(asJSON)
	case err != nil:
		return err
	}
	if asJSON {
		b, err := timeline.StatusJSON(t)
		if err != nil {
			return err
		}
		if _, err := d.Out.Write(b); err != nil {
			return err
		}
	} else if err := d.printStatus(t); err != nil {
		return err
	}
	d.tellLever(ctx, store, t.Brief.Environment)
	left := t.Left() || t.Outcome == timeline.Dirty
	if named == "" {
		others, err := d.tellOthers(ctx, store, t.Run)
		if err != nil {
			return err
		}
		left = left || others
	}
	if left {
		return &exitError{exitDirty, nil}
	}
	return nil
}

// printNothing: where nothing has been run, nothing is in place.
func (d *Deps) printNothing(asJSON bool) (err error) {
	if asJSON {
		_, err = fmt.Fprintln(d.Out, "null")
		return err
	}
	_, err = fmt.Fprintf(d.Out, "%s. Try: firedrill run orders-write-throttle --env sandbox\n", errNoRuns)
	return err
}

// timelineOf reads the run that a person wants to look at.
func (d *Deps) timelineOf(ctx context.Context, store journal.Store, named string) (timeline.Timeline, error) {
	run, err := d.runToRead(ctx, store, named)
	if err != nil {
		return timeline.Timeline{}, err
	}
	events, err := readable(ctx, store, run.Run)
	return timeline.Of(events, d.Now()), err
}

// tellOthers names the other runs that have something in place: who asks whether all is well means the environment.
func (d *Deps) tellOthers(ctx context.Context, store journal.Store, shown string) (left bool, err error) {
	runs, err := store.Runs(ctx, journal.Filter{Environment: d.environmentFilter()})
	for _, r := range runs {
		if r.Run == shown || !mayBeLeft(r) {
			continue
		}
		events, err := eventsOf(ctx, store, r.Run)
		if err != nil {
			return left, err
		}
		if timeline.Of(events, d.Now()).Left() {
			left = true
			fmt.Fprintf(d.Err, "run %s (%s in %s) has something in place too. Try: firedrill status %[1]s\n", r.Run, r.Drill, r.Environment)
		}
	}
	return left, err
}

// mayBeLeft says that a run may have something in place: all others ended clean.
func mayBeLeft(r journal.Summary) bool {
	return !r.Finished || r.Outcome == string(timeline.Dirty)
}

func (d *Deps) printStatus(t timeline.Timeline) error {
	w := tabwriter.NewWriter(d.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s in %s: %s\n", t.Brief.Drill, t.Brief.Environment, headline(t))
	fmt.Fprintf(w, "run %s, planned %s\n\n", t.Run, t.Planned.Local().Format("2006-01-02 15:04:05"))
	instants(w, t, d.roomBeside())
	if lines := corrections(t); len(lines) > 0 {
		fmt.Fprintf(w, "\n%s\n", strings.Join(lines, "\n"))
	}
	if len(t.Expect) > 0 {
		fmt.Fprintln(w, "\nexpected\tlimit\ttook\t")
		for _, x := range t.Expect {
			took := "-"
			if x.Known {
				took = debrief.WithBar(x.ActualS, x.ErrorS)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", x.Name, debrief.Seconds(x.LimitS), took, x.Verdict)
		}
	}
	if len(t.Faults) > 0 {
		fmt.Fprintln(w, "\nfault\tkind\tstate\ttarget")
		for _, f := range t.Faults {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.ID, f.Kind, stateOf(f), f.Target)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return leftInPlace(d.Out, t)
}

// headline is how it stands, in a few words.
func headline(t timeline.Timeline) string {
	if t.Ended.IsZero() {
		return "going on"
	}
	s := string(t.Outcome)
	if t.Why != "" {
		s += " (" + brief(t.Why) + ")"
	}
	return s
}

func stateOf(f timeline.Fault) string {
	switch {
	case f.How != "" && f.State == "settled":
		return strings.ReplaceAll(f.How, "_", " ")
	case f.Why != "":
		return f.State + ": " + brief(f.Why)
	}
	return f.State
}

// marks is the width of the little picture beside the instants.
const marks = 24

// instants prints the seven, each with its place between the first and the last.
func instants(w io.Writer, t timeline.Timeline, room int) {
	from, to := t.Planned, t.Planned
	for _, i := range t.Instants {
		if i.At.After(to) {
			to = i.At
		}
	}
	zero := time.Time{}
	for _, i := range t.Instants {
		if i.At.IsZero() {
			fmt.Fprintf(w, "%s\t-\t\t%s\t%s\n", i.Name, strings.Repeat("·", marks), reason(i))
			continue
		}
		if i.Name == timeline.Effective {
			zero = i.At
		}
		since := ""
		if !zero.IsZero() {
			since = offset(i.At.Sub(zero)) + " ±" + debrief.Duration(max(i.Early, i.Late))
		}
		at := 0
		if span := to.Sub(from); span > 0 {
			at = int(float64(marks-1) * float64(max(0, i.At.Sub(from))) / float64(span))
		}
		picture := strings.Repeat("·", at) + "●" + strings.Repeat("·", marks-1-at)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", i.Name, i.At.Local().Format("15:04:05"), since, picture, clip(brief(i.By), room))
	}
}

// beside is what the columns before the last take, where every bar is below a minute.
const beside = 66

// roomBeside is how many columns of a terminal are left for who or what an instant was.
func (d *Deps) roomBeside() int {
	if !d.Terminal() || d.Width() == 0 {
		return widest
	}
	return min(widest, max(12, d.Width()-beside))
}

func clip(s string, room int) string {
	if r := []rune(s); len(r) > room {
		return string(r[:room-1]) + "…"
	}
	return s
}

// widest is how much is shown of a text that others wrote.
const widest = 60

// brief makes a short line of a text of others: nothing in it steers the terminal.
func brief(s string) string {
	return clip(harmless(strings.ReplaceAll(s, "\n", " ")), widest)
}

// reason is why an instant has no value, for people.
func reason(i timeline.Instant) string {
	if i.Reason == timeline.Censored && !i.Censored.IsZero() {
		return "not until " + i.Censored.Local().Format("15:04:05")
	}
	return strings.ReplaceAll(string(i.Reason), "_", " ")
}

// leftInPlace says what is still changed, and how to put it back.
func leftInPlace(w io.Writer, t timeline.Timeline) error {
	if !t.Left() {
		for _, line := range t.LeftAtEnd {
			fmt.Fprintf(w, "\nnot well: %s\nto look again: firedrill recover %s\n", line, t.Run)
		}
		return nil
	}
	fmt.Fprintln(w, "\nin place:")
	for _, f := range t.Faults {
		if f.Left != "" {
			fmt.Fprintf(w, "  %s: %s\n", f.ID, f.Left)
		}
	}
	verb := "abort"
	if !t.Ended.IsZero() {
		verb = "recover"
	}
	_, err := fmt.Fprintf(w, "to put it back: firedrill %s %s\n", verb, t.Run)
	if len(t.ByHand) > 0 {
		_, err = fmt.Fprintf(w, "by hand, where that does not do:\n  %s\n", strings.Join(t.ByHand, "\n  "))
	}
	return err
}
