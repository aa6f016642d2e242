package drills

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing wrong in a file, with the place where it stands and what to write instead.
type Mistake struct {
	File      string
	Line, Col int // from 1; Col counts characters
	What      string
	Try       string // may be empty
}

// String is the mistake on one line: file:line:col: what. Try: …
func (m Mistake) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s.", m.File, m.Line, m.Col, m.What)
	if m.Try != "" {
		s += " Try: " + m.Try
	}
	return s
}

// Mistakes is the error of a file that cannot be used: everything wrong in it, in one go, in the order of the lines.
// It never holds the value of a key that may be a secret.
type Mistakes struct{ All []Mistake }

// Error prints one mistake a line.
func (m *Mistakes) Error() string {
	lines := make([]string, len(m.All))
	for i, one := range m.All {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// mostMistakes is where a reader stops telling: whoever has more has the wrong kind of file.
const mostMistakes = 50

// asError sorts the mistakes, drops what is said twice, and answers nil when there are none.
func asError(found []Mistake) error {
	if len(found) == 0 {
		return nil
	}
	slices.SortStableFunc(found, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	found = slices.Compact(found)
	if more := len(found) - mostMistakes; more > 0 {
		last := found[mostMistakes]
		last.What, last.Try = fmt.Sprintf("and %d more mistakes from here on", more), ""
		found = append(found[:mostMistakes:mostMistakes], last)
	}
	return &Mistakes{All: found}
}

// nearest returns the known word that is most like the one written, when it is like enough to be meant.
func nearest(written string, known []string) (string, bool) {
	best, least := "", 1+max(1, len(written)/3)
	for _, k := range known {
		if d := distance(strings.ToLower(written), k); d < least {
			best, least = k, d
		}
	}
	return best, best != ""
}

// distance counts the letters to put in, take out, exchange or swap with their neighbour to make b of a.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64 // nobody meant that
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			other := 1
			if a[i-1] == b[j-1] {
				other = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+other)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// suggest is the Try of an unknown word.
func suggest(written string, known []string) string {
	if k, ok := nearest(written, known); ok {
		return "did you mean " + k + "?"
	}
	if len(known) == 1 {
		return known[0]
	}
	return "one of " + strings.Join(known, ", ")
}
