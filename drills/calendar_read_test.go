package drills

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// ics is a calendar of events, each of its lines without BEGIN and END.
func ics(events ...string) []byte {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n")
	for i, e := range events {
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%d@example.com\r\n", i)
		for line := range strings.SplitSeq(e, "\n") {
			b.WriteString(line + "\r\n")
		}
		b.WriteString("END:VEVENT\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	return []byte(b.String())
}

// read reads what touches 2026 and January 2027, in Berlin.
func readOff(src []byte) ([]DayOff, error) { return readWithin(time.Minute, src) }

func readWithin(most time.Duration, src []byte) ([]DayOff, error) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, err
	}
	return ReadCalendar(ctx, "days.ics", src, berlin, Span{time.Date(2026, 1, 1, 0, 0, 0, 0, berlin), time.Date(2027, 2, 1, 0, 0, 0, 0, berlin)})
}

func daysTold(days []DayOff) string {
	var out []string
	for _, d := range days {
		form := "02.01. 15:04"
		if d.From.Hour()+d.From.Minute()+d.To.Hour()+d.To.Minute() == 0 {
			form = "02.01."
		}
		text := d.From.Format(form) + "-" + d.To.Format(form)
		if d.What != "" {
			text += " " + d.What
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestReadsHolidays(t *testing.T) {
	for name, c := range map[string]struct{ event, want string }{
		"a day":                          {"DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261226\nSUMMARY:Christmas", "25.12.-26.12. Christmas"},
		"a day without an end":           {"DTSTART;VALUE=DATE:20261225", "25.12.-26.12."},
		"a day that ends on itself":      {"DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261225", "25.12.-26.12."},
		"several days":                   {"DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227", "24.12.-27.12."},
		"days by duration":               {"DTSTART;VALUE=DATE:20261224\nDURATION:P1W", "24.12.-31.12."},
		"folded and escaped":             {"DTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas\\, the\n first", "25.12.-26.12. Christmas, thefirst"},
		"cancelled":                      {"DTSTART;VALUE=DATE:20261225\nSTATUS:CANCELLED", ""},
		"shown as free":                  {"DTSTART;VALUE=DATE:20261225\nTRANSP:TRANSPARENT", "25.12.-26.12."},
		"past":                           {"DTSTART;VALUE=DATE:20251225", ""},
		"every year":                     {"DTSTART;VALUE=DATE:19500501\nRRULE:FREQ=YEARLY", "01.05.-02.05."},
		"every year until it was":        {"DTSTART;VALUE=DATE:19500501\nRRULE:FREQ=YEARLY;UNTIL=20251231", ""},
		"until that very day":            {"DTSTART;VALUE=DATE:20240501\nRRULE:FREQ=YEARLY;UNTIL=20260501", "01.05.-02.05."},
		"three times":                    {"DTSTART;VALUE=DATE:20240501\nRRULE:FREQ=YEARLY;COUNT=3", "01.05.-02.05."},
		"twice, and over":                {"DTSTART;VALUE=DATE:20240501\nRRULE:FREQ=YEARLY;COUNT=2", ""},
		"the last Monday of May":         {"DTSTART;VALUE=DATE:20200525\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", "25.05.-26.05."},
		"leap days":                      {"DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY", ""},
		"excluded":                       {"DTSTART;VALUE=DATE:20240501\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20260501", ""},
		"named":                          {"DTSTART;VALUE=DATE:20240501\nRDATE;VALUE=DATE:20260502,20260504", "02.05.-03.05., 04.05.-05.05."},
		"hours of the calendar's zone":   {"DTSTART:20261224T120000\nDTEND:20261224T180000", "24.12. 12:00-24.12. 18:00"},
		"hours of UTC":                   {"DTSTART:20261224T120000Z\nDTEND:20261224T180000Z", "24.12. 13:00-24.12. 19:00"},
		"hours of another zone":          {"DTSTART;TZID=America/New_York:20260701T090000\nDURATION:PT90M", "01.07. 15:00-01.07. 16:30"},
		"a zone of a path":               {"DTSTART;TZID=/freeassociation.sourceforge.net/Europe/London:20260701T090000\nDURATION:PT1H", "01.07. 10:00-01.07. 11:00"},
		"every Friday noon, summer too":  {"DTSTART:20260320T120000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2;INTERVAL=2", "20.03. 12:00-20.03. 13:00, 03.04. 12:00-03.04. 13:00"},
		"one hour of them excluded":      {"DTSTART:20260320T120000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2\nEXDATE:20260327T110000Z", "20.03. 12:00-20.03. 13:00"},
		"until midnight, told in UTC":    {"DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;UNTIL=20261224T230000Z", "24.12.-25.12., 25.12.-26.12."},
		"until a moment of UTC":          {"DTSTART:20260320T120000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;UNTIL=20260327T110000Z", "20.03. 12:00-20.03. 13:00, 27.03. 12:00-27.03. 13:00"},
		"one that began long before":     {"DTSTART;VALUE=DATE:20251101\nDTEND;VALUE=DATE:20260201", "01.11.-01.02."},
		"over the change of the clocks":  {"DTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330", "28.03.-30.03."},
		"no time at all":                 {"DTSTART:20261224T120000", ""},
		"a rule that nothing is ever of": {"DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "01.01.-02.01."},
	} {
		t.Run(name, func(t *testing.T) {
			days, err := readOff(ics(c.event))
			if err != nil || daysTold(days) != c.want {
				t.Errorf("%s (%v), want %s", daysTold(days), err, c.want)
			}
		})
	}
}

// One of a series that was moved stands for the one it was; one that was cancelled is none.
func TestReadsWhatWasMoved(t *testing.T) {
	src := string(ics("DTSTART;VALUE=DATE:20260501\nRRULE:FREQ=MONTHLY;COUNT=3", "RECURRENCE-ID;VALUE=DATE:20260601\nDTSTART;VALUE=DATE:20260603",
		"RECURRENCE-ID;VALUE=DATE:20260701\nDTSTART;VALUE=DATE:20260701\nSTATUS:CANCELLED"))
	src = strings.NewReplacer("UID:1@", "UID:0@", "UID:2@", "UID:0@").Replace(src)
	days, err := readOff([]byte(src))
	if want := "01.05.-02.05., 03.06.-04.06."; err != nil || daysTold(days) != want {
		t.Errorf("%s (%v), want %s", daysTold(days), err, want)
	}
}

func TestReadsEveryCalendarOfAFile(t *testing.T) {
	one, two := ics("DTSTART;VALUE=DATE:20260501"), ics("DTSTART;VALUE=DATE:20260502")
	days, err := readOff(append(append([]byte("\xef\xbb\xbf"), one...), two...))
	if want := "01.05.-02.05., 02.05.-03.05."; err != nil || daysTold(days) != want {
		t.Errorf("%s (%v), want %s", daysTold(days), err, want)
	}
	zone := "BEGIN:VTIMEZONE\r\nTZID:Office\r\nX-LIC-LOCATION:Europe/London\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT"
	src := strings.Replace(string(ics("DTSTART;TZID=Office:20260701T090000\nDURATION:PT1H")), "BEGIN:VEVENT", zone, 1)
	if days, err = readOff([]byte(src)); err != nil || daysTold(days) != "01.07. 10:00-01.07. 11:00" {
		t.Errorf("a zone that the file explains: %s, %v", daysTold(days), err)
	}
}

// Whatever is not understood refuses, with file and line of its event.
func TestDoubtfulCalendarsAreNoCalendars(t *testing.T) {
	for name, c := range map[string]struct{ event, says string }{
		"no start":              {"SUMMARY:x", "no DTSTART"},
		"no date":               {"DTSTART;VALUE=DATE:20261332", "no date"},
		"no time":               {"DTSTART:tomorrow", "no date"},
		"of another age":        {"DTSTART;VALUE=DATE:02261225", "of this age"},
		"ends before it begins": {"DTSTART;VALUE=DATE:20261226\nDTEND;VALUE=DATE:20261225", "ends before"},
		"a day until an hour":   {"DTSTART;VALUE=DATE:20261225\nDTEND:20261226T100000", "DTSTART is a date and DTEND is a time"},
		"a zone nobody knows":   {"DTSTART;TZID=Office Time:20261225T100000\nDURATION:PT1H", `"Office Time" is no time zone`},
		"this machine's zone":   {"DTSTART;TZID=Local:20261225T100000\nDURATION:PT1H", "no time zone"},
		"no duration":           {"DTSTART;VALUE=DATE:20261225\nDURATION:week", "is none"},
		"a rule of seconds":     {"DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=SECONDLY", "more often than once a day"},
		"a day of minutes":      {"DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=DAILY;BYMINUTE=1,2,3", "more often than once a day"},
		"a rule without sense":  {"DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=NEVER", "cannot be followed"},
		"an endless interval":   {"DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=DAILY;INTERVAL=4611686018427387904", "RRULE"},
		"a series moved":        {"DTSTART;VALUE=DATE:20261209\nRECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20261208", "RANGE"},
		"a period":              {"DTSTART;VALUE=DATE:20261225\nRDATE;VALUE=PERIOD:20261226T100000Z/PT1H", "RDATE"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readOff(ics("DTSTART;VALUE=DATE:20260101", c.event))
			var no *CalendarError
			if !errors.As(err, &no) || !strings.Contains(err.Error(), c.says) || no.Try == "" {
				t.Fatalf("%v, want one that says %q, with what to do", err, c.says)
			}
			if want := "days.ics:8: "; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v does not begin with %s", err, want)
			}
		})
	}
	for name, src := range map[string]string{
		"nothing": "", "a page": "<html><body>Sign in</body></html>", "half of one": string(ics("DTSTART;VALUE=DATE:20260101")[:90]),
		"what follows": string(ics()) + "and more", "a property without end": "BEGIN:VCALENDAR\r\nX;A=" + strings.Repeat("a", 1<<19),
		"a property that stops": "BEGIN:VCALENDAR\r\nX;A=b\r\nEND:VCALENDAR\r\n", "too long": strings.Repeat(" ", maxCalendar+1),
	} {
		if _, err := readOff([]byte(src)); err == nil || !strings.HasPrefix(err.Error(), "days.ics: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Many daily rules of a hundred years are not followed for ever.
func TestRulesAreBounded(t *testing.T) {
	events := make([]string, 60)
	for i := range events {
		events[i] = "DTSTART;VALUE=DATE:19000101\nRRULE:FREQ=DAILY"
	}
	if _, err := readOff(ics(events...)); err == nil || !strings.Contains(err.Error(), "its rules have more than") {
		t.Errorf("%v", err)
	}
	for i := range events {
		events[i] = "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"
	}
	began := time.Now()
	if _, err := readWithin(50*time.Millisecond, ics(events...)); err == nil || !strings.Contains(err.Error(), "take too long") {
		t.Errorf("rules that come to nothing, read in %s: %v", time.Since(began), err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it was given 50 ms, and took %s", took)
	}
}

// FuzzCalendar: whatever the file, it is read or refused, soon, and every day off is one.
func FuzzCalendar(f *testing.F) {
	f.Add(ics("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;BYDAY=-1MO;BYMONTH=5\nEXDATE;VALUE=DATE:20261225"))
	f.Add(ics("DTSTART;TZID=\"Europe/Berlin\":20261225T100000\nDURATION:P1DT2H\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU;WKST=SU;UNTIL=20270101T000000Z"))
	f.Add(ics("DTSTART:20261225T100000Z\nDTEND:20261226T100000Z\nRDATE:20270101T100000Z\nRECURRENCE-ID:20261225T100000Z"))
	f.Add(ics("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=MONTHLY;BYSETPOS=-1;BYDAY=FR;COUNT=3\nSTATUS:CANCELLED"))
	f.Add([]byte("BEGIN:VCALENDAR\nX;A"))
	f.Fuzz(func(t *testing.T, src []byte) {
		days, err := readOff(src)
		var no *CalendarError
		if err != nil && !errors.As(err, &no) {
			t.Fatalf("%T: %v", err, err)
		}
		if len(days) > maxDaysOff+10*maxDaysOff {
			t.Fatal(len(days))
		}
		for _, d := range days {
			if !d.From.Before(d.To) || strings.ContainsAny(d.What, "\n\r") {
				t.Fatalf("%+v", d)
			}
		}
	})
}
