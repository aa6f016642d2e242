package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// papers are what a run leaves for who was not there: the test report, the page and the artifacts of a CI job. The zero
// value, and nil, leave nothing. What cannot be written is told, and changes no exit code: what a drill has shown stands.
type papers struct {
	junit, summary, artifacts string // where they go

	d      *Deps
	github bool // the job runs on GitHub Actions, which makes annotations of what is printed
	json   bool

	mu   sync.Mutex
	runs []paper
	page string // the job's page: the summary that was asked for, else that of the job
}

// paper is what is known of one of the drills.
type paper struct {
	drill, environment, run string
	suite                   *debrief.Suite // nil until it has ended
}

func (p *papers) flags(f *pflag.FlagSet) {
	f.StringVar(&p.junit, "junit", "", "write a JUnit report to this file: a suite a run, a case an expectation")
	f.StringVar(&p.summary, "summary", "", "append what happened to this Markdown file (default: GITHUB_STEP_SUMMARY, where it is set)")
	f.StringVar(&p.artifacts, "artifacts", "", "write debrief, journal, status and metrics into this directory, by drill")
}

// unfinished is what a report says until its run has ended: whoever is killed says nothing else.
const unfinished = "It has not ended, or firedrill was killed before it could tell. Try: firedrill recover --all"

// reported runs drills and leaves the papers that are asked for, whatever comes of it. That they can be written is found
// before anything is touched.
func (d *Deps) reported(ctx context.Context, p *papers, names []string, run func() error) error {
	if err := p.begin(d, names); err != nil {
		return err
	}
	d.papers = p
	err := run()
	p.end(ctx, err)
	return err
}

func (p *papers) begin(d *Deps, names []string) error {
	p.d, p.json = d, d.output == "json"
	p.github, _ = strconv.ParseBool(d.Getenv("GITHUB_ACTIONS"))
	p.page = cmp.Or(p.summary, d.Getenv("GITHUB_STEP_SUMMARY"))
	if len(names) == 0 {
		names = []string{"firedrill"}
	}
	for _, name := range names {
		base := filepath.Base(name)
		p.runs = append(p.runs, paper{drill: strings.TrimSuffix(base, filepath.Ext(base))})
	}
	var err error
	if p.artifacts != "" { // first: the report may be one of them
		err = p.clear()
	}
	if err == nil {
		err = p.writeJUnit(unfinished, false)
	}
	if err == nil && p.summary != "" {
		err = appendTo(p.summary, "")
	}
	if err != nil {
		return &exitError{exitUsage, &hinted{err, "a path that can be written"}}
	}
	return nil
}

// began takes in the plans that are about to be run: from here on their ids are known.
func (p *papers) began(plans ...*drills.Plan) {
	if p == nil || p.d == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs = nil
	ids := ""
	for _, plan := range plans {
		p.runs = append(p.runs, paper{drill: plan.Drill, environment: plan.Environment, run: plan.Run})
		ids += plan.Run + "\n"
	}
	p.notice(p.writeJUnit(unfinished, false))
	if p.artifacts != "" {
		p.notice(p.d.replace(filepath.Join(p.artifacts, "runs"), ids))
	}
}

// ended takes in a run that has.
func (p *papers) ended(run string, events []journal.Event) {
	if p == nil || p.d == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := timeline.Of(events, p.d.Now())
	told := debrief.Of(t)
	suite := debrief.SuiteOf(t)
	for i := range p.runs {
		if p.runs[i].run == run {
			p.runs[i].suite = &suite
		}
	}
	p.notice(p.writeJUnit(unfinished, false))
	if p.artifacts != "" {
		p.notice(p.keep(t, told))
	}
	if p.page != "" {
		var b strings.Builder
		p.notice(errors.Join(debrief.JobSummary(&b, told, p.link(t)), appendTo(p.page, p.d.known.clean(b.String()))))
	}
	p.annotate(suite)
}

// end tells of the drills that have no run to tell of, and why.
func (p *papers) end(ctx context.Context, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	why, later := wordsOf(err), codeOf(err) == exitLater
	p.notice(p.writeJUnit(why, later))
	for _, suite := range p.suites(why, later) {
		if !suite.Began.IsZero() {
			continue
		}
		if p.page != "" {
			var b strings.Builder
			p.notice(errors.Join(debrief.NotRunSummary(&b, suite), appendTo(p.page, p.d.known.clean(b.String()))))
		}
		p.annotate(suite)
	}
	if p.artifacts != "" {
		p.notice(p.export(ctx))
		p.notice(p.d.replace(filepath.Join(p.artifacts, "exit"), strconv.Itoa(codeOf(err))+"\n"))
	}
}

// suites are all of them; those that have not ended say why.
func (p *papers) suites(why string, later bool) (all []debrief.Suite) {
	for _, r := range p.runs {
		if r.suite != nil {
			all = append(all, *r.suite)
			continue
		}
		all = append(all, debrief.NotRun(r.drill, r.environment, r.run, why, later))
	}
	return all
}

func (p *papers) writeJUnit(why string, later bool) error {
	if p.junit == "" {
		return nil
	}
	var b strings.Builder
	if err := debrief.JUnit(&b, p.suites(why, later)); err != nil {
		return err
	}
	return p.d.replace(p.junit, b.String())
}

// annotate prints what GitHub makes annotations of. Its runner reads them off stdout and stderr alike: events are alone on
// stdout.
func (p *papers) annotate(s debrief.Suite) {
	if !p.github {
		return
	}
	w := p.d.Out
	if p.json {
		w = p.d.Err
	}
	_ = debrief.Annotations(w, s) // a closed terminal must not stop the rest
}

// notice tells what could not be written.
func (p *papers) notice(err error) {
	if err != nil {
		fmt.Fprintln(p.d.Err, "firedrill: "+err.Error())
	}
}

// wordsOf is what an error says, with its next step.
func wordsOf(err error) string {
	if err == nil {
		return "It has nothing to tell."
	}
	words := strings.TrimPrefix(err.Error(), "firedrill: ")
	if try := tryOf(err); try != "" && !strings.Contains(words, "Try: ") {
		words += ". Try: " + try
	}
	return words
}
