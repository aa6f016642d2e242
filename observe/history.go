package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// History implements Alarms. CloudWatch keeps it for 30 days, for deleted alarms too:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
func (c *cloudAlarms) History(ctx context.Context, name string, since time.Time) ([]Transition, error) {
	if name == "" {
		return nil, fmt.Errorf("describe alarm history: an empty name")
	}
	in := &cloudwatch.DescribeAlarmHistoryInput{
		AlarmName:       aws.String(name),
		AlarmTypes:      []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm},
		HistoryItemType: types.HistoryItemTypeStateUpdate,
		StartDate:       aws.Time(since),
		ScanBy:          types.ScanByTimestampAscending,
		MaxRecords:      aws.Int32(alarmBatch),
	}
	var changes []Transition
	for range maxPages {
		out, err := c.cw.DescribeAlarmHistory(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("describe history of alarm %s: %w", name, err)
		}
		for i := range out.AlarmHistoryItems {
			if t, ok := transition(&out.AlarmHistoryItems[i]); ok && t.Alarm == name && !t.At.Before(since) {
				changes = append(changes, t)
			}
		}
		if aws.ToString(out.NextToken) == "" {
			slices.SortStableFunc(changes, func(a, b Transition) int { return a.At.Compare(b.At) })
			return changes, nil
		}
		in.NextToken = out.NextToken
	}
	return nil, fmt.Errorf("describe history of alarm %s: no end after %d pages", name, maxPages)
}

// stateChange is the HistoryData of a StateUpdate.
type stateChange struct {
	Old stateValue `json:"oldState"`
	New stateValue `json:"newState"`
}

type stateValue struct {
	Value  string `json:"stateValue"`
	Reason string `json:"stateReason"`
}

// transition reads one item. Its data is JSON; where it cannot be read the summary ("Alarm updated from OK to ALARM")
// must do. An item without a change of state is left out.
func transition(item *types.AlarmHistoryItem) (Transition, bool) {
	if item.HistoryItemType != types.HistoryItemTypeStateUpdate || item.Timestamp == nil {
		return Transition{}, false
	}
	t := Transition{Alarm: aws.ToString(item.AlarmName), At: *item.Timestamp}
	var data stateChange
	if err := json.Unmarshal([]byte(aws.ToString(item.HistoryData)), &data); err == nil {
		t.From, t.To, t.Reason = data.Old.Value, data.New.Value, data.New.Reason
	}
	if t.To == "" {
		summary := aws.ToString(item.HistorySummary)
		if _, change, ok := strings.Cut(summary, " from "); ok {
			t.From, t.To, _ = strings.Cut(change, " to ")
		}
		t.From, t.To, t.Reason = strings.TrimSpace(t.From), strings.TrimSpace(t.To), summary
	}
	return t, t.To != "" && t.From != t.To
}
