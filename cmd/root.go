// Package cmd speaks: words in, words out. It decides nothing and keeps no state; what a drill does is in drills.
package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
)

// Version is set when a release is built.
var Version = "dev" //nolint:gochecknoglobals // the linker sets it

// Groups of verbs, as help shows them.
const (
	groupPractise = "practise"
	groupSafe     = "safe"
	groupBack     = "back"
	groupAuthor   = "author"
)

const rootHelp = `Break staging on purpose, page the on-call, time them, put it back, write the debrief.

firedrill injects a real, reversible fault into staging, pages the on-call through PagerDuty, times how long alarms and
people take, puts everything back, and writes the debrief.

Try it now, without an account:  firedrill run orders-write-throttle --env sandbox
Or be on call yourself:          firedrill play`

// Main runs the program and returns its exit code.
func Main() int { return Run(context.Background(), NewDeps(), nil) }

// Run runs one command line; nil args are the process's own.
func Run(ctx context.Context, d *Deps, args []string) int {
	out, notices := d.known.writer(d.Out), d.known.writer(d.Err)
	d.Out, d.Err = out, notices
	defer func() { // who closed them does not want the rest
		_, _ = out.flush(), notices.flush()
	}()
	root := newRoot(d) //nolint:contextcheck // cobra hands each verb its context
	if args != nil {
		root.SetArgs(args)
	}
	err := root.ExecuteContext(ctx)
	if err != nil {
		tell(d.Err, err)
	}
	d.push(ctx)
	return codeOf(err)
}

func newRoot(d *Deps) *cobra.Command {
	root := &cobra.Command{
		Use: "firedrill", Short: "Fire drills for teams that run what they build", Long: rootHelp + exits(),
		SilenceUsage: true, SilenceErrors: true, Version: Version,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(c, args)
			}
			return writeHelp(c.OutOrStdout(), c)
		},
	}
	root.SetIn(d.In)
	root.SetOut(d.Out)
	root.SetErr(d.Err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage("%v. Try: %s --help", err, c.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.StringVar(&d.config, "config", "", "environment file (default: firedrill.yaml here or above, FIREDRILL_CONFIG)")
	flags.StringVar(&d.state, "state", "", "directory of journal and debriefs (default: FIREDRILL_STATE, else the user's state directory)")
	flags.StringVar(&d.env, "env", "", "environment (default: FIREDRILL_ENV, else the only one; sandbox is built in)")
	root.AddGroup(
		&cobra.Group{ID: groupPractise, Title: "Practise:"}, &cobra.Group{ID: groupSafe, Title: "Keep safe:"},
		&cobra.Group{ID: groupBack, Title: "Look back:"}, &cobra.Group{ID: groupAuthor, Title: "Author:"})
	for group, verbs := range verbsOf(d) {
		for _, v := range verbs {
			v.GroupID = group
			root.AddCommand(v)
		}
	}
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "{{.CommandPath}} [command]", "{{.CommandPath}} VERB"))
	root.SetHelpCommand(newHelpCommand())
	root.InitDefaultHelpCmd()
	root.SetCompletionCommandGroupID(groupAuthor)
	root.InitDefaultCompletionCmd()
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		_ = writeHelp(c.OutOrStdout(), c) // who closed stdout does not want the rest
	})
	strictly(root)
	d.completions(root)
	return root
}

// verbsOf is the table of contents: one file a verb.
func verbsOf(d *Deps) map[string][]*cobra.Command {
	return map[string][]*cobra.Command{
		groupPractise: {newPlayCommand(d), newPlanCommand(d), newRunCommand(d), newListCommand(d), newNoteCommand(d), newSandboxCommand(d)},
		groupSafe:     {newStatusCommand(d), newAbortCommand(d), newRecoverCommand(d), newHaltCommand(d), newDoctorCommand(d), newSelftestCommand(d), newPolicyCommand(d)},
		groupBack:     {newDebriefCommand(d), newReportCommand(d), newServeCommand(d)},
		groupAuthor:   {newInitCommand(d), newNewCommand(d), newValidateCommand(d), newSchemaCommand(d), newVersionCommand(d)},
	}
}

// outputFlag adds the one format flag.
func outputFlag(c *cobra.Command, d *Deps) {
	c.Flags().StringVarP(&d.output, "output", "o", "text", "text or json")
}

// json says whether the answer is for a machine; any other format is a mistake.
func (d *Deps) json() (bool, error) {
	switch d.output {
	case "json":
		return true, nil
	case "text", "":
		return false, nil
	}
	return false, usage("format %q. Try: -o text or -o json", d.output)
}
