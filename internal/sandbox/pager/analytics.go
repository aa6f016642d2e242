package pager

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// Past is an incident of long ago, as an administrator writes it: only the analytics tell of it.
type Past struct {
	ID        string    `json:"id"`
	Service   string    `json:"service"`
	Title     string    `json:"title"`
	CreatedAt time.Time `json:"created_at"`
	AckAfter  Seconds   `json:"ack_after_s"`     // 0: nobody did
	Resolved  Seconds   `json:"resolve_after_s"` // 0: never
	Urgency   string    `json:"urgency"`         // high unless said otherwise
	Type      string    `json:"type"`
	Auto      bool      `json:"auto_resolved"`
}

// analyticsRow is one incident in numbers. Who it is about is told by id and name, as PagerDuty does.
type analyticsRow struct {
	ID              string   `json:"id"`
	Number          int      `json:"incident_number"`
	Description     string   `json:"description"`
	ServiceID       string   `json:"service_id"`
	ServiceName     string   `json:"service_name"`
	TeamID          *string  `json:"team_id"`
	TeamName        *string  `json:"team_name"`
	PolicyID        string   `json:"escalation_policy_id"`
	PolicyName      string   `json:"escalation_policy_name"`
	TypeID          string   `json:"incident_type_id"`
	TypeName        string   `json:"incident_type_name"`
	PriorityID      *string  `json:"priority_id"`
	PriorityName    *string  `json:"priority_name"`
	Status          string   `json:"status"`
	Urgency         string   `json:"urgency"`
	Major           bool     `json:"major"`
	Auto            bool     `json:"auto_resolved"`
	CreatedAt       string   `json:"created_at"`
	UpdatedAt       string   `json:"updated_at"`
	ResolvedAt      *string  `json:"resolved_at"`
	ToAck           *int     `json:"seconds_to_first_ack"`
	ToEngage        *int     `json:"seconds_to_engage"`
	ToMobilize      *int     `json:"seconds_to_mobilize"`
	ToResolve       *int     `json:"seconds_to_resolve"`
	Snoozed         int      `json:"snoozed_seconds"`
	Engaged         int      `json:"engaged_seconds"`
	Acks            int      `json:"acknowledgement_count"`
	Assignments     int      `json:"assignment_count"`
	Reassignments   int      `json:"reassignment_count"`
	Escalations     int      `json:"escalation_count"`
	ByTimeout       int      `json:"timeout_escalation_count"`
	ByHand          int      `json:"manual_escalation_count"`
	Notifications   int      `json:"total_notifications"`
	Interruptions   int      `json:"total_interruptions"`
	BusinessHours   int      `json:"business_hour_interruptions"`
	OffHours        int      `json:"off_hour_interruptions"`
	SleepHours      int      `json:"sleep_hour_interruptions"`
	AcknowledgedIDs []string `json:"acknowledged_user_ids"`
	ResolvedByID    *string  `json:"resolved_by_user_id"`

	created time.Time
}

func (p *Pager) analyticsRoutes() {
	p.rest("POST /analytics/raw/incidents", p.listAnalytics)
	p.rest("GET /analytics/raw/incidents/{id}", func(q *query) (int, any, *problem) {
		if !p.o.Account.Analytics {
			return 0, nil, lacking()
		}
		for _, r := range p.analytics(q.view) {
			switch {
			case r.ID != q.r.PathValue("id"):
			case p.o.Account.BareAnalytics:
				return http.StatusOK, r, nil
			default:
				return http.StatusOK, struct {
					Zone string       `json:"time_zone"`
					Data analyticsRow `json:"data"`
				}{"Etc/UTC", r}, nil
			}
		}
		return 0, nil, notFound()
	})
}

// analytics are the rows of everything, newest first.
func (p *Pager) analytics(v view) []analyticsRow {
	var all []analyticsRow
	for _, i := range p.incidents {
		all = append(all, p.analyse(v, i))
	}
	for n, h := range p.o.Account.History {
		all = append(all, p.remember(v, h, -1-n))
	}
	slices.SortFunc(all, func(a, b analyticsRow) int { return cmp.Or(b.created.Compare(a.created), cmp.Compare(a.ID, b.ID)) })
	return all
}

// analyse counts what an incident's log tells.
func (p *Pager) analyse(v view, i *incident) analyticsRow {
	r := analyticsRow{ID: i.id, Number: i.number, Description: i.title, ServiceID: i.service.ID, ServiceName: i.service.Name,
		PolicyID: i.policy.ID, PolicyName: i.policy.Name, TypeID: p.o.Account.typeID(i.typ), TypeName: i.typ, Status: i.status, Urgency: i.urgency,
		CreatedAt: v.at(i.created), UpdatedAt: v.at(i.touched()), ResolvedAt: v.maybe(i.resolved), AcknowledgedIDs: []string{}, created: i.created}
	if t := i.service.Team; t != "" {
		r.TeamID, r.TeamName = &t, &t
	}
	if i.priority != nil {
		r.PriorityID, r.PriorityName = &i.priority.ID, &i.priority.Name
		k := slices.IndexFunc(p.o.Account.Priorities, func(o Priority) bool { return o.ID == i.priority.ID })
		r.Major = k == 0 || k == 1
	}
	for _, e := range i.entries {
		r.count(i, e)
	}
	if !i.resolved.IsZero() {
		r.ToResolve = after(i.created, i.resolved)
	}
	return r
}

