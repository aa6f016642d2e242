package debrief

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/firedrill/firedrill/observe/timeline"
)

// mostFindings is how many findings of a kind a job's summary shows: the debrief has them all.
const mostFindings = 12

// JobSummary writes a run for the page of a CI job, in Markdown as GitHub and GitLab show it: how it ended, the seven
// instants with their bars and as a picture, what was expected, what was found, and what was changed and put back. link
// says where the debrief is; empty: nowhere.
func JobSummary(w io.Writer, d Debrief, link string) error {
	t, b := d.Timeline, d.Timeline.Brief
	var out strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	say("## %s: %s\n", Escape(cmp.Or(b.Title, b.Drill)), cmp.Or(string(t.Outcome), "it has not ended"))
	say("%s\n", Escape(d.Summary))
	say("Drill %s · environment %s · run %s\n", code(b.Drill), code(b.Environment), code(t.Run))
	if chart := gantt(t); chart != "" {
		say("```mermaid\n%s```\n", chart)
	}
	if !t.Prepared.IsZero() {
		say("| Instant | Clock (UTC) | Bar | Interval | What |\n|---|---|---|---|---|")
		for _, m := range d.Moments {
			what := because(m.Instant)
			if !m.At.IsZero() {
				what = m.Means
				if m.By != "" {
					what += " (" + Escape(m.By) + ")"
				}
			}
			say("| %s | %s | %s | %s | %s |", m.Name, clock(m.At), bar(m.Instant), took(m.Interval), what)
		}
		say("")
	}
	if len(d.Expect) > 0 && !t.Prepared.IsZero() {
		say("| Expected | Limit | Actual | Verdict |\n|---|---|---|---|")
		for _, p := range d.Expect {
			say("| %s | %s | %s | %s |", Escape(p.Name), Seconds(p.LimitS), actual(p.Verdict), p.Verdict.Verdict)
		}
		say("")
	}
	found(say, "What's Crappy", d.Crappy)
	found(say, "What's Awesome", d.Awesome)
	found(say, "Actions", d.Actions)
	if len(d.Changes) > 0 && !t.Prepared.IsZero() {
		say("### What was changed, and how it was put back\n")
		for _, c := range d.Changes {
			line := fmt.Sprintf("- %s, %s: %s", Escape(c.Kind), code(c.Target), how(c.Fault))
			if c.Left != "" {
				line += ": " + Escape(c.Left)
			}
			say("%s", line)
		}
		say("")
	}
	if link != "" {
		say("%s\n", link)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// NotRunSummary is the same of a drill that has no run to tell of.
func NotRunSummary(w io.Writer, s Suite) error {
	head := "it did not run"
	for _, c := range s.Cases {
		if c.Result == Skipped {
			head = "not now"
		}
	}
	_, err := fmt.Fprintf(w, "## %s: %s\n\n%s\n\n", Escape(s.Drill), head, Escape(s.Summary))
	return err
}

func found(say func(string, ...any), title string, list []string) {
	if len(list) == 0 {
		return
	}
	say("### %s\n", title)
	for i, text := range list {
		if i == mostFindings {
			say("- … and %d more in the debrief", len(list)-i)
			break
		}
		say("- %s", text)
	}
	say("")
}

// gantt draws the intervals as a chart of mermaid's, which GitHub and GitLab render. It holds no text of others. What
// missed its expectation is marked; what did not happen is told in the table.
// https://mermaid.js.org/syntax/gantt.html
func gantt(t timeline.Timeline) string {
	ends := map[string]timeline.Name{"effective": timeline.Effective, "detect": timeline.Detected, "page": timeline.Paged,
		"acknowledge": timeline.Acknowledged, "mitigate": timeline.Mitigated, "resolve": timeline.Resolved, "restore": timeline.Restored}
	missed := map[string]bool{}
	for _, v := range t.Expect {
		missed[v.Name] = v.Verdict == "missed"
	}
	var b strings.Builder
	for _, i := range t.Intervals {
		end := t.Instant(ends[i.Name]).At
		if !i.Known || end.IsZero() {
			continue
		}
		from := end.Add(-time.Duration(i.Seconds * float64(time.Second)))
		mark := "done"
		if missed[i.Name] {
			mark = "crit"
		}
		fmt.Fprintf(&b, "    section %s\n    %s :%s, %d, %d\n", i.Name, Seconds(i.Seconds), mark, from.UnixMilli(), max(end.UnixMilli(), from.UnixMilli()+1))
	}
	if b.Len() == 0 {
		return ""
	}
	return "gantt\n    dateFormat x\n    axisFormat %H:%M:%S\n" + b.String()
}
