package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"
)

func lookFor(key types.LookupAttributeKey, value string) *cloudtrail.LookupEventsInput {
	return &cloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{AttributeKey: key, AttributeValue: awssdk.String(value)}}}
}

// TestTrailTellsWhoWrote: late, in whole seconds, newest first, without what carries data.
func TestTrailTellsWhoWrote(t *testing.T) {
	clock := newTestClock()
	c, url := testCloud(t, Options{Now: clock.now, TrailDelay: 5 * time.Minute})
	trail := cloudtrail.NewFromConfig(testConfig(url, "other"))
	const table = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
	call := func(c Call) Call { c.Service, c.At, c.Status = "dynamodb", clock.now(), 200; return c }
	for _, made := range []Call{
		{Operation: "UpdateTable", Writes: true, Resource: "orders", Principal: "arn:aws:iam::111122223333:user/responder", By: "responder", Agent: "aws-cli/2"},
		{Operation: "PutItem", Writes: true, Resource: "orders", Principal: "arn:aws:iam::111122223333:user/orders"},
		{Operation: "DescribeTable", Resource: "orders", Principal: "arn:aws:iam::111122223333:user/orders"},
		{Operation: "UpdateTable", Writes: true, Resource: "orders", By: "other"},
		{Operation: "UpdateTable", Writes: true, Resource: "orders", By: "scheduler", Principal: "arn:aws:iam::111122223333:role/firedrill-deadman"},
	} {
		n := c.calls.begin(call(made))
		c.calls.end(n, 200, "")
		clock.move(time.Second)
	}
	out, err := trail.LookupEvents(t.Context(), lookFor(types.LookupAttributeKeyResourceName, table))
	if err != nil || len(out.Events) != 0 {
		t.Fatalf("it knows %d at once: %v", len(out.Events), err)
	}
	clock.move(5 * time.Minute)
	if out, err = trail.LookupEvents(t.Context(), lookFor(types.LookupAttributeKeyResourceName, table)); err != nil || len(out.Events) != 4 {
		t.Fatalf("%d events: %v", len(out.Events), err)
	}
	var by []string
	for _, e := range out.Events {
		var r struct {
			Identity struct{ Type, ARN, InvokedBy string } `json:"userIdentity"`
			ReadOnly bool
			Name     string `json:"eventName"`
		}
		if err := json.Unmarshal([]byte(*e.CloudTrailEvent), &r); err != nil {
			t.Fatal(err)
		}
		if r.ReadOnly != (*e.ReadOnly == "true") || r.Name != *e.EventName || e.EventTime.Nanosecond() != 0 {
			t.Errorf("%+v is not %s", r, *e.EventName)
		}
		by = append(by, r.Identity.Type+" "+r.Identity.InvokedBy)
	}
	want := []string{"AssumedRole scheduler.amazonaws.com", "AssumedRole dynamodb.application-autoscaling.amazonaws.com", "IAMUser ", "IAMUser "}
	if fmt.Sprint(by) != fmt.Sprint(want) {
		t.Errorf("%q", by)
	}
}

func TestTrailPagesAndRefuses(t *testing.T) {
	c, url := testCloud(t, Options{TrailDelay: -1})
	trail := cloudtrail.NewFromConfig(testConfig(url, "other"))
	for range 120 {
		c.calls.end(c.calls.begin(Call{At: time.Now(), Service: "sqs", Operation: "SetQueueAttributes", Writes: true,
			Resource: "http://x/aws/111122223333/orders", Principal: "arn:aws:iam::111122223333:user/responder"}), 200, "")
	}
	in := lookFor(types.LookupAttributeKeyResourceName, "arn:aws:sqs:eu-west-1:111122223333:orders")
	seen := map[string]bool{}
	for pages := 0; ; pages++ {
		out, err := trail.LookupEvents(t.Context(), in)
		if err != nil || pages > 3 {
			t.Fatalf("page %d: %v", pages, err)
		}
		for _, e := range out.Events {
			seen[*e.EventId] = true
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d events", len(seen))
	}
	two := lookFor(types.LookupAttributeKeyEventName, "x")
	two.LookupAttributes = append(two.LookupAttributes, two.LookupAttributes...)
	wide := lookFor(types.LookupAttributeKeyEventName, "x")
	wide.MaxResults = awssdk.Int32(51)
	odd := lookFor(types.LookupAttributeKeyEventName, "x")
	odd.NextToken = awssdk.String("?")
	for code, in := range map[string]*cloudtrail.LookupEventsInput{"InvalidLookupAttributesException": two, "InvalidMaxResultsException": wide, "InvalidNextTokenException": odd} {
		_, err := trail.LookupEvents(t.Context(), in)
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != code {
			t.Errorf("%s: %v", code, err)
		}
	}
}
