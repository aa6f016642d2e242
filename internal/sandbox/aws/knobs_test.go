package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// turn turns a knob for the length of the test.
func (t *testTables) turn(k Knob) string {
	t.Helper()
	id, err := t.cloud.Turn(k)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// tagged says whether the table carries the tag.
func (t *testTables) tagged(key string) bool {
	t.Helper()
	out, err := t.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: ordersArn()})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range out.Tags {
		if *g.Key == key {
			return true
		}
	}
	return false
}

func ordersArn() *string {
	return awssdk.String("arn:aws:dynamodb:eu-west-1:111122223333:table/orders")
}

// tag is the write that these tests do.
func (t *testTables) tag(ctx context.Context, key string) error {
	_, err := t.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: ordersArn(), Tags: []types.Tag{{Key: &key, Value: awssdk.String("v")}}})
	return err
}

func TestKnobsThatRefuse(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	for _, c := range []struct {
		knob   Knob
		code   string
		status int
	}{
		{Knob{Effect: "throttle"}, "ThrottlingException", 400},
		{Knob{Effect: "5xx"}, "InternalServerError", 500},
		{Knob{Effect: "5xx", Status: 503, Code: "ServiceUnavailable"}, "ServiceUnavailable", 503},
		{Knob{Effect: "deny"}, "AccessDeniedException", 400},
		{Knob{Effect: "deny", Code: "ExpiredTokenException"}, "ExpiredTokenException", 400},
	} {
		id := tt.turn(c.knob)
		err := tt.tag(t.Context(), "k")
		var re *smithyhttp.ResponseError
		if !errors.As(err, &re) || re.HTTPStatusCode() != c.status || code(err) != c.code {
			t.Errorf("%+v: %v, want %s with %d", c.knob, err, c.code, c.status)
		}
		if !tt.cloud.Release(id) {
			t.Errorf("knob %s was not there", id)
		}
		if tt.tagged("k") {
			t.Errorf("%+v: the refused call took effect", c.knob)
		}
	}
}

func TestKnobsChooseTheirCalls(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	orders := dynamodb.NewFromConfig(testConfig(tt.url, "orders"))
	id := tt.turn(Knob{Service: "dynamodb", Operation: "PutItem", By: "firedrill", Nth: 2, Count: 2, Effect: "deny"})
	var got []string
	for range 5 {
		got = append(got, code(tt.put("orders", "x")))
	}
	if want := "[ AccessDeniedException AccessDeniedException  ]"; fmt.Sprint(got) != want {
		t.Errorf("five calls gave %q, want %q", fmt.Sprint(got), want)
	}
	tt.cloud.Release(id)
	tt.turn(Knob{Service: "dynamodb", Operation: "GetItem", By: "orders", Effect: "deny"})
	if _, err := tt.GetItem(t.Context(), getX("orders")); err != nil {
		t.Errorf("another caller: %v", err)
	}
	if err := tt.put("orders", "x"); err != nil {
		t.Errorf("another operation: %v", err)
	}
	if _, err := orders.GetItem(t.Context(), getX("orders")); code(err) != "AccessDeniedException" {
		t.Errorf("the chosen call: %v", err)
	}
}

func TestIgnoredCallsLookDone(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	tt.turn(Knob{Operation: "TagResource", Effect: "ignore"})
	if err := tt.tag(t.Context(), "k"); err != nil {
		t.Errorf("an ignored call: %v", err)
	}
	if tt.tagged("k") {
		t.Error("an ignored call took effect")
	}
}

func TestLostAnswers(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	for i, k := range []Knob{{Effect: "partial", Nth: 1}, {Effect: "partial", Nth: 1, Status: 502}} {
		k.Operation = "TagResource"
		tt.turn(k)
		key := fmt.Sprint("k", i)
		err := tt.tag(t.Context(), key)
		var re *smithyhttp.ResponseError
		if err == nil || k.Status > 0 && (!errors.As(err, &re) || re.HTTPStatusCode() != k.Status) {
			t.Errorf("%+v: %v", k, err)
		}
		var api smithy.APIError
		if k.Status == 0 && errors.As(err, &api) {
			t.Errorf("a broken connection told %v", api)
		}
		if !tt.tagged(key) {
			t.Errorf("%+v: the call took no effect", k)
		}
	}
}

