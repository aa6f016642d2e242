package aws

import (
	"regexp"
	"slices"
	"time"
)

// queryID is how the id of a query is spelled.
var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// metricQueries are the queries of one request or of one alarm.
type metricQueries []metricDataQuery

func (qs metricQueries) check() error {
	seen := map[string]bool{}
	for _, q := range qs {
		if err := q.check(); err != nil {
			return err
		}
		if seen[q.Id] {
			return validation("the id %s stands twice", q.Id)
		}
		seen[q.Id] = true
	}
	period := qs.period()
	for _, q := range qs {
		if q.MetricStat != nil && q.MetricStat.Period != period && slices.ContainsFunc(qs, func(q metricDataQuery) bool { return q.Expression != "" }) {
			return validation("query %s: the sandbox computes with metrics of one period", q.Id)
		}
	}
	for _, q := range qs {
		if q.Expression != "" {
			// Computed once over nothing, a wrong expression shows.
			if _, err := (metricMath{known: qs.blanks(), period: max(period, 1), from: time.Unix(0, 0), to: time.Unix(1, 0)}).compute(q.Expression); err != nil {
				return err
			}
		}
	}
	return nil
}

// blanks are all ids, with nothing in them.
func (qs metricQueries) blanks() map[string]mathValue {
	out := map[string]mathValue{}
	for _, q := range qs {
		out[q.Id] = mathValue{points: map[int64]float64{}}
	}
	return out
}

// period is the one of the metrics, in seconds.
func (qs metricQueries) period() int {
	for _, q := range qs {
		if q.MetricStat != nil {
			return q.MetricStat.Period
		}
		if q.Period > 0 {
			return q.Period
		}
	}
	return 0
}

// returned says that a query's result is told.
func (q metricDataQuery) returned() bool { return q.ReturnData == nil || *q.ReturnData }

// answers are the series of every query, in their order. Expressions are computed once what they name is known: each
// may name metrics, and expressions that stand before it.
func (qs metricQueries) answers(read func(*metricStat) []metricSecond, from, to time.Time) ([][]metricSecond, error) {
	m := metricMath{known: map[string]mathValue{}, period: max(qs.period(), 1), from: from, to: to}
	out := make([][]metricSecond, len(qs))
	for i, q := range qs {
		if q.MetricStat == nil {
			continue
		}
		out[i] = read(q.MetricStat)
		points := map[int64]float64{}
		for _, v := range out[i] {
			points[v.at], _ = v.stat(q.MetricStat.Stat)
		}
		m.known[q.Id] = mathValue{points: points}
	}
	for i, q := range qs {
		if q.Expression == "" {
			continue
		}
		v, err := m.compute(q.Expression)
		if err != nil {
			return nil, err
		}
		m.known[q.Id] = v
		out[i] = m.series(v)
	}
	return out, nil
}
