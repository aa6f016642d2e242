package debrief_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

// load reads one of the journals that the timeline's tests keep.
func load(t *testing.T, name string) (events []journal.Event) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "timeline", "testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for in := bufio.NewScanner(bytes.NewReader(b)); in.Scan(); {
		var e journal.Event
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// with puts events in where they belong by time.
func with(events []journal.Event, more ...journal.Event) []journal.Event {
	events = slices.Clone(events)
	for _, e := range more {
		i := slices.IndexFunc(events, func(x journal.Event) bool { return x.At.After(e.At) })
		if i < 0 {
			i = len(events)
		}
		e.Seq, e.Action = int64(1000+i), "more"
		events = slices.Insert(events, i, e)
	}
	return events
}

func at(events []journal.Event, sec float64, kind journal.Kind, f journal.Fact) journal.Event {
	return journal.Event{Kind: kind, Run: events[0].Run, At: events[0].At.Add(time.Duration(sec * float64(time.Second))), Fact: f}
}

func told(t *testing.T, events []journal.Event) (debrief.Debrief, string) {
	t.Helper()
	d := debrief.Of(timeline.Of(events, events[len(events)-1].At))
	var b strings.Builder
	if err := debrief.Markdown(&b, d, nil); err != nil {
		t.Fatal(err)
	}
	return d, b.String()
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

const hostile = "look <script>alert(1)</script> | a | ![x](http://evil) `rm` **bold** @everyone\n# heading\n\x1b[31mred\u202egnirts"

// rich is a run in which much can be told.
func rich(t *testing.T) []journal.Event {
	events := load(t, "met")
	b := events[0].Fact.Brief
	b.Scenario, b.Runbook, b.Operator = "An alarm for write capacity has triggered.", "https://wiki.example.com/throttling", "ben"
	b.Look = map[string]string{"dashboard": "https://dash.example.com/orders", "logs": "javascript:alert(1)"}
	b.Evidence = []string{`slack: "checkout is slow, anyone else?"`}
	b.Watch = append(b.Watch, "alarm orders-latency")
	b.Hints = []string{"5m after the page: look at the throttle metrics of the table", "15m after the page: " + hostile}
	return with(events,
		at(events, 70, journal.AlarmFired, journal.Fact{Alarm: "orders-api-5xx", Role: journal.RoleRipple}),
		at(events, 71, journal.AlarmFired, journal.Fact{Alarm: "billing-lag", Role: journal.RoleOther}),
		at(events, 72, journal.NoteSent, journal.Fact{Incident: "Q1", Text: "[DRILL]"}),
		at(events, 73, journal.IncidentNoted, journal.Fact{Incident: "Q1", By: "Firedrill", Text: "[DRILL]"}),
		at(events, 95, journal.IncidentNoted, journal.Fact{Incident: "Q1", By: "Anna", Text: hostile, Human: journal.Bool(true)}),
		at(events, 99, journal.NoteWritten, journal.Fact{By: "ben", Text: "restarted the consumer"}),
		at(events, 227, journal.SteadyRead, journal.Fact{Probe: "http https://orders/health", Role: journal.RoleSteady, Reading: "ok",
			Left: []string{"orders-write-throttled is ALARM"}}))
}

func TestGolden(t *testing.T) {
	_, text := told(t, rich(t))
	golden(t, "rich.md", text)
	for _, name := range []string{"undetected", "unanswered", "report", "dirty", "invalid", "refused", "machines", "interrupted"} {
		_, text := told(t, load(t, name))
		golden(t, name+".md", text)
	}
}

func TestTextOfOthersIsHarmless(t *testing.T) {
	_, text := told(t, rich(t))
	for _, bad := range []string{"<script", "![x](", "\x1b", "\u202e", "@everyone", "\n# heading", "(<javascript", "**bold**"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q stands in the debrief", bad)
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "| ") && strings.Count(line, "|")-strings.Count(line, `\|`) != strings.Count(tableHead(text, line), "|") {
			t.Errorf("table broken: %s", line)
		}
	}
}

