package observe

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/goccy/go-yaml"
)

// specOf reads a probe as a drill file has it.
func specOf(t *testing.T, text string) ProbeSpec {
	t.Helper()
	var s ProbeSpec
	if err := yaml.UnmarshalWithOptions([]byte(text), &s, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func TestSpecsReadAndName(t *testing.T) {
	for text, label := range map[string]string{
		`http: {url: "https://x.example.com/health", status: 200}`:                                                                                 "http https://x.example.com/health",
		`http: {url: "https://u:secret@x.example.com/", method: POST, timeout: 500ms, header: {Host: y}}`:                                          "http POST https://u:xxxxx@x.example.com/",
		`http: {url: "${orders_url}/health", contains: ok, follow: true}`:                                                                          "http ${orders_url}/health",
		`alarm: orders-write-throttled`:                                                                                                            "alarm orders-write-throttled",
		`alarm: "${team}-throttled"`:                                                                                                               "alarm ${team}-throttled",
		`sqs: {queue: "https://sqs.eu-west-1.amazonaws.com/111122223333/orders-dlq", visible: "<= 5"}`:                                             "sqs orders-dlq visible <= 5",
		`sqs: {queue: "arn:aws:sqs:eu-west-1:111122223333:orders-dlq", visible: "== 0"}`:                                                           "sqs orders-dlq visible == 0",
		`sqs: {queue: "${orders_dlq}", visible: "< ${most}"}`:                                                                                      "sqs ${orders_dlq} visible < ${most}",
		`cloudwatch: {namespace: Orders, metric: Errors, dimensions: {Service: orders, A: b}, statistic: Sum, period: 2s, is: "< 5", missing: ok}`: "cloudwatch Orders Errors{A=b,Service=orders} Sum < 5",
		`cloudwatch: {namespace: Orders, metric: Latency, statistic: p99.9, is: "<= 0.25"}`:                                                        "cloudwatch Orders Latency p99.9 <= 0.25",
	} {
		s := specOf(t, text)
		if found := s.Problems(); found != nil {
			t.Errorf("%s: %q", text, found)
		}
		if got := s.Label(); got != label {
			t.Errorf("%s: label %q, want %q", text, got, label)
		}
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var again ProbeSpec
		if err := json.Unmarshal(raw, &again); err != nil || again.Label() != label {
			t.Errorf("%s: through JSON (%s): %v", text, raw, err)
		}
	}
}

func TestSpecsWithMistakes(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "names no probe",
		`{alarm: a, sqs: {queue: q, visible: "< 1"}}`: "several probes",
		`http: {}`:                                            "no url",
		`http: {url: "ftp://x"}`:                              "not an http",
		`http: {url: "x.example.com/health"}`:                 "not an http",
		`http: {url: "http://x", status: 20}`:                 "no HTTP status",
		`http: {url: "http://x", method: DELETE}`:             "a probe only looks",
		`http: {url: "http://x", timeout: 5m}`:                "timeout 5m",
		`http: {url: "http://x", method: HEAD, contains: ok}`: "without a body",
		`alarm: ""`:                                                        "no name",
		`alarm: "orders-*"`:                                                "one alarm",
		`sqs: {visible: "< 5"}`:                                            "no queue",
		`sqs: {queue: q}`:                                                  "visible is missing",
		`sqs: {queue: q, visible: "5"}`:                                    "not a comparison",
		`sqs: {queue: q, visible: "< five"}`:                               "not a number",
		`sqs: {queue: q, visible: "< NaN"}`:                                "not a number",
		`cloudwatch: {metric: m, statistic: Sum, is: "< 5"}`:               "no namespace",
		`cloudwatch: {namespace: n, metric: m, is: "< 5"}`:                 "no statistic",
		`cloudwatch: {namespace: n, metric: m, statistic: sum, is: "< 5"}`: "unknown",
		`cloudwatch: {namespace: n, metric: m, statistic: Sum}`:            "is is missing",
		`cloudwatch: {namespace: n, metric: m, statistic: Sum, is: "< 5", period: 1500ms}`: "whole seconds",
		`cloudwatch: {namespace: n, metric: m, statistic: Sum, is: "< 5", missing: fine}`:  "not ok, bad or unknown",
	} {
		s := specOf(t, text)
		if found := strings.Join(s.Problems(), "; "); !strings.Contains(found, want) {
			t.Errorf("%s: %q, want %q", text, found, want)
		}
		if _, err := NewProbe(s, Clients{Now: time.Now}); err == nil {
			t.Errorf("%s: made a probe", text)
		}
	}
	var s ProbeSpec
	if err := yaml.Unmarshal([]byte(`http: {url: "http://x", timeout: 5}`), &s); err == nil {
		t.Error("a duration without a unit was read")
	}
}

func TestAProbeNeedsItsClient(t *testing.T) {
	for _, text := range []string{`alarm: a`, `sqs: {queue: q, visible: "< 5"}`, `cloudwatch: {namespace: n, metric: m, statistic: Sum, is: "< 5"}`} {
		if _, err := NewProbe(specOf(t, text), Clients{Now: time.Now}); err == nil {
			t.Errorf("%s: made without a client", text)
		}
	}
	if _, err := NewProbe(specOf(t, `http: {url: "http://x"}`), Clients{}); err == nil {
		t.Error("made without a clock")
	}
}

func TestComparisons(t *testing.T) {
	for text, holds := range map[string][3]bool{ // at 4, 5, 6
		"< 5": {true, false, false}, "<= 5": {true, true, false}, "> 5": {false, false, true},
		">=5": {false, true, true}, "== 5": {false, true, false}, " != 5 ": {true, false, true},
	} {
		c, err := parseComparison(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]bool{c.holds(4), c.holds(5), c.holds(6)}; got != holds {
			t.Errorf("%s: %v, want %v", text, got, holds)
		}
	}
}

// cloud is CloudWatch and SQS made of functions.
type cloud struct {
	CloudWatchAPI
	SQSAPI
	data    func(*cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error)
	alarms  func(*cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error)
	history func(*cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error)
	queue   func(ctx context.Context, url string) (map[string]string, error)
}

func (c *cloud) GetMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	return c.data(in)
}

