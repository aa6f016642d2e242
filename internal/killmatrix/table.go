package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/killtest"
)

// about is what the page says of itself.
type about struct {
	build   string
	took    time.Duration
	when    time.Time
	options options
}

const tableIntro = `# The crash matrix

A drill is killed with SIGKILL at every call it makes and at every record it writes, and another process puts back what it
left. This page is written by ` + "`make crash-matrix`" + `; nobody edits it.

**A row** is a point of a drill. A *call* is held by the sandbox until the process that waits for the answer has been
killed: *before* it takes effect (it then arrives all the same, as a call does that was on its way) or *after* (the answer
is lost). An *append* is a record of the journal: the process kills itself right before or after writing it, and so at the
taking and letting go of leases. Points are found in the log of an undisturbed run: a call that is new to the program has its
row without anybody writing it down.

**A cell is ok** when, after the kill, ` + "`firedrill recover --all`" + ` in another process exits 0, the configuration of the
sandbox is what it was, to the byte; nothing carries our mark (tag, rule, statement, message, schedule, suspended scaling); the
messages of strangers are all there; our page is resolved; a second recover finds nothing to do; and ` + "`status`" + ` and
` + "`debrief`" + ` read the journal and exit 0. The number is how many seconds recover took; it looks again for ten seconds wherever a
call may still be on its way. *Inside recover*: the runner was killed with its fault in place, then recover is killed at the
point, then a third process recovers. *Late*: that run ended before it came to the point, as before; looks are not
equally many in every run.

**Not held**: calls of our load and our looks after the first of a phase (they are counted in the row); the second side of a
call that changes nothing, whose before and after are one; reads on the way out, which are those inside recover.
`

// writeTable writes the page of all cells, as far as they were tried.
func writeTable(path string, cells []Cell, b *book, a about) error {
	var out strings.Builder
	out.WriteString(tableIntro)
	ok, late, bad := 0, 0, 0
	for _, c := range cells {
		switch r, known := b.results[c.Name()]; {
		case !known || !r.OK:
			bad++
		case r.Missed:
			late++
		default:
			ok++
		}
	}
	version := "dev"
	if v := os.Getenv("VERSION"); v != "" {
		version = v
	}
	fmt.Fprintf(&out, "\n| cells | ok | late | not ok | firedrill | build | on | day | time |\n|---|---|---|---|---|---|---|---|---|\n")
	fmt.Fprintf(&out, "| %d | %d | %d | %d | %s | %s | %s/%s, %s | %s | %s |\n", len(cells), ok, late, bad, version, a.build,
		runtime.GOOS, runtime.GOARCH, runtime.Version(), a.when.UTC().Format("2006-01-02"), a.took.Round(time.Second))
	for _, d := range killtest.Drills() {
		fmt.Fprintf(&out, "\n## %s\n\n| phase | killed at | before | after |\n|---|---|---|---|\n", d.Name)
		for _, row := range rowsOf(cells, d.Name) {
			fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", row.Phase, words(row.Point), b.cell(row, "before"), b.cell(row, "after"))
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(out.String()), 0o644)
}

// rowsOf are the cells of a drill, two a row, by phase and in the order they were found.
func rowsOf(cells []Cell, drill string) (rows []Cell) {
	for _, phase := range []string{wayIn, held, wayOut, inRecover} {
		for _, c := range cells {
			if c.Drill == drill && c.Phase == phase && (len(rows) == 0 || rows[len(rows)-1].Point != c.Point) {
				rows = append(rows, c)
			}
		}
	}
	return rows
}

func words(p Point) string {
	text := p.Name()
	if p.Append == "" {
		text = strings.Replace(text, " ", " `", 1)
		text = strings.Replace(text, " #", "` #", 1)
	} else {
		text = "append `" + p.Append + "`"
	}
	if p.Of > 1 {
		text += fmt.Sprintf(" of %d", p.Of)
	}
	return text
}

// cell is what stands in the table.
func (b *book) cell(c Cell, when string) string {
	c.When = when
	switch r, known := b.results[c.Name()]; {
	case c.Reads && when == "after":
		return "="
	case !known:
		return "**not tried**"
	case !r.OK:
		return "**NOT OK**"
	case r.Missed:
		return "late"
	default:
		return fmt.Sprintf("ok %.1f", r.Recovery)
	}
}
