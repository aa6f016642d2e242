package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// maxAlarmHistory bounds the account's alarm history; the oldest items are forgotten first.
const maxAlarmHistory = 5000

// alarmHistoryItem is one line of an alarm's history; it outlives the alarm.
type alarmHistoryItem struct {
	AlarmName, AlarmType, HistoryItemType, HistorySummary, HistoryData string
	Timestamp                                                          time.Time
}

// alarmHistoryState is one side of a StateUpdate in HistoryData.
type alarmHistoryState struct {
	StateValue      string          `json:"stateValue"`
	StateReason     string          `json:"stateReason"`
	StateReasonData json.RawMessage `json:"stateReasonData,omitempty"`
}

// transitioned notes that the alarm changed its state; the caller holds the lock.
func (c *cloudWatch) transitioned(now time.Time, old, a *metricAlarm) {
	side := func(a *metricAlarm) alarmHistoryState {
		return alarmHistoryState{a.StateValue, a.StateReason, json.RawMessage(a.StateReasonData)}
	}
	c.remember(alarmHistoryItem{
		AlarmName: a.AlarmName, AlarmType: a.kind(), HistoryItemType: "StateUpdate", Timestamp: now,
		HistorySummary: fmt.Sprintf("Alarm updated from %s to %s", old.StateValue, a.StateValue),
		HistoryData: compact(struct {
			Version  string            `json:"version"`
			OldState alarmHistoryState `json:"oldState"`
			NewState alarmHistoryState `json:"newState"`
		}{"1.0", side(old), side(a)}),
	})
}

// acted notes what became of an action; the caller holds the lock.
func (c *cloudWatch) acted(now time.Time, a *metricAlarm, arn, message string, err error) {
	state, summary, problem := "Succeeded", "Successfully executed action "+arn, (*string)(nil)
	if err != nil {
		text := err.Error()
		state, problem = "Failed", &text
		summary = fmt.Sprintf("Failed to execute action %s. Received error: %q", arn, text)
	}
	c.remember(alarmHistoryItem{
		AlarmName: a.AlarmName, AlarmType: a.kind(), HistoryItemType: "Action", Timestamp: now, HistorySummary: summary,
		HistoryData: compact(struct {
			ActionState          string  `json:"actionState"`
			StateUpdateTimestamp int64   `json:"stateUpdateTimestamp"`
			NotificationResource string  `json:"notificationResource"`
			PublishedMessage     string  `json:"publishedMessage"`
			Error                *string `json:"error"`
		}{state, now.UnixMilli(), arn, message, problem}),
	})
}

// configured notes that somebody made, changed or deleted the alarm; the caller holds the lock.
func (c *cloudWatch) configured(now time.Time, a *metricAlarm, kind, word string) {
	c.remember(alarmHistoryItem{
		AlarmName: a.AlarmName, AlarmType: a.kind(), HistoryItemType: "ConfigurationUpdate", Timestamp: now,
		HistorySummary: fmt.Sprintf("Alarm %q %s", a.AlarmName, word),
		HistoryData: compact(struct {
			Version string       `json:"version"`
			Type    string       `json:"type"`
			Alarm   alarmTrigger `json:"alarm"`
		}{"1.0", kind, alarmTrigger{
			MetricName: a.MetricName, Namespace: a.Namespace, StatisticType: "Statistic", Statistic: a.Statistic,
			Period: a.Period, EvaluationPeriods: a.EvaluationPeriods, DatapointsToAlarm: a.needed(),
			ComparisonOperator: a.ComparisonOperator, Threshold: a.threshold(), TreatMissingData: a.TreatMissingData,
		}}),
	})
}

func (c *cloudWatch) remember(item alarmHistoryItem) {
	c.history = append(c.history, item)
	if len(c.history) > maxAlarmHistory {
		c.history = slices.Clone(c.history[len(c.history)-maxAlarmHistory*9/10:])
	}
}

type describeAlarmHistoryInput struct {
	AlarmName          string
	AlarmTypes         []string
	HistoryItemType    string
	StartDate, EndDate *time.Time
	ScanBy             string
	MaxRecords         int
	NextToken          string
}

type describeAlarmHistoryOutput struct {
	AlarmHistoryItems []alarmHistoryItem
	NextToken         string
}

// describeAlarmHistory lists what happened to one alarm or to all, newest first unless ScanBy says otherwise.
// An alarm that never was has no history, and that is no error.
func (c *cloudWatch) describeAlarmHistory(_ context.Context, _ caller, in *describeAlarmHistoryInput) (*describeAlarmHistoryOutput, error) {
	switch {
	case in.HistoryItemType != "" && !slices.Contains([]string{"ConfigurationUpdate", "StateUpdate", "Action"}, in.HistoryItemType):
		return nil, validation("HistoryItemType must be ConfigurationUpdate, StateUpdate or Action, not %q", in.HistoryItemType)
	case in.MaxRecords < 0 || in.MaxRecords > 100:
		return nil, validation("MaxRecords must be between 1 and 100, not %d", in.MaxRecords)
	}
	if in.MaxRecords == 0 {
		in.MaxRecords = 100
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found := []alarmHistoryItem{}
	for _, item := range c.history {
		if in.matches(item) {
			found = append(found, item)
		}
	}
	if in.ScanBy != "TimestampAscending" {
		slices.Reverse(found)
	}
	page, next, err := cloudWatchPage(found, in.NextToken, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &describeAlarmHistoryOutput{AlarmHistoryItems: page, NextToken: next}, nil
}

func (in *describeAlarmHistoryInput) matches(item alarmHistoryItem) bool {
	return (in.AlarmName == "" || in.AlarmName == item.AlarmName) &&
		(len(in.AlarmTypes) == 0 || slices.Contains(in.AlarmTypes, item.AlarmType)) &&
		(in.HistoryItemType == "" || in.HistoryItemType == item.HistoryItemType) &&
		(in.StartDate == nil || !item.Timestamp.Before(*in.StartDate)) &&
		(in.EndDate == nil || !item.Timestamp.After(*in.EndDate))
}
