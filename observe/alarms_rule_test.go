package observe

import (
	"strings"
	"testing"
	"time"
)

func TestAlarmRulesSayWhenTheyAreTrue(t *testing.T) {
	children := map[string]Ringing{
		"quick":  {State: "OK", Rings: true, After: 3 * time.Second},
		"slow":   {State: "OK", Rings: true, After: time.Minute},
		"quiet":  {State: "OK"},
		"rings":  {State: "ALARM"},
		"nobody": {Maybe: true},
	}
	for text, want := range map[string]string{
		"ALARM(quick)":                                   "3s",
		`ALARM("slow")`:                                  "1m0s",
		"ALARM(quick) AND ALARM(slow)":                   "1m0s",
		"ALARM(quick) OR ALARM(slow)":                    "3s",
		"ALARM(quick) OR ALARM(slow) AND ALARM(quiet)":   "3s",
		"(ALARM(quick) OR ALARM(slow)) AND ALARM(rings)": "3s",
		"ALARM(quiet)":                                   "never",
		"ALARM(quick) AND ALARM(quiet)":                  "never",
		"ALARM(quiet) OR FALSE":                          "never",
		"ALARM(quick) AND NOT ALARM(quiet)":              "3s",
		"ALARM(quick) AND OK(quiet) AND TRUE":            "3s",
		"ALARM(quick) AND OK(quick)":                     "unsure", // true for a moment, or not
		"NOT ALARM(quick)":                               "unsure",
		"NOT ALARM(quiet)":                               "0s",
		"ALARM(nobody)":                                  "unsure",
		"ALARM(quick) AND ALARM(nobody)":                 "unsure",
		"ALARM(quiet) AND ALARM(nobody)":                 "never",
		"INSUFFICIENT_DATA(quiet)":                       "never",
		"ALARM('arn:aws:cloudwatch:eu-west-1:111122223333:alarm:quick')": "3s",
	} {
		rule, err := ParseAlarmRule(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		after, sure, never := rule.When(func(name string) Ringing { return children[name] })
		got := after.String()
		switch {
		case sure && never:
			got = "never"
		case !sure:
			got = "unsure"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestAlarmRulesThatCannotBeRead(t *testing.T) {
	for _, text := range []string{"", "ALARM", "ALARM()", "AT_LEAST(2, ALARM, (a, b))", "(ALARM(a)", "ALARM(a) OK(b)", "ALARM(a) AND", "NOT", "ALARM(a))"} {
		if rule, err := ParseAlarmRule(text); err == nil {
			t.Errorf("%s: %+v", text, rule)
		}
	}
	rule, err := ParseAlarmRule(`NOT (ALARM(a) AND ALARM("b c")) OR OK(a)`)
	if err != nil || strings.Join(rule.Children(), ",") != "a,b c" {
		t.Errorf("%v %v", rule.Children(), err)
	}
}
