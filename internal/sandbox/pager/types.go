package pager

import (
	"net/http"
	"time"
)

// Type is an incident type beside the base one.
type Type struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Display  string `json:"display_name"`
	Disabled bool   `json:"disabled"`
}

// Priority is one of an account's priorities, the highest first.
type Priority struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// baseType is the type that every account has, and every incident at first.
const baseType = "incident_default"

func priorityRef(o *Priority) *ref {
	if o == nil {
		return nil
	}
	return &ref{ID: o.ID, Type: "priority_reference", Summary: o.Name}
}

func (a *Account) priority(id string) *Priority {
	for i := range a.Priorities {
		if a.Priorities[i].ID == id {
			return &a.Priorities[i]
		}
	}
	return nil
}

// incidentType finds an enabled type by name or id.
func (a *Account) incidentType(name, id string) (string, bool) {
	if name == baseType || id == "PTBASE" {
		return baseType, true
	}
	for _, t := range a.Types {
		if !t.Disabled && (name != "" && t.Name == name || id != "" && t.ID == id) {
			return t.Name, true
		}
	}
	return "", false
}

type typeShape struct {
	ID          string  `json:"id"`
	Type        string  `json:"type"`
	Name        string  `json:"name"`
	Display     string  `json:"display_name"`
	Description *string `json:"description"`
	Enabled     bool    `json:"enabled"`
	Parent      *ref    `json:"parent"`
	CreatedAt   string  `json:"created_at"`
	UpdatedAt   string  `json:"updated_at"`
}

// typeName is an incident's type as the incident names it.
type typeName struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
}

type priorityShape struct {
	ref
	Name        string `json:"name"`
	Description string `json:"description"`
}

func (p *Pager) typeRoutes() {
	p.rest("GET /incidents/types", p.listTypes)
	p.rest("GET /priorities", p.listPriorities)
	p.rest("GET /abilities", func(*query) (int, any, *problem) {
		return http.StatusOK, struct {
			Abilities []string `json:"abilities"`
		}{append([]string{}, p.o.Account.Abilities...)}, nil
	})
}

// listTypes tells the enabled ones, unless asked for others.
func (p *Pager) listTypes(q *query) (int, any, *problem) {
	filter, at := q.view.q.Get("filter"), q.view.at(q.now.AddDate(-1, 0, 0))
	out := struct {
		Types []typeShape `json:"incident_types"`
	}{[]typeShape{}}
	base := ref{ID: "PTBASE", Type: "incident_type_reference", Summary: "Base Incident"}
	if filter != "disabled" {
		out.Types = append(out.Types, typeShape{ID: base.ID, Type: "incident_type", Name: baseType, Display: "Base Incident",
			Enabled: true, CreatedAt: at, UpdatedAt: at})
	}
	for _, t := range p.o.Account.Types {
		if filter != "all" && t.Disabled != (filter == "disabled") {
			continue
		}
		out.Types = append(out.Types, typeShape{ID: t.ID, Type: "incident_type", Name: t.Name, Display: t.Display,
			Enabled: !t.Disabled, Parent: &base, CreatedAt: at, UpdatedAt: at})
	}
	return http.StatusOK, out, nil
}

func (p *Pager) listPriorities(q *query) (int, any, *problem) {
	g, bad := q.view.page(len(p.o.Account.Priorities))
	if bad != nil {
		return 0, nil, bad
	}
	out := struct {
		Priorities []priorityShape `json:"priorities"`
		page
	}{[]priorityShape{}, g}
	for i := range p.o.Account.Priorities[g.from:g.to] {
		o := &p.o.Account.Priorities[g.from+i]
		r := q.view.link(*priorityRef(o))
		r.Type = "priority"
		out.Priorities = append(out.Priorities, priorityShape{ref: r, Name: o.Name})
	}
	return http.StatusOK, out, nil
}

// setType gives an incident another type, and changes nothing else.
func (p *Pager) setType(i *incident, want typeName, by actor, now time.Time) *problem {
	name, ok := p.o.Account.incidentType(want.Name, want.ID)
	if !ok {
		return invalid("Incident type does not exist or is disabled")
	}
	if name == i.typ {
		return nil
	}
	c := by.channel
	c.Summary = "Incident type changed from " + i.typ + " to " + name
	i.typ = name
	agent := by.as
	p.log(i, now, entry{kind: "field_value_change", agent: &agent, channel: c, message: "incident_type"})
	return nil
}

// setPriority changes an incident's priority.
func (p *Pager) setPriority(i *incident, to *Priority, by actor, now time.Time) {
	if to == i.priority {
		return
	}
	c := by.channel
	c.OldPriority, c.NewPriority = priorityRef(i.priority), priorityRef(to)
	i.priority = to
	agent := by.as
	p.log(i, now, entry{kind: "priority_change", agent: &agent, channel: c})
}
