package cmd

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write docs/verbs.md and docs/exit-codes.md anew")

// everyVerb lists the commands that help shows, with those below them.
func everyVerb(c *cobra.Command) (all []*cobra.Command) {
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() {
			all = append(append(all, below), everyVerb(below)...)
		}
	}
	return all
}

func helpOf(t *testing.T, c *cobra.Command) string {
	t.Helper()
	var b bytes.Buffer
	if err := writeHelp(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryHelpEndsWithItsExitCodes(t *testing.T) {
	root := newRoot(newDesk(t).Deps)
	for _, c := range append(everyVerb(root), root) {
		lines := strings.Split(strings.TrimRight(helpOf(t, c), "\n"), "\n")
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "Exit codes: 0 fine · 1 failed · 2 usage") {
			t.Errorf("help of %s ends with %q", c.CommandPath(), last)
		}
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short help %q", c.CommandPath(), c.Short)
		}
	}
}

func TestTheVerbsAreThoseThatWerePromised(t *testing.T) {
	want := strings.Fields("init doctor new validate list plan run play status note abort recover halt policy selftest debrief report serve sandbox schema version completion")
	var got []string
	root := newRoot(newDesk(t).Deps)
	for _, c := range root.Commands() {
		if !c.IsAvailableCommand() || c.Name() == "help" {
			continue
		}
		got = append(got, c.Name())
		if c.GroupID == "" {
			t.Errorf("%s stands in no group", c.Name())
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	for _, name := range []string{"config", "env", "state"} {
		if root.PersistentFlags().Lookup(name) == nil {
			t.Errorf("no verb takes --%s", name)
		}
	}
}

// TestVerbsPage keeps docs/verbs.md what help says: go test ./cmd -run TestVerbsPage -update
func TestVerbsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("# The verbs\n\nThis page is what `firedrill VERB --help` says: the tests write it. What the exit codes mean is told in [exit-codes.md](exit-codes.md).\n")
	root := newRoot(newDesk(t).Deps)
	for _, g := range root.Groups() {
		fmt.Fprintf(&b, "\n## %s\n", strings.TrimSuffix(g.Title, ":"))
		for _, c := range root.Commands() {
			if c.GroupID != g.ID || !c.IsAvailableCommand() {
				continue
			}
			verbs := []*cobra.Command{c}
			if c.Name() != "completion" { // a page a shell would be too much
				verbs = append(verbs, everyVerb(c)...)
			}
			for _, v := range verbs {
				fmt.Fprintf(&b, "\n### %s\n\n```\n%s```\n", v.CommandPath(), helpOf(t, v))
			}
		}
	}
	golden(t, "verbs.md", b.String())
}

// golden compares a page of docs/ with what it should be, or writes it.
func golden(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join("..", "docs", name)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/%s is not what the program says. Try: go test ./cmd -run %s -update", name, t.Name())
	}
}

// TestExitCodesPage: the page names every code there is, and the codes of every verb are on it.
func TestExitCodesPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "exit-codes.md"))
	if err != nil {
		t.Fatal(err)
	}
	codes := []int{exitMet, exitFailed, exitUsage, exitMissed, exitRefused, exitDirty, exitAborted, exitInvalid, exitLater, exitInterrupted}
	for _, code := range codes {
		if !strings.Contains(string(page), fmt.Sprintf("\n| %d |", code)) {
			t.Errorf("docs/exit-codes.md does not tell %d", code)
		}
	}
	for _, c := range everyVerb(newRoot(newDesk(t).Deps)) {
		_, line := cutExits(c.Long)
		for _, one := range strings.Split(strings.TrimPrefix(line, exitHead), " · ") {
			var code int
			if _, err := fmt.Sscanf(one, "%d ", &code); err != nil || !slices.Contains(codes, code) {
				t.Errorf("%s ends with %q, which is no exit code", c.CommandPath(), one)
			}
		}
	}
}
