package aws

import (
	"context"
	"strconv"
	"time"
)

type getMetricStatisticsInput struct {
	Namespace, MetricName string
	Dimensions            []metricDimension
	StartTime, EndTime    *time.Time
	Period                int
	Statistics            []string
	Unit                  string
}

type getMetricStatisticsOutput struct {
	Label      string
	Datapoints []metricDatapoint
}

type metricDatapoint struct {
	Timestamp                                   time.Time
	SampleCount, Average, Sum, Minimum, Maximum *float64
	Unit                                        string
}

func (c *cloudWatch) getMetricStatistics(_ context.Context, _ caller, in *getMetricStatisticsInput) (*getMetricStatisticsOutput, error) {
	if err := checkRange(in.StartTime, in.EndTime); err != nil {
		return nil, err
	}
	switch {
	case in.Namespace == "" || in.MetricName == "":
		return nil, validation("Namespace and MetricName are required")
	case in.Period < 1:
		return nil, validation("Period must be at least 1, not %d", in.Period)
	case len(in.Statistics) == 0:
		return nil, validation("at least one of Statistics is required; the sandbox has no extended statistics")
	case in.EndTime.Sub(*in.StartTime) > 1440*time.Duration(in.Period)*time.Second:
		return nil, &apiError{Code: "InvalidParameterCombinationException", QueryCode: "InvalidParameterCombination", Message: "You have requested more than 1,440 datapoints. Shorten the time or lengthen the period."}
	}
	for _, s := range in.Statistics {
		if _, ok := (metricSecond{}).stat(s); !ok {
			return nil, invalidValue("The value " + s + " for parameter Statistics is not a statistic.")
		}
	}
	id := metricID{in.Namespace, in.MetricName, in.Dimensions}
	out := &getMetricStatisticsOutput{Label: in.MetricName, Datapoints: []metricDatapoint{}}
	if !c.metrics.in(in.Unit, id) {
		return out, nil
	}
	unit := c.metrics.unit(id)
	for _, v := range c.metrics.rollup(id, in.Period, *in.StartTime, *in.EndTime) {
		d := metricDatapoint{Timestamp: time.Unix(v.at, 0).UTC(), Unit: unit}
		for _, s := range in.Statistics {
			value, _ := v.stat(s)
			switch s {
			case "SampleCount":
				d.SampleCount = &value
			case "Average":
				d.Average = &value
			case "Sum":
				d.Sum = &value
			case "Minimum":
				d.Minimum = &value
			case "Maximum":
				d.Maximum = &value
			}
		}
		out.Datapoints = append(out.Datapoints, d)
	}
	return out, nil
}

type listMetricsInput struct {
	Namespace, MetricName string
	Dimensions            []metricDimension
	NextToken             string
}

type listMetricsOutput struct {
	Metrics   []metricName
	NextToken string
}

func (c *cloudWatch) listMetrics(_ context.Context, _ caller, in *listMetricsInput) (*listMetricsOutput, error) {
	found := []metricName{}
	for _, s := range c.metrics.list() {
		if (in.Namespace == "" || in.Namespace == s.namespace) && (in.MetricName == "" || in.MetricName == s.metric) && hasDimensions(s.dimensions, in.Dimensions) {
			found = append(found, metricName{s.namespace, s.metric, s.dimensions})
		}
	}
	page, next, err := cloudWatchPage(found, in.NextToken, 500)
	if err != nil {
		return nil, err
	}
	return &listMetricsOutput{Metrics: page, NextToken: next}, nil
}

// hasDimensions says whether dims has each of want; one without a value matches any value.
func hasDimensions(dims, want []metricDimension) bool {
	for _, w := range want {
		ok := false
		for _, d := range dims {
			ok = ok || d.Name == w.Name && (w.Value == "" || d.Value == w.Value)
		}
		if !ok {
			return false
		}
	}
	return true
}

// cloudWatchPage cuts the page at token out of items; next is the token of the one after it, or empty.
func cloudWatchPage[T any](items []T, token string, size int) (page []T, next string, err error) {
	from := 0
	if token != "" {
		if from, err = strconv.Atoi(token); err != nil || from < 0 {
			return nil, "", &apiError{Code: "InvalidNextToken", Message: "The next token specified is invalid."}
		}
	}
	from = min(from, len(items))
	to := min(from+size, len(items))
	if to < len(items) {
		next = strconv.Itoa(to)
	}
	return items[from:to], next, nil
}
