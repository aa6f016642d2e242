package debrief

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/observe/timeline"
)

// CSV writes one line a run, oldest first, after a line of names: RFC 4180, UTF-8, times in UTC, intervals in seconds.
// The column incidents holds the ids of all incidents that the drill caused, parted by spaces: leave them out where you
// reckon how long real ones take.
func CSV(w io.Writer, runs []timeline.Timeline) error {
	lines := [][]string{csvColumns()}
	for _, t := range oldestFirst(runs) {
		lines = append(lines, csvLine(t))
	}
	return writeCSV(w, lines)
}

func csvColumns() []string {
	names := []string{"run", "drill", "team", "environment", "planned", "ended", "outcome"}
	for _, name := range phases() {
		names = append(names, name+"_s", name+"_error_s", name+"_censored_s", name+"_reason")
	}
	return append(names, "incidents")
}

func csvLine(t timeline.Timeline) []string {
	r, ended := row(t), ""
	if !t.Ended.IsZero() {
		ended = t.Ended.UTC().Format(time.RFC3339Nano)
	}
	line := []string{r.Run, t.Brief.Drill, t.Brief.Team, t.Brief.Environment, r.At.Format(time.RFC3339Nano), ended, r.Outcome}
	for _, name := range phases() {
		line = append(line, number(r.Seconds[name]), number(r.ErrorS[name]), number(r.CensoredS[name]), string(r.Reasons[name]))
	}
	return append(line, strings.Join(r.Incidents, " "))
}

func number(s *float64) string {
	if s == nil {
		return ""
	}
	return strconv.FormatFloat(*s, 'f', -1, 64)
}

// writeCSV writes lines as RFC 4180 has them: CRLF, quotes where they are needed. https://www.rfc-editor.org/rfc/rfc4180
func writeCSV(w io.Writer, lines [][]string) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	for _, line := range lines {
		for i := range line {
			line[i] = inert(line[i])
		}
		if err := out.Write(line); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// inert keeps a spreadsheet from taking a cell that others named for a formula: an apostrophe before what begins one.
// Control characters go, and an invalid byte is shown as a question mark. None of our own numbers begins so.
// https://owasp.org/www-community/attacks/CSV_Injection
func inert(cell string) string {
	cell = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(cell, "?"))
	if strings.HasPrefix(strings.TrimLeft(cell, " \u00a0\ufeff"), "'") {
		return "'" + cell
	}
	if strings.ContainsAny(first(strings.TrimLeft(cell, " \u00a0\ufeff")), "=+-@＝＋－＠|%") {
		return "'" + cell
	}
	return cell
}

func first(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}
