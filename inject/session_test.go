package inject_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// assumed are clients that act under a role.
func (a *account) assumed() *inject.Clients {
	a.Helper()
	a.Setenv("AWS_ACCESS_KEY_ID", "AKIAFIREDRILL00000")
	a.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	c, err := inject.Open(a.Context(), inject.Options{Endpoint: a.url, Region: "eu-west-1", Now: time.Now,
		Role: "arn:aws:iam::111122223333:role/firedrill", Session: "firedrill-01run"})
	if err != nil {
		a.Fatal(err)
	}
	return c
}

// assumptions counts how often the role was assumed.
func (a *account) assumptions() (n int) {
	for _, c := range a.cloud.CallLog() {
		if c.Operation == "AssumeRole" {
			n++
		}
	}
	return n
}

// The session of our role ends before its hour: while the fault is in place, and again in the middle of the undo. The
// role is assumed anew, no call is made twice, and everything is put back.
func TestSessionThatEndsEarly(t *testing.T) {
	a := newAccount(t, sandbox.Options{})
	a.onDemand("orders", nil)
	c := a.assumed()
	k := inject.NewCatalog(c, inject.CatalogOptions{Timing: inject.SandboxTiming()})[inject.KindThrottle]
	before := a.config()
	f, err := k.New(json.RawMessage(`{"table":"orders","writes":1,"load":"30/s"}`))
	u, err := must(t, f, err).Prepare(t.Context(), testMark(), time.Now())
	must(t, 0, err)
	if a.cloud.EndSessions() != 1 {
		t.Error("there was no session")
	}
	must(t, 0, f.Apply(t.Context(), u))
	if a.cloud.EndSessions() != 1 {
		t.Error("there was no session")
	}
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored {
		t.Errorf("reverted: %s", how)
	}
	if after := a.config(); after != before {
		t.Errorf("not as before: %s", after)
	}
	if n := a.assumptions(); n != 3 {
		t.Errorf("the role was assumed %d times, want 3", n)
	}
	writes := map[string]int{}
	for _, call := range a.cloud.CallLog() {
		if call.Writes && call.By == "firedrill" && !strings.HasPrefix(call.Code, "ExpiredToken") {
			writes[call.Operation]++
		}
	}
	if writes["UpdateTable"] != 2 {
		t.Errorf("writes that counted: %v", writes)
	}
}

// Where no session can be had any more, the error says why.
func TestSessionThatCannotBeHadAnew(t *testing.T) {
	a := newAccount(t, sandbox.Options{})
	c := a.assumed()
	_, err := c.DynamoDB.ListTables(t.Context(), &dynamodb.ListTablesInput{Limit: aws.Int32(1)})
	must(t, 0, err)
	a.cloud.EndSessions()
	if _, err := a.cloud.Turn(sandbox.Knob{Service: "sts", Operation: "AssumeRole", Effect: "deny"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DynamoDB.ListTables(t.Context(), &dynamodb.ListTablesInput{Limit: aws.Int32(1)}); err == nil || !strings.Contains(err.Error(), "AssumeRole") {
		t.Errorf("it says %v", err)
	}
}
