package debrief

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestPinned(t *testing.T) {
	for line, want := range map[string]string{
		"crappy: the runbook is old": "crappy the runbook is old", "Awesome : alarms": "awesome alarms", "- ACTION: mend it": "action mend it",
		"**crappy:** old": "crappy old", "> awesome: yes": "awesome yes", "crappy:": "crappy ", "action:a:b": "action a:b",
		"that is crappy: it is": " ", "crappy runbook": " ", "crapp: y": " ", "What was crappy? The runbook": " ", "": " ", "http://crappy: x": " ",
	} {
		rest, where := pinned(line)
		if got := where + " " + rest; got != want {
			t.Errorf("%q is %q, want %q", line, got, want)
		}
	}
}

// The note was written on Sunday, 22 November 2026.
func TestAction(t *testing.T) {
	said := time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC)
	for text, want := range map[string]Action{
		"make the alarm faster @ann by 2026-12-01": {Text: "make the alarm faster", Owner: "@ann", Due: "2026-12-01"},
		"make the alarm faster by friday @ann.":    {Text: "make the alarm faster", Owner: "@ann", Due: "2026-11-27"},
		"mend it by Fri (@ann.b)":                  {Text: "mend it", Owner: "@ann.b", Due: "2026-11-27"},
		"mend it by sunday":                        {Text: "mend it", Due: "2026-11-29"}, // the next one, not the day it was said on
		"mend it by Monday!":                       {Text: "mend it", Due: "2026-11-23"},
		"mend it @ann @bob":                        {Text: "mend it", Owner: "@ann @bob"},
		"@ann: mend it":                            {Text: "mend it", Owner: "@ann"},
		"mend it <@U02ABC|ann> by tue":             {Text: "mend it", Owner: "@ann", Due: "2026-11-24"},
		"mend it by next friday @ann":              {Text: "mend it by next friday", Owner: "@ann"},
		"mend it by 2026-02-30":                    {Text: "mend it by 2026-02-30"},
		"mend it by 1.12.":                         {Text: "mend it by 1.12."},
		"ask @bob whether to go on":                {Text: "ask @bob whether to go on"},
		"write it down by hand":                    {Text: "write it down by hand"},
		"stand by":                                 {Text: "stand by"},
		"by friday":                                {Text: "by friday", Due: "2026-11-27"},
		"@ann":                                     {Text: "@ann", Owner: "@ann"},
		"mail ann@example.com":                     {Text: "mail ann@example.com"},
		"mend it @ann|<script>":                    {Text: "mend it @ann|<script>"},
		"by monday or by tuesday":                  {Text: "by monday or", Due: "2026-11-24"},
		"mend it by 2026-12-01 by friday":          {Text: "mend it by 2026-12-01", Due: "2026-11-27"},
	} {
		if got := action(text, said); got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
}

// FuzzNote: whatever people write, it stands on the wall whole: each word of an action is in its text, its owner or its
// day; and it is harmless where it is shown.
func FuzzNote(f *testing.F) {
	for _, seed := range []string{"crappy: the runbook", "action: mend | it @ann by friday", "awesome:\n- action: @ann: x by 2026-12-01", "action: by friday", "a\x00b\u202e: c", "action: <@U1|x> by mon"} {
		f.Add(seed)
	}
	day := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		var w Wall
		w.put("Ada", text, day)
		if lines := strings.Count(text, "\n") + 1; len(w.Crappy)+len(w.Awesome)+len(w.Actions) > lines {
			t.Errorf("%q: more stands on the wall than was said: %+v", text, w)
		}
		for _, a := range w.Actions {
			if a.Text == "" || a.Due != "" && len(a.Due) != len(time.DateOnly) {
				t.Errorf("%q: %+v", text, a)
			}
			for _, shown := range []string{Escape(a.Text), Escape(a.Owner), Escape(a.Due)} {
				if !utf8.ValidString(shown) || strings.ContainsAny(shown, "\n\r<>@") || strings.Contains(strings.ReplaceAll(shown, `\|`, ""), "|") {
					t.Errorf("%q shows as %q", text, shown)
				}
			}
		}
		for _, q := range append(w.Crappy, w.Awesome...) {
			if q.Text == "" || q.Who != "Ada" {
				t.Errorf("%q: %+v", text, q)
			}
		}
	})
}
