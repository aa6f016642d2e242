package aws

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

type putMetricDataInput struct {
	Namespace  string
	MetricData []metricDatum
}

type metricDatum struct {
	MetricName        string
	Dimensions        []metricDimension
	Timestamp         *time.Time
	Value             *float64
	Values            []float64
	Counts            []float64
	StatisticValues   *metricStatisticSet
	Unit              string
	StorageResolution int
}

type metricStatisticSet struct{ SampleCount, Sum, Minimum, Maximum float64 }

// cloudWatchEmpty is the answer of operations that answer nothing.
type cloudWatchEmpty struct{}

func (c *cloudWatch) putMetricData(_ context.Context, _ caller, in *putMetricDataInput) (*cloudWatchEmpty, error) {
	if in.Namespace == "" {
		return nil, &apiError{Code: "MissingRequiredParameterException", QueryCode: "MissingParameter", Message: "The parameter Namespace is required."}
	}
	if strings.HasPrefix(in.Namespace, "AWS/") {
		return nil, invalidValue("The value AWS/ for parameter Namespace is invalid: names that begin with AWS/ are reserved.")
	}
	now := c.now()
	for i, d := range in.MetricData {
		if err := d.check(i, now); err != nil {
			return nil, err
		}
	}
	for _, d := range in.MetricData {
		at := now
		if d.Timestamp != nil {
			at = *d.Timestamp
		}
		id := metricID{in.Namespace, d.MetricName, d.Dimensions}
		for _, v := range d.observations() {
			v.at = at.Unix()
			c.metrics.add(id, d.Unit, v)
		}
	}
	return &cloudWatchEmpty{}, nil
}

// check refuses what CloudWatch refuses, before anything is taken.
func (d metricDatum) check(i int, now time.Time) error {
	name := fmt.Sprintf("MetricData.member.%d", i+1)
	switch {
	case d.MetricName == "":
		return &apiError{Code: "MissingRequiredParameterException", QueryCode: "MissingParameter", Message: "The parameter " + name + ".MetricName is required."}
	case len(d.Dimensions) > 30:
		return invalidValue("The collection " + name + ".Dimensions must not have a size greater than 30.")
	case len(d.Values) > 150:
		return invalidValue("The collection " + name + ".Values must not have a size greater than 150.")
	case len(d.Counts) > 0 && len(d.Counts) != len(d.Values):
		return invalidValue("The parameters " + name + ".Values and " + name + ".Counts must have the same size.")
	case d.Value == nil && len(d.Values) == 0 && d.StatisticValues == nil:
		return invalidValue("The parameter " + name + " must have Value, Values or StatisticValues.")
	}
	for _, v := range d.observations() {
		if math.IsNaN(v.sum) || math.IsInf(v.sum, 0) {
			return invalidValue("The value of " + name + " must be a number.")
		}
	}
	if t := d.Timestamp; t != nil && (t.Before(now.AddDate(0, 0, -14)) || t.After(now.Add(2*time.Hour))) {
		return invalidValue("The parameter " + name + ".Timestamp must be within two weeks before and two hours after now.")
	}
	return nil
}

// observations are what the datum says, in whichever of the three ways it says it.
func (d metricDatum) observations() []metricSecond {
	var out []metricSecond
	if d.Value != nil {
		out = append(out, metricSecond{count: 1, sum: *d.Value, min: *d.Value, max: *d.Value})
	}
	for i, v := range d.Values {
		n := 1.0
		if len(d.Counts) > 0 {
			n = d.Counts[i]
		}
		out = append(out, metricSecond{count: n, sum: v * n, min: v, max: v})
	}
	if s := d.StatisticValues; s != nil && s.SampleCount > 0 {
		out = append(out, metricSecond{count: s.SampleCount, sum: s.Sum, min: s.Minimum, max: s.Maximum})
	}
	return out
}

type getMetricDataInput struct {
	MetricDataQueries  []metricDataQuery
	StartTime, EndTime *time.Time
	ScanBy             string
}

type metricDataQuery struct {
	Id         string
	Label      string
	Expression string
	MetricStat *metricStat
	Period     int
	ReturnData *bool
}

type metricStat struct {
	Metric metricName
	Period int
	Stat   string
	Unit   string
}