func (r *analyticsRow) count(i *incident, e *entry) {
	person := e.agent != nil && (e.agent.Type == "" || e.agent.Type == "user_reference")
	switch e.kind {
	case "acknowledge":
		r.Acks++
		if r.ToAck == nil {
			r.ToAck, r.ToEngage, r.ToMobilize = after(i.created, e.at), after(i.created, e.at), after(i.created, e.at)
		}
		if person && !slices.Contains(r.AcknowledgedIDs, e.agent.ID) {
			r.AcknowledgedIDs = append(r.AcknowledgedIDs, e.agent.ID)
		}
	case "assign":
		r.Assignments += len(e.assignees)
		if person {
			r.Reassignments++
		}
	case "escalate":
		r.Escalations++
		if person {
			r.ByHand++
		} else {
			r.ByTimeout++
		}
	case "notify":
		r.Notifications++
		r.Interruptions++
		r.BusinessHours++
	case "snooze":
		if e.channel.Duration != nil {
			r.Snoozed += *e.channel.Duration
		}
	case "resolve":
		r.Auto, r.ResolvedByID = !person, nil
		if person {
			r.ResolvedByID = &e.agent.ID
		}
	}
}

// remember is the row of an incident of long ago.
func (p *Pager) remember(v view, h Past, number int) analyticsRow {
	r := analyticsRow{ID: h.ID, Number: number, Description: h.Title, ServiceID: h.Service, Status: triggered, Urgency: cmp.Or(h.Urgency, "high"),
		TypeName: cmp.Or(h.Type, baseType), CreatedAt: v.at(h.CreatedAt), UpdatedAt: v.at(h.CreatedAt), AcknowledgedIDs: []string{}, Auto: h.Auto, created: h.CreatedAt}
	r.TypeID = p.o.Account.typeID(r.TypeName)
	if s := p.o.Account.service(h.Service); s != nil {
		r.ServiceName = s.Name
	}
	if h.AckAfter > 0 {
		r.Status, r.Acks, r.ToAck = acknowledged, 1, after(h.CreatedAt, h.CreatedAt.Add(h.AckAfter.Duration()))
	}
	if h.Resolved > 0 {
		end := h.CreatedAt.Add(h.Resolved.Duration())
		r.Status, r.ToResolve, r.ResolvedAt = resolved, after(h.CreatedAt, end), v.maybe(end)
	}
	return r
}

func after(from, to time.Time) *int {
	s := int(to.Sub(from) / time.Second)
	return &s
}

// typeID is the id of an incident type.
func (a *Account) typeID(name string) string {
	for _, t := range a.Types {
		if t.Name == name {
			return t.ID
		}
	}
	return "PTBASE"
}

type analyticsFilter struct {
	From     *time.Time `json:"created_at_start,omitempty"`
	To       *time.Time `json:"created_at_end,omitempty"`
	Urgency  string     `json:"urgency,omitempty"`
	Services []string   `json:"service_ids,omitempty"`
	Teams    []string   `json:"team_ids,omitempty"`
	Types    []string   `json:"incident_type_ids,omitempty"`
}

func (f analyticsFilter) takes(r analyticsRow) bool {
	among := func(list []string, id string) bool { return len(list) == 0 || slices.Contains(list, id) }
	team := ""
	if r.TeamID != nil {
		team = *r.TeamID
	}
	return (f.From == nil || !r.created.Before(*f.From)) && (f.To == nil || r.created.Before(*f.To)) &&
		(f.Urgency == "" || f.Urgency == r.Urgency) && among(f.Services, r.ServiceID) && among(f.Teams, team) && among(f.Types, r.TypeID)
}

type analyticsPage struct {
	First  *string         `json:"first"`
	Last   *string         `json:"last"`
	Limit  int             `json:"limit"`
	More   bool            `json:"more"`
	Order  string          `json:"order"`
	By     string          `json:"order_by"`
	After  *string         `json:"starting_after"`
	Before *string         `json:"ending_before"`
	Zone   string          `json:"time_zone"`
	Filter analyticsFilter `json:"filters"`
	Data   []analyticsRow  `json:"data"`
}

// listAnalytics pages by cursor: starting_after is the id that the last page ended with.
func (p *Pager) listAnalytics(q *query) (int, any, *problem) {
	if !p.o.Account.Analytics {
		return 0, nil, lacking()
	}
	in := struct {
		Filters analyticsFilter `json:"filters"`
		Limit   int             `json:"limit"`
		Order   string          `json:"order"`
		After   *string         `json:"starting_after"`
	}{Limit: 100, Order: "desc"}
	if err := json.NewDecoder(q.r.Body).Decode(&in); err != nil {
		return 0, nil, invalid(err.Error())
	}
	if in.Limit < 1 || in.Limit > 1000 {
		return 0, nil, invalid("Limit must be between 1 and 1000")
	}
	var found []analyticsRow
	for _, r := range p.analytics(q.view) {
		if in.Filters.takes(r) {
			found = append(found, r)
		}
	}
	if in.Order == "asc" {
		slices.Reverse(found)
	}
	if in.After != nil {
		k := slices.IndexFunc(found, func(r analyticsRow) bool { return r.ID == *in.After })
		found = found[k+1:]
	}
	out := analyticsPage{Limit: in.Limit, Order: in.Order, By: "created_at", After: in.After, Zone: "Etc/UTC", Filter: in.Filters,
		More: len(found) > in.Limit, Data: append([]analyticsRow{}, found[:min(len(found), in.Limit)]...)}
	if n := len(out.Data); n > 0 {
		out.First, out.Last = &out.Data[0].ID, &out.Data[n-1].ID
	}
	return http.StatusOK, out, nil
}
