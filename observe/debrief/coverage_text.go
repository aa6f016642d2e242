package debrief

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Text writes the matrix for people: alarms down, drills across, a time where it rang; below it how each did over time,
// and the ripples.
func (c Coverage) Text(w io.Writer) error {
	var b strings.Builder
	if len(c.Environments) == 0 {
		b.WriteString("no runs\n")
	}
	for i, env := range c.Environments {
		b.WriteString(strings.Repeat("\n", min(i, 1)) + env.text())
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write alarm coverage: %w", err)
	}
	return nil
}

// across is how many drills stand side by side; what does not fit follows below.
const across = 6

func (c CoverageOf) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d of %d alarms have been put to the test\n", clean(c.Environment), c.tested(), len(c.Alarms))
	if len(c.Alarms) == 0 {
		b.WriteString("no drill here watches an alarm\n")
	}
	for part := range slices.Chunk(c.Drills, across) {
		if len(c.Alarms) > 0 {
			b.WriteString("\n" + c.grid(part))
		}
	}
	if lines := c.overTime(c.Cells); len(lines) > 1 {
		b.WriteString("\nover time, oldest first (R rang, s silent)\n" + tabbed(lines))
	}
	if len(c.Ripples) > 0 {
		lines := []string{"alarm\tdrill\truns\tlast"}
		for _, x := range c.Ripples {
			lines = append(lines, fmt.Sprintf("%s\t%s\t%d\t%s", short40(x.Alarm), short40(x.Drill), x.Rang, x.text()))
		}
		b.WriteString("\nripples that rang along\n" + tabbed(lines))
	}
	return b.String()
}

// grid is a part of the matrix: its drills are numbered, and named above it.
func (c CoverageOf) grid(drills []string) string {
	var names strings.Builder
	head := []string{"alarm"}
	for _, d := range drills {
		n := slices.Index(c.Drills, d) + 1
		fmt.Fprintf(&names, "[%d] %s\n", n, clean(d))
		head = append(head, fmt.Sprintf("[%d]", n))
	}
	lines := []string{strings.Join(head, "\t")}
	for _, alarm := range c.Alarms {
		line := []string{short40(alarm)}
		for _, d := range drills {
			line = append(line, c.cell(d, alarm).text())
		}
		lines = append(lines, strings.Join(line, "\t"))
	}
	return names.String() + tabbed(lines)
}

func (c CoverageOf) overTime(cells []Cell) []string {
	lines := []string{"alarm\tdrill\trang\tp50\thistory"}
	for _, x := range cells {
		if x.Tests == 0 {
			continue
		}
		history := []rune(x.History)
		if len(history) > 12 {
			history = append([]rune("…"), history[len(history)-11:]...)
		}
		lines = append(lines, fmt.Sprintf("%s\t%s\t%d of %d\t%s\t%s", short40(x.Alarm), short40(x.Drill), x.Rang, x.Tests, x.Estimate.cell(x.Estimate.P50S, "p50"), string(history)))
	}
	return lines
}

func (c CoverageOf) cell(drill, alarm string) Cell {
	for _, x := range c.Cells {
		if x.Drill == drill && x.Alarm == alarm {
			return x
		}
	}
	return Cell{State: NotDrilled}
}

func (c CoverageOf) tested() (n int) {
	for _, alarm := range c.Alarms {
		if slices.ContainsFunc(c.Cells, func(x Cell) bool { return x.Alarm == alarm && x.Tests > 0 }) {
			n++
		}
	}
	return n
}

// text is a cell for people: when it rang, silent, or a dot where it was not put to the test.
func (c Cell) text() string {
	switch {
	case c.LatencyS != nil:
		return Seconds(*c.LatencyS)
	case c.State == Silent:
		return Silent
	}
	return "·"
}

// short40 keeps a name within its column: the ends of names are what tells them apart.
func short40(s string) string {
	s = clean(s)
	if utf8.RuneCountInString(s) <= 38 {
		return s
	}
	r := []rune(s)
	return string(r[:18]) + "…" + string(r[len(r)-19:])
}
