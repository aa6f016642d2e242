package cmd

import (
	"strings"
	"unicode"
)

// harmless is a text of others as it may stand on a terminal, and in the log of a CI job: it steers no terminal, and none of
// its lines is a command to the runner that reads the log. GitHub's takes two forms: a line that begins with two colons, and
// two hashes with a bracket anywhere.
// https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
func harmless(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return ' '
		}
		return r
	}, text)
	lines := strings.Split(strings.ReplaceAll(text, "##[", "## ["), "\n")
	for i, line := range lines {
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "::"); ok {
			lines[i] = ": :" + command
		}
	}
	return strings.Join(lines, "\n")
}
