package timeline_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

// tell writes a timeline so that a person can check it.
func tell(t timeline.Timeline) string {
	var b strings.Builder
	fmt.Fprintf(&b, "outcome %s, exit %d, later %v, reason %q, why %q\n\n", t.Outcome, timeline.ExitCode(t.Outcome, t.Later), t.Later, t.Reason, t.Why)
	for _, i := range t.Instants {
		if i.At.IsZero() {
			fmt.Fprintf(&b, "%-12s %s", i.Name, i.Reason)
			if !i.Censored.IsZero() {
				fmt.Fprintf(&b, " %.3f", i.Censored.Sub(t.Planned).Seconds())
			}
		} else {
			fmt.Fprintf(&b, "%-12s %.3f -%.3f +%.3f by %s", i.Name, i.At.Sub(t.Planned).Seconds(), i.Early.Seconds(), i.Late.Seconds(), i.By)
		}
		if i.Corrected {
			fmt.Fprintf(&b, " corrected from %.3f", i.Original.Sub(t.Planned).Seconds())
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, e := range t.Entries() {
		fmt.Fprintf(&b, "%9.3f %8.1f %-12s %s\n", e.At.Sub(t.Planned).Seconds(), e.T.Seconds(), e.Name, e.Text)
	}
	b.WriteString(people(t))
	s, err := timeline.StatusJSON(t)
	if err != nil {
		return err.Error()
	}
	return b.String() + string(s)
}

// people writes who was told, who did what, and who mended it.
func people(t timeline.Timeline) string {
	var b strings.Builder
	since := func(at time.Time) float64 { return at.Sub(t.Planned).Seconds() }
	b.WriteString("\n")
	for _, h := range t.Hearing() {
		fmt.Fprintf(&b, "%9.3f %s %s: %s\n", since(h.At), h.Incident, h.Verdict, h.Why)
	}
	for _, x := range t.Traces() {
		fmt.Fprintf(&b, "%9.3f %s (%s) %s\n", since(x.OpenedAt), x.Incident, x.Role, x.Title)
		for _, r := range x.Rungs {
			fmt.Fprintf(&b, "          level %d for %.1f s: %s\n", r.Level, r.LastS, r.Ended)
			for _, p := range r.Told {
				fmt.Fprintf(&b, "%9.3f   told %s by %s, answered %v after %.1f s\n", since(p.At), p.Name, strings.Join(p.Channels, " "), p.Answered, p.AfterS)
			}
		}
		for _, a := range x.Acts {
			fmt.Fprintf(&b, "%9.3f ± %.3f %s by %s, uncalled %v\n", since(a.At), a.ErrorS, a.Kind, a.Name, a.Uncalled)
		}
		for _, a := range x.Abandoned {
			fmt.Fprintf(&b, "          abandoned by %s\n", a.Name)
		}
		for _, e := range x.False {
			fmt.Fprintf(&b, "          resolved by %s, and felt for %.1f s more\n", e.Name, e.FeltS)
		}
	}
	m := t.Mitigation()
	fmt.Fprintf(&b, "          mended by %s %s: %s\n\n", m.Kind, m.Who, m.Why)
	return b.String()
}

func journalOf(t *testing.T, events []journal.Event) string {
	t.Helper()
	var b strings.Builder
	for _, e := range events {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: -want +got\n%s", name, d)
	}
}

func TestGolden(t *testing.T) {
	for name, events := range scenarios() {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".golden", tell(timeline.Of(events, events[len(events)-1].At)))
			golden(t, name+".jsonl", journalOf(t, events)) // the debrief's tests read these
		})
	}
}
