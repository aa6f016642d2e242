package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"
)

const trailTable = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"

// trailOf answers by resource name; waits are counted.
func trailOf(t *testing.T, events map[string][]types.Event) (trail *trail, asked *[]string, waits *int) {
	t.Helper()
	asked, waits = &[]string{}, new(int)
	return newTrail(func(_ context.Context, in *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
		name := aws.ToString(in.LookupAttributes[0].AttributeValue)
		*asked = append(*asked, name)
		return &cloudtrail.LookupEventsOutput{Events: events[name]}, nil
	}, TrailOptions{Roles: []string{"arn:aws:iam::111122223333:role/firedrill-deadman"}, Wait: func(context.Context, time.Duration) error { *waits++; return nil }}), asked, waits
}

// written is an event as CloudTrail tells it; more is what its record has beside.
func written(id, more string) types.Event {
	return types.Event{EventId: aws.String(id), EventName: aws.String("UpdateTable"), ReadOnly: aws.String("false"), EventTime: aws.Time(hookNow()),
		CloudTrailEvent: aws.String(`{"eventName":"UpdateTable","eventTime":"2026-11-22T10:00:00Z","readOnly":false` + more + `}`)}
}

func TestTrailNamesWhoDidIt(t *testing.T) {
	role := func(name, session string) string {
		return fmt.Sprintf(`,"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/%s/%s","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/%[1]s","userName":%[1]q}}`, name, session)
	}
	user := `,"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ada","userName":"ada"}`
	for name, c := range map[string]struct{ record, how, by string }{
		"a user":           {user, ByPerson, "ada"},
		"root":             {`,"userIdentity":{"type":"Root","arn":"arn:aws:iam::111122223333:root"}`, ByPerson, "the root user"},
		"single sign-on":   {role("AWSReservedSSO_Admin_0123", "ada@example.com") + `}`, ByPerson, "ada"},
		"the console":      {role("admin", "ada") + `},"sessionCredentialFromConsole":"true"`, ByPerson, "admin/ada"},
		"we":               {role("drills", "firedrill-01k") + `}`, ByFiredrill, "drills/firedrill-01k"},
		"we, by our agent": {user + `,"userAgent":"aws-sdk-go-v2/1.47 app/firedrill firedrill/1.0"`, ByFiredrill, "ada"},
		"the switch":       {role("firedrill-deadman", "a1b2") + `,"invokedBy":"scheduler.amazonaws.com"}`, ByFiredrill, "scheduler.amazonaws.com"},
		"terraform": {role("ci", "apply") + `},"userAgent":"APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.70.0"`,
			ByTerraform, "ci/apply"},
		"a person's terraform": {user + `,"userAgent":"HashiCorp Terraform/1.9"`, ByTerraform, "ada"},
		"auto scaling": {role("AWSServiceRoleForApplicationAutoScaling_DynamoDBTable", "AutoScaling-UpdateTable") + `,"invokedBy":"dynamodb.application-autoscaling.amazonaws.com"}`,
			ByAutoScaling, "dynamodb.application-autoscaling.amazonaws.com"},
		"a stack":             {role("deploy", "x") + `,"invokedBy":"cloudformation.amazonaws.com"},"sourceIPAddress":"cloudformation.amazonaws.com"`, ByDeploy, "cloudformation.amazonaws.com"},
		"a stack, by address": {role("deploy", "x") + `},"sourceIPAddress":"cloudformation.amazonaws.com"`, ByDeploy, "deploy/x"},
		"a service":           {`,"userIdentity":{"type":"AWSService","invokedBy":"backup.amazonaws.com"}`, ByService, "backup.amazonaws.com"},
		"a stranger's switch": {role("nightly", "x") + `,"invokedBy":"scheduler.amazonaws.com"}`, ByService, "scheduler.amazonaws.com"},
		"a role":              {role("ci", "build-77") + `}`, ByUnknown, "ci/build-77"},
		"nobody tells":        {``, ByUnknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			trail, _, _ := trailOf(t, map[string][]types.Event{trailTable: {written("1", c.record)}})
			got, err := trail.Changes(t.Context(), []string{trailTable}, hookNow().Add(-time.Minute), hookNow().Add(time.Minute))
			if err != nil || len(got) != 1 || got[0].How != c.how || got[0].By != c.by || got[0].Event != "UpdateTable" || got[0].Target != trailTable {
				t.Errorf("%v %+v, want %s by %q", err, got, c.how, c.by)
			}
		})
	}
}

