package aws

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// written is a value as text: a number, or its points by second.
func written(v mathValue) string {
	if v.points == nil {
		return fmt.Sprint(v.number)
	}
	var out []string
	for _, t := range v.times() {
		out = append(out, fmt.Sprintf("%d:%g", t, v.points[t]))
	}
	return strings.Join(out, " ")
}

func TestMetricMath(t *testing.T) {
	m := metricMath{period: 2, from: time.Unix(0, 0), to: time.Unix(7, 0), known: map[string]mathValue{
		"m1": {points: map[int64]float64{0: 1, 2: 4, 6: 10}},
		"m2": {points: map[int64]float64{0: 2, 4: 5, 6: 0}},
		"e0": {points: map[int64]float64{}},
	}}
	for text, want := range map[string]string{
		"1 + 2 * 3 - 4 / 2":             "5",
		"-(1 + 2) * .5":                 "-1.5",
		"m1":                            "0:1 2:4 6:10",
		"m1 + m2":                       "0:3 6:10",
		"m1 / m2":                       "0:0.5", // nothing can be divided by nothing
		"100 * m1":                      "0:100 2:400 6:1000",
		"m1 > 3":                        "0:0 2:1 6:1",
		"1 >= m1":                       "0:1 2:0 6:0",
		"(m1 == 4) + (m1 != 4)":         "0:1 2:1 6:1",
		"SUM([m1, m2])":                 "0:3 2:4 4:5 6:10",
		"AVG([m1,m2])":                  "0:1.5 2:4 4:5 6:5",
		"MAX([m1, m2]) - MIN([m1, m2])": "0:1 2:0 4:0 6:10",
		"SUM(m1)":                       "15",
		"AVG(m1)":                       "5",
		"SUM(e0)":                       "0",
		"IF(m1 > 3, m1, 0)":             "0:0 2:4 6:10",
		"IF(m1 > 3, m2)":                "6:0",
		"IF(1 > 2, m1, m2)":             "0:2 4:5 6:0",
		"RATE(m1)":                      "2:1.5 6:1.5",
		"FILL(m1, 0)":                   "0:1 2:4 4:0 6:10",
		"FILL(m2, REPEAT)":              "0:2 2:2 4:5 6:0",
		"FILL(e0, 7)":                   "0:7 2:7 4:7 6:7",
		"FILL(m1, m2)":                  "0:1 2:4 4:5 6:10",
		"ABS(m2 - m1)":                  "0:1 6:10",
		"IF(m2 > 0, 100 * m1 / m2, 0)":  "0:50 6:0",
	} {
		if v, err := m.compute(text); err != nil || written(v) != want {
			t.Errorf("%s: %s %v, want %s", text, written(v), err, want)
		}
	}
	for text, want := range map[string]string{
		"":                              "empty",
		"m1 +":                          "ends too soon",
		"m1 m2":                         "not expected",
		"m3":                            "no id of this request",
		"(m1":                           "not closed",
		"SUM([m1, m2)":                  "not closed",
		"SUM(m1":                        "not closed",
		"STDDEV(m1)":                    "does not know STDDEV",
		"ANOMALY_DETECTION_BAND(m1, 2)": "does not know",
		"FILL(m1, LINEAR)":              "does not know FILL",
		"SEARCH('x')":                   "does not know",
		"1.2.3":                         "not a number",
	} {
		if v, err := m.compute(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s %v, want %q", text, written(v), err, want)
		}
	}
}

// errorRate is an alarm on a share: errors of all requests.
func errorRate() *putMetricAlarmInput {
	stat := func(metric string) *metricStat {
		return &metricStat{Metric: metricName{Namespace: "Orders", MetricName: metric}, Period: 2, Stat: "Sum"}
	}
	return &putMetricAlarmInput{AlarmName: "orders-error-rate", EvaluationPeriods: 1, Threshold: ptr(5.0), ComparisonOperator: "GreaterThanThreshold",
		TreatMissingData: "notBreaching", AlarmActions: []string{testTopic}, Metrics: []metricDataQuery{
			{Id: "errors", MetricStat: stat("Errors"), ReturnData: ptr(false)}, {Id: "requests", MetricStat: stat("Requests"), ReturnData: ptr(false)},
			{Id: "rate", Expression: "100 * FILL(errors, 0) / requests", Label: "share"}}}
}

func TestMetricMathIsReadAndWatched(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	putAlarm(t, c, errorRate())
	a := describe(t, c, &describeAlarmsInput{})[0]
	if len(a.Metrics) != 3 || a.MetricName != "" || a.Metrics[2].Expression == "" {
		t.Errorf("%+v", a)
	}
	for metric, n := range map[string]int{"Errors": 1, "Requests": 4} {
		for range n {
			c.observe(sample{Namespace: "Orders", Metric: metric, Value: 1})
		}
	}
	from, to := clock.now().Add(-4*time.Second), clock.now().Add(time.Second)
	out, err := c.getMetricData(t.Context(), caller{}, &getMetricDataInput{MetricDataQueries: a.Metrics, StartTime: &from, EndTime: &to})
	if err != nil || len(out.MetricDataResults) != 1 || out.MetricDataResults[0].Label != "share" || fmt.Sprint(out.MetricDataResults[0].Values) != "[25]" {
		t.Errorf("%+v %v", out, err)
	}
	for name, spoil := range map[string]func(*putMetricAlarmInput){
		"both ways":        func(in *putMetricAlarmInput) { in.Period = 2 },
		"two results":      func(in *putMetricAlarmInput) { in.Metrics[0].ReturnData = nil },
		"no result":        func(in *putMetricAlarmInput) { in.Metrics[2].ReturnData = ptr(false) },
		"one id twice":     func(in *putMetricAlarmInput) { in.Metrics[1].Id = "errors" },
		"a wrong id":       func(in *putMetricAlarmInput) { in.Metrics[1].Id = "Requests" },
		"unknown function": func(in *putMetricAlarmInput) { in.Metrics[2].Expression = "STDDEV(errors)" },
		"unknown id":       func(in *putMetricAlarmInput) { in.Metrics[2].Expression = "errors / all" },
		"two periods":      func(in *putMetricAlarmInput) { in.Metrics[1].MetricStat.Period = 4 },
		"nothing":          func(in *putMetricAlarmInput) { in.Metrics[2].Expression = "" },
		"both":             func(in *putMetricAlarmInput) { in.Metrics[0].Expression = "1" },
	} {
		in := errorRate()
		spoil(in)
		_, err := c.putMetricAlarm(t.Context(), caller{}, in)
		if err == nil {
			t.Errorf("%s was taken", name)
			continue
		}
		wantCode(t, err, "ValidationError")
	}
}
