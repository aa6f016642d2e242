package observe

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const (
	pagerPage   = 100    // items of one page, PagerDuty's most
	pagerOffset = 10_000 // offset + limit at most: https://developer.pagerduty.com/docs/rest-api-pagination
	clockSlack  = 5 * time.Minute
	manyMatches = 20 // incidents that are looked into for one key
)

type reference struct {
	ID      string `json:"id"`
	Summary string `json:"summary"`
}

type incidentJSON struct {
	ID        string    `json:"id"`
	Number    int       `json:"incident_number"`
	Title     string    `json:"title"`
	Status    string    `json:"status"`
	Urgency   string    `json:"urgency"`
	CreatedAt string    `json:"created_at"`
	URL       string    `json:"html_url"`
	Service   reference `json:"service"`
	UpdatedAt string    `json:"updated_at"`
	Counts    struct {
		All       int `json:"all"`
		Triggered int `json:"triggered"`
		Resolved  int `json:"resolved"`
	} `json:"alert_counts"`
	Type   named   `json:"incident_type"`
	Reason *reason `json:"resolve_reason"`
}

// named is what has a name.
type named struct {
	Name string `json:"name"`
}

// reason is why an incident was resolved without anybody's doing so: it was merged into another.
type reason struct {
	Incident reference `json:"incident"`
}

// whole is the incident as we tell it, without its alerts.
func (i incidentJSON) whole() Incident {
	out := Incident{
		ID: i.ID, Number: i.Number, Title: i.Title, Status: i.Status, Urgency: i.Urgency, Service: i.Service.ID,
		CreatedAt: timeOf(i.CreatedAt), URL: i.URL, Type: plain(i.Type.Name), UpdatedAt: timeOf(i.UpdatedAt),
	}
	if i.Reason != nil && idForm.MatchString(i.Reason.Incident.ID) {
		out.Into = i.Reason.Incident.ID
	}
	return out
}

// mark changes whenever an incident's alerts may have.
func (i incidentJSON) mark() string {
	return fmt.Sprint(i.Status, " ", i.UpdatedAt, " ", i.Counts)
}

type alertJSON struct {
	ID          string    `json:"id"`
	Key         string    `json:"alert_key"`
	Status      string    `json:"status"`
	Summary     string    `json:"summary"`
	CreatedAt   string    `json:"created_at"`
	Suppressed  bool      `json:"suppressed"`
	Integration reference `json:"integration"`
	Service     reference `json:"service"`
}

// Find looks for the incident that holds the alert with our key. PagerDuty answers an empty key with everybody's
// incidents, and its incidents carry no key of their own: so the key is never empty, and the alert's key and the
// service are compared here, whatever was asked for. The incident may be an older one that our alert was grouped into,
// or one it was merged into: compare CreatedAt and the number of its alerts.
func (p *PagerDuty) Find(ctx context.Context, service, dedup string, since time.Time) (*Incident, error) {
	const op = "find the incident of our page"
	if err := checkID(op, "service", service); err != nil {
		return nil, err
	}
	if dedup == "" {
		return nil, &Problem{Op: op, Why: "the dedup key is empty: PagerDuty would answer with everybody's incidents"}
	}
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	q := url.Values{
		"incident_key": {dedup}, "service_ids[]": {service}, "sort_by": {"created_at:desc"},
		"since": {stamp(since.Add(-clockSlack))}, "until": {stamp(p.now().Add(clockSlack))},
	}
	list, err := p.incidents(ctx, op, q)
	if err != nil {
		return nil, err
	}
	looked := 0
	for _, found := range list {
		if found.Service.ID != service {
			continue
		}
		if looked++; looked > manyMatches {
			break
		}
		inc, err := p.withAlerts(ctx, op, found)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(inc.Alerts, func(a Alert) bool { return a.Key == dedup }) {
			return &inc, nil
		}
	}
	return nil, nil
}

