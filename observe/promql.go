package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// PromQLProbe compares what a query of Prometheus answers now. Every sample of a vector must compare; one that is not
// a number says nothing, and a vector without samples neither unless Empty says what it means.
// https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
type PromQLProbe struct {
	URL     string `json:"url" yaml:"url"` // of Prometheus, or of whatever answers under its /api/v1
	Query   string `json:"query" yaml:"query"`
	Is      string `json:"is" yaml:"is"`                               // "< 5"
	Empty   string `json:"empty,omitempty" yaml:"empty,omitempty"`     // ok, bad or unknown (when left out): what no sample means
	User    string `json:"user,omitempty" yaml:"user,omitempty"`       // of basic authentication, with token as its password
	Token   string `json:"token,omitempty" yaml:"token,omitempty"`     // a reference such as env:PROMETHEUS_TOKEN
	Timeout Span   `json:"timeout,omitempty" yaml:"timeout,omitempty"` // 3s when left out
}

func (p *PromQLProbe) door() door { return door{"promql", p.URL, p.User, p.Token} }

func (p *PromQLProbe) label() string {
	return "promql " + strings.Join(strings.Fields(p.Query), " ") + " " + p.Is + " at " + p.door().host()
}

func (p *PromQLProbe) problems() []string {
	found := p.door().problems()
	if strings.TrimSpace(p.Query) == "" {
		found = append(found, "promql has no query")
	}
	if !slices.Contains([]string{"", "ok", "bad", "unknown"}, p.Empty) {
		found = append(found, fmt.Sprintf("empty %q is not ok, bad or unknown", p.Empty))
	}
	return append(append(found, unreadable("is", p.Is)...), tooShort(p.Timeout)...)
}

func (p *PromQLProbe) probe(c Clients) (Probe, error) {
	want, err := parseComparison(p.Is)
	if err != nil {
		return nil, fmt.Errorf("probe %s: %w", p.label(), err)
	}
	spec, client := *p, plainClient(c.HTTP)
	ask := func(ctx context.Context) (Value, string) {
		a, err := spec.answer(ctx, client, c)
		if err != nil {
			return Unknown, err.Error()
		}
		value, why := spec.judge(a, want)
		if len(a.Warnings) > 0 {
			why += "; Prometheus warns: " + plain(strings.Join(a.Warnings, "; "))
			if value == OK {
				value = Unknown // what it warns of may be missing from the answer
			}
		}
		return value, why
	}
	return &look{name: p.label(), timeout: p.Timeout.or(ProbeTimeout), now: c.Now, ask: ask}, nil
}

// promAnswer is the envelope of every answer.
type promAnswer struct {
	Status    string   `json:"status"`
	Error     string   `json:"error"`
	ErrorType string   `json:"errorType"`
	Warnings  []string `json:"warnings"`
	Data      struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// answer asks by POST, which takes queries of any length; what takes reading only is asked by GET.
func (p *PromQLProbe) answer(ctx context.Context, client *http.Client, c Clients) (promAnswer, error) {
	var a promAnswer
	form := url.Values{"query": {p.Query}}.Encode()
	status, body, err := p.door().ask(ctx, client, c, request{method: http.MethodPost, path: "/api/v1/query", form: form})
	if err == nil && (status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented) {
		status, body, err = p.door().ask(ctx, client, c, request{method: http.MethodGet, path: "/api/v1/query?" + form})
	}
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(body, &a); err != nil || a.Status == "" {
		return a, fmt.Errorf("query: status %d, which is no answer of Prometheus", status)
	}
	if a.Status != "success" {
		return a, fmt.Errorf("query: %s: %s", plain(a.ErrorType), plain(a.Error))
	}
	return a, nil
}

// sample is [seconds, "value"].
type sample [2]any

func (s sample) value() (float64, bool) {
	text, ok := s[1].(string)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && !math.IsNaN(v)
}

// series is one element of a vector.
type series struct {
	Metric map[string]string `json:"metric"`
	Value  *sample           `json:"value"` // nil for a native histogram
}

func (p *PromQLProbe) judge(a promAnswer, want comparison) (Value, string) {
	switch a.Data.ResultType {
	case "scalar":
		var s sample
		if err := json.Unmarshal(a.Data.Result, &s); err != nil {
			return Unknown, "a scalar that cannot be read"
		}
		v, ok := s.value()
		if !ok {
			return Unknown, "the query answers NaN"
		}
		return judge("the query", v, want)
	case "vector":
		var list []series
		if err := json.Unmarshal(a.Data.Result, &list); err != nil {
			return Unknown, "a vector that cannot be read"
		}
		return p.every(list, want)
	}
	return Unknown, fmt.Sprintf("the query answers a %s. Try: an instant vector or a scalar", plain(a.Data.ResultType))
}

// every holds each sample against what is wanted. A bad one counts, whatever the others are.
func (p *PromQLProbe) every(list []series, want comparison) (Value, string) {
	if len(list) == 0 {
		if p.Empty == "" {
			return Unknown, "the query answers no sample. Try: empty: ok or empty: bad"
		}
		return Value(p.Empty), "the query answers no sample"
	}
	value, why := OK, ""
	for _, s := range list {
		var v float64
		ok := s.Value != nil
		if ok {
			v, ok = s.Value.value()
		}
		if !ok && value == OK {
			value, why = Unknown, seriesName(s.Metric)+" is not a number"
		}
		if !ok {
			continue
		}
		read, text := judge(seriesName(s.Metric), v, want)
		if read == Bad {
			return Bad, text + others(len(list))
		}
		if why == "" {
			why = text + others(len(list))
		}
	}
	return value, why
}

func others(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" (one of %d samples)", n)
}

// seriesName writes labels as Prometheus does, its name in front.
func seriesName(labels map[string]string) string {
	var pairs []string
	for name, value := range labels {
		if name != "__name__" {
			pairs = append(pairs, name+"="+strconv.Quote(value))
		}
	}
	sort.Strings(pairs)
	name := labels["__name__"]
	if len(pairs) == 0 && name != "" {
		return plain(name)
	}
	return plain(name + "{" + strings.Join(pairs, ", ") + "}")
}
