package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxAlarms bounds the account's alarms; AWS allows 5,000 a region.
const maxAlarms = 5000

// metricAlarm is one alarm, its configuration and its state, as DescribeAlarms tells it.
type metricAlarm struct {
	AlarmName, AlarmArn, AlarmDescription            string
	ActionsEnabled                                   *bool
	AlarmActions, OKActions, InsufficientDataActions []string
	Namespace, MetricName, Statistic, Unit           string
	Dimensions                                       []metricDimension
	Period, EvaluationPeriods                        int
	DatapointsToAlarm                                *int
	Threshold                                        *float64
	ComparisonOperator, TreatMissingData             string
	Metrics                                          []metricDataQuery // metric math, in the place of one metric
	AlarmConfigurationUpdatedTimestamp               time.Time
	StateValue, StateReason, StateReasonData         string
	// StateUpdatedTimestamp moves whenever somebody says the state, StateTransitionedTimestamp only when it changes.
	StateUpdatedTimestamp, StateTransitionedTimestamp time.Time

	composite composition // of an alarm of alarms; DescribeAlarms tells those apart
}

// threshold is 0 where there is none: a composite alarm compares nothing.
func (a *metricAlarm) threshold() float64 {
	if a.Threshold == nil {
		return 0
	}
	return *a.Threshold
}

// needed is M of "M of N": N unless said otherwise.
func (a *metricAlarm) needed() int {
	if a.DatapointsToAlarm != nil {
		return *a.DatapointsToAlarm
	}
	return a.EvaluationPeriods
}

type putMetricAlarmInput struct {
	AlarmName, AlarmDescription                      string
	ActionsEnabled                                   *bool
	AlarmActions, OKActions, InsufficientDataActions []string
	Namespace, MetricName, Statistic, Unit           string
	Dimensions                                       []metricDimension
	Period, EvaluationPeriods                        int
	DatapointsToAlarm                                *int
	Threshold                                        *float64
	ComparisonOperator, TreatMissingData             string
	Metrics                                          []metricDataQuery
	Tags                                             []alarmTag
}

// putMetricAlarm makes an alarm, or overwrites the whole configuration of one and leaves its state.
func (c *cloudWatch) putMetricAlarm(_ context.Context, _ caller, in *putMetricAlarmInput) (*cloudWatchEmpty, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.alarms[in.AlarmName]; old != nil && old.composite.rule != "" {
		return nil, validation("a composite alarm has the name %s", in.AlarmName)
	}
	return &cloudWatchEmpty{}, c.keep(in.alarm(), in.Tags)
}

// keep takes an alarm in; the caller holds the lock. One that was there keeps its state.
func (c *cloudWatch) keep(a *metricAlarm, tags []alarmTag) error {
	now, old := c.now(), c.alarms[a.AlarmName]
	if old == nil && len(c.alarms) >= maxAlarms {
		return &apiError{Code: "LimitExceededFault", QueryCode: "LimitExceeded", Message: "The maximum limit of alarms has been exceeded."}
	}
	a.AlarmArn, a.AlarmConfigurationUpdatedTimestamp = c.alarmARN(a.AlarmName), now
	if old == nil {
		a.StateValue, a.StateReason = "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation"
		a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = now, now
		c.retag(a.AlarmArn, tags) // AWS ignores tags here when the alarm exists
		c.configured(now, a, "Create", "created")
	} else {
		a.StateValue, a.StateReason, a.StateReasonData = old.StateValue, old.StateReason, old.StateReasonData
		a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = old.StateUpdatedTimestamp, old.StateTransitionedTimestamp
		c.configured(now, a, "Update", "updated")
	}
	c.alarms[a.AlarmName] = a
	return nil
}

func (in *putMetricAlarmInput) alarm() *metricAlarm {
	enabled := in.ActionsEnabled == nil || *in.ActionsEnabled
	return &metricAlarm{
		AlarmName: in.AlarmName, AlarmDescription: in.AlarmDescription, ActionsEnabled: &enabled,
		AlarmActions: listed(in.AlarmActions), OKActions: listed(in.OKActions), InsufficientDataActions: listed(in.InsufficientDataActions),
		Namespace: in.Namespace, MetricName: in.MetricName, Statistic: in.Statistic, Unit: in.Unit,
		Dimensions: dimensionsByName(in.Dimensions), Period: in.Period, EvaluationPeriods: in.EvaluationPeriods,
		DatapointsToAlarm: in.DatapointsToAlarm, Threshold: in.Threshold,
		ComparisonOperator: in.ComparisonOperator, TreatMissingData: in.TreatMissingData, Metrics: in.Metrics,
	}
}

