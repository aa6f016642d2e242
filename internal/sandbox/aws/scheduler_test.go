package aws

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sdk "github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/smithy-go"
)

// testSchedules is Scheduler over the wire.
type testSchedules struct {
	*testing.T
	cloud *Cloud
	url   string
	sdk   *sdk.Client
}

func newTestSchedules(t *testing.T, o Options) *testSchedules {
	t.Helper()
	c, url := testCloud(t, o)
	return &testSchedules{t, c, url, sdk.NewFromConfig(testConfig(url, "firedrill"))}
}

// one is a schedule as it should be.
func one(name string, change ...func(*sdk.CreateScheduleInput)) *sdk.CreateScheduleInput {
	in := &sdk.CreateScheduleInput{Name: &name, ScheduleExpression: awssdk.String("at(2026-03-04T06:00:00)"), ClientToken: &name,
		FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff}, ActionAfterCompletion: types.ActionAfterCompletionDelete,
		Target: &types.Target{Arn: awssdk.String("arn:aws:scheduler:::aws-sdk:dynamodb:updateTable"), RoleArn: awssdk.String("arn:aws:iam::111122223333:role/deadman"),
			Input: awssdk.String(`{"TableName":"orders","OnDemandThroughput":{"MaxWriteRequestUnits":-1}}`)}}
	for _, c := range change {
		c(in)
	}
	return in
}

func (s *testSchedules) create(in *sdk.CreateScheduleInput) error {
	_, err := s.sdk.CreateSchedule(s.Context(), in)
	return err
}

func (s *testSchedules) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// refused checks code and status of a refusal.
func (s *testSchedules) refused(what string, err error, code string, status int) {
	s.Helper()
	var api smithy.APIError
	var answer *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &answer) || api.ErrorCode() != code || answer.HTTPStatusCode() != status || api.ErrorMessage() == "" {
		s.Errorf("%s: %v, want %s with status %d", what, err, code, status)
	}
}

func TestScheduleLives(t *testing.T) {
	t.Parallel()
	s := newTestSchedules(t, Options{Now: newTestClock().now})
	s.must(s.create(one("a")))
	got, err := s.sdk.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: awssdk.String("a"), GroupName: awssdk.String("default")})
	s.must(err)
	if *got.Arn != "arn:aws:scheduler:eu-west-1:111122223333:schedule/default/a" || *got.ScheduleExpressionTimezone != "UTC" ||
		got.State != types.ScheduleStateEnabled || !got.CreationDate.Equal(newTestClock().at) || *got.Target.Input != *one("a").Target.Input {
		t.Errorf("%+v", got)
	}
	_, err = s.sdk.UpdateSchedule(t.Context(), &sdk.UpdateScheduleInput{Name: awssdk.String("a"), ScheduleExpression: awssdk.String("at(2026-03-04T07:00:00)"),
		FlexibleTimeWindow: one("a").FlexibleTimeWindow, Target: one("a").Target})
	s.must(err)
	got, err = s.sdk.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: awssdk.String("a")})
	if s.must(err); got.ActionAfterCompletion != types.ActionAfterCompletionNone || *got.ScheduleExpression != "at(2026-03-04T07:00:00)" {
		t.Errorf("what an update leaves out is as if never said: %+v", got)
	}
	if config, err := s.cloud.ConfigJSON(); err != nil || !strings.Contains(string(config), "at(2026-03-04T07:00:00)") {
		t.Errorf("not among what people configured: %s %v", config, err)
	}
	_, err = s.sdk.DeleteSchedule(t.Context(), &sdk.DeleteScheduleInput{Name: awssdk.String("a")})
	s.must(err)
	_, err = s.sdk.DeleteSchedule(t.Context(), &sdk.DeleteScheduleInput{Name: awssdk.String("a")})
	s.refused("deleted twice", err, "ResourceNotFoundException", http.StatusNotFound)
	_, err = s.sdk.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: awssdk.String("a")})
	s.refused("read when gone", err, "ResourceNotFoundException", http.StatusNotFound)
	_, err = s.sdk.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: awssdk.String("a"), GroupName: awssdk.String("ours")})
	s.refused("another group", err, "ResourceNotFoundException", http.StatusNotFound)
	if config, err := s.cloud.ConfigJSON(); err != nil || strings.Contains(string(config), `"scheduler"`) {
		t.Errorf("left: %s %v", config, err)
	}
}

