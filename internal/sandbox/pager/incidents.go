package pager

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	maxNotes  = 2000 // per incident, as PagerDuty documents
	maxManage = 250  // incidents in one PUT
)

func (p *Pager) incidentRoutes() {
	p.rest("GET /incidents", p.listIncidents)
	p.rest("POST /incidents", p.addIncident)
	p.rest("PUT /incidents", p.manageIncidents)
	p.rest("GET /incidents/{id}", p.one(func(q *query, i *incident) (any, *problem) {
		return struct {
			Incident incidentShape `json:"incident"`
		}{p.incidentShape(q.view, i)}, nil
	}))
	p.rest("PUT /incidents/{id}", p.manageIncident)
	p.rest("PUT /incidents/{id}/merge", p.mergeIncidents)
	p.rest("POST /incidents/{id}/snooze", p.snoozeIncident)
	p.rest("GET /incidents/{id}/alerts", p.one(p.listAlerts))
	p.rest("GET /incidents/{id}/alerts/{alert}", p.one(p.getAlert))
	p.logRoutes()
	p.noteRoutes()
	p.typeRoutes()
	p.analyticsRoutes()
}

// one finds the incident that a path names.
func (p *Pager) one(do func(q *query, i *incident) (any, *problem)) func(q *query) (int, any, *problem) {
	return func(q *query) (int, any, *problem) {
		i := p.incident(q.r.PathValue("id"))
		if i == nil {
			return 0, nil, notFound()
		}
		body, err := do(q, i)
		return http.StatusOK, body, err
	}
}

func (p *Pager) listIncidents(q *query) (int, any, *problem) {
	since, until, bad := q.view.span()
	if bad != nil {
		return 0, nil, bad
	}
	if since.IsZero() {
		since = q.now.AddDate(0, -1, 0)
	}
	if q.view.q.Get("date_range") == "all" {
		since, until = time.Time{}, time.Time{}
	}
	var found []*incident
	for _, i := range p.incidents {
		at := i.created.Add(q.view.skew)
		if at.Before(since) || !until.IsZero() && at.After(until) || !q.wants(i) {
			continue
		}
		found = append(found, i)
	}
	if bad := sortIncidents(found, q.view.q.Get("sort_by")); bad != nil {
		return 0, nil, bad
	}
	g, bad := q.view.page(len(found))
	if bad != nil {
		return 0, nil, bad
	}
	out := struct {
		Incidents []incidentShape `json:"incidents"`
		page
	}{[]incidentShape{}, g}
	for _, i := range found[g.from:g.to] {
		out.Incidents = append(out.Incidents, p.incidentShape(q.view, i))
	}
	return http.StatusOK, out, nil
}

// wants applies the filters of a listing. An empty incident_key is the trap that it is at PagerDuty: it selects
// all open incidents.
func (q *query) wants(i *incident) bool {
	f := q.view.q
	among := func(name, value string) bool { return len(f[name]) == 0 || slices.Contains(f[name], value) }
	if !among("service_ids[]", i.service.ID) || !among("statuses[]", i.status) || !among("urgencies[]", i.urgency) ||
		!among("team_ids[]", i.service.Team) {
		return false
	}
	if users := f["user_ids[]"]; len(users) > 0 &&
		!slices.ContainsFunc(i.assignees, func(u *User) bool { return slices.Contains(users, u.ID) }) {
		return false
	}
	keys, asked := f["incident_key"]
	if !asked {
		return true
	}
	if keys[0] == "" {
		return i.status != resolved
	}
	return i.key == keys[0] || slices.ContainsFunc(i.alerts, func(a *alert) bool { return a.key == keys[0] })
}

// sortIncidents sorts by one or two fields with commas between: created_at:desc.
func sortIncidents(is []*incident, by string) *problem {
	if by == "" {
		by = "incident_number"
	}
	fields := strings.Split(by, ",")
	for _, f := range slices.Backward(fields) { // the last matters least
		field, direction, _ := strings.Cut(f, ":")
		var less func(a, b *incident) int
		switch field {
		case "incident_number":
			less = func(a, b *incident) int { return cmp.Compare(a.number, b.number) }
		case "created_at":
			less = func(a, b *incident) int { return a.created.Compare(b.created) }
		case "resolved_at":
			less = func(a, b *incident) int { return a.resolved.Compare(b.resolved) }
		case "urgency":
			less = func(a, b *incident) int { return cmp.Compare(a.urgency, b.urgency) }
		default:
			return invalid("Sort by is invalid")
		}
		slices.SortStableFunc(is, func(a, b *incident) int {
			if direction == "desc" {
				a, b = b, a
			}
			return less(a, b)
		})
	}
	return nil
}

func (p *Pager) listAlerts(q *query, i *incident) (any, *problem) {
	key, asked := q.view.q["alert_key"]
	var found []*alert
	for _, a := range i.alerts {
		if (!asked || a.key == key[0]) &&
			(len(q.view.q["statuses[]"]) == 0 || slices.Contains(q.view.q["statuses[]"], a.status)) {
			found = append(found, a)
		}
	}
	g, bad := q.view.page(len(found))
	if bad != nil {
		return nil, bad
	}
	out := struct {
		Alerts []alertShape `json:"alerts"`
		page
	}{[]alertShape{}, g}
	for _, a := range found[g.from:g.to] {
		out.Alerts = append(out.Alerts, q.view.alert(i, a))
	}
	return out, nil
}

func (p *Pager) getAlert(q *query, i *incident) (any, *problem) {
	for _, a := range i.alerts {
		if a.id == q.r.PathValue("alert") {
			return struct {
				Alert alertShape `json:"alert"`
			}{q.view.alert(i, a)}, nil
		}
	}
	return nil, notFound()
}
