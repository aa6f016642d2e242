package aws

import (
	"sort"
	"strings"
	"sync"
	"time"
)

// What the store keeps at most: CloudWatch keeps periods below a minute for three hours; a sandbox needs one.
const (
	metricRetention = time.Hour
	metricSeries    = 2000
)

// metricDimension is one dimension of a metric, as the API spells it.
type metricDimension struct{ Name, Value string }

// metricStore sums observations up by the second.
type metricStore struct {
	now func() time.Time

	mu     sync.Mutex
	series map[string]*metricSeriesData
}

// metricSeriesData is one metric with one set of dimensions.
type metricSeriesData struct {
	namespace, metric string
	dimensions        []metricDimension // by name
	unit              string
	seconds           []metricSecond // oldest first
}

// metricSecond is what was observed in one second; the statistics of any longer period add up from it.
type metricSecond struct {
	at                   int64 // Unix seconds
	count, sum, min, max float64
}

func newMetricStore(now func() time.Time) *metricStore {
	return &metricStore{now: now, series: map[string]*metricSeriesData{}}
}

// observe adds one observation of a service of the account.
func (m *metricStore) observe(s sample) {
	dims := make([]metricDimension, 0, len(s.Dimensions))
	for name, value := range s.Dimensions {
		dims = append(dims, metricDimension{name, value})
	}
	if s.At.IsZero() {
		s.At = m.now()
	}
	m.add(metricID{s.Namespace, s.Metric, dims}, "", metricSecond{s.At.Unix(), 1, s.Value, s.Value, s.Value})
}

// metricID names a metric: namespace, name and the whole set of its dimensions.
type metricID struct {
	namespace, metric string
	dimensions        []metricDimension
}

// key is the same for the same dimensions in any order.
func (id metricID) key() string {
	parts := []string{id.namespace, id.metric}
	for _, d := range dimensionsByName(id.dimensions) {
		parts = append(parts, d.Name, d.Value)
	}
	return strings.Join(parts, "\x00")
}

// add merges v into the second it belongs to. What is older than the retention, or one series too many, is dropped.
func (m *metricStore) add(id metricID, unit string, v metricSecond) {
	m.mu.Lock()
	defer m.mu.Unlock()
	oldest := m.now().Add(-metricRetention).Unix()
	if v.at < oldest {
		return
	}
	key := id.key()
	s := m.series[key]
	if s == nil {
		if len(m.series) >= metricSeries {
			return
		}
		s = &metricSeriesData{namespace: id.namespace, metric: id.metric, dimensions: dimensionsByName(id.dimensions), unit: unit}
		m.series[key] = s
	}
	i := sort.Search(len(s.seconds), func(i int) bool { return s.seconds[i].at >= v.at })
	if i < len(s.seconds) && s.seconds[i].at == v.at {
		s.seconds[i] = s.seconds[i].merge(v)
	} else {
		s.seconds = append(s.seconds, metricSecond{})
		copy(s.seconds[i+1:], s.seconds[i:])
		s.seconds[i] = v
	}
	drop := sort.Search(len(s.seconds), func(i int) bool { return s.seconds[i].at >= oldest })
	s.seconds = s.seconds[drop:]
}

// merge is both together.
func (a metricSecond) merge(b metricSecond) metricSecond {
	if a.count == 0 {
		return metricSecond{a.at, b.count, b.sum, b.min, b.max}
	}
	return metricSecond{a.at, a.count + b.count, a.sum + b.sum, min(a.min, b.min), max(a.max, b.max)}
}

// stat is one statistic of what was observed; ok is false for one the sandbox does not know.
func (a metricSecond) stat(name string) (v float64, ok bool) {
	switch name {
	case "Sum":
		return a.sum, true
	case "Average":
		return a.sum / a.count, true
	case "Minimum":
		return a.min, true
	case "Maximum":
		return a.max, true
	case "SampleCount":
		return a.count, true
	}
	return 0, false
}

// rollup sums a metric up by period: the periods that begin in [from, to), aligned to the epoch, oldest first.
// from is rounded down to a period. Periods without data are left out. at of each is its beginning.
func (m *metricStore) rollup(id metricID, period int, from, to time.Time) []metricSecond {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.series[id.key()]
	if s == nil {
		return nil
	}
	p := int64(period)
	begin := from.Unix() - from.Unix()%p
	var out []metricSecond
	for _, v := range s.seconds[sort.Search(len(s.seconds), func(i int) bool { return s.seconds[i].at >= begin }):] {
		start := v.at - v.at%p
		if !time.Unix(start, 0).Before(to) {
			break
		}
		if n := len(out); n > 0 && out[n-1].at == start {
			out[n-1] = out[n-1].merge(v)
			continue
		}
		out = append(out, metricSecond{start, v.count, v.sum, v.min, v.max})
	}
	return out
}

// list answers the metrics that ever had data in the retention, by namespace, name and dimensions.
func (m *metricStore) list() []metricSeriesData {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := make([]string, 0, len(m.series))
	for k := range m.series {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out := make([]metricSeriesData, 0, len(keys))
	for _, k := range keys {
		s := m.series[k]
		out = append(out, metricSeriesData{namespace: s.namespace, metric: s.metric, dimensions: s.dimensions})
	}
	return out
}

// in says whether the metric is kept in unit. Asked for another, CloudWatch answers no data; an empty unit asks for
// any, and what services of the account observe here has none.
func (m *metricStore) in(unit string, id metricID) bool {
	kept := m.unit(id)
	return unit == "" || kept == "None" || unit == kept
}

// unit is the unit the metric's first observation came with.
func (m *metricStore) unit(id metricID) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.series[id.key()]; s != nil && s.unit != "" {
		return s.unit
	}
	return "None"
}

func dimensionsByName(dims []metricDimension) []metricDimension {
	out := append([]metricDimension(nil), dims...)
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
