package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/firedrill/firedrill/internal/docrun"
)

// pages are all that show command lines: what is said in examples and in help counts too.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "bench/*.md", "examples/*.sh", "examples/*/*.md", "examples/ci/*/*.yml", "examples/ci/*/.*.yml"} {
		list, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range list {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text := string(src)
			if filepath.Ext(path) != ".md" { // a whole file is a block
				text = "```\n" + strings.ReplaceAll(text, "```", "") + "\n```\n"
			}
			found[filepath.ToSlash(strings.TrimPrefix(path, "../"))] = text
		}
	}
	if len(found) < 20 {
		t.Fatalf("found %d pages only", len(found))
	}
	return found
}

// Every command line that a page shows or mentions has a verb, flags and words that the program takes.
func TestEveryCommandOfTheDocumentsIsOne(t *testing.T) {
	seen := 0
	for page, src := range pages(t) {
		all, err := docrun.Commands(page, src)
		if err != nil {
			t.Error(err)
		}
		for _, c := range all {
			if slices.Contains(c.Args, "VERB") { // any of them
				continue
			}
			seen++
			if err := parsed(c); err != nil && !older(c) {
				t.Errorf("%s: firedrill %s: %v", c.Place(), strings.Join(c.Args, " "), err)
			}
		}
	}
	if seen < 80 {
		t.Errorf("found %d command lines only", seen)
	}
}

// older says that a command stands where it is told what was: a log of changes.
func older(c docrun.Command) bool { return c.Page == "CHANGELOG.md" }

// parsed holds a command line against the program's own verbs and flags; it runs nothing.
func parsed(c docrun.Command) error {
	root := newRoot(&Deps{Getenv: func(string) string { return "" }, Out: os.Stdout, Err: os.Stderr})
	verb, rest, err := root.Find(c.Args)
	if err != nil {
		return err
	}
	verb.InitDefaultHelpFlag()
	verb.InitDefaultVersionFlag()
	if err := verb.ParseFlags(valued(verb.Flags(), rest)); err != nil {
		if c.Inline && strings.HasPrefix(err.Error(), "flag needs an argument: ") { // a mention of the flag alone
			return nil
		}
		return err
	}
	words := verb.Flags().Args()
	if verb == root && len(words) > 0 {
		return fmt.Errorf("no verb is called %q", words[0])
	}
	if help := verb.Flags().Lookup("help"); help.Changed || c.Inline && len(words) == 0 { // a mention need not say of what
		return nil
	}
	return errors.Join(verb.ValidateArgs(words), verb.ValidateRequiredFlags(), verb.ValidateFlagGroups())
}

// placeholder stands for a value that people fill in: N, WORD, REASON-2.
var placeholder = regexp.MustCompile(`^[A-Z][A-Z_.-]*$`)

// valued gives flags that want a number or a duration one, where the page has a placeholder.
func valued(flags *pflag.FlagSet, args []string) []string {
	args = slices.Clone(args)
	for i, a := range args {
		name, value, joined := strings.Cut(strings.TrimLeft(a, "-"), "=")
		f := flags.Lookup(name)
		if f == nil || !strings.HasPrefix(a, "--") || f.NoOptDefVal != "" {
			continue
		}
		sample, typed := map[string]string{"duration": "1m", "int": "1", "float64": "1"}[f.Value.Type()]
		switch {
		case !typed:
		case joined && placeholder.MatchString(value):
			args[i] = "--" + name + "=" + sample
		case !joined && i+1 < len(args) && placeholder.MatchString(args[i+1]):
			args[i+1] = sample
		}
	}
	return args
}

func TestADocumentThatShowsWhatIsNotThereIsFound(t *testing.T) {
	for line, says := range map[string]string{
		"firedrill plan my-drill --env staging":        "",
		"firedrill plan --nowhere my-drill":            "unknown flag: --nowhere",
		"firedrill explode":                            `"explode"`,
		"firedrill validate -x":                        "unknown shorthand flag",
		"firedrill list one":                           "too many words",
		"firedrill plan":                               "something is missing",
		"firedrill selftest --help":                    "",
		"firedrill plan x --check-permissions=often":   "invalid argument",
		"firedrill sandbox env nowhere":                "too many words",
		"firedrill status 01hx --correct a=1 --why me": "",
	} {
		all, err := docrun.Commands("page.md", "```sh\n"+line+"\n```\n")
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %v %v", line, all, err)
		}
		err = parsed(all[0])
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", line, err, says)
		}
	}
}

// What a page asks make to do is a target.
func TestEveryTargetOfTheDocumentsIsOne(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for page, src := range pages(t) {
		targets, err := docrun.Targets(page, src)
		if err != nil {
			t.Error(err)
		}
		for _, target := range targets {
			seen++
			if !strings.Contains(string(makefile), "\n"+target+":") {
				t.Errorf("%s: make %s is no target", page, target)
			}
		}
	}
	if seen < 10 {
		t.Errorf("found %d targets only", seen)
	}
}
