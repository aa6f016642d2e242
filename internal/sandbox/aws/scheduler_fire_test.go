package aws

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamo "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	queues "github.com/aws/aws-sdk-go-v2/service/sqs"
)

// throttledTable is the table orders with a maximum that a schedule would take away, and a dead-letter queue.
func throttledTable(t *testing.T, o Options) *testSchedules {
	t.Helper()
	o.UpdateDelay = -1
	s := newTestSchedules(t, o)
	db := dynamodb.NewFromConfig(testConfig(s.url, "other"))
	_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: awssdk.String("orders"), BillingMode: dynamo.BillingModePayPerRequest,
		AttributeDefinitions: []dynamo.AttributeDefinition{{AttributeName: awssdk.String("id"), AttributeType: dynamo.ScalarAttributeTypeS}},
		KeySchema:            []dynamo.KeySchemaElement{{AttributeName: awssdk.String("id"), KeyType: dynamo.KeyTypeHash}},
		OnDemandThroughput:   &dynamo.OnDemandThroughput{MaxWriteRequestUnits: awssdk.Int64(1)}})
	s.must(err)
	_, err = queues.NewFromConfig(testConfig(s.url, "other")).CreateQueue(t.Context(), &queues.CreateQueueInput{QueueName: awssdk.String("dlq")})
	s.must(err)
	s.cloud.ResetCalls()
	return s
}

func (s *testSchedules) maximum() int64 {
	s.Helper()
	d, err := dynamodb.NewFromConfig(testConfig(s.url, "other")).DescribeTable(s.Context(), &dynamodb.DescribeTableInput{TableName: awssdk.String("orders")})
	s.must(err)
	if d.Table.OnDemandThroughput == nil {
		return -1
	}
	return awssdk.ToInt64(d.Table.OnDemandThroughput.MaxWriteRequestUnits)
}

// dead are the attributes of what is in the dead-letter queue.
func (s *testSchedules) dead() (all []map[string]string) {
	s.Helper()
	mq := queues.NewFromConfig(testConfig(s.url, "other"))
	at, err := mq.GetQueueUrl(s.Context(), &queues.GetQueueUrlInput{QueueName: awssdk.String("dlq")})
	s.must(err)
	out, err := mq.ReceiveMessage(s.Context(), &queues.ReceiveMessageInput{QueueUrl: at.QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}, VisibilityTimeout: 0})
	s.must(err)
	for _, m := range out.Messages {
		told := map[string]string{"body": *m.Body}
		for name, a := range m.MessageAttributes {
			told[name] = *a.StringValue
		}
		all = append(all, told)
	}
	return all
}

func withDLQ(in *sdk.CreateScheduleInput) {
	in.Target.DeadLetterConfig = &types.DeadLetterConfig{Arn: awssdk.String("arn:aws:sqs:eu-west-1:111122223333:dlq")}
}

func input(text string) func(*sdk.CreateScheduleInput) {
	return func(in *sdk.CreateScheduleInput) { in.Target.Input = &text }
}

func retries(attempts, age int32) func(*sdk.CreateScheduleInput) {
	return func(in *sdk.CreateScheduleInput) {
		in.Target.RetryPolicy = &types.RetryPolicy{MaximumRetryAttempts: &attempts, MaximumEventAgeInSeconds: &age}
	}
}

func TestScheduleFiresWithinItsMinuteAsItsRole(t *testing.T) {
	t.Parallel()
	s := throttledTable(t, Options{Now: newTestClock().now})
	s.must(s.create(one("a", withDLQ)))
	if made := s.cloud.Advance(59*time.Minute + 59*time.Second); len(made) != 0 || s.maximum() != 1 {
		t.Fatalf("before its minute: %+v", made)
	}
	made := s.cloud.Advance(time.Minute)
	minute := time.Date(2026, 3, 4, 6, 0, 0, 0, time.UTC)
	if len(made) != 1 || made[0].Schedule != "a" || made[0].Code != "" || !made[0].Ends || made[0].Try != 1 || made[0].At.Truncate(time.Minute) != minute {
		t.Fatalf("%+v", made)
	}
	if s.maximum() != -1 || len(s.dead()) != 0 {
		t.Errorf("maximum %d, dead %v", s.maximum(), s.dead())
	}
	var found *Call
	for _, c := range s.cloud.CallLog() {
		if c.Operation == "UpdateTable" {
			found = &c
		}
	}
	if found == nil || found.By != "scheduler" || found.Service != "dynamodb" || found.Resource != "orders" || found.Status != 200 || !found.Writes {
		t.Errorf("%+v", found)
	}
	if _, err := s.sdk.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: awssdk.String("a")}); err == nil {
		t.Error("DELETE after completion leaves it there")
	}
	if made := s.cloud.Advance(time.Hour); len(made) != 0 {
		t.Errorf("again: %+v", made)
	}
}

