package drills

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-ical"
)

// Bounds of a calendar of holidays.
const (
	maxCalendar = 1 << 20 // bytes
	maxDaysOff  = 20_000  // that one calendar may have between two times, and steps of its rules
)

// CalendarError is something in a calendar that nobody can be sure about. No drill runs then.
type CalendarError struct {
	Source string // file, or host of an address
	Line   int    // of the event; 0: of the whole
	What   string
	Try    string
}

func (e *CalendarError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Source, e.What)
	}
	return fmt.Sprintf("%s:%d: %s", e.Source, e.Line, e.What)
}

// ReadCalendar reads the days off of an iCalendar file that touch a span of time: its events, whole days or
// times of a day, and what comes of their rules (RFC 5545). A day is one of the zone's, and so is a time that names no
// zone of its own. What was cancelled counts for nothing; that an event is "transparent" does not matter, for holidays
// often are. An error is a *CalendarError: what is not understood is never taken for a day like any other; nor is what ctx
// leaves no time for.
func ReadCalendar(ctx context.Context, source string, src []byte, zone *time.Location, s Span) ([]DayOff, error) {
	if len(src) > maxCalendar {
		return nil, &CalendarError{source, 0, "it is longer than 1 MiB", "keep holidays in a calendar of their own"}
	}
	all, err := parseCalendar(src)
	if err != nil {
		return nil, &CalendarError{source, 0, "it is no iCalendar file: " + shortLine(err.Error()), "export it anew, as .ics"}
	}
	r := &calendarReader{source: source, zone: zone, from: s.From, to: s.To, zones: zonesOf(all)}
	r.events(all, linesOf(src))
	if r.err != nil {
		return nil, r.err
	}
	return r.daysOff(ctx)
}

// parseCalendar reads every calendar of a file: whatever the library does with a file that is none, it is an error.
func parseCalendar(src []byte) (all []*ical.Component, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it cannot be parsed: %v", r)
		}
	}()
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")) // some programs begin every text so
	if tangled(src) {
		return nil, errors.New("a property has parameters without end")
	}
	for d := ical.NewDecoder(bytes.NewReader(src)); ; {
		cal, err := d.Decode()
		switch {
		case errors.Is(err, io.EOF) && len(all) > 0 && cal == nil:
			return all, nil
		case errors.Is(err, io.EOF):
			return nil, errors.New("it breaks off")
		case err != nil:
			return nil, err
		}
		all = append(all, cal.Component)
	}
}

// maxParameters is how long what stands before a property's value may be.
const maxParameters = 4096

// tangled says that some property never comes to its value: what reads parameters is slow with long ones.
func tangled(src []byte) bool {
	length, quoted, value := 0, false, false
	for i, c := range src {
		switch {
		case c == '\n' && (i+1 == len(src) || src[i+1] != ' ' && src[i+1] != '\t'):
			length, quoted, value = 0, false, false
			continue
		case c == '"':
			quoted = !quoted
		case c == ':' && !quoted:
			value = true
		}
		if length++; length > maxParameters && !value {
			return true
		}
	}
	return false
}

// linesOf are the lines on which events begin: the parser keeps none.
func linesOf(src []byte) (lines []int) {
	n := 0
	for line := range bytes.Lines(src) {
		n++
		if strings.EqualFold(strings.TrimSpace(string(line)), "BEGIN:VEVENT") {
			lines = append(lines, n)
		}
	}
	return lines
}

// calendarReader reads one calendar; err is the first thing that it is not sure about.
type calendarReader struct {
	source   string
	zone     *time.Location
	from, to time.Time
	zones    map[string]string // what the file's own names of zones stand for
	all      []*event
	err      error
	steps    int // of rules so far
}

// event is one event as it stands in the file.
type event struct {
	line      int
	uid, name string
	start     stamp
	days      int           // of whole days
	lasts     time.Duration // of times of a day
	rules     []string
	also, but []stamp
	instead   *stamp // the start of the one that it stands for, of those with the same uid
	cancelled bool
}

