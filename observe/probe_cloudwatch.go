package observe

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// probePeriods is how many closed periods back a cloudwatch probe looks for the newest datapoint: metrics of AWS
// services come a minute or two late.
const probePeriods = 3

// CloudWatchProbe compares the newest datapoint of a metric among the last three closed periods. The open period is
// left out: its sum is still growing.
type CloudWatchProbe struct {
	Namespace  string            `json:"namespace" yaml:"namespace"`
	Metric     string            `json:"metric" yaml:"metric"`
	Dimensions map[string]string `json:"dimensions,omitempty" yaml:"dimensions,omitempty"`
	Statistic  string            `json:"statistic" yaml:"statistic"`                 // Sum, Average, Maximum, Minimum, SampleCount, p99 …
	Period     Span              `json:"period,omitempty" yaml:"period,omitempty"`   // 1m when left out
	Is         string            `json:"is" yaml:"is"`                               // "< 5"
	Missing    string            `json:"missing,omitempty" yaml:"missing,omitempty"` // ok, bad or unknown (when left out): what no datapoint means
	Timeout    Span              `json:"timeout,omitempty" yaml:"timeout,omitempty"` // 3s when left out
}

func (p *CloudWatchProbe) label() string {
	pairs := make([]string, 0, len(p.Dimensions))
	for name, value := range p.Dimensions {
		pairs = append(pairs, name+"="+value)
	}
	sort.Strings(pairs)
	of := ""
	if len(pairs) > 0 {
		of = "{" + strings.Join(pairs, ",") + "}"
	}
	return fmt.Sprintf("cloudwatch %s %s%s %s %s", p.Namespace, p.Metric, of, p.Statistic, p.Is)
}

func (p *CloudWatchProbe) problems() []string {
	var found []string
	for _, field := range [][2]string{{"namespace", p.Namespace}, {"metric", p.Metric}, {"statistic", p.Statistic}} {
		if field[1] == "" {
			found = append(found, "cloudwatch has no "+field[0])
		}
	}
	if p.Statistic != "" && !open(p.Statistic) && !knownStatistic(p.Statistic) {
		found = append(found, fmt.Sprintf("statistic %q is unknown. Try: Sum, Average, Maximum, Minimum, SampleCount or p99", p.Statistic))
	}
	if every := p.period(); every < time.Second || every%time.Second != 0 || every > 24*time.Hour {
		found = append(found, fmt.Sprintf("period %s is not in whole seconds up to a day. Try: period: 60s", every))
	}
	if !slices.Contains([]string{"", "ok", "bad", "unknown"}, p.Missing) {
		found = append(found, fmt.Sprintf("missing %q is not ok, bad or unknown", p.Missing))
	}
	return append(append(found, unreadable("is", p.Is)...), tooShort(p.Timeout)...)
}

func (p *CloudWatchProbe) period() time.Duration { return p.Period.or(time.Minute) }

// knownStatistic accepts the five plain statistics and the extended ones by their first letters.
func knownStatistic(s string) bool {
	if slices.Contains([]string{"Sum", "Average", "Maximum", "Minimum", "SampleCount", "IQM"}, s) {
		return true
	}
	for _, family := range []string{"tm", "wm", "tc", "ts", "p", "TM", "WM", "TC", "TS", "PR"} {
		if rest, ok := strings.CutPrefix(s, family); ok && strings.IndexAny(rest, "0123456789(") == 0 {
			return true
		}
	}
	return false
}

func (p *CloudWatchProbe) probe(c Clients) (Probe, error) {
	if c.CloudWatch == nil {
		return nil, fmt.Errorf("probe %s: no CloudWatch client", p.label())
	}
	want, err := parseComparison(p.Is)
	if err != nil {
		return nil, fmt.Errorf("probe %s: %w", p.label(), err)
	}
	spec := *p
	ask := func(ctx context.Context) (Value, string) {
		v, found, err := spec.newest(ctx, c.CloudWatch, c.Now())
		switch {
		case err != nil:
			return Unknown, err.Error()
		case found:
			return judge(spec.Statistic, v, want)
		case spec.Missing == "":
			return Unknown, "no datapoint"
		default:
			return Value(spec.Missing), "no datapoint"
		}
	}
	return &look{name: p.label(), timeout: p.Timeout.or(ProbeTimeout), now: c.Now, ask: ask}, nil
}

// newest reads the newest datapoint of the last closed periods.
func (p *CloudWatchProbe) newest(ctx context.Context, api CloudWatchAPI, now time.Time) (float64, bool, error) {
	every := p.period()
	end := now.UTC().Truncate(every)
	start := end.Add(-probePeriods * every)
	metric := &types.Metric{Namespace: &p.Namespace, MetricName: &p.Metric}
	for name, value := range p.Dimensions {
		metric.Dimensions = append(metric.Dimensions, types.Dimension{Name: aws.String(name), Value: aws.String(value)})
	}
	out, err := api.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
		StartTime: &start, EndTime: &end, ScanBy: types.ScanByTimestampDescending,
		MetricDataQueries: []types.MetricDataQuery{{
			Id:         aws.String("probe"),
			MetricStat: &types.MetricStat{Metric: metric, Period: aws.Int32(int32(every / time.Second)), Stat: &p.Statistic},
		}},
	})
	if err != nil {
		return 0, false, fmt.Errorf("get metric %s %s: %w", p.Namespace, p.Metric, err)
	}
	var at time.Time
	var newest float64
	for _, result := range out.MetricDataResults {
		if s := result.StatusCode; s == types.StatusCodeInternalError || s == types.StatusCodeForbidden {
			return 0, false, fmt.Errorf("get metric %s %s: %s", p.Namespace, p.Metric, s)
		}
		for i := range min(len(result.Values), len(result.Timestamps)) {
			if result.Timestamps[i].After(at) {
				at, newest = result.Timestamps[i], result.Values[i]
			}
		}
	}
	return newest, !at.IsZero(), nil
}
