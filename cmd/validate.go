package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
)

const validateHelp = `Check drill and environment files: every mistake in one go, as file:line:col: what. Try: …

Without arguments it checks firedrill.yaml and the drills of your own folders. With an environment (--env, FIREDRILL_ENV,
or the only one of firedrill.yaml) the values of ${variables} are checked too; without one, how they are spelled.
The calendars (.ics) that firedrill.yaml names under holidays are read too; their addresses are not fetched.
It reaches no account: whether the targets exist and the alarms can see the fault is told by plan.`

func newValidateCommand(d *Deps) *cobra.Command {
	c := &cobra.Command{
		Use: "validate [FILE|DRILL...]", Short: "Check drill and environment files", Long: validateHelp + exits(),
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return runValidate(c.Context(), d, args) },
	}
	outputFlag(c, d)
	return c
}

// checked is what was found out about one file.
type checked struct {
	File     string    `json:"file"`
	Kind     string    `json:"kind"` // drill, environment, holidays
	Name     string    `json:"name,omitempty"`
	OK       bool      `json:"ok"`
	Mistakes []mistake `json:"mistakes"`

	err error
}

type mistake struct {
	Line int    `json:"line"`
	Col  int    `json:"col"`
	What string `json:"what"`
	Try  string `json:"try"`
}

func runValidate(ctx context.Context, d *Deps, args []string) error {
	asJSON, err := d.json()
	if err != nil {
		return err
	}
	f, broken := d.file()
	if f == nil {
		f = &drills.File{}
	}
	vars, err := d.varsOf(ctx, f, broken)
	if err != nil {
		return err
	}
	all, err := d.checkFiles(ctx, f, broken, args, vars)
	if err != nil {
		return err
	}
	if asJSON {
		if err := writeJSON(d.Out, all); err != nil {
			return err
		}
	}
	return d.tellChecked(all, asJSON)
}

// varsOf are the variables of the environment that is meant, nil where none is.
func (d *Deps) varsOf(ctx context.Context, f *drills.File, broken error) (map[string]string, error) {
	if broken != nil || (d.environmentFilter() == "" && len(f.Environments) != 1) {
		return nil, nil
	}
	env, stop, err := d.environment(ctx, f, sandboxUse{start: true, responder: "none"})
	defer stop()
	if err != nil {
		return nil, err
	}
	if env.Vars == nil {
		return map[string]string{}, nil
	}
	return env.Vars, nil
}

// checkFiles checks what was named; nothing named means everything of one's own.
func (d *Deps) checkFiles(ctx context.Context, f *drills.File, broken error, args []string, vars map[string]string) (all []checked, err error) {
	lib := d.library(f)
	var own *drills.Mistakes
	switch {
	case broken == nil && f.Source != "" && len(args) == 0:
		all = append(all, verdictOn(f.Source, "environment", "", nil))
		all = append(all, d.checkHolidays(ctx, f)...)
	case errors.As(broken, &own):
		all = append(all, verdictOn(own.All[0].File, "environment", "", broken))
	case broken != nil:
		return nil, broken
	}
	if len(args) == 0 {
		list, err := lib.List()
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		for _, l := range list {
			if l.Source != "" {
				args = append(args, l.Source)
			}
		}
		if len(all)+len(args) == 0 {
			return nil, usage("there is no %s here, and no file is named. Try: firedrill validate FILE, or firedrill init", drills.ConfigName)
		}
	}
	for _, name := range args {
		one := d.check(ctx, lib, name, vars)
		if len(all) > 0 && one.Kind == "environment" && d.short(one.File) == d.short(all[0].File) {
			continue // it was told already
		}
		all = append(all, one)
	}
	return all, nil
}

// checkHolidays reads the calendars that stand beside an environment file: one verdict for each that cannot be used.
func (d *Deps) checkHolidays(ctx context.Context, f *drills.File) (all []checked) {
	told := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		env := f.Environments[name]
		for _, err := range drills.CheckHolidays(ctx, &env, d.Now()) {
			if told[err.Error()] {
				continue
			}
			told[err.Error()] = true
			c := verdictOn(f.Source, "holidays", name, err)
			var no *drills.CalendarError
			if errors.As(err, &no) {
				c.File = filepath.Join(filepath.Dir(f.Source), no.Source)
				if filepath.IsAbs(no.Source) {
					c.File = no.Source
				}
				c.Mistakes = []mistake{{Line: no.Line, What: no.What, Try: no.Try}}
				c.err = fmt.Errorf("%s:%d: %s. Try: %s", c.File, max(1, no.Line), no.What, no.Try)
			}
			all = append(all, c)
		}
	}
	return all
}

// The key at the left margin that tells one file from the other.
var (
	environmentsKey = regexp.MustCompile(`(?m)^["']?environments["']?\s*:`)
	drillKey        = regexp.MustCompile(`(?m)^["']?drill["']?\s*:`)
)

func (d *Deps) check(ctx context.Context, lib *drills.Library, name string, vars map[string]string) checked {
	src, file, err := lib.Source(name)
	if err != nil {
		return verdictOn(name, "drill", "", err)
	}
	if filepath.Base(name) == drills.ConfigName || environmentsKey.Match(src) && !drillKey.Match(src) {
		f, err := drills.LoadConfig(name)
		if err == nil {
			for _, c := range d.checkHolidays(ctx, f) {
				err = errors.Join(err, c.err)
			}
		}
		return verdictOn(name, "environment", "", err)
	}
	spec, err := drills.ReadDrill(file, src, d.kinds())
	if err != nil {
		return verdictOn(file, "drill", "", err)
	}
	if vars != nil {
		_, err = spec.Resolve(vars)
	}
	return verdictOn(file, "drill", spec.Drill, err)
}

func verdictOn(file, kind, name string, err error) checked {
	c := checked{File: file, Kind: kind, Name: name, OK: err == nil, Mistakes: []mistake{}, err: err}
	var found *drills.Mistakes
	switch {
	case errors.As(err, &found):
		for _, m := range found.All {
			c.Mistakes = append(c.Mistakes, mistake{m.Line, m.Col, m.What, m.Try})
		}
	case err != nil:
		c.Mistakes = append(c.Mistakes, mistake{What: err.Error()})
	}
	return c
}

// tellChecked says what is fine, and returns what is not.
func (d *Deps) tellChecked(all []checked, quiet bool) error {
	var wrong []string
	for _, c := range all {
		if c.err != nil {
			wrong = append(wrong, c.err.Error())
			continue
		}
		if !quiet {
			fmt.Fprintf(d.Out, "%s: %s is fine\n", c.File, strings.TrimSpace(c.Kind+" "+c.Name))
		}
	}
	switch {
	case len(wrong) == 0:
		return nil
	case quiet:
		return &exitError{exitUsage, nil}
	}
	return &exitError{exitUsage, &badFiles{wrong}}
}

// badFiles are the mistakes of several files: each line begins with its file, as editors want it.
type badFiles struct{ lines []string }

func (b *badFiles) Error() string { return strings.Join(b.lines, "\n") }
