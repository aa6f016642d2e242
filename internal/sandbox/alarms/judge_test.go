package alarms

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

const (
	isOK    = types.StateValueOk
	isAlarm = types.StateValueAlarm
	unknown = types.StateValueInsufficientData
	retain  = types.StateValue("retain")
)

// row reads a row of CloudWatch's tables: 0 is within the threshold, X beyond it, - missing; oldest first.
func row(s string) []point {
	var out []point
	for i, r := range s {
		p := point{start: time.Unix(int64(i)*60, 0), exists: r != '-'}
		if r == 'X' {
			p.value = 9
		}
		out = append(out, p)
	}
	return out
}

// The rows are those of CloudWatch's own page on missing data, and a few between them.
func TestJudge(t *testing.T) {
	treatments := []string{"missing", "ignore", "breaching", "notBreaching"}
	for _, x := range []struct {
		m, n int
		row  string
		want [4]types.StateValue
	}{
		{3, 3, "0-X-X", [4]types.StateValue{isOK, isOK, isOK, isOK}},
		{3, 3, "0----", [4]types.StateValue{isOK, isOK, isOK, isOK}},
		{3, 3, "-----", [4]types.StateValue{unknown, retain, isAlarm, isOK}},
		{3, 3, "0XX-X", [4]types.StateValue{isAlarm, isAlarm, isAlarm, isAlarm}},
		{3, 3, "--X--", [4]types.StateValue{isAlarm, retain, isAlarm, isOK}},
		{3, 3, "----X", [4]types.StateValue{retain, retain, isAlarm, isOK}},
		{3, 3, "---X-", [4]types.StateValue{retain, retain, isAlarm, isOK}},
		{2, 3, "0-X-X", [4]types.StateValue{isAlarm, isAlarm, isAlarm, isAlarm}},
		{2, 3, "00X0X", [4]types.StateValue{isAlarm, isAlarm, isAlarm, isAlarm}},
		{2, 3, "0-X--", [4]types.StateValue{isOK, isOK, isAlarm, isOK}},
		{2, 3, "----0", [4]types.StateValue{isOK, isOK, isAlarm, isOK}},
		{2, 3, "----X", [4]types.StateValue{retain, retain, isAlarm, isOK}},
		{2, 3, "XX000", [4]types.StateValue{isOK, isOK, isOK, isOK}},
		{1, 1, "X", [4]types.StateValue{isAlarm, isAlarm, isAlarm, isAlarm}},
		{1, 1, "0", [4]types.StateValue{isOK, isOK, isOK, isOK}},
		{1, 1, "-", [4]types.StateValue{unknown, retain, isAlarm, isOK}},
		{1, 1, "X--", [4]types.StateValue{isAlarm, isAlarm, isAlarm, isAlarm}},
		{1, 3, "0-X", [4]types.StateValue{isAlarm, isAlarm, isAlarm, isAlarm}},
		{2, 3, "00X", [4]types.StateValue{isOK, isOK, isOK, isOK}},
		{2, 3, "X-X", [4]types.StateValue{isAlarm, isAlarm, isAlarm, isAlarm}},
	} {
		for i, missing := range treatments {
			for _, state := range []types.StateValue{isOK, isAlarm, unknown} {
				a := alarm{state: state, missing: missing, needed: x.m, periods: x.n, comparison: types.ComparisonOperatorGreaterThanThreshold}
				want := x.want[i]
				if want == retain {
					want = state
				}
				if got := a.judge(row(x.row)); got != want {
					t.Errorf("%d of %d, %s, missing is %s, was %s: %s, want %s", x.m, x.n, x.row, missing, state, got, want)
				}
			}
		}
	}
}

func TestBreaches(t *testing.T) {
	for comparison, want := range map[types.ComparisonOperator][3]bool{ // 4, 5 and 6 against 5
		types.ComparisonOperatorGreaterThanThreshold:          {false, false, true},
		types.ComparisonOperatorGreaterThanOrEqualToThreshold: {false, true, true},
		types.ComparisonOperatorLessThanThreshold:             {true, false, false},
		types.ComparisonOperatorLessThanOrEqualToThreshold:    {true, true, false},
	} {
		a := alarm{comparison: comparison, threshold: 5}
		if got := [3]bool{a.breaches(4), a.breaches(5), a.breaches(6)}; got != want {
			t.Errorf("%s: %v, want %v", comparison, got, want)
		}
	}
}

func TestMissingDataByDefault(t *testing.T) {
	for namespace, want := range map[string]string{"AWS/DynamoDB": "ignore", "AWS/SQS": "missing"} {
		m := types.MetricAlarm{Namespace: &namespace, MetricName: aws.String("m"), Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0)}
		if a, ok := read(m); !ok || a.missing != want {
			t.Errorf("%s: %q, want %q", namespace, a.missing, want)
		}
		m.TreatMissingData = aws.String("notBreaching")
		if a, _ := read(m); a.missing != "notBreaching" {
			t.Errorf("%s: said notBreaching, read %q", namespace, a.missing)
		}
	}
	if _, ok := read(types.MetricAlarm{Metrics: []types.MetricDataQuery{{}}}); ok {
		t.Error("an alarm on metric math was read as one on a metric")
	}
}
