package inject

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// NoAnswer is an error of a call to which AWS has said nothing: it was not reached, or there is nobody to ask as. Its text
// is one sentence instead of all that the SDK has been through.
type NoAnswer struct {
	Why, Try string // Try is a command line
	Reached  bool   // it is not the network: nobody is logged in
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
	var u *url.Error
	switch text := err.Error(); {
	case strings.Contains(text, "no EC2 IMDS role found"):
		return &NoAnswer{Why: "there are no credentials: not in the environment, not in a profile, and this machine has no role", Try: login, Reached: true, Err: err}
	case strings.Contains(text, "SSO session has expired"), strings.Contains(text, "SSO token"):
		return &NoAnswer{Why: "the login of IAM Identity Center has ended", Try: "aws sso login   # with --profile NAME where it is not the default", Reached: true, Err: err}
	case errors.As(err, &u):
		at, _ := url.Parse(u.URL)
		if at == nil || at.Host == "" {
			return err
		}
		return &NoAnswer{Why: at.Host + " is not reached: " + u.Err.Error(), Try: "curl -sS " + at.Scheme + "://" + at.Host + "   # then network, proxy and VPN", Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &NoAnswer{Why: "AWS has not answered in time", Try: "aws sts get-caller-identity   # then network, proxy and VPN", Err: err}
	}
	return err
}
