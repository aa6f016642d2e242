// Package alarms decides the states of a sandbox's CloudWatch alarms. It is a client like any other: it reads alarms
// and data through the CloudWatch API and says states through it, and knows nothing of faults.
package alarms

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// How often alarms are evaluated: those with short periods (below ten seconds) more often. AWS takes a minute, or
// ten seconds at best. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
const (
	often       = 250 * time.Millisecond
	seldom      = time.Second
	shortPeriod = 10 * time.Second
)

// queriesAtOnce is how many metrics one GetMetricData takes.
const queriesAtOnce = 500

// api is what the evaluator calls of CloudWatch.
type api interface {
	cloudwatch.DescribeAlarmsAPIClient
	GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
	SetAlarmState(context.Context, *cloudwatch.SetAlarmStateInput, ...func(*cloudwatch.Options)) (*cloudwatch.SetAlarmStateOutput, error)
}

// calls are those of api, one by one: a client that stands behind an interface would carry all that it can do into the
// program.
type calls struct {
	alarms func(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
	data   func(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
	set    func(context.Context, *cloudwatch.SetAlarmStateInput, ...func(*cloudwatch.Options)) (*cloudwatch.SetAlarmStateOutput, error)
}

func (c calls) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput, o ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	return c.alarms(ctx, in, o...)
}

func (c calls) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, o ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	return c.data(ctx, in, o...)
}

func (c calls) SetAlarmState(ctx context.Context, in *cloudwatch.SetAlarmStateInput, o ...func(*cloudwatch.Options)) (*cloudwatch.SetAlarmStateOutput, error) {
	return c.set(ctx, in, o...)
}

// Evaluator evaluates every alarm of an account. Make it with New.
type Evaluator struct {
	api api
	now func() time.Time
}

// New makes an evaluator of the account behind endpoint, an AWS endpoint such as http://127.0.0.1:4000/aws. It signs
// with keyID and secret for region; now is the account's clock.
func New(endpoint, keyID, secret, region string, now func() time.Time) *Evaluator {
	c := cloudwatch.New(cloudwatch.Options{
		BaseEndpoint: aws.String(endpoint),
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider(keyID, secret, ""),
		Retryer:      aws.NopRetryer{}, // the next evaluation is the retry
	})
	return &Evaluator{now: now, api: calls{alarms: c.DescribeAlarms, data: c.GetMetricData, set: c.SetAlarmState}}
}

// Run evaluates all alarms each second, those with periods below ten seconds each quarter of one, until ctx ends. A
// failed evaluation is tried again at the next. The error is the last evaluation's, unless it failed because ctx ended.
func (e *Evaluator) Run(ctx context.Context) error {
	t := time.NewTicker(often)
	defer t.Stop()
	var err error
	for n := 0; ; n++ {
		longest := shortPeriod
		if n%int(seldom/often) == 0 {
			longest = 0
		}
		if failed := e.evaluate(ctx, longest); ctx.Err() == nil {
			err = failed
		}
		select {
		case <-ctx.Done():
			return err
		case <-t.C:
		}
	}
}

// EvaluateOnce evaluates every alarm now. One that cannot be evaluated keeps its state and does not stop the
// others; the error names it.
func (e *Evaluator) EvaluateOnce(ctx context.Context) error { return e.evaluate(ctx, 0) }

// evaluate looks at the alarms with periods below longest; 0 means all.
func (e *Evaluator) evaluate(ctx context.Context, longest time.Duration) error {
	l, err := e.list(ctx, longest)
	if err != nil {
		return err
	}
	now := e.now()
	var errs []error
	for _, alarms := range l.byPeriod {
		for len(alarms) > 0 {
			n := min(len(alarms), queriesAtOnce)
			errs = append(errs, e.evaluateSome(ctx, alarms[:n], l.states, now))
			alarms = alarms[n:]
		}
	}
	for _, a := range l.computed {
		errs = append(errs, e.evaluateMath(ctx, a, l.states, now))
	}
	return errors.Join(append(errs, e.compose(ctx, l.composite, l.states))...)
}

// listed are the alarms of an account.
type listed struct {
	byPeriod  map[time.Duration][]alarm // of one metric each
	computed  []alarm                   // of metric math
	composite []types.CompositeAlarm
	states    map[string]types.StateValue // of all of them, kept up to date
}