// Incidents returns the services' incidents created since a time (the pager's clock) and every one still open, oldest
// first, each with its alerts.
func (p *PagerDuty) Incidents(ctx context.Context, services []string, since time.Time) ([]Incident, error) {
	const op = "list incidents"
	if len(services) == 0 {
		return nil, &Problem{Op: op, Why: "no service is named: PagerDuty would answer with everybody's incidents"}
	}
	for _, id := range services {
		if err := checkID(op, "service", id); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	recent, err := p.incidents(ctx, op, url.Values{
		"service_ids[]": services, "since": {stamp(since)}, "until": {stamp(p.now().Add(clockSlack))},
	})
	if err != nil {
		return nil, err
	}
	open, err := p.incidents(ctx, op, url.Values{
		"service_ids[]": services, "statuses[]": {"triggered", "acknowledged"}, "date_range": {"all"},
	})
	if err != nil {
		return nil, err
	}
	var all []Incident
	seen := map[string]bool{}
	for _, found := range append(open, recent...) { // the later look first: it knows better
		if seen[found.ID] || !slices.Contains(services, found.Service.ID) {
			continue
		}
		seen[found.ID] = true
		inc, err := p.withAlerts(ctx, op, found)
		if err != nil {
			return nil, err
		}
		all = append(all, inc)
	}
	slices.SortStableFunc(all, func(a, b Incident) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Number, b.Number))
	})
	return all, nil
}

// incidents lists what a query finds, each once.
func (p *PagerDuty) incidents(ctx context.Context, op string, q url.Values) ([]incidentJSON, error) {
	var list []incidentJSON
	seen := map[string]bool{}
	q.Set("time_zone", "UTC")
	err := p.pages(ctx, call{op: op, url: p.api + "/incidents"}, q, func(body []byte) (int, error) {
		var page struct {
			Incidents []incidentJSON `json:"incidents"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return 0, err
		}
		for _, inc := range page.Incidents {
			if inc.ID != "" && !seen[inc.ID] {
				seen[inc.ID] = true
				list = append(list, inc)
			}
		}
		return len(page.Incidents), nil
	})
	return list, err
}

// withAlerts completes an incident with everything that some monitoring sent to it.
func (p *PagerDuty) withAlerts(ctx context.Context, op string, found incidentJSON) (Incident, error) {
	inc := found.whole()
	if err := checkID(op, "incident", found.ID); err != nil {
		return inc, err
	}
	if known, ok := p.shelf.get(found); ok {
		inc.Alerts = known
		return inc, nil
	}
	at := p.api + "/incidents/" + found.ID + "/alerts"
	err := p.pages(ctx, call{op: op, url: at}, url.Values{}, func(body []byte) (int, error) {
		var page struct {
			Alerts []alertJSON `json:"alerts"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return 0, err
		}
		for _, a := range page.Alerts {
			inc.Alerts = append(inc.Alerts, Alert{
				ID: a.ID, Key: a.Key, Status: a.Status, Summary: a.Summary, Integration: a.Integration.ID,
				CreatedAt: timeOf(a.CreatedAt), Suppressed: a.Suppressed,
			})
		}
		return len(page.Alerts), nil
	})
	if err == nil {
		p.shelf.put(found, inc.Alerts)
	}
	return inc, err
}

// pages reads a list page by page. take returns how many items a page had.
func (p *PagerDuty) pages(ctx context.Context, c call, q url.Values, take func([]byte) (int, error)) error {
	c.method, c.again = http.MethodGet, true
	base := c.url
	most := min(c.most, pagerOffset/pagerPage)
	if most <= 0 {
		most = pagerOffset / pagerPage
	}
	q.Set("limit", strconv.Itoa(pagerPage))
	for offset, n := 0, 0; n < most && offset+pagerPage <= pagerOffset; n++ {
		q.Set("offset", strconv.Itoa(offset))
		c.url = base + "?" + q.Encode()
		a, err := p.wire.do(ctx, c)
		if err != nil {
			return err
		}
		var page struct {
			More bool `json:"more"`
		}
		items, err := take(a.body)
		if err == nil {
			err = json.Unmarshal(a.body, &page)
		}
		if err != nil {
			return &Problem{Op: c.op, Why: "the answer is not what PagerDuty documents: " + p.wire.redact(plain(err.Error())), Status: a.status}
		}
		if !page.More || items == 0 {
			return nil
		}
		offset += items
	}
	return &Problem{Op: c.op, Why: fmt.Sprintf("there are more than %d, which is as far as we read", most*pagerPage), Err: errTooMany}
}

// errTooMany means that a list is longer than it is read.
var errTooMany = errors.New("the list is too long")

// stamp writes a time as PagerDuty reads it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// timeOf reads a time as PagerDuty writes it, with any zone; zero when it cannot be read.
func timeOf(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
