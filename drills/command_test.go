package drills

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What is a command, and what is talk.
func TestCommands(t *testing.T) {
	for text, want := range map[string]string{
		"drill stop":                            "stop",
		"  Drill   STOP  ":                      "stop",
		"/drill stop":                           "stop",
		"drill stop!":                           "stop",
		"drill stop?":                           "stop", // whoever doubts is on the safe side
		"“Drill stop.”":                         "stop",
		"**drill stop**":                        "stop",
		"- drill stop":                          "stop",
		"drill: stop":                           "stop",
		"/drill-stop":                           "stop",
		"🛑 drill stop":                          "stop",
		"Drill\u00a0stop\u200b":                 "stop",
		"drill hint":                            "hint",
		"DRILL STATUS?":                         "status",
		"drill stop\nthis is customers":         "stop",
		"looked at the table\r\n\r\ndrill hint": "hint",
		"drill status\ndrill hint":              "status hint",
		"drill hint\nDrill hint!":               "hint",

		"we should not drill stop here":   "",
		"drill stop please":               "",
		"drill stop: customers are hurt":  "",
		"please drill stop":               "",
		"drill, stop or status, whatever": "",
		"firedrill stop":                  "",
		"fire drill stop":                 "",
		"drillstop":                       "",
		"stop":                            "",
		"stop drill":                      "",
		"drill stopp":                     "",
		"drill hints":                     "",
		"dont drill stop":                 "",
		"> drill stop":                    "", // a quotation
		"»drill stop«":                    "",
		"| drill stop |":                  "",
		"drill\nstop":                     "",
		"":                                "",
	} {
		if got := strings.Join(Commands(text), " "); got != want {
			t.Errorf("%q asks %q, want %q", text, got, want)
		}
	}
}

// Our own words ask nothing, whatever the card's author wrote into them.
func TestUnheard(t *testing.T) {
	for text, want := range map[string]string{
		"look at the table": "look at the table", "drill stop": "> drill stop", "first\n/drill hint!\nlast": "first\n> /drill hint!\nlast",
	} {
		if got := unheard(text); got != want {
			t.Errorf("%q stands as %q, want %q", text, got, want)
		}
	}
	for _, words := range []string{stoppingReply(spoken(nil)), noHintReply(spoken(nil)), drillNote(spoken(nil)), startMessage(spoken(nil)), RemoteControl} {
		if asks := Commands(words); len(asks) > 0 {
			t.Errorf("%q asks %v", words, asks)
		}
	}
}

// FuzzHeard: no text makes trouble, none asks the same twice, and what we would say of it asks nothing.
func FuzzHeard(f *testing.F) {
	for _, seed := range []string{"drill stop", "/Drill hint!\nand\r\n drill status", "> drill stop", "\u2028drill\u00a0stop\u200b", strings.Repeat("!", 300) + "drill stop"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		asks := Commands(text)
		if n := len(asks); n > 3 || n != len(slices.Compact(slices.Sorted(slices.Values(asks)))) {
			t.Errorf("%q asks %q", text, asks)
		}
		ours := unheard(text)
		if len(Commands(ours)) > 0 {
			t.Errorf("%q stands as %q, which asks", text, ours)
		}
		if utf8.ValidString(text) && len(asks) == 0 && ours != text {
			t.Errorf("%q stands as %q", text, ours)
		}
		if len(asks) > 0 && Commands("> "+strings.Join(asks, "\n> ")) != nil {
			t.Errorf("%q: quoted it asks", text)
		}
	})
}
