package cmd

import (
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
)

// show writes findings as a doctor tells them.
func show(t *testing.T, waiting, colour bool, found ...drills.Finding) (out, err string) {
	t.Helper()
	d := newDesk(t)
	s := &diagnosis{d: d.Deps, waiting: waiting, colour: colour}
	count := map[drills.Health]int{}
	for i, f := range found {
		s.progress(i, len(found)+1)
		s.tell(f)
		count[f.Health]++
	}
	s.end(count)
	return d.out.String(), d.err.String()
}

func finding(group, check string, health drills.Health, on, found string) drills.Finding {
	f := drills.Finding{Group: group, Check: check, Health: health, On: on, Found: found, Drills: []string{"d"}}
	if health == drills.Ailing || health == drills.Wrong {
		f.Try = "mend " + check
	}
	return f
}

func TestDoctorText(t *testing.T) {
	out, notices := show(t, false, false,
		finding("where", "account", drills.Healthy, "", "1111"),
		finding("targets", "tags", drills.Healthy, "arn:aws:a", "x=y"), finding("targets", "tags", drills.Healthy, "arn:aws:b", "x=y"),
		finding("targets", "tags", drills.Wrong, "arn:aws:c", "arn:aws:c carries no tag x"),
		finding("targets", "reach", drills.Unseen, "", "it could not be read"),
		finding("words", "link", drills.Healthy, "http://1", "there"), finding("words", "link", drills.Healthy, "http://2", "there"),
		finding("words", "link", drills.Healthy, "http://3", "there"), finding("words", "link", drills.Healthy, "http://4", "there"),
		finding("words", "link", drills.Ailing, "http://5", "answers 404"))
	const want = `where
  ok     account         1111

targets
  ok     tags            arn:aws:a: x=y
  ok     tags            arn:aws:b: x=y
  wrong  tags            arn:aws:c: it carries no tag x (d)
         Try: mend tags
  -      reach           not looked at: it could not be read (d)

words
  ok     link            all 4: there
  warn   link            http://5: answers 404 (d)
         Try: mend link

7 ok, 1 warn, 1 wrong, 1 not looked at
`
	if out != want || notices != "" {
		t.Errorf("notices %q\n%s\nwant\n%s", notices, out, want)
	}
}

// A person who waits sees how far it is, and nothing of that stays; only a terminal gets colour.
func TestDoctorOnATerminal(t *testing.T) {
	f := finding("where", "account", drills.Wrong, "", "another")
	out, notices := show(t, true, true, f, f)
	if !strings.Contains(notices, "looking: 1 of 3") || !strings.HasSuffix(notices, "\r\x1b[K") {
		t.Errorf("notices %q", notices)
	}
	if !strings.Contains(out, "\x1b[") || strings.Contains(out, "looking") {
		t.Errorf("answer %q", out)
	}
	if out, _ := show(t, false, false, finding("alarms", "alarm", drills.Wrong, "alarm x", "there is no alarm x in this account")); !strings.Contains(out, "alarm x: there is no alarm x in") {
		t.Errorf("%q", out)
	}
	long := finding("where", "account", drills.Wrong, "", strings.Repeat("another one ", 12))
	if out, _ := show(t, true, false, long); !strings.Contains(out, "another\n                         one another") && !strings.Contains(out, "one\n                         another") {
		t.Errorf("not in columns: %q", out)
	}
	if out, notices := show(t, false, false, f); strings.Contains(out+notices, "\x1b") {
		t.Errorf("colour for a file: %q %q", out, notices)
	}
}
