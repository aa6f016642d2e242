package inject

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

// TestWhatAWSHasNotAnsweredIsToldInOneSentence: what the SDK has been through stays behind it.
func TestWhatAWSHasNotAnsweredIsToldInOneSentence(t *testing.T) {
	lost := &url.Error{Op: "Post", URL: "https://sts.eu-west-1.amazonaws.com/", Err: &net.DNSError{Err: "no such host", Name: "sts.eu-west-1.amazonaws.com"}}
	for _, x := range []struct {
		err   error
		why   string
		try   string
		short string
	}{
		{fmt.Errorf("operation error STS: GetCallerIdentity, https response error StatusCode: 0, RequestID: , request send failed, %w", lost),
			"sts.eu-west-1.amazonaws.com is not reached: lookup sts.eu-west-1.amazonaws.com: no such host", "curl -sS https://sts.eu-west-1.amazonaws.com ", "AWS is not reached"},
		{errors.New("operation error STS: GetCallerIdentity, get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, x"),
			"there are no credentials: not in the environment, not in a profile, and this machine has no role", "aws sso login ", "there are no credentials"},
		{errors.New("get credentials: failed to refresh cached credentials, the SSO session has expired or is invalid"), "the login of IAM Identity Center has ended", "aws sso login ", "there are no credentials"},
		{fmt.Errorf("operation error STS: GetCallerIdentity, canceled, %w", context.DeadlineExceeded), "AWS has not answered in time", "aws sts get-caller-identity ", "AWS is not reached"},
		{&smithy.OperationError{ServiceID: "STS", OperationName: "GetCallerIdentity", Err: fmt.Errorf("get identity: get credentials: failed to refresh cached credentials, %w",
			&smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRoleWithWebIdentity", Err: &smithy.GenericAPIError{Code: "AccessDenied", Message: "Not authorized to perform sts:AssumeRoleWithWebIdentity"}})},
			"the environment's role does not let us in: Not authorized to perform sts:AssumeRoleWithWebIdentity", "aws sts get-caller-identity ", "the environment's role does not let us in"},
	} {
		got := unanswered(x.err)
		var no *NoAnswer
		if !errors.As(got, &no) || got.Error() != x.why || !strings.HasPrefix(no.Try, x.try) || no.Short != x.short || !errors.Is(got, x.err) {
			t.Errorf("%v became %v (%+v)", x.err, got, no)
		}
	}
	said := errors.New("operation error STS: GetCallerIdentity, api error ExpiredToken: x")
	if got := unanswered(said); got != said { //nolint:errorlint // it is the same one
		t.Errorf("what AWS answers stays: %v", got)
	}
}