func (c *cloud) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	return c.alarms(in)
}

func (c *cloud) DescribeAlarmHistory(_ context.Context, in *cloudwatch.DescribeAlarmHistoryInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	return c.history(in)
}

func (c *cloud) GetQueueUrl(_ context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("https://sqs/" + aws.ToString(in.QueueOwnerAWSAccountId) + "/" + *in.QueueName)}, nil
}

func (c *cloud) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, _ ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	m, err := c.queue(ctx, *in.QueueUrl)
	return &sqs.GetQueueAttributesOutput{Attributes: m}, err
}

// read makes a probe and reads it once, at a time that is 40 s into its minute.
func read(t *testing.T, text string, c *cloud) Reading {
	t.Helper()
	now := time.Date(2026, 11, 22, 10, 5, 40, 0, time.UTC)
	p, err := NewProbe(specOf(t, text), Clients{CloudWatch: c, SQS: c, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return p.Read(t.Context())
}

func TestAlarmProbe(t *testing.T) {
	for state, want := range map[string]Value{"OK": OK, "ALARM": Bad, "INSUFFICIENT_DATA": Unknown, "": Unknown, "error": Unknown} {
		c := &cloud{alarms: func(in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
			out := &cloudwatch.DescribeAlarmsOutput{}
			switch state {
			case "error":
				return nil, errors.New("throttled")
			case "":
			default:
				out.CompositeAlarms = []types.CompositeAlarm{{AlarmName: aws.String(in.AlarmNames[0]), StateValue: types.StateValue(state)}}
			}
			return out, nil
		}}
		if got := read(t, `alarm: a`, c); got.Value != want || got.Why == "" {
			t.Errorf("%q: %+v, want %s", state, got, want)
		}
	}
}

func TestSQSProbe(t *testing.T) {
	for depth, want := range map[string]Value{"0": OK, "5": OK, "6": Bad, "": Unknown, "error": Unknown, "panic": Unknown} {
		for queue, url := range map[string]string{
			"https://sqs/1/orders": "https://sqs/1/orders", "orders": "https://sqs//orders",
			"arn:aws:sqs:eu-west-1:111122223333:orders": "https://sqs/111122223333/orders",
		} {
			c := &cloud{queue: func(_ context.Context, got string) (map[string]string, error) {
				switch {
				case got != url:
					return nil, errors.New("wrong queue " + got)
				case depth == "error":
					return nil, errors.New("throttled")
				case depth == "panic":
					panic("a bug")
				}
				return map[string]string{"ApproximateNumberOfMessages": depth}, nil
			}}
			if got := read(t, `sqs: {queue: "`+queue+`", visible: "<= 5"}`, c); got.Value != want || got.Why == "" || got.To.IsZero() {
				t.Errorf("%s at %q: %+v, want %s", queue, depth, got, want)
			}
		}
	}
}

func TestAProbeTimesOut(t *testing.T) {
	c := &cloud{queue: func(ctx context.Context, _ string) (map[string]string, error) { <-ctx.Done(); return nil, ctx.Err() }}
	got := read(t, `sqs: {queue: q, visible: "<= 5", timeout: 20ms}`, c)
	if got.Value != Unknown || got.Why != "no answer within 20ms" {
		t.Errorf("%+v", got)
	}
}

func TestCloudWatchProbe(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 22, 10, minute, 0, 0, time.UTC) }
	const spec = `cloudwatch: {namespace: n, metric: m, dimensions: {A: b}, statistic: Sum, is: "< 5"}`
	for name, c := range map[string]struct {
		spec   string
		times  []time.Time
		values []float64
		status types.StatusCode
		want   Value
	}{
		"the newest counts":      {spec: spec, times: []time.Time{at(2), at(4), at(3)}, values: []float64{9, 1, 9}, want: OK},
		"bad":                    {spec: spec, times: []time.Time{at(2), at(4)}, values: []float64{1, 9}, want: Bad},
		"missing":                {spec: spec, want: Unknown},
		"missing is ok":          {spec: strings.Replace(spec, "is:", "missing: ok, is:", 1), want: OK},
		"missing is bad":         {spec: strings.Replace(spec, "is:", "missing: bad, is:", 1), want: Bad},
		"source in trouble":      {spec: strings.Replace(spec, "is:", "missing: ok, is:", 1), status: types.StatusCodeInternalError, want: Unknown},
		"fewer values than told": {spec: spec, times: []time.Time{at(4), at(3)}, values: []float64{1}, want: OK},
	} {
		api := &cloud{data: func(in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
			if !in.StartTime.Equal(at(2)) || !in.EndTime.Equal(at(5)) {
				t.Errorf("%s: asked from %v to %v: the open minute is left out", name, in.StartTime, in.EndTime)
			}
			q := in.MetricDataQueries[0].MetricStat
			if *q.Period != 60 || *q.Stat != "Sum" || *q.Metric.Dimensions[0].Name != "A" {
				t.Errorf("%s: asked %+v", name, q)
			}
			return &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{{Timestamps: c.times, Values: c.values, StatusCode: c.status}}}, nil
		}}
		if got := read(t, c.spec, api); got.Value != c.want || got.Why == "" {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
}