// list lists all alarms; those to evaluate have periods below longest, or any where it is 0.
func (e *Evaluator) list(ctx context.Context, longest time.Duration) (listed, error) {
	out := listed{byPeriod: map[time.Duration][]alarm{}, states: map[string]types.StateValue{}}
	pages := cloudwatch.NewDescribeAlarmsPaginator(e.api, &cloudwatch.DescribeAlarmsInput{
		AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}, MaxRecords: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return out, fmt.Errorf("evaluate alarms: list them: %w", err)
		}
		for _, m := range page.MetricAlarms {
			out.states[aws.ToString(m.AlarmName)] = m.StateValue
			a, ok := read(m)
			switch {
			case !ok || longest != 0 && a.period >= longest:
			case len(a.queries) > 0:
				out.computed = append(out.computed, a)
			default:
				out.byPeriod[a.period] = append(out.byPeriod[a.period], a)
			}
		}
		for _, c := range page.CompositeAlarms {
			out.states[aws.ToString(c.AlarmName)] = c.StateValue
			out.composite = append(out.composite, c)
		}
	}
	return out, nil
}

// evaluateMath evaluates one alarm on what its queries compute.
func (e *Evaluator) evaluateMath(ctx context.Context, a alarm, states map[string]types.StateValue, now time.Time) error {
	out, err := e.api.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{MetricDataQueries: a.queries, ScanBy: types.ScanByTimestampAscending,
		StartTime: aws.Time(now.Add(-time.Duration(a.reach()) * a.period)), EndTime: aws.Time(now.Add(time.Second))})
	if err != nil {
		return fmt.Errorf("evaluate alarm %s: read its data: %w", a.name, err)
	}
	values := map[int64]float64{}
	for _, r := range out.MetricDataResults { // one alone returns data
		for j, at := range r.Timestamps {
			values[at.Unix()] = r.Values[j]
		}
	}
	return e.decide(ctx, a, reading{values, states}, now)
}

// reading is what an alarm is decided on, and where its state is noted.
type reading struct {
	values map[int64]float64
	states map[string]types.StateValue
}

// evaluateSome evaluates alarms of one period on one reading of their data.
func (e *Evaluator) evaluateSome(ctx context.Context, alarms []alarm, states map[string]types.StateValue, now time.Time) error {
	longest := 0
	in := &cloudwatch.GetMetricDataInput{EndTime: aws.Time(now.Add(time.Second)), ScanBy: types.ScanByTimestampAscending}
	for i, a := range alarms {
		longest = max(longest, a.reach())
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: aws.String(fmt.Sprintf("m%d", i)),
			MetricStat: &types.MetricStat{Metric: a.metric, Period: aws.Int32(int32(a.period / time.Second)), Stat: aws.String(a.statistic), Unit: a.unit}})
	}
	in.StartTime = aws.Time(now.Add(-time.Duration(longest) * alarms[0].period))
	out, err := e.api.GetMetricData(ctx, in)
	if err != nil {
		return fmt.Errorf("evaluate alarms: read their data: %w", err)
	}
	results := map[string]types.MetricDataResult{}
	for _, r := range out.MetricDataResults {
		results[aws.ToString(r.Id)] = r
	}
	var errs []error
	for i, a := range alarms {
		r := results[fmt.Sprintf("m%d", i)]
		values := map[int64]float64{}
		for j, at := range r.Timestamps {
			values[at.Unix()] = r.Values[j]
		}
		errs = append(errs, e.decide(ctx, a, reading{values, states}, now))
	}
	return errors.Join(errs...)
}

// decide says the alarm's state if it is another than the account believes.
func (e *Evaluator) decide(ctx context.Context, a alarm, r reading, now time.Time) error {
	points := a.evaluationRange(r.values, now)
	state := a.judge(points)
	if state == a.state {
		return nil
	}
	_, err := e.api.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String(a.name), StateValue: state,
		StateReason: aws.String(a.reason(state, points)), StateReasonData: aws.String(a.reasonData(points, now)),
	})
	if gone := (*types.ResourceNotFound)(nil); errors.As(err, &gone) {
		return nil // deleted since we listed it
	}
	if err != nil {
		return fmt.Errorf("evaluate alarm %s: set state %s: %w", a.name, state, err)
	}
	r.states[a.name] = state
	return nil
}
