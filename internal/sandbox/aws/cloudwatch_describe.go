package aws

import (
	"context"
	"slices"
	"strings"
)

type describeAlarmsInput struct {
	AlarmNames          []string
	AlarmNamePrefix     string
	AlarmTypes          []string
	StateValue          string
	ActionPrefix        string
	ChildrenOfAlarmName string
	ParentsOfAlarmName  string
	MaxRecords          int
	NextToken           string
}

type describeAlarmsOutput struct {
	MetricAlarms    []metricAlarm
	CompositeAlarms []compositeAlarm
	NextToken       string
}

// describeAlarms lists alarms by name, 50 a page unless MaxRecords says otherwise.
func (c *cloudWatch) describeAlarms(_ context.Context, _ caller, in *describeAlarmsInput) (*describeAlarmsOutput, error) {
	switch {
	case len(in.AlarmNames) > 100:
		return nil, validation("at most 100 AlarmNames can be asked for, not %d", len(in.AlarmNames))
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != "":
		return nil, &apiError{Code: "InvalidParameterCombinationException", QueryCode: "InvalidParameterCombination", Message: "AlarmNames and AlarmNamePrefix cannot be used together."}
	case in.ChildrenOfAlarmName != "" || in.ParentsOfAlarmName != "":
		return nil, validation("the sandbox does not list children and parents")
	case in.MaxRecords < 0 || in.MaxRecords > 100:
		return nil, validation("MaxRecords must be between 1 and 100, not %d", in.MaxRecords)
	}
	if in.MaxRecords == 0 {
		in.MaxRecords = 50
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found := []metricAlarm{}
	for _, a := range c.sorted() {
		if in.matches(a) {
			found = append(found, *a)
		}
	}
	page, next, err := cloudWatchPage(found, in.NextToken, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	out := &describeAlarmsOutput{MetricAlarms: []metricAlarm{}, CompositeAlarms: []compositeAlarm{}, NextToken: next}
	for i := range page {
		if a := &page[i]; a.composite.rule != "" {
			out.CompositeAlarms = append(out.CompositeAlarms, c.compositeView(a))
		} else {
			out.MetricAlarms = append(out.MetricAlarms, *a)
		}
	}
	return out, nil
}

func (in *describeAlarmsInput) matches(a *metricAlarm) bool {
	switch {
	case len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, a.AlarmName),
		!strings.HasPrefix(a.AlarmName, in.AlarmNamePrefix),
		len(in.AlarmTypes) == 0 && a.kind() != "MetricAlarm", // composite ones come when they are asked for
		len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, a.kind()),
		in.StateValue != "" && in.StateValue != a.StateValue:
		return false
	}
	if in.ActionPrefix == "" {
		return true
	}
	for _, actions := range [][]string{a.AlarmActions, a.OKActions, a.InsufficientDataActions} {
		for _, arn := range actions {
			if strings.HasPrefix(arn, in.ActionPrefix) {
				return true
			}
		}
	}
	return false
}

type describeAlarmsForMetricInput struct {
	Namespace, MetricName, Statistic, Unit string
	Dimensions                             []metricDimension
	Period                                 int
}

type describeAlarmsForMetricOutput struct{ MetricAlarms []metricAlarm }

// describeAlarmsForMetric lists the alarms of one metric; the dimensions must be exactly the alarm's own.
func (c *cloudWatch) describeAlarmsForMetric(_ context.Context, _ caller, in *describeAlarmsForMetricInput) (*describeAlarmsForMetricOutput, error) {
	if in.Namespace == "" || in.MetricName == "" {
		return nil, validation("Namespace and MetricName are required")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	want := metricID{in.Namespace, in.MetricName, in.Dimensions}.key()
	out := &describeAlarmsForMetricOutput{MetricAlarms: []metricAlarm{}}
	for _, a := range c.sorted() {
		if (metricID{a.Namespace, a.MetricName, a.Dimensions}).key() == want &&
			(in.Statistic == "" || in.Statistic == a.Statistic) &&
			(in.Period == 0 || in.Period == a.Period) && (in.Unit == "" || in.Unit == a.Unit) {
			out.MetricAlarms = append(out.MetricAlarms, *a)
		}
	}
	return out, nil
}
