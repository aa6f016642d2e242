package cmd

import (
	"context"
	"errors"
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

--collect first asks for what came after the end: what people wrote within a day of it on the drill's incidents and in its
Slack thread, where they were asked what was crappy and what was awesome; and who else changed the targets, which
CloudTrail tells late. Each is recorded once.

RUN is a run id or any unique prefix; left out, it is the run that is on, else the last. --template replaces ours by a
Go template of yours: see docs/debrief.md.`

func newDebriefCommand(d *Deps) *cobra.Command {
	var file string
	var collect bool
	c := &cobra.Command{
		Use: "debrief [RUN]", Short: "Print what happened, for the people who were there",
		Long: debriefHelp + exits(), Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return runDebrief(c.Context(), d, argument(args), file, collect)
		},
	}
	c.Flags().BoolVar(&collect, "collect", false, "first record what people answered since the end")
	c.Flags().StringVar(&file, "template", "", "file with a Go template to use in place of ours")
	outputFlag(c, d)
	return c
}

// runDebrief prints a debrief. What could not be collected keeps nobody from reading it, and is told at the end.
func runDebrief(ctx context.Context, d *Deps, named, file string, collect bool) error {
	asJSON, err := d.json()
	if err != nil {
		return err
	}
	tmpl, err := templateFrom(file)
	if err != nil {
		return err
	}
	var uncollected error
	if collect {
		if uncollected, err = d.collect(ctx, named); err != nil {
			return err
		}
	}
	store, err := d.reading(ctx)
	if err != nil {
		return errors.Join(uncollected, err)
	}
	defer store.Close()
	t, err := d.timelineOf(ctx, store, named)
	if err != nil {
		return err
	}
	told := debrief.Of(t)
	if asJSON {
		return errors.Join(writeJSON(d.Out, storyOf(told)), uncollected)
	}
	return errors.Join(debrief.Markdown(d.Out, told, tmpl), uncollected)
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

	Heard   []timeline.Hearing  `json:"heard"`
	Traces  []timeline.Trace    `json:"traces"` // each incident's way through people's hands
	Mended  timeline.Mitigation `json:"mended"`
	Hints   storyHints          `json:"hints"`
	Answers storyAnswers        `json:"answers"`
	Wall    storyWall           `json:"wall"`
}

// storyHints is how many of the card's hints were told, and how many of these before it was mended.
type storyHints struct {
	Of     int `json:"of"`
	Told   int `json:"told"`
	Needed int `json:"needed"`
}

// storyAnswers is what people answered to the questions at the end, as they sorted it themselves.
type storyAnswers struct {
	Crappy  []storyQuote `json:"crappy"`
	Awesome []storyQuote `json:"awesome"`
	Other   []storyQuote `json:"other"`
}

type storyQuote struct {
	Who  string `json:"who"`
	Text string `json:"text"`
}

func quotesOf(list []debrief.Quote) []storyQuote {
	out := []storyQuote{}
	for _, q := range list {
		out = append(out, storyQuote(q))
	}
	return out
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
	Was    []string  `json:"was,omitempty"`  // what it said before it was edited, oldest first
	Gone   bool      `json:"gone,omitempty"` // it was deleted; text is what it said
}

func storyOf(b debrief.Debrief) story {
	s := story{Summary: b.Summary, Status: b.Timeline.Status(), Story: []storyStep{}, Notes: []storyNote{},
		Crappy: append([]string{}, b.Crappy...), Awesome: append([]string{}, b.Awesome...), Actions: append([]string{}, b.Actions...),
		Heard: append([]timeline.Hearing{}, b.Hearing...), Traces: append([]timeline.Trace{}, b.Traces...), Mended: b.Mended, Hints: storyHints{len(b.Hints.List), b.Hints.Told, b.Hints.Needed},
		Answers: storyAnswers{quotesOf(b.Said.Crappy), quotesOf(b.Said.Awesome), quotesOf(b.Said.Other)}, Wall: wallOf(b.Wall)}
	for _, x := range b.Story {
		s.Story = append(s.Story, storyStep{x.At.UTC(), x.T.Seconds(), x.Text, string(x.Instant)})
	}
	for _, x := range b.Notes {
		s.Notes = append(s.Notes, storyNote{x.At.UTC(), x.T.Seconds(), x.Who, x.Where, x.Text, x.Was, !x.Deleted.IsZero()})
	}
	return s
}
