package cmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// exitHead begins the line of exit codes that every help ends with.
const exitHead = "Exit codes: "

// exits is the end of every help.
func exits(codes ...string) string {
	all := append([]string{"0 fine", "1 failed", "2 usage or a bad file"}, codes...)
	return "\n\n" + exitHead + strings.Join(all, " · ")
}

// cutExits takes the exit codes off a help text, so that they can stand where they are looked for: at the end.
func cutExits(long string) (text, codes string) {
	text, codes, found := strings.Cut(long, "\n\n"+exitHead)
	if !found {
		_, codes, _ = strings.Cut(exits(), exitHead)
	}
	return strings.TrimSpace(text), exitHead + codes
}

// writeHelp is the help of a command: what it is for, how it is called, and how it ends.
func writeHelp(w io.Writer, c *cobra.Command) error {
	c.InitDefaultHelpFlag()
	text, codes := cutExits(c.Long)
	if text == "" {
		text = c.Short
	}
	_, err := fmt.Fprintf(w, "%s\n\n%s\n%s\n", text, strings.TrimRight(c.UsageString(), "\n")+"\n", codes)
	return err
}

// newHelpCommand is cobra's, but that an unknown verb is a mistake.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [VERB]", Short: "Tell about a verb", Long: "Tell about a verb." + exits(), Hidden: true, Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil || (len(args) > 0 && about == c.Root()) || len(rest) > 0 {
				return unknownVerb(c.Root(), args)
			}
			return writeHelp(c.OutOrStdout(), about)
		},
		ValidArgsFunction: func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			var verbs []string
			for _, v := range c.Root().Commands() {
				if v.IsAvailableCommand() {
					verbs = append(verbs, v.Name())
				}
			}
			return verbs, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// unknownVerb is one line, with what may have been meant.
func unknownVerb(c *cobra.Command, args []string) error {
	word := strings.Join(args, " ")
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return usage("there is no verb %q. Try: %s %s", word, c.CommandPath(), strings.Join(near, ", "))
	}
	return usage("there is no verb %q. Try: %s --help", word, c.CommandPath())
}

// strictly makes every mistake in the number of arguments, of c and all below it, a usage error with its next step.
func strictly(c *cobra.Command) {
	check := c.Args
	if check == nil && c.HasParent() {
		check = cobra.NoArgs
	}
	if check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			err := check(c, args)
			switch {
			case err == nil:
				return nil
			case c.HasSubCommands() && len(args) > 0:
				return unknownVerb(c, args)
			case len(args) == 0:
				return usage("%s: something is missing. Try: %s", c.Name(), c.UseLine())
			}
			return usage("%s: too many words, or words it does not know: %q. Try: %s", c.Name(), args, c.UseLine())
		}
	}
	for _, below := range c.Commands() {
		strictly(below)
	}
}
