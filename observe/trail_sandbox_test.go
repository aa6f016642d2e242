package observe

import (
	"net/http/httptest"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/internal/sandbox/aws"
)

// TestTrailOfTheSandbox: who mended a queue is named, and told from us, through the SDK.
func TestTrailOfTheSandbox(t *testing.T) {
	c := aws.New(aws.Options{Now: time.Now, TrailDelay: -1, Keys: map[string]string{"AKIARESPONDER00000": "responder", "AKIAFIREDRILL00000": "firedrill"}})
	srv := httptest.NewServer(c)
	defer srv.Close()
	c.SetBase(srv.URL + "/aws")
	cfg := func(key string) awssdk.Config {
		return awssdk.Config{Region: "eu-west-1", BaseEndpoint: awssdk.String(srv.URL + "/aws"), Credentials: credentials.NewStaticCredentialsProvider(key, "secret", "")}
	}
	ours := cfg("AKIAFIREDRILL00000")
	ours.AppID = "firedrill"
	began := time.Now()
	var queue *string
	for i, by := range []awssdk.Config{ours, cfg("AKIARESPONDER00000")} {
		q := sqs.NewFromConfig(by)
		if i == 0 {
			out, err := q.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: awssdk.String("orders")})
			if err != nil {
				t.Fatal(err)
			}
			queue = out.QueueUrl
		}
		if _, err := q.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: queue, Attributes: map[string]string{"VisibilityTimeout": "5"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := q.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue, MessageBody: awssdk.String("x")}); err != nil {
			t.Fatal(err)
		}
	}
	trail := NewTrail(ours, TrailOptions{Apart: time.Millisecond})
	got, err := trail.Changes(t.Context(), []string{"arn:aws:sqs:eu-west-1:111122223333:orders"}, began, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, ch := range got {
		told = append(told, ch.Event+" "+ch.How+" "+ch.By)
	}
	want := map[string]bool{"CreateQueue firedrill firedrill": true, "SetQueueAttributes firedrill firedrill": true, "SetQueueAttributes person responder": true}
	for _, line := range told {
		if !want[line] {
			t.Errorf("%q was not expected", line)
		}
		delete(want, line)
	}
	if len(want) > 0 {
		t.Errorf("%v is missing of %q", want, told)
	}
}