// TestTrailKeepsWhatChanged: each write once, in order, of the time that is asked about; a refused one is told as that.
func TestTrailKeepsWhatChanged(t *testing.T) {
	read := written("2", "")
	read.ReadOnly = aws.String("true")
	early := written("3", "")
	early.CloudTrailEvent = aws.String(`{"eventName":"Early","eventTime":"2026-11-22T09:00:00Z"}`)
	later := written("4", `,"errorCode":"AccessDenied"`)
	later.CloudTrailEvent = aws.String(strings.Replace(*later.CloudTrailEvent, "10:00:00Z", "10:00:30Z", 1))
	broken := types.Event{EventId: aws.String("5"), EventName: aws.String("TagResource"), EventTime: aws.Time(hookNow().Add(time.Second)), CloudTrailEvent: aws.String("{")}
	trail, asked, waits := trailOf(t, map[string][]types.Event{trailTable: {later, written("1", ""), read, early, broken}, "orders": {written("1", "")}})
	got, err := trail.Changes(t.Context(), []string{trailTable}, hookNow(), hookNow().Add(time.Minute))
	if err != nil || len(got) != 3 {
		t.Fatalf("%v %+v", err, got)
	}
	if got[0].Event != "UpdateTable" || got[1].Event != "TagResource" || got[1].How != ByUnknown || !got[2].Failed || got[0].Failed {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(*asked, []string{trailTable, "orders"}) || *waits != 1 {
		t.Errorf("asked %q with %d waits", *asked, *waits)
	}
}

// A table and a queue of one name are two things; auto scaling speaks of a table under its own.
func TestTrailTellsNamesakesApart(t *testing.T) {
	of := func(id, source string) types.Event {
		e := written(id, `,"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ada","userName":"ada"}`)
		e.EventSource = aws.String(source)
		return e
	}
	trail, _, _ := trailOf(t, map[string][]types.Event{"orders": {of("table", "dynamodb.amazonaws.com"), of("queue", "sqs.amazonaws.com"), of("scaling", "application-autoscaling.amazonaws.com")}})
	for _, targets := range [][]string{{"arn:aws:sqs:eu-west-1:111122223333:orders", trailTable}, {trailTable, "arn:aws:sqs:eu-west-1:111122223333:orders"}} {
		got, err := trail.Changes(t.Context(), targets, hookNow().Add(-time.Minute), hookNow().Add(time.Minute))
		if err != nil || len(got) != 3 {
			t.Fatalf("%+v %v", got, err)
		}
		count := map[string]int{}
		for _, c := range got {
			count[c.Target]++
		}
		if count[targets[0]] != 2 || count[targets[1]] != 1 { // auto scaling's goes to whoever is asked about first
			t.Errorf("%v: %v", targets, count)
		}
	}
}

func TestTrailNames(t *testing.T) {
	for arn, want := range map[string][]string{
		trailTable: {trailTable, "orders"},
		"arn:aws:sqs:eu-west-1:111122223333:orders":                                     {"arn:aws:sqs:eu-west-1:111122223333:orders", "orders", "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"},
		"arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/orders/1a/2b": {"arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/orders/1a/2b"},
		"arn:aws:lambda:eu-west-1:111122223333:function:orders":                         {"arn:aws:lambda:eu-west-1:111122223333:function:orders", "orders"},
		"orders": {"orders"},
	} {
		if got := trailNamesOf(arn); !slices.Equal(got, want) {
			t.Errorf("%s: %q", arn, got)
		}
	}
}

// TestTrailIsBounded: AWS answers two questions a second, and a trail may be endless.
func TestTrailIsBounded(t *testing.T) {
	var asked, waits int
	trail := newTrail(func(context.Context, *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
		asked++
		return &cloudtrail.LookupEventsOutput{Events: []types.Event{written(fmt.Sprint(asked), "")}, NextToken: aws.String("more")}, nil
	}, TrailOptions{Wait: func(_ context.Context, d time.Duration) error {
		if d < 500*time.Millisecond {
			t.Errorf("asks again after %s", d)
		}
		waits++
		return nil
	}})
	got, err := trail.Changes(t.Context(), []string{trailTable}, hookNow().Add(-time.Hour), hookNow().Add(time.Hour))
	if err == nil || len(got) != trailPages || asked != trailPages || waits != asked-1 {
		t.Errorf("%v: %d changes, asked %d times, waited %d times", err, len(got), asked, waits)
	}
	if _, err := trail.Changes(t.Context(), []string{trailTable}, hookNow(), hookNow()); err == nil {
		t.Error("no time at all was asked about")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	trail.wait = waitFor
	trail.turn <- struct{}{}
	if _, err := trail.Changes(ended, []string{trailTable}, hookNow(), hookNow().Add(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestTrailThatMayNotBeRead is told as that: who changed what is unknown, and nothing else is wrong.
func TestTrailThatMayNotBeRead(t *testing.T) {
	for code, want := range map[string]bool{"AccessDeniedException": true, "UnknownOperationException": true, "ThrottlingException": false} {
		trail := newTrail(func(context.Context, *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
			return nil, &smithy.GenericAPIError{Code: code, Message: "no"}
		}, TrailOptions{})
		_, err := trail.Changes(t.Context(), []string{trailTable}, hookNow(), hookNow().Add(time.Minute))
		if err == nil || errors.Is(err, ErrTrailUnread) != want {
			t.Errorf("%s: %v", code, err)
		}
	}
}
