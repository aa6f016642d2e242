package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

const noteHelp = `Write down what people say and see during a drill. It becomes part of the run and stands in the debrief, at its time.

Lines that begin with crappy:, awesome: or action: stand on the debrief's wall, as they do when written on the incident:
"action: make the alarm faster @ann by friday". What a run is asked there (drill stop, drill hint, drill status) is not
asked here: to stop it there is firedrill abort.

Without --run it goes to the run that is on, else to the last.

With --acknowledge the note says that you looked into an undo that took longer than planned: until somebody has, its
drill is refused.`

// longestNote keeps a note a note; a log belongs elsewhere.
const longestNote = 4000

func newNoteCommand(d *Deps) *cobra.Command {
	var run string
	var acknowledge bool
	c := &cobra.Command{
		Use: "note TEXT...", Short: "Write something down for the debrief", Long: noteHelp + exits(), Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return runNote(c.Context(), d, run, strings.Join(args, " "), acknowledge)
		},
	}
	c.Flags().StringVar(&run, "run", "", "run it belongs to, by any unique prefix of its id")
	c.Flags().BoolVar(&acknowledge, "acknowledge", false, "the run's undo took too long, and this is what you found")
	return c
}

func runNote(ctx context.Context, d *Deps, named, text string, acknowledge bool) error {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return usage("a note without words. Try: firedrill note \"checked the dashboard, nothing there\"")
	case len(text) > longestNote:
		return usage("a note of %d bytes is too long. Try: %d at most, and a link to the rest", len(text), longestNote)
	}
	run, store, err := d.changing(ctx, named)
	if err != nil {
		return err
	}
	defer store.Close()
	e := journal.Event{Kind: journal.NoteWritten, At: d.Now(), Fact: journal.Fact{Text: text, By: d.operator()}}
	if acknowledge {
		e.Kind, e.Fact = journal.RunAcknowledged, journal.Fact{Why: text, By: d.operator()}
	}
	if err := d.outsider(ctx, store, run.Run, "note", e); err != nil {
		return err
	}
	fmt.Fprintf(d.Out, "noted for %s, run %s\n", run.Drill, run.Run)
	if asks := drills.Commands(text); len(asks) > 0 {
		fmt.Fprintf(d.Err, "it asks nothing of the run: drill %s is heard on the incident. Try: %s\n", asks[0], instead(asks[0], run.Run))
	}
	return nil
}

// instead is the verb that does here what a command does on the incident.
func instead(what, run string) string {
	if what == drills.CommandStop {
		return "firedrill abort " + run
	}
	return "firedrill status " + run
}

// changing finds the run that is meant and opens the journal for adding to it. Where there is no journal none is made.
func (d *Deps) changing(ctx context.Context, named string) (journal.Summary, journal.Store, error) {
	look, err := d.reading(ctx)
	if err != nil {
		return journal.Summary{}, nil, err
	}
	defer look.Close()
	run, err := d.runToChange(ctx, look, named)
	if err != nil {
		return run, nil, err
	}
	store, err := d.store(ctx)
	return run, store, err
}

// outsider adds one event to a run that another process may be working on.
func (d *Deps) outsider(ctx context.Context, store journal.Store, run, action string, e journal.Event) error {
	action += "/" + strings.ToLower(ulid.MustNewDefault(d.Now()).String())
	_, _, err := journal.Record(ctx, store, journal.Position{Run: run, After: journal.Start}, journal.Batch{Action: action, Events: []journal.Event{e}})
	return err
}