func TestSchedulesAreListedByPrefixAndPage(t *testing.T) {
	t.Parallel()
	s := newTestSchedules(t, Options{Now: newTestClock().now})
	for i := range 5 {
		s.must(s.create(one(fmt.Sprintf("firedrill-%d", i))))
	}
	s.must(s.create(one("other")))
	var names []string
	pages := sdk.NewListSchedulesPaginator(s.sdk, &sdk.ListSchedulesInput{NamePrefix: awssdk.String("firedrill-"), GroupName: awssdk.String("default"), MaxResults: awssdk.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		s.must(err)
		for _, x := range page.Schedules {
			names = append(names, *x.Name)
		}
	}
	if got := strings.Join(names, " "); got != "firedrill-0 firedrill-1 firedrill-2 firedrill-3 firedrill-4" {
		t.Error(got)
	}
}

func TestScheduleIsMadeOnce(t *testing.T) {
	t.Parallel()
	s := newTestSchedules(t, Options{Now: newTestClock().now, Schedules: 1})
	token := func(v string) func(*sdk.CreateScheduleInput) {
		return func(in *sdk.CreateScheduleInput) { in.ClientToken = &v }
	}
	s.must(s.create(one("a")))
	s.must(s.create(one("a")))
	s.refused("another token", s.create(one("a", token("b"))), "ConflictException", http.StatusConflict)
	s.refused("the token with other content", s.create(one("a", func(in *sdk.CreateScheduleInput) { in.Description = awssdk.String("x") })), "ConflictException", http.StatusConflict)
	s.refused("one too many", s.create(one("b")), "ServiceQuotaExceededException", http.StatusPaymentRequired)
	_, err := s.sdk.DeleteSchedule(t.Context(), &sdk.DeleteScheduleInput{Name: awssdk.String("a")})
	s.must(err)
	s.must(s.create(one("a")))
	if _, waiting := s.cloud.Waiting(); len(waiting) != 0 {
		t.Errorf("a token made a second one: %v", waiting)
	}
}

func TestScheduleIsValidated(t *testing.T) {
	t.Parallel()
	s := newTestSchedules(t, Options{Now: newTestClock().now})
	type in = sdk.CreateScheduleInput
	say := awssdk.String
	for what, spoil := range map[string]func(*in){
		"name with a slash":  func(x *in) { x.Name = say("a/b") },
		"long name":          func(x *in) { x.Name = say(strings.Repeat("a", 65)) },
		"token with a dot":   func(x *in) { x.ClientToken = say("a.b") },
		"rate":               func(x *in) { x.ScheduleExpression = say("rate(5 minutes)") },
		"no at":              func(x *in) { x.ScheduleExpression = say("2026-03-04T06:00:00") },
		"at with a zone":     func(x *in) { x.ScheduleExpression = say("at(2026-03-04T06:00:00Z)") },
		"at without seconds": func(x *in) { x.ScheduleExpression = say("at(2026-03-04T06:00)") },
		"30 February":        func(x *in) { x.ScheduleExpression = say("at(2026-02-30T06:00:00)") },
		"unknown zone":       func(x *in) { x.ScheduleExpressionTimezone = say("Mars/Olympus") },
		"flexible without window": func(x *in) {
			x.FlexibleTimeWindow = &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeFlexible}
		},
		"off with window": func(x *in) {
			x.FlexibleTimeWindow = &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff, MaximumWindowInMinutes: awssdk.Int32(5)}
		},
		"state":                  func(x *in) { x.State = "ON" },
		"action":                 func(x *in) { x.ActionAfterCompletion = "KEEP" },
		"role of another":        func(x *in) { x.Target.RoleArn = say("arn:aws:iam::999988887777:role/deadman") },
		"user for a role":        func(x *in) { x.Target.RoleArn = say("arn:aws:iam::111122223333:user/deadman") },
		"templated target":       func(x *in) { x.Target.Arn = say("arn:aws:sqs:eu-west-1:111122223333:orders") },
		"reading":                func(x *in) { x.Target.Arn = say("arn:aws:scheduler:::aws-sdk:dynamodb:describeTable") },
		"receiving":              func(x *in) { x.Target.Arn = say("arn:aws:scheduler:::aws-sdk:sqs:receiveMessage") },
		"querying":               func(x *in) { x.Target.Arn = say("arn:aws:scheduler:::aws-sdk:dynamodb:query") },
		"endpoint for a service": func(x *in) { x.Target.Arn = say("arn:aws:scheduler:::aws-sdk:elasticloadbalancing:deleteRule") },
		"dash in a service": func(x *in) {
			x.Target.Arn = say("arn:aws:scheduler:::aws-sdk:application-autoscaling:registerScalableTarget")
		},
		"unknown action": func(x *in) { x.Target.Arn = say("arn:aws:scheduler:::aws-sdk:dynamodb:explodeTable") },
		"many retries":   func(x *in) { x.Target.RetryPolicy = &types.RetryPolicy{MaximumRetryAttempts: awssdk.Int32(186)} },
		"young":          func(x *in) { x.Target.RetryPolicy = &types.RetryPolicy{MaximumEventAgeInSeconds: awssdk.Int32(59)} },
		"fifo DLQ": func(x *in) {
			x.Target.DeadLetterConfig = &types.DeadLetterConfig{Arn: say("arn:aws:sqs:eu-west-1:111122223333:q.fifo")}
		},
		"topic for a DLQ": func(x *in) {
			x.Target.DeadLetterConfig = &types.DeadLetterConfig{Arn: say("arn:aws:sns:eu-west-1:111122223333:q")}
		},
		"much input": func(x *in) { x.Target.Input = say(strings.Repeat("x", 256<<10+1)) },
	} {
		if err := s.create(one("a", spoil)); err == nil {
			t.Errorf("%s is taken", what)
		} else {
			s.refused(what, err, "ValidationException", http.StatusBadRequest)
		}
	}
	s.refused("another group", s.create(one("a", func(x *in) { x.GroupName = say("ours") })), "ResourceNotFoundException", http.StatusNotFound)
	if _, waiting := s.cloud.Waiting(); len(waiting) != 0 {
		t.Errorf("made all the same: %v", waiting)
	}
	// It is not looked into: that shows when it is too late.
	s.must(s.create(one("camel", func(x *in) { x.Target.Input = say(`{"tableName":`) })))
	s.must(s.create(one("zoned", func(x *in) { x.ScheduleExpressionTimezone = say("Europe/Berlin") })))
	if _, waiting := s.cloud.Waiting(); waiting[0].Schedule != "zoned" || waiting[0].At.Hour() != 5 {
		t.Errorf("six in Berlin is five in UTC: %+v", waiting)
	}
}

// Knobs have Scheduler in their grip as every service, in the statuses of its own protocol.
func TestKnobsOnScheduler(t *testing.T) {
	t.Parallel()
	s := newTestSchedules(t, Options{Now: newTestClock().now})
	for effect, want := range map[string]struct {
		code   string
		status int
	}{"deny": {"AccessDeniedException", 403}, "throttle": {"ThrottlingException", 429}, "5xx": {"InternalServerError", 500}} {
		id, err := s.cloud.Turn(Knob{Service: "scheduler", Operation: "CreateSchedule", Effect: effect})
		s.must(err)
		s.refused(effect, s.create(one("a")), want.code, want.status)
		s.cloud.Release(id)
	}
	for _, path := range []string{"/schedules", "/schedules/a/b?x", "/schedule-groups/x", "/tags/x"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPatch, "/aws"+path, nil)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAFIREDRILL00000/20260304/eu-west-1/scheduler/aws4_request, SignedHeaders=x, Signature=y")
		if s.cloud.ServeHTTP(w, r); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "UnknownOperationException") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, c := range s.cloud.CallLog() {
		if c.Service != "scheduler" || c.Resource != "a" || !c.Writes || c.By != "firedrill" {
			t.Errorf("%+v", c)
		}
	}
}
