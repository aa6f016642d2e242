package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"
)

// AlertmanagerProbe is bad while an alert of this name and labels is active in Alertmanager. One that is silenced or
// inhibited pages nobody: it is told, and is not bad.
// https://prometheus.io/docs/alerting/latest/alerts_api/
type AlertmanagerProbe struct {
	URL     string            `json:"url" yaml:"url"`
	Alert   string            `json:"alert" yaml:"alert"` // its alertname
	Labels  map[string]string `json:"labels,omitempty" yaml:"labels,omitempty"`
	User    string            `json:"user,omitempty" yaml:"user,omitempty"`       // of basic authentication, with token as its password
	Token   string            `json:"token,omitempty" yaml:"token,omitempty"`     // a reference such as env:ALERTMANAGER_TOKEN
	Timeout Span              `json:"timeout,omitempty" yaml:"timeout,omitempty"` // 3s when left out
}

func (p *AlertmanagerProbe) door() door { return door{"alertmanager", p.URL, p.User, p.Token} }

func (p *AlertmanagerProbe) label() string {
	pairs := make([]string, 0, len(p.Labels))
	for name, value := range p.Labels {
		pairs = append(pairs, name+"="+value)
	}
	sort.Strings(pairs)
	of := ""
	if len(pairs) > 0 {
		of = "{" + strings.Join(pairs, ",") + "}"
	}
	return "alertmanager " + p.Alert + of + " at " + p.door().host()
}

func (p *AlertmanagerProbe) problems() []string {
	found := p.door().problems()
	if strings.TrimSpace(p.Alert) == "" {
		found = append(found, "alertmanager names no alert. Try: alert: OrdersFail")
	}
	for name := range p.Labels {
		switch {
		case name == "alertname":
			found = append(found, "alertname stands under labels. Try: alert: "+p.Labels[name])
		case !labelName.MatchString(name):
			found = append(found, fmt.Sprintf("label %q is not spelled like one", name))
		}
	}
	sort.Strings(found)
	return append(found, tooShort(p.Timeout)...)
}

// known are the labels that the drill names.
func (p *AlertmanagerProbe) known() map[string]string {
	known := map[string]string{"alertname": p.Alert}
	for name, value := range p.Labels {
		known[name] = value
	}
	return known
}

func (p *AlertmanagerProbe) probe(c Clients) (Probe, error) {
	spec, client := *p, plainClient(c.HTTP)
	tell := func(ctx context.Context) Reading {
		alerts, err := spec.alerts(ctx, client, c)
		if err != nil {
			return Reading{Value: Unknown, Why: err.Error()}
		}
		return spec.judge(alerts)
	}
	return &look{name: p.label(), timeout: p.Timeout.or(ProbeTimeout), now: c.Now, tell: tell}, nil
}

// gettable is an alert as Alertmanager tells it.
type gettable struct {
	Labels   map[string]string `json:"labels"`
	StartsAt string            `json:"startsAt"`
	Status   struct {
		State       string   `json:"state"` // active, suppressed, unprocessed
		SilencedBy  []string `json:"silencedBy"`
		InhibitedBy []string `json:"inhibitedBy"`
		MutedBy     []string `json:"mutedBy"`
	} `json:"status"`
}

// alerts asks for those of the name and labels, whatever became of them.
func (p *AlertmanagerProbe) alerts(ctx context.Context, client *http.Client, c Clients) ([]gettable, error) {
	known := p.known()
	query := url.Values{"active": {"true"}, "silenced": {"true"}, "inhibited": {"true"}, "unprocessed": {"true"}}
	for _, name := range sortedNames(known) {
		query.Add("filter", matcher{name: name, op: "=", value: known[name]}.String())
	}
	var all []gettable
	if err := p.read(ctx, client, c, question{"read alerts", "/api/v2/alerts?" + query.Encode(), &all}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(a gettable) bool { // a proxy may have dropped the filter
		return slices.ContainsFunc(sortedNames(known), func(name string) bool { return a.Labels[name] != known[name] })
	}), nil
}

// question is one question to the API.
type question struct {
	what, path string
	into       any
}

func (p *AlertmanagerProbe) read(ctx context.Context, client *http.Client, c Clients, q question) error {
	status, body, err := p.door().ask(ctx, client, c, request{method: http.MethodGet, path: q.path})
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", q.what, err)
	case status != http.StatusOK:
		return fmt.Errorf("%s: status %d: %s", q.what, status, plain(string(body)))
	}
	if err := json.Unmarshal(body, q.into); err != nil {
		return fmt.Errorf("%s: this is no answer of Alertmanager", q.what)
	}
	return nil
}

// judge: the earliest active alert is the detection. Its start is what the sender says, mostly to the millisecond: by
// Prometheus's clock, which is taken for Alertmanager's.
func (p *AlertmanagerProbe) judge(alerts []gettable) Reading {
	r := Reading{Value: OK, Why: "no such alert"}
	active := 0
	for _, a := range alerts {
		switch a.Status.State {
		case "active":
		case "suppressed":
			if r.Value == OK {
				r.Why = "the alert is there and pages nobody: " + a.quiet()
			}
			continue
		default:
			if r.Value == OK {
				r.Value, r.Why = Unknown, "the alert is there, in state "+plain(a.Status.State)
			}
			continue
		}
		active++
		at, half, ok := startOf(a.StartsAt)
		if ok && (active == 1 || r.Since.IsZero() || at.Before(r.Since)) {
			r.Since, r.ErrorS, r.By = at, half, "alertmanager "+p.door().host()
		}
		r.Value, r.Why = Bad, "active since "+plain(a.StartsAt)
	}
	if active > 1 {
		r.Why = fmt.Sprintf("%d such alerts are active", active)
		if !r.Since.IsZero() {
			r.Why += ", the first since " + r.Since.Format(time.RFC3339Nano)
		}
	}
	return r
}

// quiet says why an alert pages nobody.
func (a gettable) quiet() string {
	var by []string
	for _, x := range []struct {
		what string
		ids  []string
	}{{"silenced by ", a.Status.SilencedBy}, {"inhibited by ", a.Status.InhibitedBy}, {"muted by ", a.Status.MutedBy}} {
		if len(x.ids) > 0 {
			by = append(by, x.what+plain(strings.Join(x.ids, ", ")))
		}
	}
	if len(by) == 0 {
		return "suppressed"
	}
	return strings.Join(by, ", ")
}

// startOf reads a stamp, and half the width of what it may be: as many digits as it has.
func startOf(text string) (at time.Time, halfS float64, ok bool) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, 0, false
	}
	if at.Nanosecond() == 0 {
		// Whole, or cut: nobody can tell.
		return at, 0.5, true
	}
	return at, 0.0005, true
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Clock names the clock by which a probe tells since when, and an address that answers with it; empty where the probe
// tells no such thing.
func (s ProbeSpec) Clock() (source, address string) {
	if s.Alertmanager == nil {
		return "", ""
	}
	return "alertmanager " + s.Alertmanager.door().host(), s.Alertmanager.URL
}
