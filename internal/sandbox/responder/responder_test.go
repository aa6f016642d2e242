package responder

import (
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func TestAnswersAPageByPhone(t *testing.T) {
	w := newWard(t)
	w.work()
	w.page()
	i := w.resolved()
	var told, acked, done time.Time
	for _, e := range i.Entries {
		switch e.Type {
		case "notify_log_entry":
			told = e.At
		case "acknowledge_log_entry":
			acked = e.At
		case "resolve_log_entry":
			done = e.At
		default:
			continue
		}
		if e.Type != "notify_log_entry" && (e.Channel != "mobile" || e.Agent != "PRESP01") {
			t.Errorf("%s: by %s through %s", e.Type, e.Agent, e.Channel)
		}
	}
	if told.IsZero() || acked.Sub(told) < w.o.Pace.Acknowledge || done.Before(acked) {
		t.Errorf("told %v, acknowledged %v, resolved %v", told, acked, done)
	}
	if got := i.notes(); !strings.Contains(got, "nothing looks wrong") {
		t.Errorf("notes: %s", got)
	}
	if n := writes(w); n != 0 {
		t.Errorf("%d writes to an account in which nothing is wrong", n)
	}
}

func writes(w *ward) int {
	n := 0
	for _, c := range w.cloud.CallLog() {
		if c.By == "responder" && c.Writes {
			n++
		}
	}
	return n
}

func TestTakesAMaximumAway(t *testing.T) {
	w := newWard(t)
	arn := w.table("orders", true)
	w.mark(arn, "")
	w.update(&dynamodb.UpdateTableInput{TableName: awssdk.String("orders"),
		OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: awssdk.Int64(1)}})
	w.ill.Store(true)
	w.work()
	w.page()
	w.until("maximum gone", func() bool {
		o := w.described("orders").OnDemandThroughput
		return o == nil || o.MaxWriteRequestUnits == nil || *o.MaxWriteRequestUnits == noMaximum
	})
	if got := w.incident(); got.Status != "acknowledged" {
		t.Errorf("before it looks well: %s", got.Status)
	}
	w.ill.Store(false)
	i := w.resolved()
	for _, want := range []string{"writes to table orders are throttled", "only any number of reads and 1 writes a second; put back"} {
		if !strings.Contains(i.notes(), want) {
			t.Errorf("notes lack %q:\n%s", want, i.notes())
		}
	}
}

func TestPutsBackWhatTheTagSays(t *testing.T) {
	w := newWard(t)
	stock := w.table("stock", false)
	w.mark(stock, "mode=provisioned writes=100 WriteCapacityUnits=000")
	w.update(&dynamodb.UpdateTableInput{TableName: awssdk.String("stock"),
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: awssdk.Int64(100), WriteCapacityUnits: awssdk.Int64(1)}})
	w.table("theirs", true) // not marked: nobody's business
	w.update(&dynamodb.UpdateTableInput{TableName: awssdk.String("theirs"),
		OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: awssdk.Int64(7)}})
	w.work()
	w.page()
	w.resolved()
	w.until("put back", func() bool { return *w.described("stock").ProvisionedThroughput.WriteCapacityUnits == 100 })
	if got := *w.described("theirs").OnDemandThroughput.MaxWriteRequestUnits; got != 7 {
		t.Errorf("theirs: %d", got)
	}
}

