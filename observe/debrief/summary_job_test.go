package debrief_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

func jobSummary(t *testing.T, d debrief.Debrief) string {
	t.Helper()
	var b strings.Builder
	if err := debrief.JobSummary(&b, d, "The whole debrief: [debrief.md](<https://ci.example.com/1>)"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJobSummary(t *testing.T) {
	d, _ := told(t, rich(t))
	text := jobSummary(t, d)
	golden(t, "job.md", text)
	for _, name := range []timeline.Name{timeline.Effective, timeline.Detected, timeline.Paged, timeline.Acknowledged, timeline.Mitigated, timeline.Resolved, timeline.Restored} {
		if !strings.Contains(text, "\n| "+string(name)+" | ") {
			t.Errorf("%s is missing", name)
		}
	}
	for _, want := range []string{"met\n", "```mermaid\ngantt\n", "### What's Crappy", "put it back", "https://ci.example.com/1"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, bad := range []string{"<script", "![x](", "\x1b", "\u202e", "@everyone", "\n# heading", "**bold**"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q stands in the summary", bad)
		}
	}
}

// The picture holds nothing that anybody wrote, each bar ends after it began, and what missed its time is marked.
func TestJobSummarysPicture(t *testing.T) {
	bar := regexp.MustCompile(`^    [0-9hms. ]+ :(done|crit), (\d{13}), (\d{13})$`)
	for _, name := range []string{"met", "undetected", "unanswered", "dirty", "report", "seq-several-acks"} {
		d, _ := told(t, load(t, name))
		_, chart, ok := strings.Cut(jobSummary(t, d), "```mermaid\n")
		chart, _, _ = strings.Cut(chart, "```")
		if !ok {
			t.Errorf("%s: no picture", name)
			continue
		}
		lines := strings.Split(strings.TrimSpace(chart), "\n")
		for _, l := range lines[3:] {
			if m := bar.FindStringSubmatch(l); m != nil {
				if m[2] >= m[3] {
					t.Errorf("%s: %q", name, l)
				}
			} else if !strings.HasPrefix(l, "    section ") {
				t.Errorf("%s: %q", name, l)
			}
		}
	}
	for name, want := range map[string]string{"refused": "refused", "invalid": "invalid"} {
		d, _ := told(t, load(t, name))
		if text := jobSummary(t, d); !strings.Contains(text, ": "+want+"\n") || strings.Contains(text, "section detect") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

func TestJobSummaryOfWhatDidNotRun(t *testing.T) {
	for _, c := range []struct {
		later bool
		want  string
	}{{true, "## orders\\_denied: not now\n\noutside the window.\n\n"}, {false, "## orders\\_denied: it did not run\n\noutside the window.\n\n"}} {
		var b strings.Builder
		if err := debrief.NotRunSummary(&b, debrief.NotRun("orders_denied", "staging", "", "outside the window", c.later)); err != nil || b.String() != c.want {
			t.Errorf("%v %q", err, b.String())
		}
	}
}