func (in *putMetricAlarmInput) check() error {
	comparisons := []string{"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"}
	treatments := []string{"", "missing", "ignore", "breaching", "notBreaching"}
	switch {
	case in.AlarmName == "" || len(in.AlarmName) > 255:
		return validation("AlarmName must have between 1 and 255 characters")
	case len(in.Metrics) > 0 && (in.Namespace+in.MetricName+in.Statistic != "" || in.Period != 0 || len(in.Dimensions) > 0):
		return validation("Metrics stands in the place of Namespace, MetricName, Dimensions, Period and Statistic")
	case len(in.Metrics) == 0 && (in.Namespace == "" || in.MetricName == ""):
		return validation("Namespace and MetricName are required, or Metrics")
	case len(in.Metrics) == 0 && in.Period < 1:
		return validation("Period must be at least 1, not %d", in.Period)
	case in.EvaluationPeriods < 1:
		return validation("EvaluationPeriods must be at least 1, not %d", in.EvaluationPeriods)
	case in.Period*in.EvaluationPeriods > 86400 && in.Period < 3600:
		return validation("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)")
	case in.Period*in.EvaluationPeriods > 7*86400:
		return validation("Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800)")
	case in.DatapointsToAlarm != nil && (*in.DatapointsToAlarm < 1 || *in.DatapointsToAlarm > in.EvaluationPeriods):
		return validation("DatapointsToAlarm must be between 1 and EvaluationPeriods, not %d", *in.DatapointsToAlarm)
	case in.Threshold == nil:
		return validation("Threshold is required")
	case !slices.Contains(comparisons, in.ComparisonOperator):
		return validation("ComparisonOperator must be one of %s, not %q", strings.Join(comparisons, ", "), in.ComparisonOperator)
	case !slices.Contains(treatments, in.TreatMissingData):
		return validation("TreatMissingData must be one of breaching, notBreaching, ignore and missing, not %q", in.TreatMissingData)
	}
	if len(in.Metrics) > 0 {
		if err := checkMath(in.Metrics); err != nil {
			return err
		}
	} else if _, ok := (metricSecond{}).stat(in.Statistic); !ok {
		return validation("Statistic must be SampleCount, Average, Sum, Minimum or Maximum, not %q", in.Statistic)
	}
	return checkActions(in.AlarmActions, in.OKActions, in.InsufficientDataActions)
}

// checkMath: an alarm watches one result of its queries.
func checkMath(queries metricQueries) error {
	if err := queries.check(); err != nil {
		return err
	}
	returned := 0
	for _, q := range queries {
		if q.returned() {
			returned++
		}
	}
	if returned != 1 {
		return validation("exactly one query of Metrics returns data (ReturnData), not %d", returned)
	}
	return nil
}

func checkActions(all ...[]string) error {
	for _, actions := range all {
		if len(actions) > 5 {
			return validation("an alarm has at most 5 actions for each state, not %d", len(actions))
		}
		for _, arn := range actions {
			if !strings.HasPrefix(arn, "arn:") {
				return validation("invalid action ARN %q", arn)
			}
		}
	}
	return nil
}

type alarmNamesInput struct{ AlarmNames []string }

// deleteAlarms deletes all of the named alarms, or none when one does not exist.
func (c *cloudWatch) deleteAlarms(_ context.Context, _ caller, in *alarmNamesInput) (*cloudWatchEmpty, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(in.AlarmNames) > 100 {
		return nil, validation("at most 100 alarms can be deleted at once, not %d", len(in.AlarmNames))
	}
	for _, name := range in.AlarmNames {
		if c.alarms[name] == nil {
			return nil, alarmNotFound(name)
		}
	}
	now := c.now()
	for _, name := range in.AlarmNames {
		if a := c.alarms[name]; a != nil {
			c.configured(now, a, "Delete", "deleted")
			delete(c.tags, a.AlarmArn)
			delete(c.alarms, name)
		}
	}
	return &cloudWatchEmpty{}, nil
}

func (c *cloudWatch) enableAlarmActions(_ context.Context, _ caller, in *alarmNamesInput) (*cloudWatchEmpty, error) {
	return c.switchActions(in.AlarmNames, true)
}

func (c *cloudWatch) disableAlarmActions(_ context.Context, _ caller, in *alarmNamesInput) (*cloudWatchEmpty, error) {
	return c.switchActions(in.AlarmNames, false)
}

// switchActions turns actions on or off; like AWS it passes over names that do not exist.
func (c *cloudWatch) switchActions(names []string, on bool) (*cloudWatchEmpty, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for _, name := range names {
		if a := c.alarms[name]; a != nil && *a.ActionsEnabled != on {
			changed := *a
			changed.ActionsEnabled, changed.AlarmConfigurationUpdatedTimestamp = &on, now
			c.alarms[name] = &changed
			c.configured(now, &changed, "Update", "updated")
		}
	}
	return &cloudWatchEmpty{}, nil
}

func alarmNotFound(name string) error {
	return &apiError{Code: "ResourceNotFound", Status: 404, Message: fmt.Sprintf("Alarm %s does not exist", name)}
}

// listed is names, never nil: the API tells empty lists of actions.
func listed(names []string) []string { return append([]string{}, names...) }
