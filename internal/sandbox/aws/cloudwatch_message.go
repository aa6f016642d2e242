package aws

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// alarmTime is how CloudWatch writes times in alarm messages and histories.
const alarmTime = "2006-01-02T15:04:05.000-0700"

// alarmMessage is what an alarm publishes to its topic, in CloudWatch's own words.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
type alarmMessage struct {
	AlarmName                          string
	AlarmDescription                   *string
	AWSAccountId                       string
	AlarmConfigurationUpdatedTimestamp string
	NewStateValue                      string
	NewStateReason                     string
	StateChangeTime                    string
	Region                             string
	AlarmArn                           string
	OldStateValue                      string
	OKActions                          []string
	AlarmActions                       []string
	InsufficientDataActions            []string
	AlarmRule                          string        `json:",omitempty"` // of a composite alarm, which has no trigger
	Trigger                            *alarmTrigger `json:",omitempty"`
}

type alarmTrigger struct {
	MetricName                       string
	Namespace                        string
	StatisticType                    string
	Statistic                        string
	Unit                             *string
	Dimensions                       []alarmTriggerDimension
	Period                           int
	EvaluationPeriods                int
	DatapointsToAlarm                int
	ComparisonOperator               string
	Threshold                        float64
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
}

type alarmTriggerDimension struct {
	Value string `json:"value"`
	Name  string `json:"name"`
}

// message tells a topic what became of the alarm.
func (c *cloudWatch) message(now time.Time, oldState string, a *metricAlarm) string {
	m := alarmMessage{
		AlarmName: a.AlarmName, AlarmDescription: unlessEmpty(a.AlarmDescription), AWSAccountId: c.account,
		AlarmConfigurationUpdatedTimestamp: a.AlarmConfigurationUpdatedTimestamp.UTC().Format(alarmTime),
		NewStateValue:                      a.StateValue, NewStateReason: a.StateReason,
		StateChangeTime: now.UTC().Format(alarmTime), Region: regionName(c.region), AlarmArn: a.AlarmArn,
		OldStateValue: oldState, OKActions: a.OKActions, AlarmActions: a.AlarmActions,
		InsufficientDataActions: a.InsufficientDataActions,
		AlarmRule:               a.composite.rule,
	}
	if a.composite.rule == "" {
		m.Trigger = &alarmTrigger{
			MetricName: a.MetricName, Namespace: a.Namespace, StatisticType: "Statistic",
			Statistic: strings.ToUpper(a.Statistic), Unit: unlessEmpty(a.Unit), Dimensions: []alarmTriggerDimension{},
			Period: a.Period, EvaluationPeriods: a.EvaluationPeriods, DatapointsToAlarm: a.needed(),
			ComparisonOperator: a.ComparisonOperator, Threshold: a.threshold(), TreatMissingData: a.TreatMissingData,
		}
		for _, d := range a.Dimensions {
			m.Trigger.Dimensions = append(m.Trigger.Dimensions, alarmTriggerDimension{Value: d.Value, Name: d.Name})
		}
	}
	return compact(m)
}

// subject begins with the state: PagerDuty discards a message whose subject and NewStateValue differ.
// SNS takes 100 characters at most.
func (c *cloudWatch) subject(a *metricAlarm) string {
	s := []rune(fmt.Sprintf("%s: %q in %s", a.StateValue, a.AlarmName, regionName(c.region)))
	if len(s) > 100 {
		s = append(s[:97], '.', '.', '.')
	}
	return string(s)
}

// regionName is how alarm messages call a region; one we have no name for goes by its id.
func regionName(region string) string {
	names := map[string]string{
		"eu-west-1":    "EU (Ireland)",
		"eu-central-1": "EU (Frankfurt)",
		"us-east-1":    "US East (N. Virginia)",
		"us-west-2":    "US West (Oregon)",
	}
	if name, ok := names[region]; ok {
		return name
	}
	return region
}

func unlessEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// compact is v as JSON; v is one of our own plain structs, which cannot fail to render.
func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%q", err.Error())
	}
	return string(b)
}
