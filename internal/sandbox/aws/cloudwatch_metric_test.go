package aws

import (
	"fmt"
	"testing"
	"time"
)

// statOf asks for a metric's statistic by period over the last minute, oldest first.
func statOf(t *testing.T, c *cloudWatch, stat string, period int, dims ...metricDimension) []float64 {
	t.Helper()
	now := c.now()
	out, err := c.getMetricData(t.Context(), caller{}, &getMetricDataInput{
		StartTime: ptr(now.Add(-time.Minute)), EndTime: ptr(now.Add(time.Second)), ScanBy: "TimestampAscending",
		MetricDataQueries: []metricDataQuery{{Id: "m", MetricStat: &metricStat{
			Metric: metricName{"Orders", "Errors", dims}, Period: period, Stat: stat}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.MetricDataResults[0].Values
}

func TestDatapointsPerPeriod(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	for _, v := range []float64{3, 1, 5, 7} { // at 0, 1, 2 and 3 seconds
		c.observe(sample{Namespace: "Orders", Metric: "Errors", Value: v, At: clock.now()})
		clock.move(time.Second)
	}
	for stat, want := range map[string]string{"Sum": "[4 12]", "Average": "[2 6]", "Minimum": "[1 5]", "Maximum": "[3 7]", "SampleCount": "[2 2]"} {
		if got := fmt.Sprint(statOf(t, c, stat, 2)); got != want {
			t.Errorf("%s by two seconds: %s, want %s", stat, got, want)
		}
	}
	if got := fmt.Sprint(statOf(t, c, "Sum", 1)); got != "[3 1 5 7]" {
		t.Errorf("by the second: %s", got)
	}
	if got := fmt.Sprint(statOf(t, c, "Sum", 60)); got != "[16]" {
		t.Errorf("by the minute: %s", got)
	}
}

// A start inside a period asks for the whole of it.
func TestTimestampsAreThePeriodsBeginnings(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	begin := clock.now()
	for second, v := range map[time.Duration]float64{4: 100, 5: 1, 7: 2, 16: 4} {
		c.observe(sample{Namespace: "Orders", Metric: "Errors", Value: v, At: begin.Add(second * time.Second)})
	}
	out, err := c.getMetricData(t.Context(), caller{}, &getMetricDataInput{
		StartTime: ptr(begin.Add(6 * time.Second)), EndTime: ptr(begin.Add(time.Minute)),
		MetricDataQueries: []metricDataQuery{{Id: "m", MetricStat: &metricStat{Metric: metricName{"Orders", "Errors", nil}, Period: 5, Stat: "Sum"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := out.MetricDataResults[0]
	if fmt.Sprint(r.Values) != "[4 3]" || !r.Timestamps[0].Equal(begin.Add(15*time.Second)) || !r.Timestamps[1].Equal(begin.Add(5*time.Second)) {
		t.Errorf("newest first: %v at %v", r.Values, r.Timestamps)
	}
}

func TestMetricsDifferByDimensions(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	c.observe(sample{Namespace: "Orders", Metric: "Errors", Value: 1, At: clock.now()})
	c.observe(sample{Namespace: "Orders", Metric: "Errors", Value: 2, At: clock.now(), Dimensions: map[string]string{"A": "1", "B": "2"}})
	if got := fmt.Sprint(statOf(t, c, "Sum", 1)); got != "[1]" {
		t.Errorf("no dimensions: %s", got)
	}
	if got := fmt.Sprint(statOf(t, c, "Sum", 1, metricDimension{"B", "2"}, metricDimension{"A", "1"})); got != "[2]" {
		t.Errorf("two dimensions: %s", got)
	}
	if got := statOf(t, c, "Sum", 1, metricDimension{"A", "1"}); len(got) != 0 {
		t.Errorf("some of the dimensions: %v", got)
	}
}

func TestPutMetricDataTakesValuesThreeWays(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	at := clock.now().Add(-10 * time.Second)
	_, err := c.putMetricData(t.Context(), caller{}, &putMetricDataInput{Namespace: "Orders", MetricData: []metricDatum{
		{MetricName: "Errors", Value: ptr(1.0), Timestamp: &at},
		{MetricName: "Errors", Values: []float64{2, 3}, Counts: []float64{1, 2}, Timestamp: &at},
		{MetricName: "Errors", StatisticValues: &metricStatisticSet{SampleCount: 2, Sum: 10, Minimum: 0.5, Maximum: 9.5}, Timestamp: &at},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for stat, want := range map[string]string{"Sum": "[19]", "SampleCount": "[6]", "Minimum": "[0.5]", "Maximum": "[9.5]"} {
		if got := fmt.Sprint(statOf(t, c, stat, 1)); got != want {
			t.Errorf("%s is %s, want %s", stat, got, want)
		}
	}
}

func TestPutMetricDataRefuses(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	good := metricDatum{MetricName: "Errors", Value: ptr(1.0)}
	old := clock.now().AddDate(0, 0, -15)
	for name, in := range map[string]putMetricDataInput{
		"reserved": {Namespace: "AWS/DynamoDB", MetricData: []metricDatum{good}},
		"no value": {Namespace: "Orders", MetricData: []metricDatum{good, {MetricName: "Errors"}}},
		"too old":  {Namespace: "Orders", MetricData: []metricDatum{good, {MetricName: "Errors", Value: ptr(1.0), Timestamp: &old}}},
		"counts":   {Namespace: "Orders", MetricData: []metricDatum{good, {MetricName: "Errors", Values: []float64{1}, Counts: []float64{1, 2}}}},
	} {
		_, err := c.putMetricData(t.Context(), caller{}, &in)
		wantCode(t, err, "InvalidParameterValueException")
		if got := statOf(t, c, "Sum", 1); len(got) != 0 {
			t.Errorf("%s: refused, yet data is there: %v", name, got)
		}
	}
	_, err := c.putMetricData(t.Context(), caller{}, &putMetricDataInput{MetricData: []metricDatum{good}})
	wantCode(t, err, "MissingRequiredParameterException")
}

func TestLateObservationsFindTheirSecond(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	now := clock.now()
	for _, s := range []int{0, -3, -1, -3} {
		c.observe(sample{Namespace: "Orders", Metric: "Errors", Value: 1, At: now.Add(time.Duration(s) * time.Second)})
	}
	if got := fmt.Sprint(statOf(t, c, "Sum", 1)); got != "[2 1 1]" {
		t.Errorf("by the second: %s", got)
	}
}

func TestMetricStoreIsBounded(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	for range 2 * int(metricRetention/time.Second) {
		clock.move(time.Second)
		c.observe(sample{Namespace: "Orders", Metric: "Errors", Value: 1, At: clock.now()})
	}
	s := c.metrics.series[metricID{"Orders", "Errors", nil}.key()]
	if n := len(s.seconds); n > int(metricRetention/time.Second)+1 {
		t.Errorf("keeps %d seconds", n)
	}
	for i := range 2 * metricSeries {
		c.observe(sample{Namespace: "Orders", Metric: fmt.Sprint(i), At: clock.now()})
	}
	if n := len(c.metrics.series); n != metricSeries {
		t.Errorf("keeps %d series", n)
	}
}

func TestGetMetricDataRefuses(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	stat := &metricStat{Metric: metricName{"Orders", "Errors", nil}, Period: 1, Stat: "Sum"}
	start, end := ptr(clock.now()), ptr(clock.now().Add(time.Second))
	for name, in := range map[string]getMetricDataInput{
		"no query":    {StartTime: start, EndTime: end},
		"backwards":   {StartTime: end, EndTime: start, MetricDataQueries: []metricDataQuery{{Id: "m", MetricStat: stat}}},
		"metric math": {StartTime: start, EndTime: end, MetricDataQueries: []metricDataQuery{{Id: "m", Expression: "STDDEV(m)"}}},
		"statistic":   {StartTime: start, EndTime: end, MetricDataQueries: []metricDataQuery{{Id: "m", MetricStat: &metricStat{Metric: stat.Metric, Period: 1, Stat: "p99"}}}},
		"period":      {StartTime: start, EndTime: end, MetricDataQueries: []metricDataQuery{{Id: "m", MetricStat: &metricStat{Metric: stat.Metric, Stat: "Sum"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.getMetricData(t.Context(), caller{}, &in)
			wantCode(t, err, "ValidationError")
		})
	}
}

func TestGetMetricStatisticsTellsWhatWasAsked(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	c.observe(sample{Namespace: "Orders", Metric: "Errors", Value: 4, At: clock.now()})
	out, err := c.getMetricStatistics(t.Context(), caller{}, &getMetricStatisticsInput{
		Namespace: "Orders", MetricName: "Errors", Period: 60, Statistics: []string{"Sum", "Maximum"},
		StartTime: ptr(clock.now().Add(-time.Minute)), EndTime: ptr(clock.now().Add(time.Minute)),
	})
	if err != nil || len(out.Datapoints) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	if d := out.Datapoints[0]; *d.Sum != 4 || *d.Maximum != 4 || d.Average != nil || d.Unit != "None" {
		t.Errorf("datapoint %+v", d)
	}
}

func TestAnotherUnitHasNoData(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	if _, err := c.putMetricData(t.Context(), caller{}, &putMetricDataInput{Namespace: "Orders",
		MetricData: []metricDatum{{MetricName: "Errors", Value: ptr(1.0), Unit: "Count"}}}); err != nil {
		t.Fatal(err)
	}
	for unit, want := range map[string]int{"": 1, "Count": 1, "Seconds": 0} {
		start, end := ptr(clock.now()), ptr(clock.now().Add(time.Second))
		data, err := c.getMetricData(t.Context(), caller{}, &getMetricDataInput{StartTime: start, EndTime: end, MetricDataQueries: []metricDataQuery{
			{Id: "m", MetricStat: &metricStat{Metric: metricName{"Orders", "Errors", nil}, Period: 1, Stat: "Sum", Unit: unit}}}})
		if err != nil || len(data.MetricDataResults[0].Values) != want {
			t.Errorf("data in %q: %+v, %v", unit, data, err)
		}
		stats, err := c.getMetricStatistics(t.Context(), caller{}, &getMetricStatisticsInput{Namespace: "Orders", MetricName: "Errors",
			StartTime: start, EndTime: end, Period: 1, Statistics: []string{"Sum"}, Unit: unit})
		if err != nil || len(stats.Datapoints) != want {
			t.Errorf("statistics in %q: %+v, %v", unit, stats, err)
		}
	}
}

func TestListMetrics(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	for _, queue := range []string{"orders", "orders-dlq"} {
		c.observe(sample{Namespace: "AWS/SQS", Metric: "Sent", At: clock.now(), Dimensions: map[string]string{"QueueName": queue}})
	}
	c.observe(sample{Namespace: "Orders", Metric: "Errors", At: clock.now()})
	for want, in := range map[int]listMetricsInput{
		3: {}, 2: {Namespace: "AWS/SQS", Dimensions: []metricDimension{{Name: "QueueName"}}},
		1: {Dimensions: []metricDimension{{"QueueName", "orders"}}}, 0: {MetricName: "Gone"},
	} {
		out, err := c.listMetrics(t.Context(), caller{}, &in)
		if err != nil || len(out.Metrics) != want {
			t.Errorf("%+v: %+v, %v; want %d", in, out, err, want)
		}
	}
}
