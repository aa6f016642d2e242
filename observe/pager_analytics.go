package observe

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ErrNoAnalytics means that the account's plan or the token's scope (analytics.read) does not let us read analytics.
var ErrNoAnalytics = errors.New("PagerDuty's analytics may not be read")

// RealIncident is an incident of a service as PagerDuty's analytics count it, drills among them. It tells no person.
// https://developer.pagerduty.com/api-reference/b3A6Mjc0ODEzMg-get-raw-data-multiple-incidents
type RealIncident struct {
	ID        string
	Number    int
	Title     string
	Service   string // id
	Type      string // name of its incident type, where the account has them
	Urgency   string // high, low
	CreatedAt time.Time
	// Seconds from its creation; nil where it never came to that.
	AcknowledgeS *float64 // the first acknowledgement, by whomever
	EngageS      *float64 // the first sign of a person
	MobilizeS    *float64 // the last of those asked to join did
	ResolveS     *float64
	// AutoResolved: by a time-out or by what opened it, not by a person.
	AutoResolved  bool
	Escalations   int // of these, how many because nobody answered: Timeouts
	Timeouts      int
	Notifications int
}

const (
	analyticsPage  = 1000 // items of one page, PagerDuty's most
	analyticsPages = 10
)

// RealIncidents reads the incidents of a service that were created in a span of time, oldest first, from PagerDuty's
// analytics, which are about a day behind. An error that is ErrNoAnalytics means that they may not be read at all.
func (p *PagerDuty) RealIncidents(ctx context.Context, service string, from, to time.Time) ([]RealIncident, error) {
	const op = "read PagerDuty's analytics"
	if err := checkID(op, "service", service); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	var list []RealIncident
	seen, after := map[string]bool{}, ""
	for range analyticsPages {
		page, err := p.analytics(ctx, op, analyticsQuestion(service, from, to, after))
		if err != nil {
			return nil, err
		}
		for _, raw := range page.items {
			i, ok := realIncident(raw)
			if ok && i.Service == service && !seen[i.ID] {
				seen[i.ID] = true
				list = append(list, i)
			}
		}
		if !page.more || page.last == "" || page.last == after {
			slices.SortStableFunc(list, func(a, b RealIncident) int { return a.CreatedAt.Compare(b.CreatedAt) })
			return list, nil
		}
		after = page.last
	}
	return nil, &Problem{Op: op, Why: "there are more incidents than we read (10000)", Try: "ask for a shorter time", Err: errTooMany}
}

// analyticsQuestion asks for one page after a known incident.
func analyticsQuestion(service string, from, to time.Time, after string) map[string]any {
	q := map[string]any{
		"filters": map[string]any{"created_at_start": stamp(from), "created_at_end": stamp(to), "service_ids": []string{service}},
		"limit":   analyticsPage, "order": "asc", "order_by": "created_at", "time_zone": "Etc/UTC",
	}
	if after != "" {
		q["starting_after"] = after
	}
	return q
}

// analyticsAnswer is one page.
type analyticsAnswer struct {
	items []json.RawMessage
	more  bool
	last  string
}

func (p *PagerDuty) analytics(ctx context.Context, op string, question map[string]any) (analyticsAnswer, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return analyticsAnswer{}, &Problem{Op: op, Why: err.Error()}
	}
	a, err := p.wire.do(ctx, call{op: op, method: http.MethodPost, url: p.api + "/analytics/raw/incidents", body: body, again: true}) // a question, though it is posted
	if err != nil {
		var no *Problem
		if errors.As(err, &no) && slices.Contains([]int{http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound}, no.Status) {
			no.Err, no.Try = ErrNoAnalytics, "give the token analytics.read, where the account's plan has analytics"
		}
		return analyticsAnswer{}, err
	}
	got, ok := analyticsOf(a.body)
	if !ok {
		return analyticsAnswer{}, &Problem{Op: op, Why: "the answer is not what PagerDuty documents", Status: a.status}
	}
	return got, nil
}

// analyticsOf reads an answer. PagerDuty documents incidents wrapped in data and bare, as a list and alone.
func analyticsOf(body []byte) (analyticsAnswer, bool) {
	var out analyticsAnswer
	data := json.RawMessage(body)
	if l := looseOf(body); l != nil {
		_ = json.Unmarshal(l["more"], &out.more)
		out.last = l.text("last")
		if wrapped, ok := l["data"]; ok {
			data = wrapped
		}
	}
	if json.Unmarshal(data, &out.items) == nil {
		return out, true
	}
	if one := looseOf(data); one.text("id") != "" {
		out.items = []json.RawMessage{data}
		return out, true
	}
	return out, false
}

func realIncident(raw json.RawMessage) (RealIncident, bool) {
	l := looseOf(raw)
	i := RealIncident{
		ID: l.text("id"), Number: l.number("incident_number"), Title: plain(l.text("description")), Service: l.text("service_id"),
		Type: plain(l.text("incident_type_name")), Urgency: plain(l.text("urgency")), CreatedAt: analyticsTime(l.text("created_at")),
		AcknowledgeS: l.seconds("seconds_to_first_ack"), EngageS: l.seconds("seconds_to_engage"),
		MobilizeS: l.seconds("seconds_to_mobilize"), ResolveS: l.seconds("seconds_to_resolve"),
		Escalations: l.number("escalation_count"), Timeouts: l.number("timeout_escalation_count"), Notifications: l.number("total_notifications"),
	}
	_ = json.Unmarshal(l["auto_resolved"], &i.AutoResolved)
	return i, idForm.MatchString(i.ID) && !i.CreatedAt.IsZero()
}

// analyticsTime reads a time that may come without a zone: then it is in the one we asked for, UTC.
func analyticsTime(s string) time.Time {
	if t := timeOf(s); !t.IsZero() {
		return t
	}
	return timeOf(strings.TrimSpace(s) + "Z")
}
