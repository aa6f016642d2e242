package pager

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// window is a maintenance window: while it is open, its services take no events, resolves included.
type window struct {
	id       string
	from, to time.Time
	why      string
	services []*Service
	by       *User
}

func (p *Pager) inMaintenance(s *Service, now time.Time) bool {
	return slices.ContainsFunc(p.windows, func(w *window) bool {
		return slices.Contains(w.services, s) && !now.Before(w.from) && now.Before(w.to)
	})
}

func (p *Pager) disabled(s *Service) bool {
	return s.Disabled || p.hasKnob("disabled", s.ID)
}

func (p *Pager) directoryRoutes() {
	p.rest("GET /services", p.listServices)
	p.rest("GET /services/{id}", func(q *query) (int, any, *problem) {
		s := p.o.Account.service(q.r.PathValue("id"))
		if s == nil {
			return 0, nil, notFound()
		}
		return http.StatusOK, struct {
			Service serviceShape `json:"service"`
		}{p.serviceShape(q.view, s, q.now)}, nil
	})
	p.rest("GET /services/{id}/integrations/{integration}", p.getIntegration)
	p.rest("GET /escalation_policies/{id}", func(q *query) (int, any, *problem) {
		e := p.o.Account.policy(q.r.PathValue("id"))
		if e == nil {
			return 0, nil, notFound()
		}
		return http.StatusOK, struct {
			Policy policyShape `json:"escalation_policy"`
		}{p.policyShape(q.view, e)}, nil
	})
	p.rest("GET /oncalls", p.listOnCalls)
	p.rest("GET /maintenance_windows", p.listWindows)
	p.rest("POST /maintenance_windows", p.addWindow)
	p.rest("GET /maintenance_windows/{id}", p.getWindow)
	p.rest("DELETE /maintenance_windows/{id}", p.deleteWindow)
	p.userRoutes()
	p.orchestrationRoutes()
	p.rest("GET /alert_grouping_settings", p.listGroupings)
	p.rest("GET /incident_workflows/triggers", p.listTriggers)
	p.rest("GET /paused_incident_reports/alerts", p.listPaused)
}

func (p *Pager) listServices(q *query) (int, any, *problem) {
	g, bad := q.view.page(len(p.o.Account.Services))
	if bad != nil {
		return 0, nil, bad
	}
	out := struct {
		Services []serviceShape `json:"services"`
		page
	}{[]serviceShape{}, g}
	for i := range p.o.Account.Services[g.from:g.to] {
		out.Services = append(out.Services, p.serviceShape(q.view, &p.o.Account.Services[g.from+i], q.now))
	}
	return http.StatusOK, out, nil
}

func (p *Pager) getIntegration(q *query) (int, any, *problem) {
	s := p.o.Account.service(q.r.PathValue("id"))
	if s == nil {
		return 0, nil, notFound()
	}
	for i := range s.Integrations {
		if s.Integrations[i].ID == q.r.PathValue("integration") {
			return http.StatusOK, struct {
				Integration integrationShape `json:"integration"`
			}{q.view.integration(s, &s.Integrations[i])}, nil
		}
	}
	return 0, nil, notFound()
}

func (p *Pager) listOnCalls(q *query) (int, any, *problem) {
	if _, _, bad := q.view.span(); bad != nil {
		return 0, nil, bad
	}
	all := []onCallShape{}
	for i := range p.o.Account.Policies {
		e := &p.o.Account.Policies[i]
		if ids := q.view.q["escalation_policy_ids[]"]; len(ids) > 0 && !slices.Contains(ids, e.ID) {
			continue
		}
		for level, users := range e.Levels {
			for _, id := range users {
				if ids := q.view.q["user_ids[]"]; len(ids) > 0 && !slices.Contains(ids, id) {
					continue
				}
				all = append(all, p.onCallShape(q.view, e, level+1, p.o.Account.user(id)))
			}
		}
	}
	g, bad := q.view.page(len(all))
	if bad != nil {
		return 0, nil, bad
	}
	return http.StatusOK, struct {
		OnCalls []onCallShape `json:"oncalls"`
		page
	}{all[g.from:g.to], g}, nil
}

func (p *Pager) listWindows(q *query) (int, any, *problem) {
	all := []windowShape{}
	for _, w := range p.windows {
		ids, filter := q.view.q["service_ids[]"], q.view.q.Get("filter")
		ours := len(ids) == 0 || slices.ContainsFunc(w.services, func(s *Service) bool { return slices.Contains(ids, s.ID) })
		if ours && w.is(filter, q.now) {
			all = append(all, q.view.window(w))
		}
	}
	g, bad := q.view.page(len(all))
	if bad != nil {
		return 0, nil, bad
	}
	return http.StatusOK, struct {
		Windows []windowShape `json:"maintenance_windows"`
		page
	}{all[g.from:g.to], g}, nil
}

// is applies the filter: past, future, ongoing, open (ongoing or future) or all.
func (w *window) is(filter string, now time.Time) bool {
	past, future := !now.Before(w.to), now.Before(w.from)
	switch filter {
	case "past":
		return past
	case "future":
		return future
	case "ongoing":
		return !past && !future
	case "open":
		return !past
	default:
		return true
	}
}

func (p *Pager) addWindow(q *query) (int, any, *problem) {
	u, bad := p.sender(q)
	if bad != nil {
		return 0, nil, bad
	}
	var in struct {
		Window struct {
			Start       time.Time `json:"start_time"`
			End         time.Time `json:"end_time"`
			Description string    `json:"description"`
			Services    []ref     `json:"services"`
		} `json:"maintenance_window"`
	}
	if err := json.NewDecoder(q.r.Body).Decode(&in); err != nil {
		return 0, nil, invalid(err.Error())
	}
	if !in.Window.End.After(in.Window.Start) || !in.Window.End.After(q.now) {
		return 0, nil, invalid("End time must be after start time and in the future")
	}
	w := &window{id: p.id("P", 14), from: in.Window.Start, to: in.Window.End, why: in.Window.Description, by: u}
	for _, r := range in.Window.Services {
		s := p.o.Account.service(r.ID)
		if s == nil {
			return 0, nil, invalid("Service not found")
		}
		w.services = append(w.services, s)
	}
	if len(w.services) == 0 {
		return 0, nil, invalid("Services cannot be empty")
	}
	p.windows = append(p.windows, w)
	return http.StatusCreated, windowAnswer{q.view.window(w)}, nil
}

func (p *Pager) getWindow(q *query) (int, any, *problem) {
	for _, w := range p.windows {
		if w.id == q.r.PathValue("id") {
			return http.StatusOK, windowAnswer{q.view.window(w)}, nil
		}
	}
	return 0, nil, notFound()
}

// deleteWindow removes a future window and ends an ongoing one.
func (p *Pager) deleteWindow(q *query) (int, any, *problem) {
	for k, w := range p.windows {
		if w.id != q.r.PathValue("id") {
			continue
		}
		if !q.now.Before(w.to) {
			return 0, nil, &problem{status: http.StatusMethodNotAllowed, code: 2001, message: "Maintenance window has ended"}
		}
		if q.now.Before(w.from) {
			p.windows = slices.Delete(p.windows, k, k+1)
		} else {
			w.to = q.now
		}
		return http.StatusNoContent, nil, nil
	}
	return 0, nil, notFound()
}
