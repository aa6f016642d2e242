package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/cmd"
)

// Every verb has a page, and every page says what the verb is for, its flags and how it ends.
func TestEveryVerbHasAPage(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir, "v1.2.3", "1700000000"); err != nil {
		t.Fatal(err)
	}
	seen := 0
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		page, err := os.ReadFile(filepath.Join(dir, "man", name))
		if err != nil {
			t.Error(err)
			return
		}
		seen++
		for _, want := range []string{".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH EXIT STATUS", "2023-11-14", "firedrill v1.2.3"} {
			if strings.HasPrefix(c.CommandPath(), "firedrill completion") && want == ".SH EXIT STATUS" {
				continue // cobra's own words
			}
			if want == "2023-11-14" {
				want = "Nov 2023"
			}
			if !strings.Contains(string(page), want) {
				t.Errorf("%s has no %q", name, want)
			}
		}
		if i := bytes.IndexFunc(page, func(r rune) bool { return r > 0x7e }); i >= 0 {
			t.Errorf("%s has a character that not every troff knows: %q", name, page[max(0, i-20):min(len(page), i+5)])
		}
		for _, below := range c.Commands() {
			if below.IsAvailableCommand() {
				look(below)
			}
		}
	}
	look(cmd.Tree(cmd.NewDeps()))
	if seen < 20 {
		t.Errorf("%d pages", seen)
	}
	lint(t, filepath.Join(dir, "man"))
}

// lint lets a typesetter read the pages, where there is one.
func lint(t *testing.T, dir string) {
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	args := []string{"groff", "-man", "-Tutf8", "-ww", "-z"}
	if _, err := exec.LookPath("mandoc"); err == nil {
		args = []string{"mandoc", "-T", "lint", "-W", "error"}
	} else if _, err := exec.LookPath("groff"); err != nil {
		t.Log("neither mandoc nor groff is here: the pages were not typeset")
		return
	}
	if out, err := exec.CommandContext(t.Context(), args[0], append(args[1:], pages...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%s: %v\n%s", args[0], err, out)
	}
}

// The archive has pages and completions, and is the same bytes each time.
func TestTheArchiveIsReproducible(t *testing.T) {
	var archives [][]byte
	for range 2 {
		dir := t.TempDir()
		if err := run(dir, "v1.2.3", "1700000000"); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "firedrill-manual.tar.gz"))
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, raw)
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two archives of one source differ")
	}
	zip, err := gzip.NewReader(bytes.NewReader(archives[0]))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for files := tar.NewReader(zip); ; {
		head, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil || head.ModTime.Unix() != 1700000000 || head.Size < 100 {
			t.Fatalf("%+v %v", head, err)
		}
		names = append(names, strings.TrimPrefix(head.Name, "firedrill-manual/"))
	}
	for _, want := range []string{"man/man1/firedrill.1", "man/man1/firedrill-run.1", "completions/bash/firedrill", "completions/zsh/_firedrill", "completions/fish/firedrill.fish"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s among %v", want, names)
		}
	}
	if err := run(t.TempDir(), "dev", "yesterday"); err == nil {
		t.Error("took a time that is none")
	}
}

// The shells themselves take the scripts, where they are here.
func TestShellsTakeTheCompletions(t *testing.T) {
	scripts, err := completions()
	if err != nil {
		t.Fatal(err)
	}
	for name, check := range map[string][]string{"bash/firedrill": {"bash", "-n"}, "zsh/_firedrill": {"zsh", "-n"}, "fish/firedrill.fish": {"fish", "-n"}} {
		path := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(path, scripts[name], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := exec.LookPath(check[0]); err != nil {
			t.Logf("%s is not here: its script was not read by it", check[0])
			continue
		}
		if out, err := exec.CommandContext(t.Context(), check[0], append(check[1:], path)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestMarkdown(t *testing.T) {
	got := markdown("What *it* is, a_b.\n  firedrill x --y\n\nMore.\n\nExit codes: 0 fine · 75 not now")
	want := "What \\*it\\* is, a\\_b.\n\n    firedrill x --y\n\nMore.\n\n# EXIT STATUS\n**0**\n: fine\n\n**75**\n: not now\n"
	if got != want {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}
