package aws

import (
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestIdentity(t *testing.T) {
	const queue = "arn:aws:sqs:eu-west-1:111122223333:orders"
	c, url := testCloud(t, Options{Mappings: []Mapping{{UUID: "m1", EventSourceArn: queue, FunctionArn: "arn:aws:lambda:eu-west-1:111122223333:function:f", State: "Enabled", BatchSize: 10}}})
	for _, by := range []string{"firedrill", "orders", "responder", "alarm", "other"} {
		who, err := sts.NewFromConfig(testConfig(url, by)).GetCallerIdentity(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := *who.Arn, "arn:aws:iam::111122223333:user/"+by; got != want || *who.Account != "111122223333" {
			t.Errorf("caller %s in %s, want %s", got, *who.Account, want)
		}
	}
	al, err := iam.NewFromConfig(testConfig(url, "firedrill")).ListAccountAliases(t.Context(), nil)
	if err != nil || len(al.AccountAliases) != 1 || al.AccountAliases[0] != "firedrill-sandbox" {
		t.Errorf("aliases: %+v, %v", al, err)
	}
	l := lambda.NewFromConfig(testConfig(url, "firedrill"))
	for arn, want := range map[string]int{queue: 1, queue + "-dlq": 0} {
		ms, err := l.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{EventSourceArn: awssdk.String(arn)})
		if err != nil || len(ms.EventSourceMappings) != want {
			t.Errorf("mappings of %s: %+v, %v; want %d", arn, ms, err, want)
		}
	}
	calls := c.CallLog()
	if len(calls) != 8 || calls[0].By != "firedrill" || calls[0].Service != "sts" || calls[0].Status != 200 || calls[0].Writes {
		t.Errorf("call log: %+v", calls)
	}
}

func TestWrongRegionIsRefused(t *testing.T) {
	_, url := testCloud(t, Options{})
	cfg := testConfig(url, "firedrill")
	cfg.Region = "us-east-1"
	if _, err := lambda.NewFromConfig(cfg).ListEventSourceMappings(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "valid region") {
		t.Errorf("another region's request: %v", err)
	}
	if _, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Errorf("STS answers everywhere, but: %v", err)
	}
}
