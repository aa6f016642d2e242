package debrief

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// How monitorings write an alarm's name into the title of an incident: CloudWatch by way of SNS, Alertmanager.
var (
	cloudWatch   = regexp.MustCompile(`^ALARM: "([^"]+)"`)
	alarmColon   = regexp.MustCompile(`^(?:ALARM|\[ALARM\]):? +"?([^"]+?)"?(?: in [A-Z].*)?$`)
	alertmanager = regexp.MustCompile(`^\[FIRING:\d+\] +(\S+)`)
	plainYAML    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./-]*$`)
)

// alarmOf is the alarm that an incident's title names: one that rang and is named in it, else by how monitorings write
// it, else the whole title, which a ripple may be as well.
func alarmOf(t timeline.Timeline, title string) string {
	longest := ""
	for _, e := range t.Events {
		if e.Kind == journal.AlarmFired && strings.Contains(title, e.Fact.Alarm) && len(e.Fact.Alarm) > len(longest) {
			longest = e.Fact.Alarm
		}
	}
	if longest != "" {
		return longest
	}
	for _, form := range []*regexp.Regexp{cloudWatch, alertmanager, alarmColon} {
		if m := form.FindStringSubmatch(title); m != nil {
			return m[1]
		}
	}
	return title
}

// ripplesLine is the card's line with the alarm in it, as YAML.
func ripplesLine(t timeline.Timeline, title string) string {
	names := slices.Clone(t.Brief.Ripples)
	if name := strings.ReplaceAll(alarmOf(t, clean(title)), "*", ""); name != "" && !slices.Contains(names, name) {
		names = append(names, name)
	}
	for i, name := range names {
		names[i] = quoted(name)
	}
	return "ripples: [" + strings.Join(names, ", ") + "]"
}

// quoted is a text as a YAML scalar in a flow sequence: plain where nobody could misread it, else in quotes, which JSON's
// are too.
func quoted(s string) string {
	if reserved := []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}; plainYAML.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return s
	}
	b, err := json.Marshal(s) // which also keeps < and > from being read as markup
	if err != nil {
		return `""`
	}
	return string(b)
}
