package drills

import (
	"slices"
	"strings"
	"unicode"
)

// What a note on an incident may ask of the run that caused it.
const (
	CommandStop   = "stop"   // put everything back now
	CommandHint   = "hint"   // the next hint, whatever its time
	CommandStatus = "status" // where it is
)

// RemoteControl names the commands, for people.
const RemoteControl = "drill stop, drill hint, drill status"

// Commands are what a text asks of a run, each once, in their order. A command is a line of its own: "drill stop", in any
// case, with whatever punctuation around it ("/Drill stop!"). The same words in a longer sentence ask nothing, and neither
// does a line that is quoted ("> drill stop").
func Commands(text string) (list []string) {
	for _, line := range strings.FieldsFunc(text, lineBreak) {
		if what := commandOf(line); what != "" && !slices.Contains(list, what) {
			list = append(list, what)
		}
	}
	return list
}

// commandOf is what one line asks; empty: nothing.
func commandOf(line string) string {
	if len(line) > longestCommand {
		return ""
	}
	words := strings.FieldsFunc(strings.ToLower(strings.TrimFunc(line, ornament)), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("-_:", r)
	})
	if len(words) != 2 || words[0] != "drill" {
		return ""
	}
	switch words[1] {
	case CommandStop, CommandHint, CommandStatus:
		return words[1]
	}
	return ""
}

// longestCommand is the most bytes of a line that is looked at: ornaments are many bytes each, and a sentence is longer.
const longestCommand = 200

// ornament is what may stand around a command: blanks, punctuation, what phones put before and behind words. Marks of a
// quotation are none: who quotes a command does not give it.
func ornament(r rune) bool {
	if strings.ContainsRune(">»«›‹|", r) {
		return false
	}
	return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.In(r, unicode.So, unicode.Sk, unicode.Cf, unicode.Mn)
}

func lineBreak(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) }

// unheard is a text of ours as it may stand in a note: our own words are never heard as a command, whoever wrote the
// card that they come from. A line that would be one is quoted.
func unheard(text string) string {
	if len(Commands(text)) == 0 {
		return text
	}
	var b strings.Builder
	for i, line := range strings.FieldsFunc(text, lineBreak) {
		if i > 0 {
			b.WriteByte('\n')
		}
		if commandOf(line) != "" {
			b.WriteString("> ")
		}
		b.WriteString(line)
	}
	return b.String()
}