func TestSlowed(t *testing.T) {
	onDemand := func(writes, reads *int64) *types.TableDescription {
		return &types.TableDescription{TableName: awssdk.String("t"),
			BillingModeSummary: &types.BillingModeSummary{BillingMode: types.BillingModePayPerRequest},
			OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: reads, MaxWriteRequestUnits: writes}}
	}
	provisioned := func(writes, reads int64) *types.TableDescription {
		return &types.TableDescription{TableName: awssdk.String("t"),
			ProvisionedThroughput: &types.ProvisionedThroughputDescription{ReadCapacityUnits: &reads, WriteCapacityUnits: &writes}}
	}
	n := awssdk.Int64
	for name, tt := range map[string]struct {
		table *types.TableDescription
		undo  string
		want  string // in the note; empty: nothing is wrong
	}{
		"no maximum":                {onDemand(nil, nil), "", ""},
		"minus one is none":         {onDemand(n(-1), n(-1)), "writes=-1", ""},
		"writes":                    {onDemand(n(1), nil), "mode=on-demand writes=-1", "writes to table t"},
		"reads":                     {onDemand(nil, n(1)), "reads=-1", "reads to table t"},
		"a maximum of theirs":       {onDemand(n(500), nil), "writes=500", ""},
		"lower than theirs":         {onDemand(n(1), nil), "writes=500", "writes to table t"},
		"provisioned, no tag":       {provisioned(1, 1), "", ""},
		"provisioned, lowered":      {provisioned(1, 100), "writes=100", "writes to table t"},
		"provisioned, put back":     {provisioned(100, 100), "writes=100 reads=100", ""},
		"words that mean nothing":   {onDemand(nil, nil), "what writes= =3 x=y", ""},
		"switches are not capacity": {provisioned(100, 100), "WriteCapacityUnits=000", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := (&Responder{}).slowed(tt.table, tt.undo)
			switch {
			case tt.want == "" && f != nil:
				t.Errorf("got %q", f.said)
			case tt.want != "" && (f == nil || !strings.Contains(f.said, tt.want)):
				t.Errorf("got %+v, want %q", f, tt.want)
			}
		})
	}
}

func TestDeletesTheMarkedRuleOnly(t *testing.T) {
	w := newWard(t)
	lb := elb.NewFromConfig(w.cfg)
	b, err := lb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: awssdk.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	fixed := []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse,
		FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: awssdk.String("503"), ContentType: awssdk.String("text/plain")}}}
	l, err := lb.CreateListener(t.Context(), &elb.CreateListenerInput{LoadBalancerArn: b.LoadBalancers[0].LoadBalancerArn,
		Protocol: elbtypes.ProtocolEnumHttp, Port: awssdk.Int32(0), DefaultActions: fixed})
	if err != nil {
		t.Fatal(err)
	}
	rule := func(priority int32, path string, tags ...elbtypes.Tag) {
		_, err := lb.CreateRule(t.Context(), &elb.CreateRuleInput{ListenerArn: l.Listeners[0].ListenerArn, Priority: &priority, Actions: fixed,
			Conditions: []elbtypes.RuleCondition{{Field: awssdk.String("path-pattern"), Values: []string{path}}}, Tags: tags})
		if err != nil {
			t.Fatal(err)
		}
	}
	rule(1, "/users*", elbtypes.Tag{Key: awssdk.String(runTag), Value: awssdk.String("01run")})
	rule(2, "/closed*")
	w.work()
	w.page()
	i := w.resolved()
	out, err := lb.DescribeRules(t.Context(), &elb.DescribeRulesInput{ListenerArn: l.Listeners[0].ListenerArn})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, r := range out.Rules {
		left = append(left, *r.Priority)
	}
	if got := strings.Join(left, " "); got != "2 default" {
		t.Errorf("rules left: %s", got)
	}
	if !strings.Contains(i.notes(), "load balancer orders answers 503") || !strings.Contains(i.notes(), "deleted rule 1") {
		t.Errorf("notes:\n%s", i.notes())
	}
}

