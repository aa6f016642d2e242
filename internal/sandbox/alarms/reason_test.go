package alarms

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func TestReason(t *testing.T) {
	for _, x := range []struct {
		m, n       int
		was, state types.StateValue
		missing    string
		row        string
		want       string
	}{
		{1, 1, isOK, isAlarm, "missing", "X",
			"Threshold Crossed: 1 out of the last 1 datapoint [9.0 (01/01/70 00:00:00)] was greater than the threshold (0.5) (minimum 1 datapoint for OK -> ALARM transition)."},
		{2, 3, unknown, isAlarm, "missing", "X0X",
			"Threshold Crossed: 2 out of the last 3 datapoints [9.0 (01/01/70 00:02:00), 9.0 (01/01/70 00:00:00)] were greater than the threshold (0.5) (minimum 2 datapoints for INSUFFICIENT_DATA -> ALARM transition)."},
		{2, 3, isAlarm, isOK, "missing", "00X",
			"Threshold Crossed: 2 out of the last 3 datapoints [0.0 (01/01/70 00:01:00), 0.0 (01/01/70 00:00:00)] were not greater than the threshold (0.5) (minimum 2 datapoints for ALARM -> OK transition)."},
		{1, 1, isAlarm, isOK, "notBreaching", "-",
			"Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."},
		{2, 2, isOK, isAlarm, "breaching", "--",
			"Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching]."},
		{1, 1, isOK, unknown, "missing", "-", "Insufficient Data: 1 datapoint was unknown."},
		{2, 3, isOK, unknown, "missing", "---", "Insufficient Data: 3 datapoints were unknown."},
	} {
		a := alarm{state: x.was, missing: x.missing, needed: x.m, periods: x.n, threshold: 0.5, comparison: types.ComparisonOperatorGreaterThanThreshold}
		points := row(x.row)
		for i := range points {
			points[i].start = points[i].start.UTC()
		}
		if got := a.reason(x.state, points); got != x.want {
			t.Errorf("%s, %s -> %s:\n got %s\nwant %s", x.row, x.was, x.state, got, x.want)
		}
	}
}

func TestReasonSaysTheComparison(t *testing.T) {
	for comparison, want := range map[types.ComparisonOperator]string{
		types.ComparisonOperatorGreaterThanThreshold:          "was greater than the threshold",
		types.ComparisonOperatorGreaterThanOrEqualToThreshold: "was greater than or equal to the threshold",
		types.ComparisonOperatorLessThanThreshold:             "was less than the threshold",
		types.ComparisonOperatorLessThanOrEqualToThreshold:    "was less than or equal to the threshold",
	} {
		a := alarm{state: isOK, needed: 1, periods: 1, comparison: comparison, threshold: 5}
		value := 9.0
		if strings.HasPrefix(string(comparison), "Less") {
			value = 1
		}
		if got := a.reason(isAlarm, []point{{value: value, exists: true}}); !strings.Contains(got, want) {
			t.Errorf("%s: %s", comparison, got)
		}
	}
}

func TestReasonDataIsForPrograms(t *testing.T) {
	a := alarm{statistic: "Sum", period: 2 * time.Second, periods: 3, needed: 2, threshold: 0.5, comparison: types.ComparisonOperatorGreaterThanThreshold}
	points := row("X-9X0")[1:]
	for i := range points {
		points[i].start = points[i].start.UTC()
	}
	var data struct {
		Version, QueryDate, StartDate, Statistic string
		Period                                   int
		RecentDatapoints                         []float64
		Threshold                                float64
		EvaluatedDatapoints                      []struct {
			Timestamp string
			Value     float64
		}
	}
	if err := json.Unmarshal([]byte(a.reasonData(points, time.Unix(300, 5e8))), &data); err != nil {
		t.Fatal(err)
	}
	if data.Version != "1.0" || data.Statistic != "Sum" || data.Period != 2 || data.Threshold != 0.5 || fmt.Sprint(data.RecentDatapoints) != "[0 9 0]" ||
		data.QueryDate != "1970-01-01T00:05:00.500+0000" || data.StartDate != "1970-01-01T00:02:00.000+0000" || data.EvaluatedDatapoints[1].Timestamp != "1970-01-01T00:03:00.000+0000" {
		t.Errorf("%+v", data)
	}
}

// CloudWatch takes 1,023 characters of reason and 4,000 of data.
func TestReasonsStayWithinTheirLimits(t *testing.T) {
	a := alarm{state: isOK, statistic: "Sum", period: time.Minute, periods: 1000, needed: 1000, threshold: math.Pi, comparison: types.ComparisonOperatorGreaterThanThreshold}
	points := row(strings.Repeat("X", 1000))
	for i := range points {
		points[i].value = 12345.678901234567
	}
	if n := len(a.reason(isAlarm, points)); n > 1023 {
		t.Errorf("a reason of %d characters", n)
	}
	if n := len(a.reasonData(points, time.Unix(0, 0))); n > 4000 {
		t.Errorf("reason data of %d characters", n)
	}
}
