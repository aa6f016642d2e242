package inject

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// earlier is how long before a session's end it is renewed: a call that takes long, or clocks that disagree, must not
// meet the end.
const earlier = 5 * time.Minute

// assume makes every call under the role, in sessions of an hour that are renewed before they end.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func assume(cfg aws.Config, role, name string) aws.Config {
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, func(a *stscreds.AssumeRoleOptions) {
		a.RoleSessionName = name
	})
	cfg.Credentials = aws.NewCredentialsCache(provider, func(c *aws.CredentialsCacheOptions) { c.ExpiryWindow = earlier })
	return renewing(cfg)
}

// renewing gets new credentials where a service says that ours have ended, and makes the call again. The SDK renews by
// our own clock alone: after a sleep, or where somebody ends the session, it would go on with the old ones for the rest
// of their hour. A call refused so was not carried out, so to make it again is to make it once.
func renewing(cfg aws.Config) aws.Config {
	cache, ok := cfg.Credentials.(*aws.CredentialsCache)
	if !ok {
		return cfg // a fixed key has no successor
	}
	renew := middleware.FinalizeMiddlewareFunc("FiredrillRenewsCredentials", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		request, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return next.HandleFinalize(ctx, in)
		}
		first := in
		first.Request = request.Clone()
		out, about, err := next.HandleFinalize(ctx, first)
		if !hasCode(err, "ExpiredToken", "ExpiredTokenException") {
			return out, about, err
		}
		cache.Invalidate()
		if rewound := request.RewindStream(); rewound != nil {
			return out, about, fmt.Errorf("%w (and not made again: %w)", err, rewound)
		}
		return next.HandleFinalize(ctx, in)
	})
	cfg.APIOptions = append(cfg.APIOptions[:len(cfg.APIOptions):len(cfg.APIOptions)], func(stack *middleware.Stack) error {
		return stack.Finalize.Add(renew, middleware.Before)
	})
	return cfg
}
