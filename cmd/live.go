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

// live shows a run while it happens: on a terminal a timeline that grows, with a line below it that says what is waited
// for; elsewhere a plain line an instant; for a machine an event a line.
type live struct {
	d      *Deps
	json   bool
	cancel context.CancelCauseFunc // ends the run when stdout is closed

	onlooker bool   // the run is another process's
	name     string // of the drill, where several are shown
	narrow   bool   // lines are cut to the terminal, where nothing else of it is used
	style    palette

	mu     sync.Mutex
	fold   *timeline.Fold
	story  timeline.Timeline // as of the last event
	shown  int
	below  bool // the status line is on the screen
	over   bool // closed: a run that was given up may still go on, and is not shown any more
	beat   int
	done   chan struct{}
	ticked sync.WaitGroup
}

func newLive(d *Deps, asJSON bool, cancel context.CancelCauseFunc) *live {
	l := &live{d: d, json: asJSON, cancel: cancel, fold: timeline.New(), done: make(chan struct{})}
	if !asJSON && d.Color() {
		l.style = colours()
		l.ticked.Add(1)
		go l.tick()
	}
	return l
}

// tick redraws the status line until close.
func (l *live) tick() {
	defer l.ticked.Done()
	t := time.NewTicker(250 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-t.C:
			l.mu.Lock()
			l.beat++
			l.status()
			l.mu.Unlock()
		}
	}
}

// add shows what has become part of the run.
func (l *live) add(events []journal.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	for _, e := range events {
		if l.json {
			b, err := json.Marshal(e)
			if err == nil {
				_, err = fmt.Fprintln(l.d.Out, string(b))
			}
			l.closed(err)
			continue
		}
		l.fold.Add(e)
	}
	if l.json {
		return
	}
	l.story = l.fold.Timeline(l.d.Now())
	entries := l.story.Entries()
	if l.shown < len(entries) {
		l.clear()
	}
	for ; l.shown < len(entries); l.shown++ {
		l.closed(l.line(entries[l.shown]))
	}
	if l.style != nil {
		l.status()
	}
}

func (l *live) closed(err error) {
	if err != nil && l.cancel != nil {
		l.cancel(fmt.Errorf("write to the terminal: %w", err))
	}
}

// line is one instant: the time of day, the time since the fault was felt, and what happened.
func (l *live) line(e timeline.Entry) error {
	text := harmless(e.Text)
	if l.name != "" {
		text = l.name + "  " + text
	}
	text = l.fit(text, l.d.Width()-22)
	_, err := fmt.Fprintf(l.d.Err, "%s  %s  %s\n", l.style.dim(e.At.Local().Format("15:04:05")), l.style.dim(fmt.Sprintf("%8s", offset(e.T))), l.style.of(e.Kind, text))
	return err
}

// fit cuts a text to the columns that are left for it on a terminal: a line that wraps could not be taken back.
func (l *live) fit(text string, room int) string {
	if runes := []rune(text); (l.style != nil || l.narrow) && room > 20 && len(runes) > room {
		return string(runes[:room-1]) + "…"
	}
	return text
}

// clear takes the status line off the screen.
func (l *live) clear() {
	if l.below {
		fmt.Fprint(l.d.Err, "\r\x1b[K")
		l.below = false
	}
}

// status says below the timeline what is waited for.
func (l *live) status() {
	t := l.story
	if t.Run == "" || !t.Ended.IsZero() {
		return
	}
	l.clear()
	wheel := []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"}[l.beat%8]
	fmt.Fprint(l.d.Err, l.style.dim(l.fit(wheel+" "+waitingFor(t)+" · ^C "+l.keys(), l.d.Width()-1)))
	l.below = true
}

// keys is what ^C does.
func (l *live) keys() string {
	if l.onlooker {
		return "stops looking"
	}
	return "puts everything back"
}

// waitingFor names the next instant.
func waitingFor(t timeline.Timeline) string {
	happened := map[timeline.Name]bool{}
	for _, i := range t.Instants {
		happened[i.Name] = !i.At.IsZero()
	}
	inPlace, undone := false, false
	for _, f := range t.Faults {
		inPlace = inPlace || f.State == "applied"
		undone = undone || f.State == "reverted" || f.State == "settled"
	}
	switch {
	case undone:
		return "reading back, waiting for alarms to fall silent"
	case !inPlace:
		return "checking before anything is touched"
	case !happened[timeline.Effective]:
		return "in place, waiting until it is felt"
	case t.Brief.PageWhen == "alarm" && !happened[timeline.Detected]:
		return "felt, waiting for an alarm"
	case !happened[timeline.Paged]:
		return "waiting until somebody is notified"
	case !happened[timeline.Acknowledged]:
		return "waiting for somebody to acknowledge"
	case !happened[timeline.Mitigated]:
		return "acknowledged, waiting for mitigation"
	default:
		return "mitigated, waiting for the incident to be resolved"
	}
}

func offset(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	return fmt.Sprintf("%s%d:%04.1f", sign, int(d.Minutes()), d.Seconds()-60*float64(int(d.Minutes())))
}

// close ends the display: nothing is shown after it.
func (l *live) close() {
	close(l.done)
	l.ticked.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	l.over = true
}

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
		fmt.Fprintf(d.Out, " (%s)", harmless(t.Why))
	}
	fmt.Fprintln(d.Out)
	for _, x := range t.Expect {
		actual := "–"
		if x.Known {
			actual = debrief.Seconds(x.ActualS)
		}
		fmt.Fprintf(d.Out, "  %-12s %8s of %-6s %s\n", x.Name, actual, debrief.Seconds(x.LimitS), x.Verdict)
	}
	if left := s.InPlace(); len(left) > 0 {
		fmt.Fprintf(d.Out, "left in place: %s\nTry: firedrill recover %s\n", strings.Join(left, ", "), s.Run)
	}
	fmt.Fprintf(d.Out, "Try next: firedrill debrief %s · firedrill list\n", s.Run)
	if path != "" {
		fmt.Fprintln(d.Out, path)
	}
}
