package inject

import (
	"fmt"
	"testing"
	"time"
)

// An edge lies between two answers that follow each other, however long the row before it was.
func TestTallyKeepsBothSidesOfAnEdge(t *testing.T) {
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		answers string // n: no, y: yes, u: unknown; one every second
		want    string // the looks, by their second
	}{
		{"", ""},
		{"n", "n0"},
		{"nnnn", "n0 n3"},
		{"nnnny", "n0 n3 y4"},
		{"nnnnyyyy", "n0 n3 y4"},
		{"yyyy", "y0"},
		{"nynnyy", "n0 y1 n2 n3 y4"},
		{"uunnu", "u0 u1 n2 n3 u4"},
		{"yyyn", "y0 y2 n3"},
	} {
		var c tally
		for i, kind := range row.answers {
			felt := map[rune]Tri{'n': No, 'y': Yes, 'u': Unknown}[kind]
			c.add(TimedLook{To: start.Add(time.Duration(i) * time.Second), Reading: Reading{Felt: felt}}, false)
		}
		got := ""
		loaded := c.end()
		for _, l := range loaded.Looks {
			got += fmt.Sprintf(" %c%.0f", l.Reading.Felt[0], l.To.Sub(start).Seconds())
		}
		if got != "" {
			got = got[1:]
		}
		if got != row.want || loaded.Sent != len(row.answers) {
			t.Errorf("%q: looks %q, want %q; sent %d", row.answers, got, row.want, loaded.Sent)
		}
	}
}

// A load that flaps for hours is not remembered answer by answer.
func TestTallyIsBounded(t *testing.T) {
	var c tally
	for i := range 10 * maxLooks {
		c.add(TimedLook{Reading: Reading{Felt: []Tri{Yes, No, No}[i%3]}}, false)
	}
	if n := len(c.end().Looks); n > maxLooks+1 {
		t.Errorf("%d looks", n)
	}
}