// deadLetters makes a queue whose messages die at the second look, and lets n die.
func (w *ward) deadLetters(n int, body string) {
	w.t.Helper()
	mq := sqs.NewFromConfig(w.cfg)
	if _, err := mq.CreateQueue(w.t.Context(), &sqs.CreateQueueInput{QueueName: awssdk.String("orders-dlq")}); err != nil {
		w.t.Fatal(err)
	}
	q, err := mq.CreateQueue(w.t.Context(), &sqs.CreateQueueInput{QueueName: awssdk.String("orders"), Attributes: map[string]string{
		"VisibilityTimeout": "0", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:111122223333:orders-dlq","maxReceiveCount":1}`}})
	if err != nil {
		w.t.Fatal(err)
	}
	for range n {
		if _, err := mq.SendMessage(w.t.Context(), &sqs.SendMessageInput{QueueUrl: q.QueueUrl, MessageBody: &body}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.until("all dead", func() bool {
		if _, err := mq.ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: q.QueueUrl, MaxNumberOfMessages: 10}); err != nil {
			w.t.Fatal(err)
		}
		return w.in("orders-dlq") == n
	})
}

// in counts the messages of a queue.
func (w *ward) in(queue string) (n int) {
	for _, m := range w.cloud.Messages() {
		if m.Queue == queue {
			n++
		}
	}
	return n
}

func TestReadsDeadLettersAndLeavesThem(t *testing.T) {
	w := newWard(t)
	long := "poison " + strings.Repeat("ü", 100)
	w.deadLetters(3, long)
	w.work()
	w.page()
	i := w.resolved()
	if !strings.Contains(i.notes(), "3 dead letters, the first is \"poison üü") || strings.Contains(i.notes(), long) {
		t.Errorf("notes:\n%s", i.notes())
	}
	for _, m := range w.cloud.Messages() {
		if m.State != "visible" {
			t.Errorf("the responder keeps a message to itself: %+v", m)
		}
	}
	if n := w.in("orders-dlq"); n != 3 {
		t.Errorf("%d messages are left, want 3", n)
	}
}

func TestRedrivesDeadLetters(t *testing.T) {
	w := newWard(t)
	w.o.Redrive = true
	w.deadLetters(3, "poison")
	w.work()
	w.page()
	i := w.resolved()
	if !strings.Contains(i.notes(), "dead letters back to their queue") {
		t.Errorf("notes:\n%s", i.notes())
	}
	w.until("moved", func() bool { return w.in("orders") == 3 })
}

func TestWaitsForAlarmsOrPatience(t *testing.T) {
	w := newWard(t)
	w.o.Pace.Patience = 300 * time.Millisecond
	w.ill.Store(true)
	cw := cloudwatch.NewFromConfig(w.cfg)
	_, err := cw.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{AlarmName: awssdk.String("a"), Namespace: awssdk.String("N"),
		MetricName: awssdk.String("M"), Statistic: cwtypes.StatisticSum, Period: awssdk.Int32(2), EvaluationPeriods: awssdk.Int32(1),
		Threshold: awssdk.Float64(0), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
		AlarmActions: []string{"arn:aws:sns:eu-west-1:111122223333:oncall"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = cw.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: awssdk.String("a"),
		StateValue: cwtypes.StateValueAlarm, StateReason: awssdk.String("test")})
	if err != nil {
		t.Fatal(err)
	}
	r := New(w.o)
	if quiet, err := r.quiet(t.Context()); quiet || err != nil {
		t.Errorf("quiet: %v, %v", quiet, err)
	}
	began := time.Now()
	r.watch(t.Context(), true)
	if took := time.Since(began); took < 300*time.Millisecond || took > 3*time.Second {
		t.Errorf("watched %v, want all patience", took)
	}
	if _, err := cw.DisableAlarmActions(t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	if quiet, err := r.quiet(t.Context()); !quiet || err != nil {
		t.Errorf("an alarm that pages nobody: %v, %v", quiet, err)
	}
}

func TestLeavesOthersIncidentsAlone(t *testing.T) {
	w := newWard(t)
	w.o.Pace.Acknowledge = 300 * time.Millisecond
	w.work()
	w.page()
	w.until("notified", func() bool { return len(w.incident().Entries) > 2 })
	w.post("/events/v2/enqueue", `{"routing_key":"`+key+`","event_action":"resolve","dedup_key":"k"}`)
	w.resolved()
	time.Sleep(400 * time.Millisecond) // longer than it takes to acknowledge
	for _, e := range w.incident().Entries {
		if e.Agent == "PRESP01" {
			t.Errorf("%s on an incident that was over", e.Type)
		}
	}
}

func TestASilentPagerIsAskedAgain(t *testing.T) {
	w := newWard(t)
	w.post("/back/knobs", `{"effect":"down","path":"/pagerduty","count":5}`)
	w.post("/back/knobs", `{"effect":"500","path":"/pagerduty","nth":10,"count":3}`)
	w.work()
	w.page()
	w.resolved()
}

func TestRunEndsInTheMiddle(t *testing.T) {
	w := newWard(t)
	w.o.Pace.Acknowledge = time.Hour
	stop := w.work()
	w.page()
	w.until("notified", func() bool { return len(w.incident().Entries) > 2 })
	stop()
	if got := w.incident().Status; got != "triggered" {
		t.Errorf("got %s", got)
	}
}

func TestPaces(t *testing.T) {
	if a, s := Auto(), Slow(); a.Acknowledge != 3*time.Second || s.Acknowledge != 12*time.Second || a.Look+a.Fix != 5*time.Second {
		t.Errorf("auto %+v, slow %+v", a, s)
	}
	if got := New(Options{}).o.Pace; got != Auto() {
		t.Errorf("unset: %+v", got)
	}
}