// Time alone does it too, and a schedule that is kept happens once all the same.
func TestScheduleFiresByItself(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	s := throttledTable(t, Options{Now: clock.now, Tick: time.Millisecond})
	s.must(s.create(one("a", func(in *sdk.CreateScheduleInput) { in.ActionAfterCompletion = types.ActionAfterCompletionNone })))
	s.must(s.create(one("off", func(in *sdk.CreateScheduleInput) { in.State = types.ScheduleStateDisabled })))
	clock.move(61 * time.Minute)
	until(t, "the call", func() bool { return s.maximum() == -1 })
	clock.move(61 * time.Minute)
	if got, err := s.sdk.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: awssdk.String("a")}); err != nil || *got.Name != "a" {
		t.Errorf("kept, and gone: %v", err)
	}
	until(t, "a quiet end", func() bool {
		_, waiting := s.cloud.Waiting()
		return len(waiting) == 0
	})
	n := 0
	for _, c := range s.cloud.CallLog() {
		if c.By == "scheduler" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d calls", n)
	}
}

// What nobody looked into is refused when it is due, at the first try, and told to the dead-letter queue.
func TestInputsThatNobodyUnderstands(t *testing.T) {
	t.Parallel()
	for what, row := range map[string]struct{ input, code string }{
		"camel case":     {`{"tableName":"orders","OnDemandThroughput":{"MaxWriteRequestUnits":-1}}`, "SerializationException"},
		"unknown member": {`{"TableName":"orders","Speed":1}`, "SerializationException"},
		"no JSON":        {`{"TableName":`, "SerializationException"},
		"a list":         {`[]`, "SerializationException"},
		"no table":       {`{"TableName":"nowhere","OnDemandThroughput":{"MaxWriteRequestUnits":-1}}`, "ResourceNotFoundException"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := throttledTable(t, Options{Now: newTestClock().now})
			s.must(s.create(one("a", withDLQ, input(row.input))))
			made := s.cloud.Advance(2 * time.Hour)
			if len(made) != 1 || made[0].Code != row.code || !made[0].Ends {
				t.Fatalf("%+v", made)
			}
			dead := s.dead()
			if len(dead) != 1 || dead[0]["ERROR_CODE"] != row.code || dead[0]["ERROR_MESSAGE"] == "" || dead[0]["body"] != row.input ||
				dead[0]["TARGET_ARN"] != "arn:aws:scheduler:::aws-sdk:dynamodb:updateTable" || dead[0]["EXHAUSTED_RETRY_CONDITION"] != "" {
				t.Errorf("%+v", dead)
			}
			if _, waiting := s.cloud.Waiting(); len(waiting) != 0 || s.maximum() != 1 {
				t.Errorf("waiting %v, maximum %d", waiting, s.maximum())
			}
		})
	}
}

