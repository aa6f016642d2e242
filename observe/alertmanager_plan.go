package observe

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// AlertmanagerForecast is what a plan can say of an alert before it fires.
type AlertmanagerForecast struct {
	Routes   []AlertmanagerRoute
	Silenced []string // each a reason why it would page nobody now
	Unknown  []string // what could not be looked at
}

// Keys are the dedup keys that it may page under.
func (f AlertmanagerForecast) Keys() (keys []string) {
	for _, r := range f.Routes {
		if r.PagerDuty && !slices.Contains(keys, r.Key) {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

// Forecast asks Alertmanager which way a probe's alert would take now, and what would keep it quiet. It only reads. A
// probe of another kind has none.
func Forecast(ctx context.Context, s ProbeSpec, c Clients) (AlertmanagerForecast, error) {
	if s.Alertmanager == nil {
		return AlertmanagerForecast{}, nil
	}
	return s.Alertmanager.forecast(ctx, c)
}

func (p *AlertmanagerProbe) forecast(ctx context.Context, c Clients) (AlertmanagerForecast, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*p.Timeout.or(ProbeTimeout))
	defer cancel()
	var f AlertmanagerForecast
	var status struct {
		Config struct {
			Original string `json:"original"`
		} `json:"config"`
	}
	client := plainClient(c.HTTP)
	if err := p.read(ctx, client, c, question{"read configuration of " + p.door().host(), "/api/v2/status", &status}); err != nil {
		return f, err
	}
	routes, err := AlertmanagerKeys(status.Config.Original, p.known())
	if err != nil {
		return f, err
	}
	f.Routes = routes
	if silenced, err := p.silences(ctx, client, c); err != nil {
		f.Unknown = append(f.Unknown, err.Error())
	} else {
		f.Silenced = silenced
	}
	inhibited, err := p.inhibitions(ctx, client, c, status.Config.Original)
	if err != nil {
		f.Unknown = append(f.Unknown, err.Error())
	}
	f.Silenced = append(f.Silenced, inhibited...)
	return f, nil
}

// silencing is a silence as /api/v2/silences tells it.
type silencing struct {
	ID        string    `json:"id"`
	CreatedBy string    `json:"createdBy"`
	EndsAt    time.Time `json:"endsAt"`
	Status    struct {
		State string `json:"state"`
	} `json:"status"`
	Matchers []struct {
		Name    string `json:"name"`
		Value   string `json:"value"`
		IsRegex bool   `json:"isRegex"`
		IsEqual *bool  `json:"isEqual"` // left out by old ones: true
	} `json:"matchers"`
}

// silences are those that keep the alert quiet, or may.
func (p *AlertmanagerProbe) silences(ctx context.Context, client *http.Client, c Clients) (found []string, err error) {
	var all []silencing
	if err := p.read(ctx, client, c, question{"read silences", "/api/v2/silences", &all}); err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.Status.State != "active" {
			continue
		}
		var list []matcher
		for _, m := range s.Matchers {
			op := map[[2]bool]string{{false, true}: "=", {false, false}: "!=", {true, true}: "=~", {true, false}: "!~"}[[2]bool{m.IsRegex, m.IsEqual == nil || *m.IsEqual}]
			one, err := newMatcher(m.Name, op, m.Value)
			if err != nil {
				return nil, fmt.Errorf("silence %s: %w", s.ID, err)
			}
			list = append(list, one)
		}
		if text := surely(list, p.known(), fmt.Sprintf("silence %s keeps it quiet until %s", s.ID, s.EndsAt.UTC().Format(time.RFC3339))); text != "" {
			found = append(found, text)
		}
	}
	return found, nil
}

// surely says something outright, or under the condition of what nobody has named; "" when it does not hold.
func surely(list []matcher, known map[string]string, text string) string {
	switch a, open := matchAll(list, known); a {
	case isMatch:
		return text
	case maybeMatch:
		return text + ", if its " + strings.Join(open, ", ") + " fits"
	}
	return ""
}

// inhibitions are alerts that are active now and keep this one quiet, or may.
func (p *AlertmanagerProbe) inhibitions(ctx context.Context, client *http.Client, c Clients, config string) (found []string, err error) {
	conf, err := parseRouting(config)
	if err != nil || len(conf.inhibit) == 0 {
		return nil, err
	}
	var all []gettable
	if err := p.read(ctx, client, c, question{"read alerts", "/api/v2/alerts?active=true&silenced=true&inhibited=true", &all}); err != nil {
		return nil, err
	}
	for _, rule := range conf.inhibit {
		sources, err := rule.source.list()
		if err != nil {
			return nil, err
		}
		targets, err := rule.target.list()
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			if !allHold(sources, a.Labels) {
				continue
			}
			list := slices.Clone(targets)
			for _, name := range rule.equal {
				list = append(list, matcher{name: name, op: "=", value: a.Labels[name]})
			}
			if text := surely(list, p.known(), "alert "+plain(a.Labels["alertname"])+" is active and inhibits it"); text != "" && !slices.Contains(found, text) {
				found = append(found, text)
			}
		}
	}
	return found, nil
}

// allHold is for an alert whose labels are all there.
func allHold(list []matcher, labels map[string]string) bool {
	return !slices.ContainsFunc(list, func(m matcher) bool { return !m.holds(labels[m.name]) })
}
