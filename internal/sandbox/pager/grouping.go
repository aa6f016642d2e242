package pager

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Grouping lets an alert join an incident that is open already, of which nobody is told anew.
type Grouping struct {
	// Type is time, content_based or intelligent; empty: every alert makes an incident.
	Type string `json:"type"`
	// Window is how long an incident takes further alerts; 0: as long as it is open.
	Window Seconds `json:"window_s"`
	// Fields are what content_based compares: summary, source, severity, component, group, class, or
	// custom_details.NAME. All of them must be the same, or any with Any.
	Fields []string `json:"fields"`
	Any    bool     `json:"any"`
}

func (g Grouping) check() error {
	if !slices.Contains([]string{"", "time", "content_based", "intelligent"}, g.Type) {
		return fmt.Errorf("grouping %q is unknown", g.Type)
	}
	if g.Type == "content_based" && len(g.Fields) == 0 {
		return fmt.Errorf("content_based grouping needs fields")
	}
	return nil
}

// joins finds the open incident that an alert would join. Intelligent grouping, which knows what belongs together,
// is taken at its worst: it groups whatever is open.
func (p *Pager) joins(s *Service, a *alert, now time.Time) *incident {
	all := p.knobFor("merge", s.ID) != nil
	if !all && s.Grouping.Type == "" {
		return nil
	}
	for _, i := range p.incidents {
		if i.service != s || i.status == resolved {
			continue
		}
		if all || s.Grouping.takes(i, a, now) {
			return i
		}
	}
	return nil
}

func (g Grouping) takes(i *incident, a *alert, now time.Time) bool {
	if g.Window > 0 && now.After(i.created.Add(g.Window.Duration())) {
		return false
	}
	if g.Type != "content_based" {
		return true
	}
	return slices.ContainsFunc(i.alerts, func(b *alert) bool {
		alike := func(field string) bool { return b.event.field(field) == a.event.field(field) }
		if g.Any {
			return slices.ContainsFunc(g.Fields, alike)
		}
		return !slices.ContainsFunc(g.Fields, func(f string) bool { return !alike(f) })
	})
}

// field reads what rules and groupings name: summary, source, severity, component, group, class, dedup_key, or
// custom_details.NAME.
func (e event) field(name string) string {
	l := e.Payload
	switch name {
	case "summary":
		return l.Summary
	case "source":
		return l.Source
	case "severity":
		return l.Severity
	case "component":
		return l.Component
	case "group":
		return l.Group
	case "class":
		return l.Class
	case "dedup_key":
		return e.DedupKey
	}
	rest, ok := strings.CutPrefix(name, "custom_details.")
	var details map[string]json.RawMessage
	if !ok || json.Unmarshal(l.Details, &details) != nil {
		return ""
	}
	var text string
	if json.Unmarshal(details[rest], &text) != nil {
		return string(details[rest])
	}
	return text
}

type groupingConfig struct {
	Timeout   *int     `json:"timeout,omitempty"`     // of time, in seconds; the API counts them so
	Window    *int     `json:"time_window,omitempty"` // of the others
	Aggregate string   `json:"aggregate,omitempty"`
	Fields    []string `json:"fields,omitempty"`
}

type groupingShape struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Type        string         `json:"type"`
	Config      groupingConfig `json:"config"`
	Services    []groupedShape `json:"services"`
	CreatedAt   string         `json:"created_at"`
	UpdatedAt   string         `json:"updated_at"`
}

// groupedShape is a service as a grouping names it: without the type that references have elsewhere.
type groupedShape struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (v view) grouping(s *Service, now time.Time) groupingShape {
	g, window := s.Grouping, int(s.Grouping.Window.Duration()/time.Second)
	out := groupingShape{ID: s.ID + "GRP", Name: s.Name, Type: g.Type, Services: []groupedShape{{s.ID, s.Name}},
		CreatedAt: v.at(now.AddDate(0, -1, 0)), UpdatedAt: v.at(now.AddDate(0, -1, 0))}
	switch g.Type {
	case "time":
		out.Config.Timeout = &window
	case "content_based":
		out.Config = groupingConfig{Window: &window, Aggregate: "all", Fields: g.Fields}
		if g.Any {
			out.Config.Aggregate = "any"
		}
	default:
		out.Config = groupingConfig{Window: &window}
	}
	return out
}

func (p *Pager) listGroupings(q *query) (int, any, *problem) {
	out := struct {
		Settings []groupingShape `json:"alert_grouping_settings"`
		After    *string         `json:"after"`
		Before   *string         `json:"before"`
	}{Settings: []groupingShape{}}
	for i := range p.o.Account.Services {
		s, ids := &p.o.Account.Services[i], q.view.q["service_ids[]"]
		if s.Grouping.Type != "" && (len(ids) == 0 || slices.Contains(ids, s.ID)) {
			out.Settings = append(out.Settings, q.view.grouping(s, q.now))
		}
	}
	return http.StatusOK, out, nil
}
