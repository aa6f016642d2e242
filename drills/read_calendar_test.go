package drills

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// daysOffFile is an environment with these lines more.
func daysOffFile(more string) string {
	return strings.Replace(staging, "    undo_patience: 20m\n", more+"\n", 1)
}

func TestReadsWhenItIsNotToday(t *testing.T) {
	f, err := ReadEnvironments("firedrill.yaml", []byte(daysOffFile(`    holidays: [de-by.ics, "https://calendar.example.com/a.ics?key=x"]
    freezes:
      - {from: 2026-12-20, to: 2027-01-03, why: "Christmas"}
      - {from: "2027-02-01", to: "2027-02-01"}
    rest: {night: "22:00-07:00", for: 11h}`)))
	if err != nil {
		t.Fatal(err)
	}
	e := f.Environments["staging"]
	want := "[de-by.ics https://calendar.example.com/a.ics?key=x] [{2026-12-20 2027-01-03 Christmas} {2027-02-01 2027-02-01 }] {22:00-07:00 11h0m0s}"
	if got := fmt.Sprint(e.Holidays, e.Freezes, e.Rest); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTellsWhatIsWrongWithDaysOff(t *testing.T) {
	for more, want := range map[string]string{
		`    holidays: []`:                                           "holidays is empty",
		`    holidays: [de-by.txt]`:                                  "must be an .ics file, or an https:// address",
		`    holidays: ["http://calendar.example.com/a.ics"]`:        "must be an .ics file, or an https:// address",
		`    holidays: [a.ics, a.ics]`:                               "stands twice",
		`    freezes: [{from: 2026-12-20}]`:                          "a freeze has no to",
		`    freezes: [{from: 2026-12-20, to: 2026-12-19}]`:          "ends before it begins",
		`    freezes: [{from: 2026-02-30, to: 2026-03-01}]`:          "2026-02-30 is no day of the calendar",
		`    freezes: [{from: 20.12.2026, to: 2027-01-03}]`:          "a day such as 2026-12-20",
		`    freezes: [{from: 2026-12-20, to: 2027-01-03, who: me}]`: `unknown key "who"`,
		`    rest: {night: "22:00-07:00"}`:                           "rest has no for",
		`    rest: {for: 11h}`:                                       "rest has no night",
		`    rest: {night: "at night", for: 11h}`:                    "are not hours such as 22:00-07:00",
		`    rest: {night: "22:00-07:00", for: 30s}`:                 "1m is the least",
		`    rest: {night: "22:00-07:00", for: 100h}`:                "72h is the most",
	} {
		_, err := ReadEnvironments("firedrill.yaml", []byte(daysOffFile(more)))
		var wrong *Mistakes
		if !errors.As(err, &wrong) || len(wrong.All) != 1 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want one mistake that says %q", more, err, want)
		}
	}
}

// validate reads the files, and no address.
func TestChecksTheFilesOfHolidays(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"good.ics": string(ics("DTSTART;VALUE=DATE:20261225")), "bad.ics": string(ics("SUMMARY:x"))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := &Environment{Source: filepath.Join(dir, "firedrill.yaml"), Holidays: []string{"good.ics", "bad.ics", "nowhere.ics", filepath.Join(dir, "good.ics"), "https://calendar.invalid/a.ics"}}
	got := CheckHolidays(t.Context(), e, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
	if len(got) != 2 || !strings.HasPrefix(got[0].Error(), "bad.ics:4: the event has no DTSTART") || !errors.Is(got[1], os.ErrNotExist) {
		t.Errorf("%v", got)
	}
}
