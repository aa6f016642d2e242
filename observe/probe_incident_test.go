package observe

import (
	"strings"
	"testing"
	"time"
)

func TestIncidentMatches(t *testing.T) {
	one := Incident{Title: "[FIRING:1] Orders fail", Alerts: []Alert{{}}}
	for text, c := range map[string]struct {
		in   Incident
		a    Alert
		want bool
	}{
		`incident: {integration: PMON}`:                       {one, Alert{Integration: "PMON"}, true},
		`incident: {integration: PMON, title: "*Stock*"}`:     {one, Alert{Integration: "PMON", Summary: "Orders"}, false},
		`incident: {integration: PMON, title: "*fail"}`:       {one, Alert{Integration: "PMON", Summary: "x"}, true}, // the incident has its title
		`incident: {integration: POTHER}`:                     {one, Alert{Integration: "PMON"}, false},
		`incident: {title: "Orders*"}`:                        {one, Alert{Summary: "Orders fail"}, true},
		`incident: {title: "[FIRING:*] *"}`:                   {one, Alert{Summary: "x"}, true},
		`incident: {title: "Orders"}`:                         {one, Alert{Summary: "Orders fail"}, false},
		`incident: {title: "*Orders*fail*"}`:                  {one, Alert{Summary: "fail Orders"}, true},
		`incident: {title: "[FIRING:*] Orders"}`:              {one, Alert{Summary: "x"}, false},
		`incident: {title: "[FIRING:1] Orders fail"}`:         {Incident{Title: one.Title}, Alert{}, true},
		`incident: {title: "[FIRING:1]*", integration: PMON}`: {Incident{Title: one.Title}, Alert{}, false},
		`incident: {title: "[FIRING:1] Orders*fail*"}`:        {Incident{Title: one.Title, Alerts: []Alert{{}, {}}}, Alert{Summary: "stock"}, false}, // one alert of two
	} {
		if got := specOf(t, text).Incident.Matches(c.in, c.a); got != c.want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestAnIncidentIsNotPolled(t *testing.T) {
	_, err := NewProbe(specOf(t, `incident: {integration: PMON}`), Clients{Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), "told by the pager") {
		t.Error(err)
	}
}