// tableHead is the ruler of the table a row stands in: the next line, or the last one before it.
func tableHead(text, row string) string {
	before, after, _ := strings.Cut(text, row+"\n")
	if strings.HasPrefix(after, "|---") {
		ruler, _, _ := strings.Cut(after, "\n")
		return ruler
	}
	before += row
	i := strings.LastIndex(before, "|---|---|")
	i = strings.LastIndex(before[:i], "\n") + 1
	ruler, _, _ := strings.Cut(before[i:], "\n")
	return ruler
}

func has(list []string, part string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, part) })
}

func TestFindings(t *testing.T) {
	for _, x := range []struct {
		name                string
		change              func([]journal.Event) []journal.Event
		crappy, awesome, do string
	}{
		{"undetected", nil, "No alarm fired in 59m57s", "Acknowledged in", "Make alarm orders-write-throttled fire"},
		{"unanswered", nil, "The page was not heard: Anna", "Detected in", "page was not heard"},
		{"report", nil, "No alarm watches this", "Mitigated in", "Give this an alarm"},
		{"dirty", nil, "Still in place: throttle", "", "firedrill recover 01run"},
		{"invalid", nil, "never felt", "", "Find out why the fault was not felt"},
		{"interrupted", nil, "", "somebody had put it back", ""},
		{"machines", nil, "A machine (api) acknowledged: that stops the escalation", "", ""},
		{"machines", nil, "A machine (api) resolved it before anybody acknowledged (resolved by monitor)", "", "why the monitor resolves"},
		{"again", nil, "timed out or was taken back (1×)", "", ""},
		{"report", func(e []journal.Event) []journal.Event {
			return with(e, at(e, 50, journal.AlarmFired, journal.Fact{Alarm: "user-api-5xx", Role: journal.RoleRipple}))
		}, "", "and yet rang: user-api-5xx", ""},
		{"met", func(e []journal.Event) []journal.Event {
			return with(e, at(e, 225.5, journal.FaultReverted, journal.Fact{Fault: "throttle", How: "diverged"}))
		}, "was changed by somebody", "", "keep the responder's change"},
		{"met", func(e []journal.Event) []journal.Event {
			return with(e, at(e, 228, journal.SteadyRead, journal.Fact{Probe: "http https://orders/health", Reading: "bad"}))
		}, "steady state did not come back", "", "Look at"},
	} {
		events := load(t, x.name)
		if x.change != nil {
			events = x.change(events)
		}
		d, _ := told(t, events)
		if !has(d.Crappy, x.crappy) && x.crappy != "" || !has(d.Awesome, x.awesome) && x.awesome != "" || !has(d.Actions, x.do) && x.do != "" {
			t.Errorf("%s: crappy %q\nawesome %q\nactions %q", x.name, d.Crappy, d.Awesome, d.Actions)
		}
	}
}

func TestOwnTemplate(t *testing.T) {
	tmpl, err := debrief.Parse("mine", "{{escape .Timeline.Brief.Title}} took {{range .Moments}}{{took .Interval}} {{end}}")
	if err != nil {
		t.Fatal(err)
	}
	events := load(t, "met")
	var b strings.Builder
	if err := debrief.Markdown(&b, debrief.Of(timeline.Of(events, events[0].At)), tmpl); err != nil || !strings.Contains(b.String(), "throttled took 1.8 s ± 0.3 s") {
		t.Errorf("%q %v", b.String(), err)
	}
	if _, err := debrief.Parse("bad", "{{nothing}}"); err == nil {
		t.Error("a template that calls what is not there was taken")
	}
}

func TestNothing(t *testing.T) {
	if _, text := told(t, []journal.Event{{}}); !strings.Contains(text, "What's Crappy") {
		t.Error(text)
	}
}

func TestDuration(t *testing.T) {
	for s, want := range map[float64]string{0: "0.0 s", 4.23: "4.2 s", 9.96: "10 s", 42.4: "42 s", 59.6: "1m", 250: "4m10s", 420: "7m",
		3599.8: "1h00m", 3720: "1h02m", -5: "−5.0 s"} {
		if got := debrief.Seconds(s); got != want {
			t.Errorf("%g: %s, want %s", s, got, want)
		}
	}
}
