package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// day is a day of drills, an hour apart.
func day(n int) time.Time { return time.Date(2026, 3, 2, 9+n, 0, 0, 0, time.UTC) }

func TestWhichRunIsMeant(t *testing.T) {
	met := tale{run: "01kaaa", drill: "first", env: "staging", planned: day(0), kinds: undone, outcome: "met"}
	last := tale{run: "01kabb", drill: "second", env: "sandbox", planned: day(1), kinds: undone, outcome: "met"}
	on := tale{run: "01kccc", drill: "third", env: "staging", planned: day(-1), kinds: applied}
	also := tale{run: "01kddd", drill: "fourth", env: "sandbox", planned: day(2), kinds: applied}
	for _, c := range []struct {
		name string
		runs []tale
		args []string
		code int
		says string // on stdout, or else on stderr
	}{
		{"the last", []tale{met, last}, []string{"status"}, 0, "run 01kabb"},
		{"the one that is on, though it is older", []tale{met, on, last}, []string{"status"}, 5, "run 01kccc"},
		{"the last of an environment", []tale{met, last}, []string{"status", "--env", "staging"}, 0, "run 01kaaa"},
		{"a unique prefix", []tale{met, last}, []string{"status", "01kaa"}, 0, "run 01kaaa"},
		{"in capitals, as some tools print it", []tale{met, last}, []string{"status", "01KAA"}, 0, "run 01kaaa"},
		{"the whole id", []tale{met, last}, []string{"status", "01kaaa"}, 0, "run 01kaaa"},
		{"an ambiguous prefix names the candidates", []tale{met, last}, []string{"status", "01ka"}, 2, "01kabb  second in sandbox, "},
		{"of another environment", []tale{met}, []string{"status", "01kaaa", "--env", "sandbox"}, 2, "no run's id begins"},
		{"unknown", []tale{met}, []string{"debrief", "zzz"}, 2, `no run's id begins with "zzz". Try: `},
		{"to read, the newest of two", []tale{on, also}, []string{"status"}, 5, "run 01kddd"},
		{"to change, none of two", []tale{on, also}, []string{"note", "hello"}, 2, "2 runs have not ended: which one? Try: one of"},
		{"to change, the one that is named", []tale{on, also}, []string{"note", "hello", "--run", "01kc"}, 0, "noted for third, run 01kccc"},
		{"to change, the one that is on", []tale{met, on}, []string{"note", "hello"}, 0, "run 01kccc"},
		{"to change, the last", []tale{met, last}, []string{"note", "hello"}, 0, "run 01kabb"},
		{"abort of one that has ended", []tale{met}, []string{"abort"}, 0, "has ended (met) with nothing in place"},
		{"recover of none", []tale{met, last}, []string{"recover"}, 0, "nothing to recover: every run has ended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.tell(t, c.runs...)
			if got := d.run(t, c.args...); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
			if all := d.out.String() + d.err.String(); !strings.Contains(all, c.says) {
				t.Errorf("it does not say %q:\n%s", c.says, all)
			}
			if c.code == 2 && d.out.Len() > 0 {
				t.Errorf("a mistake is answered on stdout: %s", d.out.String())
			}
		})
	}
}

func TestFIREDRILL_ENVNarrowsButNotANamedRun(t *testing.T) {
	d := newDesk(t)
	d.tell(t, tale{run: "01kaaa", drill: "first", env: "staging", planned: day(0), kinds: undone, outcome: "met"})
	d.env["FIREDRILL_ENV"] = "sandbox"
	if code := d.run(t, "status"); code != 0 || !strings.Contains(d.out.String(), "no drill has been run yet") {
		t.Errorf("%d %s", code, d.out.String())
	}
	if code := d.run(t, "status", "01kaaa"); code != 0 || !strings.Contains(d.out.String(), "run 01kaaa") {
		t.Errorf("%d %s%s", code, d.out.String(), d.err.String())
	}
}

// TestStatusSeesWhatOthersLeft: who asks whether all is well means the environment, not the last run.
func TestStatusSeesWhatOthersLeft(t *testing.T) {
	d := newDesk(t)
	d.tell(t,
		tale{run: "01kaaa", drill: "first", env: "staging", planned: day(0), kinds: applied, outcome: "dirty", left: []string{"throttle"}},
		tale{run: "01kbbb", drill: "second", env: "staging", planned: day(1), kinds: undone, outcome: "met"})
	if code := d.run(t, "status"); code != exitDirty || !strings.Contains(d.out.String(), "run 01kbbb") || !strings.Contains(d.err.String(), "run 01kaaa (first in staging) has something in place") {
		t.Errorf("%d\n%s\n%s", code, d.out.String(), d.err.String())
	}
	if code := d.run(t, "status", "01kbbb"); code != 0 || d.err.Len() > 0 {
		t.Errorf("a run that is named answers for itself: %d %s", code, d.err.String())
	}
	if code := d.run(t, "status", "01kaaa"); code != exitDirty || !strings.Contains(d.out.String(), "to put it back: firedrill recover 01kaaa") {
		t.Errorf("%d\n%s", code, d.out.String())
	}
}

// TestReadersMakeNothing: looking at a journal that is not there leaves no trace.
func TestReadersMakeNothing(t *testing.T) {
	d := newDesk(t)
	state := filepath.Join(t.TempDir(), "state")
	d.env["FIREDRILL_STATE"] = state
	for _, args := range [][]string{{"status"}, {"debrief"}, {"report"}, {"report", "-o", "prometheus"}, {"recover"}, {"recover", "--all"},
		{"abort"}, {"note", "x"}, {"list"}, {"schema", "drill"}, {"version"}, {"validate", "orders-write-throttle"}} {
		d.run(t, args...)
		if _, err := os.Stat(state); err == nil {
			t.Fatalf("%q made %s", args, state)
		}
	}
}
