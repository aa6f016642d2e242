package cmd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every verb is typed in a script, and with every option of its own.
func TestEveryVerbAndOptionIsInAScript(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var typed []string
	for _, f := range scripts {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(src)) {
			if line = strings.ReplaceAll(line, "sh begin ", "firedrill init "); !strings.HasPrefix(line, "#") && strings.Contains(line, "firedrill ") {
				typed = append(typed, line)
			}
		}
	}
	page, err := os.ReadFile("../docs/verbs.md") // generated: it has them all
	if err != nil {
		t.Fatal(err)
	}
	heading, option := regexp.MustCompile("^### `?(firedrill [a-z ]+?)`?\n$"), regexp.MustCompile(`^ +(?:(-[a-z]), )?(--[a-z-]+)`)
	verb, verbs, options := "", 0, 0
	for line := range strings.Lines(string(page)) {
		if m := heading.FindStringSubmatch(line); m != nil {
			verb = m[1]
			verbs++
			if !said(typed, verb, " ") {
				t.Errorf("no script types %s", verb)
			}
			continue
		}
		if line == "Global Flags:\n" {
			verb = ""
		}
		m := option.FindStringSubmatch(line)
		if m == nil || verb == "" || m[2] == "--help" {
			continue
		}
		options++
		if !said(typed, verb+" ", " "+m[2]) && (m[1] == "" || !said(typed, verb+" ", " "+m[1]+" ")) {
			t.Errorf("no script types %s %s", verb, m[2])
		}
	}
	if verbs < 20 || options < 50 {
		t.Errorf("found %d verbs and %d options: too few to be all", verbs, options)
	}
}

// said: a line has the verb, and the option after it.
func said(lines []string, verb, option string) bool {
	for _, l := range lines {
		if _, after, ok := strings.Cut(l, verb); ok && strings.Contains(" "+strings.TrimSpace(after)+" ", option) {
			return true
		}
	}
	return false
}
