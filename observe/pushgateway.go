package observe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
)

// PushJob is the job label of what is pushed.
const PushJob = "firedrill"

// Pushgateway is where metrics are pushed, and as which group of them: a group is replaced as a whole.
type Pushgateway struct {
	URL   string
	Group map[string]string // labels that all series of the group have; the job is PushJob
}

// PushMetrics replaces a group of metrics by what is gathered, so that a series which is not there any more is gone, and
// pushing twice counts nothing twice. Labels of the group are taken off the series: the gateway puts them back, and wants
// each of them once. Redirects are not followed: who is asked to take a group in answers for it.
// https://github.com/prometheus/pushgateway#put-method
func PushMetrics(ctx context.Context, to Pushgateway, metrics prometheus.Gatherer) error {
	families, err := metrics.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			kept := slices.Clip(m.Label[:0]) // the pairs are the registry's own
			for _, l := range m.Label {
				switch value, grouped := to.Group[l.GetName()]; {
				case !grouped:
					kept = append(kept, l)
				case value != l.GetValue():
					return fmt.Errorf("push %s: %s is %q, and its group's is %q", f.GetName(), l.GetName(), l.GetValue(), value)
				}
			}
			m.Label = kept
		}
	}
	at, err := url.Parse(to.URL)
	if err != nil {
		return errors.New("push metrics: the Pushgateway's address is no URL") // what it holds is not told: it may be a password
	}
	user := at.User
	at.User = nil
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	p := push.New(at.String(), PushJob).Client(client).Gatherer(prometheus.GathererFunc(always(families)))
	if password, _ := user.Password(); user != nil {
		p = p.BasicAuth(user.Username(), password)
	}
	for name, value := range to.Group {
		p = p.Grouping(name, value)
	}
	if err := p.PushContext(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil && ctx.Err() != nil {
			return fmt.Errorf("push metrics to %s: %w", at.Host, cause)
		}
		return fmt.Errorf("push metrics: %w", err)
	}
	return nil
}

// always gives the same answer.
func always[T any](answer T) func() (T, error) { return func() (T, error) { return answer, nil } }
