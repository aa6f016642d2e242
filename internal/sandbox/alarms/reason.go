package alarms

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// shown bounds how many datapoints a reason spells out.
const shown = 10

// reason tells a person why the alarm is in state, in CloudWatch's words.
func (a alarm) reason(state types.StateValue, points []point) string {
	real := a.newest(points)
	gaps := a.periods - len(real)
	if state == types.StateValueInsufficientData {
		return fmt.Sprintf("Insufficient Data: %s unknown.", count(gaps, "datapoint was", "datapoints were"))
	}
	if len(real) == 0 {
		return fmt.Sprintf("Threshold Crossed: no datapoints were received for %s and %s treated as [%s].",
			count(gaps, "period", "periods"), count(gaps, "missing datapoint was", "missing datapoints were"), a.treatedAs())
	}
	told, least := 0, a.needed
	if state == types.StateValueOk {
		least = a.periods - a.needed + 1
	}
	var values []string
	for i := len(real) - 1; i >= 0; i-- { // newest first
		if p := real[i]; a.breaches(p.value) == (state == types.StateValueAlarm) {
			if told++; told <= shown {
				values = append(values, fmt.Sprintf("%s (%s)", number(p.value), p.start.Format("02/01/06 15:04:05")))
			}
		}
	}
	not := ""
	if state == types.StateValueOk {
		not = "not "
	}
	were := "were"
	if told == 1 {
		were = "was"
	}
	return fmt.Sprintf("Threshold Crossed: %d out of the last %s [%s] %s %s%s the threshold (%s) (minimum %s for %s -> %s transition).",
		told, count(a.periods, "datapoint", "datapoints"), strings.Join(values, ", "), were, not, a.beyond(), number(a.threshold),
		count(least, "datapoint", "datapoints"), a.state, state)
}

// reasonData tells a program the same.
func (a alarm) reasonData(points []point, now time.Time) string {
	const layout = "2006-01-02T15:04:05.000-0700"
	type evaluated struct {
		Timestamp string  `json:"timestamp"`
		Value     float64 `json:"value"`
	}
	data := struct {
		Version             string      `json:"version"`
		QueryDate           string      `json:"queryDate"`
		StartDate           string      `json:"startDate,omitempty"`
		Statistic           string      `json:"statistic"`
		Period              int         `json:"period"`
		RecentDatapoints    []float64   `json:"recentDatapoints"`
		Threshold           float64     `json:"threshold"`
		EvaluatedDatapoints []evaluated `json:"evaluatedDatapoints"`
	}{
		Version: "1.0", QueryDate: now.UTC().Format(layout), Statistic: a.statistic, Period: int(a.period / time.Second),
		RecentDatapoints: []float64{}, Threshold: a.threshold, EvaluatedDatapoints: []evaluated{},
	}
	real := a.newest(points)
	real = real[max(0, len(real)-shown):]
	for _, p := range real {
		data.RecentDatapoints = append(data.RecentDatapoints, p.value)
		data.EvaluatedDatapoints = append(data.EvaluatedDatapoints, evaluated{p.start.Format(layout), p.value})
	}
	if len(real) > 0 {
		data.StartDate = real[0].start.Format(layout)
	}
	b, err := json.Marshal(data)
	if err != nil {
		return "{}" // a value that JSON has no word for
	}
	return string(b)
}

func (a alarm) treatedAs() string {
	if a.missing == "breaching" {
		return "Breaching"
	}
	return "NonBreaching"
}

func (a alarm) beyond() string {
	switch a.comparison {
	case types.ComparisonOperatorGreaterThanThreshold:
		return "greater than"
	case types.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return "greater than or equal to"
	case types.ComparisonOperatorLessThanThreshold:
		return "less than"
	}
	return "less than or equal to"
}

// number is a value as CloudWatch prints it: 5.0, 0.25.
func number(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