func TestDelays(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	for _, when := range []string{"before", "after"} {
		tt.turn(Knob{Operation: "TagResource", Nth: 1, Effect: "delay", DelayS: 0.15, When: when})
		start := time.Now()
		if err := tt.tag(t.Context(), when); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 150*time.Millisecond {
			t.Errorf("delayed %s: it took %s", when, took)
		}
	}
	// A call that its caller gave up lands all the same.
	tt.turn(Knob{Operation: "TagResource", Effect: "delay", DelayS: 0.2})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := tt.tag(ctx, "late"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call that timed out: %v", err)
	}
	until(t, "the late call lands", func() bool { return tt.tagged("late") })
}

func TestHoldBeforeLandsWhenReleased(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	id := tt.turn(Knob{Operation: "TagResource", Effect: "hold", When: "before"})
	done := make(chan error, 1)
	go func() { done <- tt.tag(t.Context(), "k") }()
	tt.untilHeld(id, "TagResource")
	if tt.tagged("k") {
		t.Error("a call held before took effect")
	}
	tt.cloud.Release(id)
	if err := <-done; err != nil || !tt.tagged("k") {
		t.Errorf("released: %v", err)
	}
}

// untilHeld waits until a knob holds a call.
func (t *testTables) untilHeld(id, operation string) {
	t.Helper()
	until(t.T, "hold "+operation, func() bool {
		for _, k := range t.cloud.KnobList() {
			if k.ID == id && k.State == "holding" && k.Holding[0].Operation == operation {
				return true
			}
		}
		return false
	})
}

func TestHeldCallsLandWhenTheirClientHasGone(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	for _, when := range []string{"before", "after"} {
		id := tt.turn(Knob{Operation: "TagResource", Effect: "hold", When: when})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- tt.tag(ctx, when) }()
		tt.untilHeld(id, "TagResource")
		if got, want := tt.tagged(when), when == "after"; got != want {
			t.Errorf("held %s: in effect %t, want %t", when, got, want)
		}
		cancel()
		if err := <-done; err == nil {
			t.Errorf("held %s: answered", when)
		}
		until(t, "the call held "+when+" lands", func() bool { return tt.tagged(when) })
		until(t, "the knob is done", func() bool {
			l := tt.cloud.KnobList()
			return l[0].State == "done"
		})
		tt.cloud.Release(id)
	}
}

func TestStaleReads(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	if tt.tagged("k") {
		t.Fatal("tagged already")
	}
	id := tt.turn(Knob{Service: "dynamodb", Operation: "ListTagsOfResource", Effect: "stale", DelayS: 3})
	if err := tt.tag(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if tt.tagged("k") {
		t.Error("a stale read tells the new state")
	}
	tt.clock.move(2 * time.Second)
	if tt.tagged("k") {
		t.Error("a stale read tells the new state after two of three seconds")
	}
	tt.clock.move(2 * time.Second)
	if !tt.tagged("k") {
		t.Error("the read is stale for longer than it should be")
	}
	tt.cloud.Release(id)
	// Somebody who reads freshly does not spoil it for others.
	if err := tt.tag(t.Context(), "k2"); err != nil || !tt.tagged("k2") {
		t.Fatal("a fresh read is stale", err)
	}
	tt.turn(Knob{Operation: "ListTagsOfResource", Effect: "stale", DelayS: 3})
	if tt.tagged("k2") {
		t.Error("the read before the last write is forgotten")
	}
}

func TestSkewShiftsEveryTime(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	created := *tt.describe("orders").CreationDateTime
	tt.turn(Knob{By: "firedrill", Effect: "skew", SkewS: -5})
	if got := *tt.describe("orders").CreationDateTime; !got.Equal(created.Add(-5 * time.Second)) {
		t.Errorf("created at %s, want five seconds before %s", got, created)
	}
	other := dynamodb.NewFromConfig(testConfig(tt.url, "other"))
	out, err := other.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: awssdk.String("orders")})
	if err != nil || !out.Table.CreationDateTime.Equal(created) {
		t.Errorf("another caller is told %v, %v", out, err)
	}
	for by, want := range map[string]time.Time{"AKIAFIREDRILL00000": tt.clock.now().Add(-5 * time.Second), "AKIAOTHER": tt.clock.now()} {
		r := httptest.NewRequest(http.MethodPost, "/aws/", strings.NewReader("{}"))
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+by+"/20260304/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
		w := httptest.NewRecorder()
		tt.cloud.ServeHTTP(w, r)
		if got := w.Header().Get("Date"); got != want.Format(http.TimeFormat) {
			t.Errorf("Date for %s is %s, want %s", by, got, want)
		}
	}
	if c := tt.cloud.CallLog(); !c[len(c)-1].At.Equal(tt.clock.now()) {
		t.Errorf("the call log's own clock moved: %s", c[len(c)-1].At)
	}
}

