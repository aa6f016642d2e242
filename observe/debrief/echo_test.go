package debrief_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/firedrill/firedrill/internal/journal"
)

// The incident that ended the drill is told with the line that makes it a ripple, quoted so that it reads as it is.
func TestEcho(t *testing.T) {
	for title, want := range map[string]string{
		`ALARM: "checkout-5xx" in EU (Ireland)`:       "ripples: [orders-api-5xx, checkout-5xx]",
		`ALARM: checkout is down`:                     `ripples: [orders-api-5xx, "checkout is down"]`,
		`[FIRING:1] HighErr staging (web-1 critical)`: "ripples: [orders-api-5xx, HighErr]",
		`billing-lag is above 5`:                      "ripples: [orders-api-5xx, billing-lag]",
		`he said "no": [a, b] # c`:                    `ripples: [orders-api-5xx, "he said \"no\": [a, b] # c"]`,
		`ALARM: "no" in EU (Ireland)`:                 `ripples: [orders-api-5xx, "no"]`,
		`ALARM: "orders-api-5xx" in EU (Ireland)`:     "ripples: [orders-api-5xx]",
		"two\nlines *":                                `ripples: [orders-api-5xx, "two lines "]`,
	} {
		events := load(t, "aborted")
		events[0].Fact.Brief.Ripples = []string{"orders-api-5xx"}
		for i := range events {
			if events[i].Kind == journal.AbortRequested {
				events[i].Fact.Incident = "Q7"
			}
		}
		d, text := told(t, with(events, at(events, 18, journal.AlarmFired, journal.Fact{Alarm: "billing-lag", Role: journal.RoleOther}),
			at(events, 19, journal.IncidentOpened, journal.Fact{Incident: "Q7", Title: title, Role: journal.RoleOther})))
		if d.Echo == nil || d.Echo.Line != want || !strings.Contains(text, "\n    "+want+"\n") {
			t.Errorf("%s: %+v, want %s", title, d.Echo, want)
			continue
		}
		var card struct {
			Ripples []string `yaml:"ripples"`
		}
		if err := yaml.Unmarshal([]byte(d.Echo.Line), &card); err != nil || len(card.Ripples) == 0 {
			t.Errorf("%s: %v", d.Echo.Line, err)
		}
	}
	if d, _ := told(t, load(t, "aborted")); d.Echo != nil {
		t.Errorf("no incident: %+v", d.Echo)
	}
}
