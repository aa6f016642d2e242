package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// The world names a role that Scheduler may assume and a queue for what fails; time is moved over HTTP.
func TestWorldHasADeadmanSwitch(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := s.World()
	k := w.Keys["firedrill"]
	cfg := aws.Config{Region: w.Region, BaseEndpoint: &w.AWS, Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, "")}
	at := time.Now().Add(10 * time.Minute).UTC().Format("at(2006-01-02T15:04:05)")
	_, err = scheduler.NewFromConfig(cfg).CreateSchedule(t.Context(), &scheduler.CreateScheduleInput{Name: aws.String("one"), ScheduleExpression: &at,
		FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff}, ActionAfterCompletion: types.ActionAfterCompletionDelete,
		Target: &types.Target{Arn: aws.String("arn:aws:scheduler:::aws-sdk:dynamodb:updateTable"), RoleArn: &w.Deadman.Role,
			Input: aws.String(`{"tableName":"orders"}`), DeadLetterConfig: &types.DeadLetterConfig{Arn: &w.Deadman.DLQ}}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, body string) string {
		r, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %s %s %v", method, path, a.Status, text, err)
		}
		return string(text)
	}
	if text := ask(http.MethodGet, "/_sandbox/schedules", ""); !strings.Contains(text, `"schedule": "one"`) {
		t.Error(text)
	}
	if text := ask(http.MethodGet, "/", ""); !strings.Contains(text, "/_sandbox/schedules/advance") {
		t.Error("the front page does not say how to move Scheduler's clock")
	}
	var made []struct{ Code string }
	if err := json.Unmarshal([]byte(ask(http.MethodPost, "/_sandbox/schedules/advance", `{"by": "11m"}`)), &made); err != nil || len(made) != 1 || made[0].Code != "SerializationException" {
		t.Errorf("%+v %v", made, err)
	}
	mq := sqs.NewFromConfig(cfg)
	q, err := mq.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(deadmanDLQ)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := mq.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: q.QueueUrl, MessageAttributeNames: []string{"All"}})
	if err != nil || len(got.Messages) != 1 || *got.Messages[0].MessageAttributes["ERROR_CODE"].StringValue != "SerializationException" {
		t.Errorf("%+v %v", got, err)
	}
}
