package pager

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ref is how the API points at something.
type ref struct {
	ID      string `json:"id"`
	Type    string `json:"type,omitempty"`
	Summary string `json:"summary"`
	Self    string `json:"self,omitempty"`
	HTMLURL string `json:"html_url,omitempty"`
}

func userRef(u *User) ref       { return ref{ID: u.ID, Type: "user_reference", Summary: u.Name} }
func serviceRef(s *Service) ref { return ref{ID: s.ID, Type: "service_reference", Summary: s.Name} }
func policyRef(p *Policy) ref {
	return ref{ID: p.ID, Type: "escalation_policy_reference", Summary: p.Name}
}

// channel is by what means something was done.
type channel struct {
	Type         string          `json:"type"`
	Summary      string          `json:"summary,omitempty"`
	IncidentKey  string          `json:"incident_key,omitempty"`
	Client       string          `json:"client,omitempty"`
	Details      json.RawMessage `json:"details,omitempty"`
	Notification *notification   `json:"notification,omitempty"`
	Duration     *int            `json:"duration,omitempty"` // seconds, of a snooze
	Incident     *ref            `json:"incident,omitempty"` // the other one of a merge
	OldPriority  *ref            `json:"old_priority,omitempty"`
	NewPriority  *ref            `json:"new_priority,omitempty"`
}

type notification struct {
	Type    string  `json:"type"`
	Address *string `json:"address"`
	Status  string  `json:"status"`
}

func newNotification(c Contact) *notification {
	n := &notification{Type: c.Type, Status: cmp.Or(c.Status, "success")}
	if c.Address != "" {
		n.Address = &c.Address
	}
	return n
}

// view is how one request wants to be told things.
type view struct {
	base    string
	skew    time.Duration
	zone    *time.Location
	include []string
	q       url.Values
	bad     *problem
}

func (p *Pager) viewFor(r *http.Request) view {
	v := view{base: p.o.URL + "/pagerduty", skew: skewOf(r), zone: time.UTC, q: r.URL.Query()}
	v.include = v.q["include[]"]
	if z := v.q.Get("time_zone"); z != "" {
		loc, err := time.LoadLocation(z)
		if err != nil {
			v.bad = invalid("Time zone is invalid")
			return v
		}
		v.zone = loc
	}
	return v
}

func (v view) includes(what string) bool { return slices.Contains(v.include, what) }

// at tells a time: whole seconds, in the zone asked for, off by whatever the knob says.
func (v view) at(t time.Time) string { return t.Add(v.skew).In(v.zone).Format(time.RFC3339) }

func (v view) maybe(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := v.at(t)
	return &s
}

// link completes a reference with its address.
func (v view) link(r ref) ref {
	kind := strings.TrimSuffix(r.Type, "_reference")
	if kind == "" {
		kind = "user" // the phone app leaves the type out
	}
	switch kind {
	case "escalation_policy":
		r.Self = v.base + "/escalation_policies/" + r.ID
	case "priority":
		r.Self = v.base + "/priorities/" + r.ID
	case "bot_user":
		r.Self = ""
	case "integration":
		r.Self = "" // told under its service only
	default:
		r.Self = v.base + "/" + kind + "s/" + r.ID
	}
	return r
}

func (v view) linkPtr(r *ref) *ref {
	if r == nil {
		return nil
	}
	l := v.link(*r)
	return &l
}

func (v view) links(rs []ref) []ref {
	out := make([]ref, 0, len(rs))
	for _, r := range rs {
		out = append(out, v.link(r))
	}
	return out
}

// teams are the references to a service's team, if it has one.
func (v view) teams(s *Service) []ref {
	if s.Team == "" {
		return []ref{}
	}
	return []ref{v.link(ref{ID: s.Team, Type: "team_reference", Summary: s.Team})}
}

// span reads since and until; a zero time is no bound.
func (v view) span() (since, until time.Time, bad *problem) {
	for _, b := range []struct {
		name string
		t    *time.Time
	}{{"since", &since}, {"until", &until}} {
		s := v.q.Get(b.name)
		if s == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return since, until, invalid(b.name + " is not a valid ISO 8601 time")
		}
		*b.t = t
	}
	return since, until, nil
}

// page cuts one page out of n items as limit and offset say.
type page struct {
	Limit  int  `json:"limit"`
	Offset int  `json:"offset"`
	Total  *int `json:"total"`
	More   bool `json:"more"`

	from, to int
}

func (v view) page(n int) (page, *problem) {
	limit, err1 := number(v.q.Get("limit"), 25)
	offset, err2 := number(v.q.Get("offset"), 0)
	if err1 != nil || err2 != nil || limit < 1 || offset < 0 {
		return page{}, invalid("Limit and offset must be positive numbers")
	}
	limit = min(limit, 100)
	if limit+offset > 10000 {
		return page{}, invalid("Offset must be less than 10000")
	}
	g := page{Limit: limit, Offset: offset, from: min(offset, n), to: min(offset+limit, n)}
	g.More = g.to < n
	if v.q.Get("total") == "true" {
		g.Total = &n
	}
	return g, nil
}

func number(s string, unset int) (int, error) {
	if s == "" {
		return unset, nil
	}
	return strconv.Atoi(s)
}