type metricName struct {
	Namespace, MetricName string
	Dimensions            []metricDimension
}

type getMetricDataOutput struct{ MetricDataResults []metricDataResult }

type metricDataResult struct {
	Id, Label, StatusCode string
	Timestamps            []time.Time
	Values                []float64
}

func (c *cloudWatch) getMetricData(_ context.Context, _ caller, in *getMetricDataInput) (*getMetricDataOutput, error) {
	if err := checkRange(in.StartTime, in.EndTime); err != nil {
		return nil, err
	}
	if n := len(in.MetricDataQueries); n == 0 || n > 500 {
		return nil, validation("MetricDataQueries must have between 1 and 500 queries, not %d", n)
	}
	queries := metricQueries(in.MetricDataQueries)
	if err := queries.check(); err != nil {
		return nil, err
	}
	series, err := queries.answers(func(m *metricStat) []metricSecond { return c.read(m, *in.StartTime, *in.EndTime) }, *in.StartTime, *in.EndTime)
	if err != nil {
		return nil, err
	}
	out := &getMetricDataOutput{MetricDataResults: []metricDataResult{}}
	for i, q := range queries {
		if q.returned() {
			out.MetricDataResults = append(out.MetricDataResults, q.result(series[i], in.ScanBy))
		}
	}
	return out, nil
}

// read is one metric by period, oldest first.
func (c *cloudWatch) read(m *metricStat, from, to time.Time) []metricSecond {
	id := metricID{m.Metric.Namespace, m.Metric.MetricName, m.Metric.Dimensions}
	if !c.metrics.in(m.Unit, id) {
		return nil
	}
	return c.metrics.rollup(id, m.Period, from, to)
}

func (q metricDataQuery) result(series []metricSecond, scan string) metricDataResult {
	stat := "Sum"
	r := metricDataResult{Id: q.Id, Label: q.Label, StatusCode: "Complete", Timestamps: []time.Time{}, Values: []float64{}}
	if q.MetricStat != nil {
		stat = q.MetricStat.Stat
	}
	switch {
	case r.Label != "":
	case q.MetricStat != nil:
		r.Label = q.MetricStat.Metric.MetricName
	default:
		r.Label = q.Id
	}
	for _, v := range series {
		value, _ := v.stat(stat)
		r.Timestamps = append(r.Timestamps, time.Unix(v.at, 0).UTC())
		r.Values = append(r.Values, value)
	}
	if scan != "TimestampAscending" {
		slices.Reverse(r.Timestamps)
		slices.Reverse(r.Values)
	}
	return r
}

func (q metricDataQuery) check() error {
	switch {
	case !queryID.MatchString(q.Id):
		return validation("the Id %q of a query does not begin with a lower-case letter, or holds more than letters, digits and _", q.Id)
	case q.Expression != "" && q.MetricStat != nil:
		return validation("query %s has both an Expression and a MetricStat", q.Id)
	case q.Expression != "":
		return nil
	case q.MetricStat == nil:
		return validation("query %s has neither Expression nor MetricStat", q.Id)
	case q.MetricStat.Metric.Namespace == "" || q.MetricStat.Metric.MetricName == "":
		return validation("query %s needs a metric's Namespace and MetricName", q.Id)
	case q.MetricStat.Period < 1:
		return validation("query %s: Period must be at least 1, not %d", q.Id, q.MetricStat.Period)
	}
	if _, ok := (metricSecond{}).stat(q.MetricStat.Stat); !ok {
		return validation("query %s: the sandbox does not know the statistic %q", q.Id, q.MetricStat.Stat)
	}
	return nil
}

func checkRange(start, end *time.Time) error {
	if start == nil || end == nil {
		return validation("StartTime and EndTime are required")
	}
	if !start.Before(*end) {
		return validation("StartTime must be before EndTime")
	}
	return nil
}

// validation is the refusal of a request that is not well formed.
func validation(format string, args ...any) error {
	return &apiError{Code: "ValidationError", Message: fmt.Sprintf(format, args...)}
}

// invalidValue is the refusal of one parameter's value.
func invalidValue(message string) error {
	return &apiError{Code: "InvalidParameterValueException", QueryCode: "InvalidParameterValue", Message: message}
}
