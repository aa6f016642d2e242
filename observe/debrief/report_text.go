package debrief

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/firedrill/firedrill/observe/timeline"
)

// columns is how wide a report is for people.
const columns = 100

// sentence compares the last run in which the fault was felt with the one before: detection where the drill expects
// it, else acknowledgement, else restoring.
func sentence(x *Trend) string {
	whose := clean(cmp.Or(x.Team, x.Drill))
	where := fmt.Sprintf(" (%s, %s)", clean(x.Drill), clean(x.Environment))
	var felt []Row
	for _, r := range x.Runs {
		if r.Outcome != "" && r.Seconds["effective"] != nil {
			felt = append(felt, r)
		}
	}
	if len(felt) == 0 {
		return whose + ": no run has been measured yet" + where
	}
	last := felt[len(felt)-1]
	for _, p := range []struct{ name, did, not string }{{"detect", "detected", "not detected"},
		{"acknowledge", "acknowledged", "not acknowledged"}, {"restore", "put back", "not put back"}} {
		if why := last.Reasons[p.name]; why == timeline.Reported || why == timeline.NotWatched {
			continue
		}
		text := p.not
		if s := last.Seconds[p.name]; s != nil {
			text = p.did + " in " + Seconds(*s)
		}
		for i := len(felt) - 2; i >= 0; i-- {
			if s := felt[i].Seconds[p.name]; s != nil {
				return whose + ": " + text + ", was " + Seconds(*s) + where
			}
		}
		return whose + ": " + text + ", for the first time measured" + where
	}
	return whose + ": " + last.Outcome + where
}

// Text writes the report for people: one sentence a drill first, then every run and what they say together; or the
// groups, where another grouping was asked for.
func (r Report) Text(w io.Writer) error {
	var b strings.Builder
	switch {
	case len(r.Drills) == 0:
		b.WriteString("no runs\n")
	case len(r.Groups) > 0:
		for i, g := range r.Groups {
			b.WriteString(strings.Repeat("\n", min(i, 1)) + g.heading() + "\n" + estimatesTable(g.Estimates))
		}
	default:
		r.drills(&b)
	}
	for _, x := range r.Real {
		b.WriteString("\n" + x.text())
	}
	if strings.Contains(b.String(), over) {
		b.WriteString("\n" + over + "5m: not until then, and longer nobody looked. It counts as longer than that, never as a time.\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func (r Report) drills(b *strings.Builder) {
	var ids []string
	for _, x := range r.Drills {
		b.WriteString(x.Sentence + "\n")
		for _, row := range x.Runs {
			ids = append(ids, row.Run)
		}
	}
	n := prefix(ids)
	for _, x := range r.Drills {
		fmt.Fprintf(b, "\n%s in %s\n%s\n%s", clean(x.Drill), clean(x.Environment), x.table(n), estimatesTable(x.Estimates))
	}
}

// prefix is how many characters tell these run ids apart: what every verb takes for one. At least ten, the time in it.
func prefix(ids []string) int {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	n := 10
	for i := 1; i < len(ids); i++ {
		same := 0
		for same < min(len(ids[i]), len(ids[i-1])) && ids[i][same] == ids[i-1][same] {
			same++
		}
		n = max(n, same+1)
	}
	return n
}

// table is every run.
func (x Trend) table(id int) string {
	lines := []string{"when\trun\toutcome\teffect\tdetect\tpage\tack\tmitigate\tresolve\trestore"}
	for _, row := range x.Runs {
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s\t%s", row.At.UTC().Format("2006-01-02"), row.Run[:min(id, len(row.Run))],
			cmp.Or(row.Outcome, goesOn), row.cells()))
	}
	return tabbed(lines)
}

// tabbed aligns lines whose cells are parted by tabs.
func tabbed(lines []string) string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, err := io.WriteString(tw, strings.Join(lines, "\n")+"\n")
	if err = errors.Join(err, tw.Flush()); err != nil {
		return strings.Join(lines, "\n") + "\n" // a builder does not fail
	}
	return b.String()
}

// over marks a time that was not waited out.
const over = ">"

func (r Row) cells() string {
	var out []string
	for _, name := range phases() {
		text := "–"
		switch s, c := r.Seconds[name], r.CensoredS[name]; {
		case s != nil:
			text = Seconds(*s)
		case c != nil && r.counts():
			text = over + Seconds(*c)
		}
		out = append(out, text)
	}
	return strings.Join(out, "\t")
}

func (g Group) heading() string {
	name := clean(g.Key)
	switch {
	case g.Key == "":
		name = "no " + g.By
	case g.By == "environment":
		return name + ": " + counted(g.Outcomes)
	}
	return name + " in " + clean(g.Environment) + ": " + counted(g.Outcomes)
}

// counted tells how many runs there are of each outcome, in the order of outcomes.
func counted(count map[string]int) string {
	total, parts := 0, []string{}
	for _, o := range []timeline.Outcome{timeline.Met, timeline.Missed, timeline.Undetected, timeline.Unanswered, timeline.Invalid,
		timeline.Aborted, timeline.Interrupted, timeline.Failed, timeline.Dirty, timeline.Refused, goesOn} {
		if n := count[string(o)]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	noun := " runs ("
	if total == 1 {
		noun = " run ("
	}
	return fmt.Sprint(total) + noun + strings.Join(parts, ", ") + ")"
}

// estimatesTable tells what the runs say together: one line an interval, and every value while they are few.
func estimatesTable(all map[string]Estimate) string {
	lines := []string{"interval\truns\tnot ended\tp50\tp90\tevery value"}
	for _, name := range phases() {
		e := all[name]
		if e.N == 0 {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s\t%d\t%d\t%s\t%s\t%s", name, e.N, e.Censored, e.cell(e.P50S, "p50"), e.cell(e.P90S, "p90"), e.values()))
	}
	if len(lines) == 1 {
		return ""
	}
	if !strings.Contains(strings.Join(lines[1:], ""), ",") && !slices.ContainsFunc(phases(), func(n string) bool { return len(all[n].Values) > 0 }) {
		lines[0] = strings.TrimSuffix(lines[0], "\tevery value")
	}
	var out strings.Builder
	for line := range strings.Lines(tabbed(lines)) {
		out.WriteString(wrapped(strings.TrimRight(line, " \n")) + "\n")
	}
	return out.String()
}

func (e Estimate) cell(s *float64, name string) string {
	switch {
	case s != nil:
		return Seconds(*s)
	case e.Reasons[name] == NotReached && e.OverS != nil:
		return over + Seconds(*e.OverS)
	}
	return "–"
}

func (e Estimate) values() string {
	var out []string
	for _, v := range e.Values {
		text := Seconds(v.Seconds)
		if v.Censored {
			text = over + text
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// wrapped breaks a line that is too wide after a comma; what follows stands below where the values begin.
func wrapped(line string) string {
	if utf8.RuneCountInString(line) <= columns {
		return line
	}
	runes := []rune(line)
	cut := columns
	for cut > 0 && runes[cut-1] != ',' {
		cut--
	}
	comma := slices.Index(runes, ',')
	indent := comma
	for indent > 1 && !(runes[indent-1] == ' ' && runes[indent-2] == ' ') {
		indent--
	}
	if cut == 0 || indent <= 1 {
		return line
	}
	return string(runes[:cut]) + "\n" + wrapped(strings.Repeat(" ", indent)+strings.TrimLeft(string(runes[cut:]), " "))
}
