package inject

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"
)

// NoAnswer is an error of a call to which AWS has said nothing: it was not reached, or there is nobody to ask as, or the role
// to ask as lets nobody in. Its text is one sentence instead of all that the SDK has been through.
type NoAnswer struct {
	Why, Try string // Try is a command line
	Short    string // why nothing else can be looked at: "AWS is not reached"
	Err      error
}

func (e *NoAnswer) Error() string { return e.Why }

// Unwrap gives what the SDK said.
func (e *NoAnswer) Unwrap() error { return e.Err }

// unanswered wraps an error of a first call that AWS has not answered; any other stays as it is. The SDK has no types for
// having found no credentials, and for a login that has ended:
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
func unanswered(err error) error {
	const login = "aws sso login   # with --profile NAME, and export AWS_PROFILE=NAME; or export AWS_ACCESS_KEY_ID=…"
	const nobody, unreached = "there are no credentials", "AWS is not reached"
	var u *url.Error
	var said smithy.APIError
	switch text := err.Error(); {
	case hasCode(err, "AccessDenied") && strings.Contains(text, "STS: AssumeRole") && errors.As(err, &said):
		return &NoAnswer{Why: "the environment's role does not let us in: " + said.ErrorMessage(), Short: "the environment's role does not let us in",
			Try: "aws sts get-caller-identity   # whoever that is, its trust must name: firedrill policy DRILL --for run --trust ARN", Err: err}
	case strings.Contains(text, "no EC2 IMDS role found"):
		return &NoAnswer{Why: "there are no credentials: not in the environment, not in a profile, and this machine has no role", Try: login, Short: nobody, Err: err}
	case errors.As(err, &u):
		at, _ := url.Parse(u.URL)
		if at == nil || at.Host == "" {
			return err
		}
		return &NoAnswer{Why: at.Host + " is not reached: " + u.Err.Error(), Try: "curl -sS " + at.Scheme + "://" + at.Host + "   # then network, proxy and VPN", Short: unreached, Err: err}
	case strings.Contains(text, "SSO session has expired"), strings.Contains(text, "SSO token"):
		return &NoAnswer{Why: "the login of IAM Identity Center has ended", Try: "aws sso login   # with --profile NAME where it is not the default", Short: nobody, Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &NoAnswer{Why: "AWS has not answered in time", Try: "aws sts get-caller-identity   # then network, proxy and VPN", Short: unreached, Err: err}
	}
	return err
}
