package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

type setAlarmStateInput struct{ AlarmName, StateValue, StateReason, StateReasonData string }

// setAlarmState says an alarm's state. Only a change of it runs actions and enters the history.
func (c *cloudWatch) setAlarmState(_ context.Context, _ caller, in *setAlarmStateInput) (*cloudWatchEmpty, error) {
	switch {
	case !slices.Contains([]string{"OK", "ALARM", "INSUFFICIENT_DATA"}, in.StateValue):
		return nil, validation("StateValue must be OK, ALARM or INSUFFICIENT_DATA, not %q", in.StateValue)
	case in.StateReason == "" || len(in.StateReason) > 1023:
		return nil, validation("StateReason must have between 1 and 1023 characters")
	case len(in.StateReasonData) > 4000:
		return nil, validation("StateReasonData has at most 4000 characters")
	case in.StateReasonData != "" && !json.Valid([]byte(in.StateReasonData)):
		return nil, &apiError{Code: "InvalidFormatFault", QueryCode: "InvalidFormat", Message: "StateReasonData was not syntactically valid JSON"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.alarms[in.AlarmName]
	if a == nil {
		return nil, alarmNotFound(in.AlarmName)
	}
	now, old := c.now(), *a
	a.StateValue, a.StateReason, a.StateReasonData = in.StateValue, in.StateReason, in.StateReasonData
	a.StateUpdatedTimestamp = now
	if old.StateValue == a.StateValue {
		return &cloudWatchEmpty{}, nil
	}
	a.StateTransitionedTimestamp = now
	c.transitioned(now, &old, a)
	c.act(now, old.StateValue, a)
	if old.StateValue == "ALARM" {
		c.released(now, a.AlarmName)
	}
	return &cloudWatchEmpty{}, nil
}

// act runs the actions of the state the alarm is in now; the caller holds the lock.
func (c *cloudWatch) act(now time.Time, oldState string, a *metricAlarm) {
	if !*a.ActionsEnabled || c.muted(now, a.AlarmName) {
		return
	}
	if by, _ := c.suppressing(a); by != "" {
		a.composite.suppressed, a.composite.from = true, oldState
		return
	}
	a.composite.suppressed = false
	actions := map[string][]string{"ALARM": a.AlarmActions, "OK": a.OKActions, "INSUFFICIENT_DATA": a.InsufficientDataActions}[a.StateValue]
	for _, arn := range actions {
		message := c.message(now, oldState, a)
		err := fmt.Errorf("the sandbox runs actions of SNS only, not %s", arn)
		if strings.HasPrefix(arn, "arn:aws:sns:") {
			_, err = c.publisher.publish(arn, c.subject(a), message)
		}
		c.acted(now, a, arn, message, err)
	}
}