func TestKnobsOverHTTP(t *testing.T) {
	tt := newTestTables(t, Options{})
	srv := httptest.NewServer(http.HandlerFunc(tt.cloud.Knobs))
	t.Cleanup(srv.Close)
	do := func(method, path, body string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+"/_sandbox/knobs"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	status, body := do("POST", "", `{"service":"dynamodb","effect":"throttle","nth":3}`)
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(body), &made); status != 201 || err != nil || made.ID == "" {
		t.Fatalf("POST: %d %s %v", status, body, err)
	}
	var list []Knob
	if status, body = do("GET", "", ""); json.Unmarshal([]byte(body), &list) != nil || len(list) != 1 || list[0].State != "waiting" || list[0].Count != 1 {
		t.Errorf("GET: %d %s", status, body)
	}
	for _, bad := range []string{`{"effect":"melt"}`, `{"effect":"delay"}`, `{"effect":"skew"}`, `{"effect":"stale"}`, `{"effect":"hold","when":"during"}`,
		`{"effect":"deny","nth":-1}`, `{"effect":"deny","servcie":"sqs"}`, `{`} {
		if status, body = do("POST", "", bad); status != 400 || body == "" {
			t.Errorf("POST %s: %d %s", bad, status, body)
		}
	}
	if status, _ = do("DELETE", "/"+made.ID, ""); status != 204 {
		t.Errorf("DELETE: %d", status)
	}
	if status, _ = do("DELETE", "/"+made.ID, ""); status != 404 {
		t.Errorf("DELETE again: %d", status)
	}
	if status, _ = do("PUT", "", ""); status != 405 {
		t.Errorf("PUT: %d", status)
	}
}

func TestCloseLetsGoOfHeldCalls(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	id := tt.turn(Knob{Operation: "TagResource", Effect: "hold"})
	done := make(chan error, 1)
	go func() { done <- tt.tag(t.Context(), "k") }()
	tt.untilHeld(id, "TagResource")
	if err := tt.cloud.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("a held call outlives the cloud")
	}
}

// An operation that looks at its context is not told that the client of a delayed call has gone.
func TestLateCallsRunOnALiveContext(t *testing.T) {
	var seen []error
	c := toyCloud()
	c.ops["sns"]["Look"] = on(true, nil, func(ctx context.Context, _ caller, _ *empty) (*empty, error) {
		seen = append(seen, ctx.Err())
		return &empty{}, nil
	})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	look := func() {
		r := httptest.NewRequest(http.MethodPost, "/aws/", strings.NewReader("Version=2010-03-31&Action=Look"))
		c.ServeHTTP(httptest.NewRecorder(), r.WithContext(gone))
	}
	look()
	if _, err := c.Turn(Knob{Effect: "delay", DelayS: 0.001}); err != nil {
		t.Fatal(err)
	}
	look()
	if len(seen) != 2 || seen[0] == nil || seen[1] != nil {
		t.Errorf("contexts of an ordinary and a delayed call: %v", seen)
	}
}
