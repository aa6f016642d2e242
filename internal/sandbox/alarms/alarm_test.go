package alarms

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// picture writes an evaluation range as judge_test's row reads it.
func picture(a alarm, points []point) string {
	s := ""
	for _, p := range points {
		switch {
		case !p.exists:
			s += "-"
		case a.breaches(p.value):
			s += "X"
		default:
			s += "0"
		}
	}
	return s
}

// Periods of two seconds begin at 0, 2, 4 …; the grace after one is half a second.
func TestEvaluationRange(t *testing.T) {
	greater, less := types.ComparisonOperatorGreaterThanThreshold, types.ComparisonOperatorLessThanThreshold
	for name, x := range map[string]struct {
		statistic  string
		comparison types.ComparisonOperator
		periods    int
		values     map[int64]float64 // the threshold is 5
		at         float64
		want       string
		end        int64
	}{
		"an open period that breaches for good counts": {"Sum", greater, 1, map[int64]float64{10: 6}, 10.1, "X", 10},
		"an open period within the threshold does not": {"Sum", greater, 1, map[int64]float64{8: 6, 10: 2}, 11.9, "X", 8},
		"a period counts once it is settled":           {"Sum", greater, 1, map[int64]float64{8: 6, 10: 2}, 12.5, "0", 10},
		"and not in its grace":                         {"Sum", greater, 1, map[int64]float64{8: 6, 10: 2}, 12.4, "X", 8},
		"but in its grace it may breach":               {"Sum", greater, 1, map[int64]float64{8: 2, 10: 6}, 12.1, "X", 10},
		"an open low sum may still grow":               {"Sum", less, 1, map[int64]float64{8: 9, 10: 1}, 11.9, "0", 8},
		"an open minimum only falls":                   {"Minimum", less, 1, map[int64]float64{8: 9, 10: 1}, 10.1, "X", 10},
		"an open average may come back":                {"Average", greater, 1, map[int64]float64{8: 1, 10: 9}, 11.9, "0", 8},
		"a gap stays a gap until it is settled":        {"Sum", greater, 1, map[int64]float64{8: 6}, 12.4, "X", 8},
		"a settled gap is one":                         {"Sum", greater, 1, map[int64]float64{8: 6}, 12.5, "-", 10},
		"N periods, oldest first":                      {"Sum", greater, 3, map[int64]float64{6: 6, 10: 1}, 12.5, "X-0", 10},
	} {
		t.Run(name, func(t *testing.T) {
			a := alarm{statistic: x.statistic, comparison: x.comparison, threshold: 5, period: 2 * time.Second, periods: x.periods, needed: 1}
			points := a.evaluationRange(x.values, time.UnixMilli(int64(x.at*1000)))
			if got := picture(a, points); got != x.want || points[len(points)-1].start.Unix() != x.end {
				t.Errorf("%s, ends with the period at %d; want %s, at %d", got, points[len(points)-1].start.Unix(), x.want, x.end)
			}
		})
	}
}

func TestLongPeriodsLookBackFurther(t *testing.T) {
	a := alarm{statistic: "Sum", comparison: types.ComparisonOperatorGreaterThanThreshold, period: time.Minute, periods: 1, needed: 1, missing: "notBreaching"}
	values := map[int64]float64{600: 1}
	points := a.evaluationRange(values, time.Unix(600+181, 0)) // two whole minutes without data
	if got := picture(a, points); got != "X--" || a.judge(points) != isAlarm {
		t.Errorf("two minutes on: %s, %s", got, a.judge(points))
	}
	if points = a.evaluationRange(values, time.Unix(600+241, 0)); a.judge(points) != isOK {
		t.Errorf("three minutes on: %s", picture(a, points))
	}
}

// What the evaluator asks for must hold every range it may pick.
func TestReachCoversTheRange(t *testing.T) {
	for _, period := range []time.Duration{time.Second, 2 * time.Second, 7 * time.Second, 10 * time.Second, time.Minute} {
		a := alarm{statistic: "Average", period: period, periods: 3, needed: 2}
		for ms := range 130_000 / 50 {
			now := time.Unix(6000, 0).Add(time.Duration(ms) * 50 * time.Millisecond)
			from := now.Add(-time.Duration(a.reach()) * period)
			aligned := from.Unix() - from.Unix()%int64(period/time.Second)
			if first := a.evaluationRange(nil, now)[0].start; first.Unix() < aligned {
				t.Fatalf("period %s at %s: the range begins at %s, the data at %d", period, now, first, aligned)
			}
		}
	}
}
