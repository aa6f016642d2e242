package observe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// alarmBatch is the most alarms DescribeAlarms takes or gives at once:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
const alarmBatch = 100

// maxPages bounds every paging of ours: a source that never says "no more" is broken.
const maxPages = 500

// cloudAlarms reads alarms of one account and region.
type cloudAlarms struct{ cw CloudWatchAPI }

// NewAlarms reads CloudWatch alarms, metric and composite ones.
func NewAlarms(cw CloudWatchAPI) Alarms { return &cloudAlarms{cw: cw} }

var _ Alarms = (*cloudAlarms)(nil)

// Describe implements Alarms.
func (c *cloudAlarms) Describe(ctx context.Context, patterns []string) ([]Alarm, error) {
	var names, prefixes []string
	for _, p := range patterns {
		prefix, wild := strings.CutSuffix(p, "*")
		switch {
		case p == "":
			return nil, fmt.Errorf("describe alarms: an empty name")
		case strings.Contains(prefix, "*"):
			return nil, fmt.Errorf("describe alarms %q: * stands only at the end", p)
		case wild:
			prefixes = append(prefixes, prefix)
		default:
			names = append(names, p)
		}
	}
	found := map[string]Alarm{}
	slices.Sort(names)
	for chunk := range slices.Chunk(slices.Compact(names), alarmBatch) {
		if err := c.pages(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: chunk}, found); err != nil {
			return nil, err
		}
	}
	for _, prefix := range prefixes {
		in := &cloudwatch.DescribeAlarmsInput{}
		if prefix != "" {
			in.AlarmNamePrefix = aws.String(prefix)
		}
		if err := c.pages(ctx, in, found); err != nil {
			return nil, err
		}
	}
	return sorted(found), nil
}

// All implements Alarms.
func (c *cloudAlarms) All(ctx context.Context) ([]Alarm, error) {
	return c.Describe(ctx, []string{"*"})
}

// sorted lists alarms by name.
func sorted(found map[string]Alarm) []Alarm {
	list := make([]Alarm, 0, len(found))
	for _, a := range found {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b Alarm) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// pages reads every page of one question. Composite alarms come only when they are asked for.
func (c *cloudAlarms) pages(ctx context.Context, in *cloudwatch.DescribeAlarmsInput, found map[string]Alarm) error {
	in.AlarmTypes = []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}
	in.MaxRecords = aws.Int32(alarmBatch)
	for range maxPages {
		out, err := c.cw.DescribeAlarms(ctx, in)
		if err != nil {
			return fmt.Errorf("describe alarms: %w", err)
		}
		for i := range out.MetricAlarms {
			a := ofMetric(&out.MetricAlarms[i])
			found[a.Name] = a
		}
		for i := range out.CompositeAlarms {
			a := ofComposite(&out.CompositeAlarms[i])
			found[a.Name] = a
		}
		if aws.ToString(out.NextToken) == "" {
			return nil
		}
		in.NextToken = out.NextToken
	}
	return fmt.Errorf("describe alarms: no end after %d pages", maxPages)
}

func ofMetric(m *types.MetricAlarm) Alarm {
	a := Alarm{
		Name:         aws.ToString(m.AlarmName),
		State:        string(m.StateValue),
		Since:        aws.ToTime(m.StateTransitionedTimestamp),
		Namespace:    aws.ToString(m.Namespace),
		Metric:       aws.ToString(m.MetricName),
		Dimensions:   dimensions(m.Dimensions),
		Period:       seconds(m.Period),
		Evaluations:  int(aws.ToInt32(m.EvaluationPeriods)),
		Datapoints:   int(aws.ToInt32(m.DatapointsToAlarm)),
		Threshold:    aws.ToFloat64(m.Threshold),
		Comparison:   string(m.ComparisonOperator),
		Statistic:    cmp.Or(string(m.Statistic), aws.ToString(m.ExtendedStatistic)),
		Missing:      aws.ToString(m.TreatMissingData),
		Enabled:      aws.ToBool(m.ActionsEnabled),
		Actions:      m.AlarmActions,
		OKActions:    m.OKActions,
		Insufficient: m.InsufficientDataActions,
	}
	if a.Datapoints == 0 {
		a.Datapoints = a.Evaluations
	}
	a.fill(m.Metrics)
	return a
}

// fill takes from an alarm's metric queries what stands at the top of a plain alarm: all of it when there is but one
// metric and no mathematics, else the longest period alone.
func (a *Alarm) fill(queries []types.MetricDataQuery) {
	if len(queries) == 1 && queries[0].MetricStat != nil && queries[0].MetricStat.Metric != nil {
		stat := queries[0].MetricStat
		a.Namespace, a.Metric = aws.ToString(stat.Metric.Namespace), aws.ToString(stat.Metric.MetricName)
		a.Dimensions, a.Statistic = dimensions(stat.Metric.Dimensions), aws.ToString(stat.Stat)
	}
	if len(queries) > 1 || len(queries) == 1 && queries[0].Expression != nil {
		a.math(queries)
	}
	for _, q := range queries {
		a.Period = max(a.Period, seconds(q.Period))
		if q.MetricStat != nil {
			a.Period = max(a.Period, seconds(q.MetricStat.Period))
		}
	}
}

// math takes over what an alarm computes, and of what.
func (a *Alarm) math(queries []types.MetricDataQuery) {
	for _, q := range queries {
		if q.MetricStat != nil && q.MetricStat.Metric != nil {
			m := q.MetricStat.Metric
			a.Inputs = append(a.Inputs, Alarm{Name: aws.ToString(q.Id), Namespace: aws.ToString(m.Namespace), Metric: aws.ToString(m.MetricName),
				Dimensions: dimensions(m.Dimensions), Statistic: aws.ToString(q.MetricStat.Stat), Period: seconds(q.MetricStat.Period)})
		}
		if text := aws.ToString(q.Expression); text != "" && (q.ReturnData == nil || *q.ReturnData) {
			a.Expression = text
		}
	}
}

func ofComposite(c *types.CompositeAlarm) Alarm {
	return Alarm{
		Name:         aws.ToString(c.AlarmName),
		State:        string(c.StateValue),
		Since:        aws.ToTime(c.StateTransitionedTimestamp),
		Enabled:      aws.ToBool(c.ActionsEnabled),
		Actions:      c.AlarmActions,
		OKActions:    c.OKActions,
		Insufficient: c.InsufficientDataActions,
		Composite:    true,
		Rule:         aws.ToString(c.AlarmRule),
		Suppressor:   nameOfAlarm(aws.ToString(c.ActionsSuppressor)),
		Suppressed:   cmp.Or(aws.ToString(c.ActionsSuppressedReason), string(c.ActionsSuppressedBy)),
	}
}

// nameOfAlarm takes a name or an ARN.
func nameOfAlarm(s string) string {
	if _, tail, ok := strings.Cut(s, ":alarm:"); ok {
		return tail
	}
	return s
}

func dimensions(list []types.Dimension) map[string]string {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string]string, len(list))
	for _, d := range list {
		m[aws.ToString(d.Name)] = aws.ToString(d.Value)
	}
	return m
}

func seconds(n *int32) time.Duration { return time.Duration(aws.ToInt32(n)) * time.Second }
