package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// live shows a run while it happens: a line an instant, or, for a machine, a line an event.
type live struct {
	d      *Deps
	json   bool
	cancel context.CancelCauseFunc // ends the run when stdout is closed

	mu    sync.Mutex
	fold  *timeline.Fold
	shown int
}

func newLive(d *Deps, asJSON bool, _ journal.Brief, cancel context.CancelCauseFunc) *live {
	return &live{d: d, json: asJSON, cancel: cancel, fold: timeline.New()}
}

// add shows what has become part of the run.
func (l *live) add(events []journal.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		l.fold.Add(e)
		if l.json {
			b, err := json.Marshal(e)
			if err == nil {
				_, err = fmt.Fprintln(l.d.Out, string(b))
			}
			l.closed(err)
		}
	}
	if l.json {
		return
	}
	entries := l.fold.Timeline(l.d.Now()).Entries()
	for ; l.shown < len(entries); l.shown++ {
		l.closed(l.line(entries[l.shown]))
	}
}

func (l *live) closed(err error) {
	if err != nil && l.cancel != nil {
		l.cancel(fmt.Errorf("write to stdout: %w", err))
	}
}

// line is one instant: the time of day, the time since the fault was felt, and what happened.
func (l *live) line(e timeline.Entry) error {
	_, err := fmt.Fprintf(l.d.Err, "%s  %9s  %s\n", e.At.Local().Format("15:04:05"), offset(e.T), e.Text)
	return err
}

func offset(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	return fmt.Sprintf("%s%d:%04.1f", sign, int(d.Minutes()), d.Seconds()-60*float64(int(d.Minutes())))
}

func (l *live) close() {}

// renderDebrief writes the story of a run.
func renderDebrief(w io.Writer, events []journal.Event, now time.Time) error {
	return debrief.Markdown(w, debrief.Of(timeline.Of(events, now)), nil)
}

// exitOf is the exit code of a run's outcome.
func exitOf(events []journal.Event, now time.Time) int {
	t := timeline.Of(events, now)
	return timeline.ExitCode(t.Outcome, t.Later)
}

// farewell says how it ended, what to try next, and where the debrief is: alone on its line, uncoloured.
func (d *Deps) farewell(s *drills.State, path string) {
	t := timeline.Of(s.Events, d.Now())
	fmt.Fprintf(d.Out, "\n%s: %s", s.Plan.Drill, t.Outcome)
	if t.Why != "" {
		fmt.Fprintf(d.Out, " (%s)", t.Why)
	}
	fmt.Fprintln(d.Out)
	for _, x := range t.Expect {
		fmt.Fprintf(d.Out, "  %-12s %s\n", x.Name, x.Verdict)
	}
	if left := s.InPlace(); len(left) > 0 {
		fmt.Fprintf(d.Out, "left in place: %s\nTry: firedrill recover %s\n", strings.Join(left, ", "), s.Run)
	}
	fmt.Fprintf(d.Out, "Try next: firedrill debrief %s · firedrill list\n", s.Run)
	if path != "" {
		fmt.Fprintln(d.Out, path)
	}
}

func printPreview(w io.Writer, v *drills.Preview) {
	for _, f := range v.Faults {
		fmt.Fprintf(w, "%s (%s) on %s\n", f.ID, f.Kind, f.Undo.Target.ARN)
		for _, c := range f.Changes {
			fmt.Fprintf(w, "  %s: %s -> %s -> %s\n", c.What, c.Before, c.During, c.After)
		}
	}
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
