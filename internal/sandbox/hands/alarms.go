package hands

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// describeAlarms lists every alarm; what rings stands first.
func (h *Hands) describeAlarms(ctx context.Context) (ringing, others []types.MetricAlarm, err error) {
	out, err := h.cw.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
	if err != nil {
		return nil, nil, fmt.Errorf("describe alarms: %w", err)
	}
	for _, a := range out.MetricAlarms {
		if a.StateValue == types.StateValueAlarm {
			ringing = append(ringing, a)
		} else {
			others = append(others, a)
		}
	}
	return ringing, others, nil
}

func (h *Hands) alarms(ctx context.Context) ([]Table, error) {
	ringing, others, err := h.describeAlarms(ctx)
	if err != nil {
		return nil, err
	}
	t := Table{Title: "aws cloudwatch describe-alarms", Head: []string{"ALARM", "STATE", "SINCE", "WHY"}, Empty: "no alarms"}
	for _, a := range append(ringing, others...) {
		state := Cell{Text: string(a.StateValue)}
		why := dim("")
		switch a.StateValue {
		case types.StateValueAlarm:
			state.Tone = Bad
			reason, _, _ := strings.Cut(text(a.StateReason), " (minimum ") // the rest is the same for all
			why = Cell{Text: strings.TrimPrefix(reason, "Threshold Crossed: ")}
		case types.StateValueOk:
			state.Tone = Good
		}
		if !aws.ToBool(a.ActionsEnabled) || len(a.AlarmActions) == 0 {
			why.Text = strings.TrimSpace(why.Text + " (tells nobody)")
		}
		t.Rows = append(t.Rows, []Cell{{Text: text(a.AlarmName)}, state, dim(h.since(a.StateUpdatedTimestamp)), why})
	}
	return []Table{t}, nil
}

// since is how long ago something was.
func (h *Hands) since(at *time.Time) string {
	if at == nil {
		return ""
	}
	d := h.o.Now().Sub(*at)
	switch {
	case d < 0:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}

// silences are a way of making an alarm stop that mends nothing.
func (h *Hands) silences(ctx context.Context) ([]Fix, error) {
	ringing, _, err := h.describeAlarms(ctx)
	if err != nil {
		return nil, err
	}
	var out []Fix
	for _, a := range ringing {
		if !aws.ToBool(a.ActionsEnabled) || len(a.AlarmActions) == 0 {
			continue
		}
		name := *a.AlarmName
		out = append(out, Fix{Words: "alarm silence " + name, Says: "let it tell nobody any more", Call: Call{
			CLI: []string{"cloudwatch", "disable-alarm-actions", "--alarm-names", name},
			Do: func(ctx context.Context) (string, *Call, error) {
				_, err := h.cw.DisableAlarmActions(ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{name}})
				return "", nil, err
			}}})
	}
	return out, nil
}

// sum adds a metric up over the last minute. A metric without datapoints is 0.
func (h *Hands) sum(ctx context.Context, namespace, metric, dimension, of string) (float64, error) {
	now := h.o.Now().Truncate(10 * time.Second).Add(10 * time.Second)
	in := &cloudwatch.GetMetricStatisticsInput{Namespace: &namespace, MetricName: &metric, Statistics: []types.Statistic{types.StatisticSum},
		StartTime: aws.Time(now.Add(-time.Minute)), EndTime: &now, Period: aws.Int32(10)}
	if dimension != "" {
		in.Dimensions = []types.Dimension{{Name: &dimension, Value: &of}}
	}
	out, err := h.cw.GetMetricStatistics(ctx, in)
	if err != nil {
		return 0, fmt.Errorf("get metric %s: %w", metric, err)
	}
	total := 0.0
	for _, d := range out.Datapoints {
		total += aws.ToFloat64(d.Sum)
	}
	return total, nil
}

// text is a text of somebody else's on one line.
func text(s *string) string { return strings.Join(strings.Fields(aws.ToString(s)), " ") }
