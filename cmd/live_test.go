package cmd

import (
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// terminal is what somebody sees after all of that was written: lines, the last one without its end.
func terminal(written string) []string {
	written = regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(written, "")
	lines := strings.Split(written, "\n")
	for i, l := range lines {
		for strings.Contains(l, "\r\x1b[K") {
			l = l[strings.Index(l, "\r\x1b[K")+len("\r\x1b[K"):]
		}
		lines[i] = l
	}
	return lines
}

// watched is a display of a run that has begun, and what is left to show of it.
func watched(t *testing.T, colour bool, width int) (d *desk, l *live, rest []journal.Event) {
	t.Helper()
	d = newDesk(t)
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	d.Now = func() time.Time { return at.Add(5 * time.Second) }
	d.Color, d.Width = func() bool { return colour }, func() int { return width }
	events := tale{run: "01kaaaaaaaaaaaaaaaaaaaaaaa", drill: "orders", env: "staging", planned: at, kinds: undone, outcome: "met"}.events(t)
	for i := range events {
		events[i].Run = "01kaaaaaaaaaaaaaaaaaaaaaaa" // as the journal tells them
	}
	l = newLive(d.Deps, false, nil)
	t.Cleanup(func() {
		if !l.over {
			l.close()
		}
	})
	l.add(events[:3]) // planned, prepared, applied
	return d, l, events[3:]
}

// seen is the screen at this moment.
func (d *desk) seen(l *live) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return terminal(d.err.String())
}

func TestTerminalShowsTheTimelineAndBelowItWhatIsWaitedFor(t *testing.T) {
	d, l, rest := watched(t, true, 100)
	if s := d.seen(l); !strings.Contains(s[len(s)-1], "in place, waiting until it is felt · ^C puts everything back") {
		t.Errorf("the status line says %q", s[len(s)-1])
	}
	for _, e := range rest[:1] { // effective
		l.add([]journal.Event{e})
	}
	first := d.seen(l)
	if last := first[len(first)-1]; !strings.Contains(last, "waiting until somebody is notified") {
		t.Errorf("the status line says %q", last)
	}
	for end := time.Now().Add(20 * time.Second); slices.Equal(d.seen(l), first); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the wheel stands still")
		}
	}
	l.add(rest[1:3]) // reverted, settled
	l.close()
	want := []string{"planned: orders in staging", "undo recorded: throttle", "fault applied: throttle", "effective", "put back: throttle (restored)", "reads back as before: throttle", ""}
	got := d.seen(l)
	if len(got) != len(want) || got[len(got)-1] != "" {
		t.Fatalf("the screen at the end, with a status line or not all of it:\n%s", strings.Join(got, "\n"))
	}
	for i, w := range want {
		if !strings.Contains(got[i], w) {
			t.Errorf("line %d is %q, want %q", i+1, got[i], w)
		}
	}
	if !strings.Contains(d.err.String(), "\x1b[") || d.out.Len() > 0 {
		t.Errorf("no colour, or something on stdout: %q %q", d.err.String(), d.out.String())
	}
}

// A run that was given up at the third signal may still go on behind the prompt of a shell.
func TestNothingIsShownAfterClose(t *testing.T) {
	d, l, rest := watched(t, true, 100)
	l.close()
	before := d.err.String()
	l.add(rest)
	if after := d.err.String(); after != before {
		t.Errorf("shown after close: %q", after[len(before):])
	}
}

func TestNothingIsWiderThanTheTerminal(t *testing.T) {
	const width = 48
	d, l, rest := watched(t, true, width)
	note := journal.Event{Kind: journal.NoteWritten, At: rest[0].At, Fact: journal.Fact{By: "anna", Text: strings.Repeat("größer ", 20)}}
	l.add([]journal.Event{rest[0], note})
	cut := 0
	for _, s := range d.seen(l) {
		if n := len([]rune(s)); n > width {
			t.Errorf("%d columns: %q", n, s)
		}
		if strings.HasSuffix(s, "…") {
			cut++
		}
	}
	if cut < 2 {
		t.Errorf("neither the note nor the status line was cut: %q", d.seen(l))
	}
}

// Where several drills are shown there is no line to take back: they are cut all the same, names and all.
func TestNothingOfSeveralDrillsIsWiderThanTheTerminal(t *testing.T) {
	const width = 60
	d, l, rest := watched(t, false, width)
	l.name, l.narrow = "orders  ", true
	l.add([]journal.Event{{Kind: journal.NoteWritten, At: rest[0].At, Fact: journal.Fact{By: "anna", Text: strings.Repeat("größer ", 20)}}})
	got := d.seen(l)
	if last := got[len(got)-2]; len([]rune(last)) > width || !strings.Contains(last, "orders    anna noted") || !strings.HasSuffix(last, "…") {
		t.Errorf("%q", last)
	}
}

func TestPlainLinesWhereThereIsNoTerminal(t *testing.T) {
	d, l, rest := watched(t, false, 30)
	l.add(rest)
	l.close()
	got := d.err.String()
	if strings.ContainsAny(got, "\r\x1b…") || strings.Contains(got, "^C") {
		t.Errorf("got %q", got)
	}
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	line := regexp.MustCompile(`^\d\d:\d\d:\d\d  +[+-]\d+:\d\d\.\d  \S`)
	for _, l := range lines {
		if !line.MatchString(l) {
			t.Errorf("got the line %q", l)
		}
	}
	if last := lines[len(lines)-1]; len(lines) != 7 || !strings.HasSuffix(last, "finished: met") {
		t.Errorf("got %d lines, the last one %q", len(lines), last)
	}
}

type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWhereNobodyReadsTheRunEnds(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		d := newDesk(t)
		d.Out, d.Err = closedWriter{}, closedWriter{}
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		l := newLive(d.Deps, asJSON, cancel)
		l.add(tale{run: "01kaaaaaaaaaaaaaaaaaaaaaaa", drill: "orders", env: "staging", planned: time.Now()}.events(t))
		l.close()
		if err := context.Cause(ctx); !errors.Is(err, io.ErrClosedPipe) || !strings.Contains(err.Error(), "write to the terminal") {
			t.Errorf("json %v: the run goes on: %v", asJSON, err)
		}
	}
}
