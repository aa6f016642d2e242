package observe

import (
	"errors"
	"fmt"
	"strings"
)

// IncidentProbe stands for an incident that their monitoring opens on the watched service. Nobody asks for it: a run
// reads every incident of the service anyway, and Matches tells whether it is this one.
type IncidentProbe struct {
	Integration string `json:"integration,omitempty" yaml:"integration,omitempty"` // id of the PagerDuty integration its alert came through
	Title       string `json:"title,omitempty" yaml:"title,omitempty"`             // of the incident or its alert; a * matches anything
}

func (p *IncidentProbe) label() string {
	text := "incident"
	if p.Integration != "" {
		text += " of " + p.Integration
	}
	if p.Title != "" {
		text += " " + fmt.Sprintf("%q", p.Title)
	}
	return text
}

func (p *IncidentProbe) problems() []string {
	switch {
	case p.Integration == "" && p.Title == "":
		return []string{`incident names neither integration nor title. Try: incident: {integration: PXXXXXX}`}
	case p.Integration == "" && strings.Trim(p.Title, "* ") == "":
		return []string{fmt.Sprintf(`title %q matches every incident, a real one too. Try: incident: {integration: PXXXXXX}`, p.Title)}
	}
	return nil
}

func (p *IncidentProbe) probe(Clients) (Probe, error) {
	return nil, errors.New("probe " + p.label() + ": an incident is told by the pager, and stands under watch alone")
}

// Matches says whether one alert of an incident is what is waited for; an incident without alerts has its title alone.
func (p *IncidentProbe) Matches(in Incident, a Alert) bool {
	if p.Integration != "" && a.Integration != p.Integration {
		return false
	}
	return p.Title == "" || glob(p.Title, a.Summary) || len(in.Alerts) <= 1 && glob(p.Title, in.Title)
}

// glob matches a text in whole: a * stands for anything.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = rest
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}
