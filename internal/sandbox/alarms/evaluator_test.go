package alarms_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/firedrill/firedrill/internal/sandbox/alarms"
	"github.com/firedrill/firedrill/internal/sandbox/aws"
)

// account is a sandbox account on a clock of the test's, its evaluator, and a pager that counts what SNS posts to it.
type account struct {
	t         *testing.T
	url       string
	cw        *cloudwatch.Client
	cloud     *aws.Cloud
	evaluator *alarms.Evaluator

	mu     sync.Mutex
	at     time.Time
	posted []string // subjects
}

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t, at: time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)}
	a.cloud = aws.New(aws.Options{Now: a.now, Keys: map[string]string{"AKIAALARM000000000": "alarm"}})
	srv := httptest.NewServer(a.cloud)
	a.cloud.SetBase(srv.URL + "/aws")
	a.url = srv.URL + "/aws"
	t.Cleanup(func() {
		if err := a.cloud.Close(); err != nil {
			t.Error(err)
		}
		srv.Close()
	})
	a.cw = cloudwatch.NewFromConfig(a.config())
	a.evaluator = alarms.New(a.url, "AKIAALARM000000000", "secret", "eu-west-1", a.now)
	return a
}

func (a *account) config() awssdk.Config {
	return awssdk.Config{Region: "eu-west-1", BaseEndpoint: awssdk.String(a.url),
		Credentials: credentials.NewStaticCredentialsProvider("AKIAOTHER000000000", "secret", "")}
}

func (a *account) now() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at
}

func (a *account) move(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = a.at.Add(d)
}

// topic makes a topic whose one subscription is the test's pager.
func (a *account) topic() string {
	a.t.Helper()
	pager := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct{ Subject string }
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			a.t.Error(err)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.posted = append(a.posted, m.Subject)
	}))
	a.t.Cleanup(pager.Close)
	c := sns.NewFromConfig(a.config())
	topic, err := c.CreateTopic(a.t.Context(), &sns.CreateTopicInput{Name: awssdk.String("oncall")})
	if err != nil {
		a.t.Fatal(err)
	}
	_, err = c.Subscribe(a.t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: awssdk.String("http"), Endpoint: awssdk.String(pager.URL)})
	if err != nil {
		a.t.Fatal(err)
	}
	return *topic.TopicArn
}

// posts waits until the pager has n subjects, and says them.
func (a *account) posts(n int) string {
	a.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		a.mu.Lock()
		got := strings.Join(a.posted, "; ")
		have := len(a.posted)
		a.mu.Unlock()
		if have >= n {
			return got
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("the pager has %d messages, want %d: %s", have, n, got)
		}
	}
}

// alarm makes an alarm on Orders/Errors: more than 3 in two seconds, missing is good.
func (a *account) alarm(name string, change func(*cloudwatch.PutMetricAlarmInput)) {
	a.t.Helper()
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: awssdk.String(name), Namespace: awssdk.String("Orders"), MetricName: awssdk.String("Errors"),
		Statistic: types.StatisticSum, Period: awssdk.Int32(2), EvaluationPeriods: awssdk.Int32(1), Threshold: awssdk.Float64(3),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: awssdk.String("notBreaching"),
	}
	if change != nil {
		change(in)
	}
	if _, err := a.cw.PutMetricAlarm(a.t.Context(), in); err != nil {
		a.t.Fatal(err)
	}
}

func (a *account) errors(n float64) {
	a.t.Helper()
	_, err := a.cw.PutMetricData(a.t.Context(), &cloudwatch.PutMetricDataInput{Namespace: awssdk.String("Orders"),
		MetricData: []types.MetricDatum{{MetricName: awssdk.String("Errors"), Value: &n, Timestamp: awssdk.Time(a.now())}}})
	if err != nil {
		a.t.Fatal(err)
	}
}

// state is an alarm's state after an evaluation.
func (a *account) state(name string) types.MetricAlarm {
	a.t.Helper()
	if err := a.evaluator.EvaluateOnce(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	out, err := a.cw.DescribeAlarms(a.t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}})
	if err != nil || len(out.MetricAlarms) != 1 {
		a.t.Fatalf("describe %s: %+v, %v", name, out, err)
	}
	return out.MetricAlarms[0]
}

func (a *account) want(name string, want types.StateValue) types.MetricAlarm {
	a.t.Helper()
	m := a.state(name)
	if m.StateValue != want {
		a.t.Fatalf("%s is %s (%s), want %s", name, m.StateValue, awssdk.ToString(m.StateReason), want)
	}
	return m
}

