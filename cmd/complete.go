package cmd

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/internal/journal"
)

// completions lets a shell complete what the verbs take: drills by name, runs by id.
func (d *Deps) completions(root *cobra.Command) {
	complete := map[string]cobra.CompletionFunc{}
	for _, verb := range []string{"run", "plan", "validate", "report", "policy"} {
		complete[verb] = d.completeDrill
	}
	for _, verb := range []string{"status", "abort", "recover", "debrief"} {
		complete[verb] = d.completeRun
	}
	for _, c := range root.Commands() {
		if f := complete[c.Name()]; f != nil {
			c.ValidArgsFunction = f
		}
		for name, f := range map[string]cobra.CompletionFunc{"from": d.completeDrill, "run": d.completeRun, "output": completeFormat} {
			if c.Flags().Lookup(name) != nil && c.Name() != "init" { // where --from is an address
				_ = c.RegisterFlagCompletionFunc(name, f) // it fails for a flag that is not there alone
			}
		}
	}
}

func (d *Deps) completeDrill(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	f, err := d.file()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	list, _ := d.library(f).List() // what can be read is offered
	var names []string
	for _, l := range list {
		if strings.HasPrefix(l.Name, word) {
			names = append(names, l.Name+"\t"+l.Title)
		}
	}
	return names, cobra.ShellCompDirectiveDefault // a path is a drill too
}

func (d *Deps) completeRun(c *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	store, err := d.reading(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer store.Close()
	runs, _ := store.Runs(c.Context(), journal.Filter{Environment: d.environmentFilter(), Prefix: word, Limit: 20})
	var ids []string
	for _, r := range runs {
		ids = append(ids, r.Run+"\t"+r.Drill+" in "+r.Environment+", "+r.Planned.Local().Format("2006-01-02 15:04"))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

func completeFormat(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	formats := []string{"text", "json"}
	if c.Name() == "report" {
		formats = append(formats, "prometheus")
	}
	if c.Name() == "policy" {
		formats = append(formats, "terraform")
	}
	return formats, cobra.ShellCompDirectiveNoFileComp
}
