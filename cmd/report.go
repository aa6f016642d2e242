package cmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

const reportHelp = `Show every run of a drill, or of all drills, with how long alarms and people took, and the median from three runs on:
is it getting better?

-o prometheus prints the same metrics as serve, for the textfile collector of a node exporter.`

func newReportCommand(d *Deps) *cobra.Command {
	c := &cobra.Command{
		Use: "report [DRILL]", Short: "Show how the runs of a drill compare", Long: reportHelp + exits(), Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return runReport(c.Context(), d, argument(args)) },
	}
	c.Flags().StringVarP(&d.output, "output", "o", "text", "text, json or prometheus")
	return c
}

func runReport(ctx context.Context, d *Deps, drill string) error {
	metrics := d.output == "prometheus"
	var asJSON bool
	if !metrics {
		var err error
		if asJSON, err = d.json(); err != nil {
			return err
		}
	}
	store, err := d.reading(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	runs, err := d.timelines(ctx, store, drill)
	if err != nil {
		return err
	}
	switch {
	case metrics:
		return writeMetrics(d.Out, runs)
	case len(runs) == 0 && drill != "":
		return &exitError{exitUsage, &hinted{fmt.Errorf("drill %s has not been run", drill), "firedrill list"}}
	}
	report := debrief.ReportOf(runs)
	if asJSON {
		return report.JSON(d.Out)
	}
	return report.Text(d.Out)
}

// writeMetrics writes what Prometheus reads.
func writeMetrics(w io.Writer, runs []timeline.Timeline) error {
	metrics, err := debrief.Collect(runs)
	if err != nil {
		return err
	}
	return debrief.Textfile(w, metrics)
}

// timelines reads every run that is meant, newest first.
func (d *Deps) timelines(ctx context.Context, store journal.Store, drill string) ([]timeline.Timeline, error) {
	runs, err := store.Runs(ctx, journal.Filter{Environment: d.environmentFilter(), Drill: drill})
	if err != nil {
		return nil, err
	}
	var all []timeline.Timeline
	for _, r := range runs {
		events, err := readable(ctx, store, r.Run)
		if err != nil {
			return nil, err
		}
		all = append(all, timeline.Of(events, d.Now()))
	}
	return all, nil
}
