package cmd

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

const reportHelp = `Show every run of a drill, or of all drills, with how long alarms and people took, and what they say together: is it
getting better?

What had not happened when a run stopped looking is never counted as a time, nor left out: it took longer (>4m10s). So p50,
from three runs on, and p90, from ten on, are Kaplan and Meier's; while runs are few every value is listed.

--by groups them by team, environment or month; never by person. --alarms shows which alarms have been put to the test by
which drill, and whether they rang. --real shows how long real incidents of the same services took, where PagerDuty's
analytics may be read; what drills caused is left out.

-o csv has one line a run, with the ids of all incidents that it caused, to leave them out of other statistics; with
--alarms one line for each drill and alarm. -o prometheus prints the same metrics as serve, for the textfile collector of
a node exporter.`

// reportUse is what is asked of a report.
type reportUse struct {
	drill        string
	by           string
	since, until string
	alarms, real bool
}

func newReportCommand(d *Deps) *cobra.Command {
	var u reportUse
	c := &cobra.Command{
		Use: "report [DRILL]", Short: "Show how the runs of a drill compare", Long: reportHelp + exits(), Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			u.drill = argument(args)
			return runReport(c.Context(), d, u)
		},
	}
	f := c.Flags()
	f.StringVarP(&d.output, "output", "o", "text", "text, json, csv or prometheus")
	f.StringVar(&u.by, "by", "drill", "group by "+strings.Join(debrief.Groupings(), ", "))
	f.StringVar(&u.since, "since", "", "runs from this day on: 2026-11-22, or a time in RFC 3339")
	f.StringVar(&u.until, "until", "", "runs until this day, which counts, or before a time in RFC 3339")
	f.BoolVar(&u.alarms, "alarms", false, "which alarms have been put to the test, and whether they rang")
	f.BoolVar(&u.real, "real", false, "with --env: beside real incidents of the same services")
	return c
}

func runReport(ctx context.Context, d *Deps, u reportUse) error {
	write, err := u.writer(d)
	if err != nil {
		return err
	}
	since, until, err := u.span()
	if err != nil {
		return err
	}
	store, err := d.reading(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	all, err := d.timelines(ctx, store, u.drill)
	if err != nil {
		return err
	}
	if len(all) == 0 && u.drill != "" && d.output != "prometheus" {
		return &exitError{exitUsage, &hinted{fmt.Errorf("drill %s has not been run", u.drill), "firedrill list"}}
	}
	runs := debrief.Between(all, since, until)
	if !u.real {
		return write(d.Out, runs)
	}
	report, err := u.report(runs)
	if err == nil {
		report.Real, err = d.realIncidents(ctx, store, all, [2]time.Time{since, until})
	}
	if err != nil {
		return err
	}
	if d.output == "json" {
		return report.JSON(d.Out)
	}
	return report.Text(d.Out)
}

// writer is how the answer is written; it refuses what does not go together before anything is read.
func (u reportUse) writer(d *Deps) (func(io.Writer, []timeline.Timeline) error, error) {
	if _, err := debrief.GroupsOf(nil, u.by); err != nil {
		return nil, usage("%v. Try: --by team", err)
	}
	if u.alarms && (u.real || u.by != "drill") {
		return nil, usage("--alarms is a page of its own, by drill. Try: without --real and --by")
	}
	if u.real && d.environmentFilter() == "" {
		return nil, usage("whose real incidents? Try: --env with --real")
	}
	type way = func(io.Writer, []timeline.Timeline) error
	ways := map[string]way{
		"text": u.told(debrief.Report.Text), "json": u.told(debrief.Report.JSON), "csv": debrief.CSV, "prometheus": writeMetrics,
	}
	if u.alarms {
		ways = map[string]way{"text": covered(debrief.Coverage.Text), "json": covered(debrief.Coverage.JSON), "csv": covered(debrief.Coverage.CSV)}
	}
	if u.real {
		delete(ways, "csv")
		delete(ways, "prometheus")
	}
	write := ways[d.output]
	if write == nil {
		could := []string{}
		for _, o := range []string{"text", "json", "csv", "prometheus"} {
			if ways[o] != nil {
				could = append(could, o)
			}
		}
		return nil, usage("output %q. Try: -o %s", brief(d.output), strings.Join(could, ", "))
	}
	return write, nil
}

func (u reportUse) told(write func(debrief.Report, io.Writer) error) func(io.Writer, []timeline.Timeline) error {
	return func(w io.Writer, runs []timeline.Timeline) error {
		r, err := u.report(runs)
		if err != nil {
			return err
		}
		return write(r, w)
	}
}

func covered(write func(debrief.Coverage, io.Writer) error) func(io.Writer, []timeline.Timeline) error {
	return func(w io.Writer, runs []timeline.Timeline) error { return write(debrief.CoverageIn(runs), w) }
}

// report is by drill, whatever else it is by.
func (u reportUse) report(runs []timeline.Timeline) (r debrief.Report, err error) {
	r = debrief.ReportOf(runs)
	if u.by != "drill" {
		r.Groups, err = debrief.GroupsOf(runs, u.by)
	}
	return r, err
}

// span is the time that is meant: a day is one in the zone of who asks, and the last one counts.
func (u reportUse) span() (since, until time.Time, err error) {
	if since, err = moment("since", u.since, 0); err != nil {
		return since, until, err
	}
	if until, err = moment("until", u.until, 1); err != nil {
		return since, until, err
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		err = usage("--since %s is not before --until %s. Try: the other way round", u.since, u.until)
	}
	return since, until, err
}

func moment(flag, text string, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return day.AddDate(0, 0, days), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usage("--%s %q is no day and no time. Try: --%s 2026-11-22", flag, brief(text), flag)
	}
	return at, nil
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
