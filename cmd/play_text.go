package cmd

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox/hands"
)

// plain is a text of somebody else's without what moves a terminal's cursor.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// wrap breaks a text into lines of a width, the first behind lead and the others as far in. What has no space in it is
// not broken.
func wrap(lead, text string, width int) string {
	var b strings.Builder
	room := max(20, width-1-utf8.RuneCountInString(lead))
	column := 0
	b.WriteString(lead)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > room:
			b.WriteString("\n" + strings.Repeat(" ", utf8.RuneCountInString(lead)))
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// answer says one thing in as many lines as it takes.
func (g *game) answer(format string, args ...any) {
	g.say("%s", wrap("  ", fmt.Sprintf(format, args...), g.console.width()))
}

// card writes the front of the drill's card; what stands on its back comes by and by, as messages.
func (g *game) card(w io.Writer, width int) {
	fmt.Fprintln(w, wrap("    ", g.p.spec.Scenario, width))
	fmt.Fprintf(w, "\n%s\n", g.style.dim(wrap("    ", "Begin with: ack. Then look, and fix what you find. hint gives a hint, help all the words.", width)))
}

// tables writes what a look found. The last column takes what is left of the width.
func (g *game) tables(all []hands.Table) {
	var b strings.Builder
	for _, t := range all {
		fmt.Fprintln(&b, g.style.dim(wrap("  ", t.Title, g.console.width())))
		if len(t.Rows) == 0 {
			fmt.Fprintln(&b, "  "+t.Empty)
		}
		g.table(&b, t)
	}
	fmt.Fprint(g.console, b.String())
}

func (g *game) table(b *strings.Builder, t hands.Table) {
	rows := t.Rows
	if len(t.Head) > 0 && len(rows) > 0 {
		head := make([]hands.Cell, len(t.Head))
		for i, text := range t.Head {
			head[i] = hands.Cell{Text: text, Tone: hands.Dim}
		}
		rows = append([][]hands.Cell{head}, rows...)
	}
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(plain(c.Text)))
		}
	}
	for _, row := range rows {
		at := 2
		if last := len(row) - 1; last > 0 && row[last].Text == "" {
			row = row[:last]
		}
		b.WriteString("  ")
		for i, c := range row {
			text := plain(c.Text)
			if i == len(row)-1 {
				lead := strings.Repeat(" ", at)
				lines := strings.Split(strings.TrimPrefix(wrap(lead, text, g.console.width()), lead), "\n")
				for i := range lines { // each for itself: a style fills the lines of one text up to the longest
					lines[i] = g.tone(c.Tone, lines[i])
				}
				b.WriteString(strings.Join(lines, "\n"))
				break
			}
			b.WriteString(g.tone(c.Tone, text) + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+2))
			at += widths[i] + 2
		}
		b.WriteByte('\n')
	}
}

// tone colours a cell by what it means.
func (g *game) tone(t hands.Tone, text string) string {
	switch t {
	case hands.Dim:
		return g.style.dim(text)
	case hands.Good:
		return g.style.of(journal.IncidentResolved, text)
	case hands.Bad:
		return g.style.of(journal.FaultEffective, text)
	}
	return text
}
