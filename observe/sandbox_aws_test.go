package observe

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/internal/sandbox/aws"
)

// account is the sandbox's AWS with the real SDK's clients of it.
type account struct {
	cloud *aws.Cloud
	cw    *cloudwatch.Client
	sqs   *sqs.Client
}

func newAccount(t *testing.T) account {
	t.Helper()
	c := aws.New(aws.Options{Now: time.Now, Account: "111122223333", Region: "eu-west-1", Keys: map[string]string{"AKIAFIREDRILL00000": "firedrill"}})
	srv := httptest.NewServer(c)
	c.SetBase(srv.URL + "/aws")
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ran
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		srv.Close()
	})
	cfg := awssdk.Config{
		Region: "eu-west-1", BaseEndpoint: awssdk.String(srv.URL + "/aws"), Retryer: func() awssdk.Retryer { return awssdk.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("AKIAFIREDRILL00000", "secret", ""),
	}
	return account{cloud: c, cw: cloudwatch.NewFromConfig(cfg), sqs: sqs.NewFromConfig(cfg)}
}

// put makes a metric alarm on Orders/Errors.
func (a account) put(t *testing.T, name string) {
	t.Helper()
	_, err := a.cw.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: awssdk.String("Orders"), MetricName: awssdk.String("Errors"), Statistic: types.StatisticSum,
		Dimensions: []types.Dimension{{Name: awssdk.String("Service"), Value: awssdk.String("orders")}},
		Period:     awssdk.Int32(2), EvaluationPeriods: awssdk.Int32(3), DatapointsToAlarm: awssdk.Int32(2), Threshold: awssdk.Float64(3),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: awssdk.String("notBreaching"), ActionsEnabled: awssdk.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (a account) set(t *testing.T, name, state string) {
	t.Helper()
	_, err := a.cw.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: &name, StateValue: types.StateValue(state), StateReason: awssdk.String("because")})
	if err != nil {
		t.Fatal(err)
	}
}

// read makes a probe of the account and reads it once.
func (a account) read(t *testing.T, text string) Reading {
	t.Helper()
	p, err := NewProbe(specOf(t, text), Clients{CloudWatch: a.cw, SQS: a.sqs, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return p.Read(t.Context())
}

func TestAlarmsOverTheWire(t *testing.T) {
	a, ctx := newAccount(t), t.Context()
	for _, name := range []string{"orders-a", "orders-b", "web"} {
		a.put(t, name)
	}
	alarms, began := NewAlarms(a.cw), time.Now().Add(-time.Second)
	a.set(t, "orders-a", "OK")
	a.set(t, "orders-a", "ALARM")
	got, err := alarms.Describe(ctx, []string{"orders-*", "web", "absent"})
	if err != nil || len(got) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	first := got[0]
	if first.Name != "orders-a" || first.State != "ALARM" || first.Period != 2*time.Second || first.Datapoints != 2 || first.Dimensions["Service"] != "orders" || !first.Enabled || first.Since.Before(began) {
		t.Errorf("%+v", first)
	}
	changes, err := alarms.History(ctx, "orders-a", began)
	if err != nil || len(changes) != 2 {
		t.Fatalf("%+v, %v", changes, err)
	}
	if last := changes[1]; last.From != "OK" || last.To != "ALARM" || last.Reason != "because" || !last.At.Equal(first.Since) {
		t.Errorf("%+v, and the alarm is as it is since %v", last, first.Since)
	}
	if got := a.read(t, `alarm: orders-a`); got.Value != Bad {
		t.Errorf("alarm probe: %+v", got)
	}
}

func TestProbesOverTheWire(t *testing.T) {
	a, ctx := newAccount(t), t.Context()
	queue, err := a.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: awssdk.String("orders-dlq")})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := a.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: awssdk.String("x")}); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]Value{
		`sqs: {queue: orders-dlq, visible: "<= 2"}`:                                      Bad,
		`sqs: {queue: "arn:aws:sqs:eu-west-1:111122223333:orders-dlq", visible: "== 3"}`: OK,
		`sqs: {queue: "` + *queue.QueueUrl + `", visible: "> 2"}`:                        OK,
		`sqs: {queue: absent, visible: "> 2"}`:                                           Unknown,
	} {
		if got := a.read(t, text); got.Value != want {
			t.Errorf("%s: %+v, want %s", text, got, want)
		}
	}
	const errs = `cloudwatch: {namespace: Orders, metric: Errors, dimensions: {Service: orders}, statistic: Sum, period: 1s, is: "< 5", missing: ok}`
	if got := a.read(t, errs); got.Value != OK || got.Why != "no datapoint" {
		t.Errorf("before: %+v", got)
	}
	_, err = a.cw.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: awssdk.String("Orders"), MetricData: []types.MetricDatum{{
		MetricName: awssdk.String("Errors"), Value: awssdk.Float64(7), Dimensions: []types.Dimension{{Name: awssdk.String("Service"), Value: awssdk.String("orders")}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the metric is bad", func() (Reading, bool) {
		got := a.read(t, errs)
		return got, got.Value == Bad
	})
}

func TestTheClockOfCloudWatch(t *testing.T) {
	for _, skew := range []float64{0, -5} {
		a := newAccount(t)
		if skew != 0 {
			if _, err := a.cloud.Turn(aws.Knob{Service: "cloudwatch", Effect: "skew", SkewS: skew}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := MeasureClock(t.Context(), Clock{Source: "aws", Look: CloudWatchDate(a.cw), Now: time.Now, Wait: waitFor})
		if err != nil {
			t.Fatal(err)
		}
		if off := got.Offset - time.Duration(skew*float64(time.Second)); off > got.Error || -off > got.Error || got.Error > time.Second {
			t.Errorf("skew %v s: measured %v ± %v", skew, got.Offset, got.Error)
		}
	}
}
