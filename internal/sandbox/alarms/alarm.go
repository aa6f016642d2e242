package alarms

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// alarm is what evaluating needs to know of one.
type alarm struct {
	name       string
	state      types.StateValue
	metric     *types.Metric
	queries    []types.MetricDataQuery // of metric math, in the metric's place
	statistic  string
	unit       types.StandardUnit // empty for any
	period     time.Duration
	periods    int // N of "M of N"
	needed     int // M
	comparison types.ComparisonOperator
	threshold  float64
	missing    string // missing, ignore, breaching or notBreaching
}

// point is one period of an alarm's metric.
type point struct {
	start  time.Time
	value  float64
	exists bool // without it the datapoint is missing
}

// read takes an alarm from the API; ok is false for one that watches neither a metric nor what is computed of some.
func read(m types.MetricAlarm) (a alarm, ok bool) {
	single := aws.ToString(m.MetricName) != "" && aws.ToString(m.Namespace) != "" && m.Period != nil
	if !single && len(m.Metrics) == 0 || m.EvaluationPeriods == nil || m.Threshold == nil {
		return alarm{}, false
	}
	a = alarm{
		name: aws.ToString(m.AlarmName), state: m.StateValue, statistic: string(m.Statistic), unit: m.Unit,
		metric:  &types.Metric{Namespace: m.Namespace, MetricName: m.MetricName, Dimensions: m.Dimensions},
		queries: m.Metrics, period: time.Duration(aws.ToInt32(m.Period)) * time.Second, periods: int(*m.EvaluationPeriods), needed: int(*m.EvaluationPeriods),
		comparison: m.ComparisonOperator, threshold: *m.Threshold, missing: aws.ToString(m.TreatMissingData),
	}
	if m.DatapointsToAlarm != nil {
		a.needed = int(*m.DatapointsToAlarm)
	}
	for _, q := range m.Metrics {
		a.period = max(a.period, time.Duration(aws.ToInt32(q.Period))*time.Second)
		if q.MetricStat != nil {
			a.period = max(a.period, time.Duration(aws.ToInt32(q.MetricStat.Period))*time.Second)
		}
	}
	if a.missing == "" {
		a.missing = "missing"
		// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
		if single && *m.Namespace == "AWS/DynamoDB" {
			a.missing = "ignore"
		}
	}
	return a, a.period > 0 && a.periods > 0
}

// look is how many periods the evaluation range has. CloudWatch looks back further than N, by how much it does not
// say; its own examples have two more. Short periods look at N only, so that a drill need not wait for old data to
// leave the range.
func (a alarm) look() int {
	if a.period < shortPeriod {
		return a.periods
	}
	return a.periods + 2
}

// reach is how many periods of data it takes to find an evaluation range: one may be open and one not settled.
func (a alarm) reach() int { return a.look() + 2 }

// grace is how long after its end a period may still get data that was on its way.
func (a alarm) grace() time.Duration { return min(a.period/4, time.Second) }

// evaluationRange picks the periods to judge, oldest first. It ends with the newest period that is settled: over for
// long enough that its data is there. A newer one, open or just over, counts as soon as it breaches so that no later
// observation can take it back.
func (a alarm) evaluationRange(values map[int64]float64, now time.Time) []point {
	p := int64(a.period / time.Second)
	end := now.Unix() - now.Unix()%p
	for {
		if value, exists := values[end]; exists && a.breaches(value) && a.final() {
			break
		}
		if over := time.Unix(end+p, 0); !now.Before(over.Add(a.grace())) {
			break
		}
		end -= p
	}
	out := make([]point, a.look())
	for i := range out {
		start := end - int64(len(out)-1-i)*p
		value, exists := values[start]
		out[i] = point{time.Unix(start, 0).UTC(), value, exists}
	}
	return out
}

// breaches says whether value is beyond the threshold.
func (a alarm) breaches(value float64) bool {
	switch a.comparison {
	case types.ComparisonOperatorGreaterThanThreshold:
		return value > a.threshold
	case types.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return value >= a.threshold
	case types.ComparisonOperatorLessThanThreshold:
		return value < a.threshold
	case types.ComparisonOperatorLessThanOrEqualToThreshold:
		return value <= a.threshold
	}
	return false
}

// final says whether a breach in a period stays one whatever comes: the statistic moves only further beyond. A sum
// does as long as nobody publishes negative values.
func (a alarm) final() bool {
	if strings.HasPrefix(string(a.comparison), "Greater") {
		return a.statistic == "Sum" || a.statistic == "SampleCount" || a.statistic == "Maximum"
	}
	return a.statistic == "Minimum"
}
