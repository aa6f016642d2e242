package inject_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// Every call of ours says so, and of which run: whoever reads CloudTrail tells it from the responder's.
func TestEveryCallNamesTheProgramAndTheRun(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	c, err := inject.Open(t.Context(), inject.Options{Endpoint: a.url, Region: "eu-west-1", AccessKey: "AKIAFIREDRILL00000", Secret: "x", Now: time.Now,
		Agent: []inject.Agent{{Name: "firedrill", Value: "0.3.0"}, {Name: "run", Value: "01k00000000000000000000000"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Identity(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.onDemand("orders", nil)
	_, err = c.Items.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), // the probe's own client too
		Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "1"}}})
	must(t, c, err)
	calls := 0
	for _, one := range a.cloud.CallLog() {
		if one.By != "firedrill" {
			continue
		}
		calls++
		for _, word := range []string{" app/firedrill", " firedrill/0.3.0", " run/01k00000000000000000000000"} {
			if !strings.Contains(one.Agent, word) {
				t.Errorf("%s says %q, without%s", one.Operation, one.Agent, word)
			}
		}
		if !strings.HasSuffix(one.Principal, ":user/firedrill") {
			t.Errorf("%s by %q", one.Operation, one.Principal)
		}
	}
	if calls < 3 {
		t.Errorf("%d calls of ours", calls)
	}
}