// Errors that pass are tried again within the policy; others are not, and that a resource is in use is one of those.
func TestScheduleTriesAgain(t *testing.T) {
	t.Parallel()
	for what, row := range map[string]struct {
		knob  Knob
		retry func(*sdk.CreateScheduleInput)
		tries int
		why   string // the last refusal's limit
		done  bool
	}{
		"5xx twice":        {Knob{Effect: "5xx", Nth: 1, Count: 2}, retries(5, 3600), 3, "", true},
		"throttled":        {Knob{Effect: "throttle", Nth: 1, Count: 1}, retries(1, 60), 2, "", true},
		"5xx for ever":     {Knob{Effect: "5xx"}, retries(3, 86400), 4, "MaximumRetryAttempts", false},
		"5xx for too long": {Knob{Effect: "5xx"}, retries(185, 60), 6, "MaximumEventAgeInSeconds", false},
		"no second try":    {Knob{Effect: "5xx"}, retries(0, 60), 1, "MaximumRetryAttempts", false},
		"denied":           {Knob{Effect: "deny"}, retries(5, 3600), 1, "", false},
		"in use":           {Knob{Effect: "deny", Code: "ResourceInUseException"}, retries(5, 3600), 1, "", false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := throttledTable(t, Options{Now: newTestClock().now})
			s.must(s.create(one("a", withDLQ, row.retry)))
			row.knob.By, row.knob.Operation = "scheduler", "UpdateTable"
			_, err := s.cloud.Turn(row.knob)
			s.must(err)
			made := s.cloud.Advance(48 * time.Hour)
			if len(made) != row.tries || !made[len(made)-1].Ends || (made[len(made)-1].Code == "") != row.done {
				t.Fatalf("%+v", made)
			}
			if (s.maximum() == -1) != row.done {
				t.Errorf("maximum %d", s.maximum())
			}
			if dead := s.dead(); len(dead) == 0 != row.done || len(dead) > 0 && dead[0]["EXHAUSTED_RETRY_CONDITION"] != row.why {
				t.Errorf("dead: %v", dead)
			}
		})
	}
}

// A call whose answer is lost has taken effect, and its second try is told that nothing would change: done, and dead all
// the same.
func TestScheduleWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	s := throttledTable(t, Options{Now: newTestClock().now})
	s.must(s.create(one("a", withDLQ)))
	_, err := s.cloud.Turn(Knob{By: "scheduler", Operation: "UpdateTable", Effect: "partial", Nth: 1})
	s.must(err)
	made := s.cloud.Advance(2 * time.Hour)
	if len(made) != 2 || made[0].Ends || made[1].Code != "ValidationException" || s.maximum() != -1 || len(s.dead()) != 1 {
		t.Errorf("%+v, maximum %d", made, s.maximum())
	}
}

// A call of Scheduler's is held like any other, and the sandbox ends all the same.
func TestHeldCallOfASchedule(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	s := throttledTable(t, Options{Now: clock.now, Tick: time.Millisecond})
	s.must(s.create(one("a")))
	_, err := s.cloud.Turn(Knob{By: "scheduler", Effect: "hold"})
	s.must(err)
	clock.move(61 * time.Minute)
	until(t, "the hold", func() bool { return s.cloud.KnobList()[0].State == "holding" })
	if s.maximum() != 1 {
		t.Error("held, and done")
	}
}

func TestSchedulesPage(t *testing.T) {
	t.Parallel()
	s := throttledTable(t, Options{Now: newTestClock().now})
	s.must(s.create(one("a")))
	ask := func(method, path, body string) (int, string) {
		w := httptest.NewRecorder()
		s.cloud.Schedules(w, httptest.NewRequestWithContext(t.Context(), method, "/_sandbox/schedules"+path, bytes.NewReader([]byte(body))))
		return w.Code, w.Body.String()
	}
	if code, text := ask(http.MethodGet, "", ""); code != 200 || !strings.Contains(text, `"schedule": "a"`) || !strings.Contains(text, "2026-03-04T06:00:00Z") {
		t.Errorf("%d %s", code, text)
	}
	for _, bad := range []string{``, `{"by":"soon"}`, `{"by":"-1m"}`, `{"to":"1m"}`} {
		if code, text := ask(http.MethodPost, "/advance", bad); code != 400 || !strings.Contains(text, "Try: ") {
			t.Errorf("%q: %d %s", bad, code, text)
		}
	}
	if code, _ := ask(http.MethodDelete, "", ""); code != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", code)
	}
	code, text := ask(http.MethodPost, "/advance", `{"by":"2h"}`)
	var made []Made
	if err := json.Unmarshal([]byte(text), &made); code != 200 || err != nil || len(made) != 1 || made[0].Schedule != "a" {
		t.Errorf("%d %s %v", code, text, err)
	}
	if _, text := ask(http.MethodGet, "", ""); !strings.Contains(text, `"now": "2026-03-04T07:00:00Z"`) || !strings.Contains(text, `"waiting": []`) {
		t.Error(text)
	}
}
