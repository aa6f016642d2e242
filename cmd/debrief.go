package cmd

import (
	"context"
	"fmt"
	"os"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

const debriefHelp = `Print the debrief of a run, in Markdown: what happened, when, what was expected, what was changed and put back, what people
wrote down; and room for what was crappy, what was awesome, and who does what until when.

RUN is a run id or any unique prefix; left out, it is the run that is on, else the last. --template replaces ours by a
Go template of yours: see docs/debrief.md.`

func newDebriefCommand(d *Deps) *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "debrief [RUN]", Short: "Print what happened, for the people who were there",
		Long: debriefHelp + exits(), Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return runDebrief(c.Context(), d, argument(args), file) },
	}
	c.Flags().StringVar(&file, "template", "", "file with a Go template to use in place of ours")
	outputFlag(c, d)
	return c
}

func runDebrief(ctx context.Context, d *Deps, named, file string) error {
	asJSON, err := d.json()
	if err != nil {
		return err
	}
	tmpl, err := templateFrom(file)
	if err != nil {
		return err
	}
	store, err := d.reading(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	t, err := d.timelineOf(ctx, store, named)
	if err != nil {
		return err
	}
	told := debrief.Of(t)
	if asJSON {
		return writeJSON(d.Out, storyOf(told))
	}
	return debrief.Markdown(d.Out, told, tmpl)
}

// templateFrom reads a template of the team's own; nil means ours.
func templateFrom(file string) (*template.Template, error) {
	if file == "" {
		return nil, nil
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, &exitError{exitUsage, fmt.Errorf("read template: %w", err)}
	}
	tmpl, err := debrief.Parse(file, string(src))
	return tmpl, badInput(err)
}

// story is a debrief for a machine.
type story struct {
	Summary string          `json:"summary"`
	Status  timeline.Status `json:"status"`
	Story   []storyStep     `json:"story"`
	Notes   []storyNote     `json:"notes"`
	Crappy  []string        `json:"crappy"`
	Awesome []string        `json:"awesome"`
	Actions []string        `json:"actions"`
}

type storyStep struct {
	At      time.Time `json:"at"`
	SinceS  float64   `json:"since_s"` // seconds since the fault was felt
	Text    string    `json:"text"`
	Instant string    `json:"instant,omitempty"`
}

type storyNote struct {
	At     time.Time `json:"at"`
	SinceS float64   `json:"since_s"`
	Who    string    `json:"who"`
	Where  string    `json:"where"`
	Text   string    `json:"text"`
}

func storyOf(b debrief.Debrief) story {
	s := story{Summary: b.Summary, Status: b.Timeline.Status(), Story: []storyStep{}, Notes: []storyNote{},
		Crappy: append([]string{}, b.Crappy...), Awesome: append([]string{}, b.Awesome...), Actions: append([]string{}, b.Actions...)}
	for _, x := range b.Story {
		s.Story = append(s.Story, storyStep{x.At.UTC(), x.T.Seconds(), x.Text, string(x.Instant)})
	}
	for _, x := range b.Notes {
		s.Notes = append(s.Notes, storyNote{x.At.UTC(), x.T.Seconds(), x.Who, x.Where, x.Text})
	}
	return s
}
