package aws

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func TestCallLog(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	tt.cloud.ResetCalls()
	orders := dynamodb.NewFromConfig(testConfig(tt.url, "orders"))
	if err := tt.put("orders", "a"); err != nil {
		t.Fatal(err)
	}
	orders.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: awssdk.String("none")})
	w := httptest.NewRecorder()
	tt.cloud.Calls(w, httptest.NewRequest(http.MethodGet, "/_sandbox/calls", nil))
	var got []Call
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	at := tt.clock.now()
	const user, tables = "arn:aws:iam::111122223333:user/", "arn:aws:dynamodb:eu-west-1:111122223333:table/"
	want := []Call{
		{N: 2, At: at, By: "firedrill", Service: "dynamodb", Operation: "PutItem", Writes: true, Resource: "orders", Status: 200,
			Principal: user + "firedrill", Needs: []string{"dynamodb:PutItem on " + tables + "orders"}},
		{N: 3, At: at, By: "orders", Service: "dynamodb", Operation: "DescribeTable", Resource: "none", Status: 400, Code: "ResourceNotFoundException",
			Principal: user + "orders", Needs: []string{"dynamodb:DescribeTable on " + tables + "none"}},
	}
	for i := range got {
		if !strings.HasPrefix(got[i].Agent, "aws-sdk-go-v2/") {
			t.Errorf("user agent %q", got[i].Agent)
		}
		got[i].Agent = ""
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("calls\n%+v\nwant\n%+v", got, want)
	}
	w = httptest.NewRecorder()
	if tt.cloud.Calls(w, httptest.NewRequest(http.MethodPost, "/_sandbox/calls", nil)); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestCallLogIsBounded(t *testing.T) {
	l := &callLog{}
	for range maxCalls + 10 {
		l.end(l.begin(Call{}), 200, "")
	}
	if len(l.calls) > maxCalls || l.calls[len(l.calls)-1].N != maxCalls+10 || l.calls[len(l.calls)-1].Status != 200 {
		t.Errorf("%d calls, the last %+v", len(l.calls), l.calls[len(l.calls)-1])
	}
	l.end(1, 500, "") // forgotten already
	if l.calls[0].Status != 200 {
		t.Errorf("the oldest became %+v", l.calls[0])
	}
}

func TestConfigIsCanonical(t *testing.T) {
	c := toyCloud()
	c.list = c.list[:1]
	w := httptest.NewRecorder()
	c.Config(w, httptest.NewRequest(http.MethodGet, "/_sandbox/config", nil))
	want := "{\n \"sns\": {\n  \"a\": [\n   \"x\"\n  ],\n  \"b\": 1\n }\n}\n"
	if w.Body.String() != want {
		t.Errorf("config %s want %s", w.Body, want)
	}
}

// What firedrill changes shows in the configuration; traffic does not; and nil and -1 are one.
func TestConfigOfTables(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	tt.provisioned("stock", 100, 100)
	config := func() string {
		t.Helper()
		b, err := tt.cloud.ConfigJSON()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	before := config()
	tt.passes("orders", 5)
	tt.passes("stock", 5)
	if got := config(); got != before {
		t.Errorf("traffic changed the configuration to\n%s", got)
	}
	if err := tt.bound("orders", 1); err != nil {
		t.Fatal(err)
	}
	if config() == before {
		t.Error("a maximum does not show")
	}
	if err := tt.bound("orders", -1); err != nil {
		t.Fatal(err)
	}
	if got := config(); got != before {
		t.Errorf("nil and -1 are not one:\n%s\nwant\n%s", got, before)
	}
	if _, err := tt.UpdateTable(t.Context(), lowerNow(1)); err != nil {
		t.Fatal(err)
	}
	if config() == before {
		t.Error("capacity that was asked for does not show while the table is UPDATING")
	}
	tt.clock.move(1e9)
	if err := tt.lower("stock", 100, 100); err != nil {
		t.Fatal(err)
	}
	if got := config(); got != before {
		t.Errorf("put back, but\n%s\nwant\n%s", got, before)
	}
}
