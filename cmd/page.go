package cmd

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/internal/journal"
)

// page is a plan as people read it: headings at the margin, the rest aligned below them.
type page struct {
	w     io.Writer
	style palette
	width int // of the terminal, in columns; 0 where there is none
	err   error
}

// pageWidth is where long texts are broken where no terminal is narrower: what a review shows.
const pageWidth = 110

// narrowest is where texts are broken at the least: what a terminal of fewer columns shows is broken twice.
const narrowest = 60

// cramped is the least room that the last column of a table is worth.
const cramped = 32

// columns is where long texts are broken.
func (p *page) columns() int {
	if p.width == 0 {
		return pageWidth
	}
	return min(pageWidth, max(narrowest, p.width))
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *page) head(text string) { p.line("\n%s", p.style.of(journal.RunFinished, text)) }

// item is a word and what belongs to it.
func (p *page) item(word, text string) {
	p.text("  "+p.style.dim(fmt.Sprintf("%-8s", word))+" ", text)
}

// text breaks a long text between words and keeps what follows below where it began.
func (p *page) text(lead, text string) {
	indent := visible(lead)
	line, used := lead, indent
	for i, word := range strings.Fields(text) {
		if command, ok := strings.CutPrefix(word, "::"); ok { // it may come to stand at the beginning of a line
			word = ": :" + command
		}
		n := visible(word)
		if i > 0 && used+1+n > p.columns() {
			p.line("%s", line)
			line, used = strings.Repeat(" ", indent), indent
		} else if i > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	p.line("%s", line)
}

// visible counts the columns of a text without its colours.
func visible(s string) int {
	n := 0
	for len(s) > 0 {
		if rest, ok := strings.CutPrefix(s, "\x1b["); ok {
			if end := strings.IndexByte(rest, 'm'); end >= 0 {
				s = rest[end+1:]
				continue
			}
		}
		_, size := utf8.DecodeRuneInString(s)
		n, s = n+1, s[size:]
	}
	return n
}

// table aligns rows; the last column of a row is broken between words where it is long.
func (p *page) table(rows [][]string, paint func(row, column int, text string) string) {
	var width []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], visible(cell))
		}
	}
	for r, row := range rows {
		lead, last := "  ", len(row)-1
		for c, cell := range row[:last] {
			lead += paint(r, c, cell) + strings.Repeat(" ", width[c]-visible(cell)+2)
		}
		if row[last] == "" {
			p.line("%s", strings.TrimRight(lead, " "))
			continue
		}
		if visible(lead) > p.columns()-cramped && visible(lead)+visible(row[last]) > p.columns() { // it would be a column of words
			p.line("%s", strings.TrimRight(lead, " "))
			lead = strings.Repeat(" ", 6)
		}
		p.text(lead, paint(r, last, row[last]))
	}
}

// period is a duration as people write it: 12m, 1h30m, 2.5s.
func period(d time.Duration) string {
	if d < time.Minute {
		return d.Round(100 * time.Millisecond).String()
	}
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