func TestAlarmComesAndGoes(t *testing.T) {
	a := newAccount(t)
	topic := a.topic()
	a.alarm("errors", func(in *cloudwatch.PutMetricAlarmInput) {
		in.AlarmActions, in.OKActions = []string{topic}, []string{topic}
	})
	a.want("errors", types.StateValueOk)
	a.errors(3)
	a.want("errors", types.StateValueOk)
	a.errors(1)
	m := a.want("errors", types.StateValueAlarm) // in the open period, at once
	if want := "Threshold Crossed: 1 out of the last 1 datapoint [4.0 (04/03/26 05:00:00)] was greater than the threshold (3.0) (minimum 1 datapoint for OK -> ALARM transition)."; *m.StateReason != want {
		t.Errorf("reason %s", *m.StateReason)
	}
	for range 8 { // while errors go on it stays, also where a period has just begun
		a.move(500 * time.Millisecond)
		a.errors(2)
		a.want("errors", types.StateValueAlarm)
	}
	if m := a.want("errors", types.StateValueAlarm); !m.StateTransitionedTimestamp.Equal(a.now().Add(-4 * time.Second)) {
		t.Errorf("transitioned at %s", m.StateTransitionedTimestamp)
	}
	a.move(4500 * time.Millisecond) // the last errors' period, one more, and its grace
	a.want("errors", types.StateValueOk)
	if got, want := a.posts(3), `OK: "errors" in EU (Ireland); ALARM: "errors" in EU (Ireland); OK: "errors" in EU (Ireland)`; got != want {
		t.Errorf("the pager got %s", got)
	}
}

func TestPeoplesStateSnapsBack(t *testing.T) {
	a := newAccount(t)
	a.alarm("errors", nil)
	a.want("errors", types.StateValueOk)
	if _, err := a.cw.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: awssdk.String("errors"),
		StateValue: types.StateValueAlarm, StateReason: awssdk.String("testing the page")}); err != nil {
		t.Fatal(err)
	}
	a.move(time.Second)
	a.want("errors", types.StateValueOk)
	out, err := a.cw.DescribeAlarmHistory(t.Context(), &cloudwatch.DescribeAlarmHistoryInput{AlarmName: awssdk.String("errors"), HistoryItemType: types.HistoryItemTypeStateUpdate})
	if err != nil || len(out.AlarmHistoryItems) != 3 {
		t.Errorf("history %+v, %v", out, err)
	}
}

func TestTreatmentsOfSilence(t *testing.T) {
	a := newAccount(t)
	for _, missing := range []string{"missing", "ignore", "breaching", "notBreaching"} {
		a.alarm(missing, func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = awssdk.String(missing) })
	}
	a.errors(4)
	for _, name := range []string{"missing", "ignore", "breaching", "notBreaching"} {
		a.want(name, types.StateValueAlarm)
	}
	a.move(5 * time.Second)
	a.want("missing", types.StateValueInsufficientData)
	a.want("ignore", types.StateValueAlarm)
	a.want("breaching", types.StateValueAlarm)
	a.want("notBreaching", types.StateValueOk)
}

func TestTwoOfThree(t *testing.T) {
	a := newAccount(t)
	a.alarm("errors", func(in *cloudwatch.PutMetricAlarmInput) {
		in.EvaluationPeriods, in.DatapointsToAlarm = awssdk.Int32(3), awssdk.Int32(2)
	})
	for _, x := range []struct {
		errors float64
		want   types.StateValue
	}{{9, types.StateValueOk}, {0, types.StateValueOk}, {9, types.StateValueAlarm}, {0, types.StateValueAlarm}, {0, types.StateValueAlarm}, {0, types.StateValueOk}} {
		a.errors(x.errors)
		a.want("errors", x.want)
		a.move(2 * time.Second)
	}
}

func TestUnreachableAccountIsAnError(t *testing.T) {
	e := alarms.New("http://127.0.0.1:1/aws", "AKIAALARM000000000", "secret", "eu-west-1", time.Now)
	if err := e.EvaluateOnce(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "evaluate alarms: list them: ") {
		t.Errorf("error %v", err)
	}
}

func TestRunEvaluatesUntilTheEnd(t *testing.T) {
	a := newAccount(t)
	a.alarm("errors", nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.evaluator.Run(ctx) }()
	become := func(want types.StateValue) {
		t.Helper()
		for deadline := time.Now().Add(3 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			out, err := a.cw.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
			if err != nil {
				t.Fatal(err)
			}
			if out.MetricAlarms[0].StateValue == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the alarm is %s, want %s", out.MetricAlarms[0].StateValue, want)
			}
		}
	}
	become(types.StateValueOk)
	a.errors(4)
	become(types.StateValueAlarm)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, c := range a.cloud.CallLog() {
		if c.Operation == "SetAlarmState" && (c.By != "alarm" || c.Service != "cloudwatch" || c.Resource != "errors") {
			t.Errorf("call %+v", c)
		}
	}
}