func (r *calendarReader) wrong(line int, try, what string, args ...any) {
	if r.err == nil {
		r.err = &CalendarError{r.source, line, shortLine(fmt.Sprintf(what, args...)), try}
	}
}

func (r *calendarReader) events(all []*ical.Component, lines []int) {
	n := 0
	for _, cal := range all {
		for _, e := range cal.Children {
			if e.Name != ical.CompEvent {
				continue
			}
			line := 0
			if n < len(lines) {
				line = lines[n]
			}
			if n++; r.err == nil {
				r.event(e, line)
			}
		}
	}
}

// event reads one event.
func (r *calendarReader) event(in *ical.Component, line int) {
	e := &event{line: line}
	var end *stamp
	var lasts string
	for _, p := range in.Props[ical.PropUID] {
		e.uid = p.Value
	}
	for _, p := range in.Props[ical.PropSummary] {
		e.name = shortLine(unescaped(p.Value))
	}
	for _, p := range in.Props[ical.PropStatus] {
		e.cancelled = strings.EqualFold(strings.TrimSpace(p.Value), "CANCELLED")
	}
	for _, p := range in.Props[ical.PropDateTimeStart] {
		e.start = r.stamp(p, p.Value, line)
	}
	for _, p := range in.Props[ical.PropDateTimeEnd] {
		s := r.stamp(p, p.Value, line)
		end = &s
	}
	for _, p := range in.Props[ical.PropDuration] {
		lasts = p.Value
	}
	for _, p := range in.Props[ical.PropRecurrenceRule] {
		e.rules = append(e.rules, p.Value)
	}
	for _, p := range in.Props[ical.PropRecurrenceDates] {
		e.also = append(e.also, r.stamps(p, line)...)
	}
	for _, p := range in.Props[ical.PropExceptionDates] {
		e.but = append(e.but, r.stamps(p, line)...)
	}
	for _, p := range in.Props[ical.PropRecurrenceID] {
		s := r.stamp(p, p.Value, line)
		e.instead = &s
		if p.Params.Get("RANGE") != "" {
			r.wrong(line, "export it anew: the events that come later as a series of their own", "RECURRENCE-ID;RANGE moves all that come later")
		}
	}
	started := len(in.Props[ical.PropDateTimeStart]) > 0
	if !started {
		r.wrong(line, "DTSTART;VALUE=DATE:20261225", "the event has no DTSTART")
	}
	if r.err == nil {
		r.length(e, end, lasts)
	}
	r.all = append(r.all, e)
}

// length reads how long an event lasts: to right before its end, else for its duration, else for its one day.
func (r *calendarReader) length(e *event, end *stamp, lasts string) {
	const try = "DTEND is the day, or time, after the last one"
	var d time.Duration
	var err error
	switch {
	case end != nil && end.date != e.start.date:
		r.wrong(e.line, try, "DTSTART is a %s and DTEND is a %s", e.start.kind(), end.kind())
	case end != nil && e.start.date:
		d = end.wall.Sub(e.start.wall)
	case end != nil:
		d = end.instant(r.zone).Sub(e.start.instant(r.zone))
	case lasts != "":
		if d, err = parseDuration(lasts); err != nil {
			r.wrong(e.line, "DURATION:P1D", "%v", err)
		}
	case e.start.date:
		d = day
	}
	if d < 0 {
		r.wrong(e.line, try, "the event ends before it begins")
	}
	if e.start.date {
		e.days = max(1, int((d+day-1)/day)) // many programs write a single day as from and to the same
	}
	e.lasts = d
}

const day = 24 * time.Hour

// unescaped is a text as it was written: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.11
func unescaped(s string) string {
	for _, pair := range [][2]string{{`\n`, " "}, {`\N`, " "}, {`\,`, ","}, {`\;`, ";"}, {`\\`, `\`}} {
		s = strings.ReplaceAll(s, pair[0], pair[1])
	}
	return s
}

// shortLine makes one line of what a file says, and not a long one.
func shortLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f }), " ")
	if short := []rune(s); len(short) > 120 {
		return string(short[:119]) + "…"
	}
	return s
}
