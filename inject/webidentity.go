package inject

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// WebIdentity is how a job proves to STS who it is, without a key of its own: by a JSON Web Token that its CI has signed.
type WebIdentity struct {
	Source string // for people: "GitHub's OIDC"
	// Token gets one; it is asked for each session anew. An error says that there is none now.
	Token func(ctx context.Context) (string, error)
	// Renews says that each is a new one, so that sessions may follow each other for as long as the job lasts. A token that
	// stays the same serves until it ends.
	Renews bool
}

// webSession makes sessions of a role of the tokens of a WebIdentity.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
type webSession struct {
	WebIdentity
	role, session string
	assume        func(context.Context, *sts.AssumeRoleWithWebIdentityInput, ...func(*sts.Options)) (*sts.AssumeRoleWithWebIdentityOutput, error)
	learned       func(secrets ...string)
	usual         aws.CredentialsProvider // the role, by the usual credentials
}

// Retrieve assumes the role once more. Where there is no token any more, or only one that has ended, and somebody is logged
// in, it is assumed as where there never was one: whoever puts back comes late, and from elsewhere.
func (w *webSession) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := w.retrieve(ctx)
	if err == nil {
		return c, nil
	}
	if c, lost := w.usual.Retrieve(ctx); lost == nil {
		return c, nil
	}
	return c, err
}

func (w *webSession) retrieve(ctx context.Context) (aws.Credentials, error) {
	token, err := w.Token(ctx)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("get a token of %s: %w", w.Source, err)
	}
	if w.learned != nil {
		w.learned(token)
	}
	out, err := w.assume(ctx, &sts.AssumeRoleWithWebIdentityInput{RoleArn: &w.role, RoleSessionName: &w.session, WebIdentityToken: &token},
		func(o *sts.Options) { // both pass: the one when keys were just rotated, the other when the CI's are slow to be read
			o.Retryer = retry.AddWithErrorCodes(o.Retryer, "InvalidIdentityToken", "IDPCommunicationError")
		})
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("assume %s with a token of %s: %w", w.role, w.Source, err)
	}
	if out.Credentials == nil {
		return aws.Credentials{}, fmt.Errorf("assume %s with a token of %s: the answer holds no credentials", w.role, w.Source)
	}
	c := out.Credentials
	return aws.Credentials{AccessKeyID: aws.ToString(c.AccessKeyId), SecretAccessKey: aws.ToString(c.SecretAccessKey),
		SessionToken: aws.ToString(c.SessionToken), Source: w.Source, CanExpire: true, Expires: aws.ToTime(c.Expiration)}, nil
}

// byToken makes every call of cfg under a role that is assumed by a job's token, in sessions that are renewed before they
// end.
func byToken(cfg aws.Config, o Options) aws.Config {
	client := sts.NewFromConfig(cfg)
	w := &webSession{WebIdentity: *o.Identity, role: o.Role, session: o.Session, learned: o.Learned, assume: client.AssumeRoleWithWebIdentity,
		usual: stscreds.NewAssumeRoleProvider(client, o.Role, func(a *stscreds.AssumeRoleOptions) { a.RoleSessionName = o.Session })}
	cfg.Credentials = aws.NewCredentialsCache(w, func(c *aws.CredentialsCacheOptions) { c.ExpiryWindow = earlier })
	return renewing(cfg)
}

// tokenEnd is when a JSON Web Token ends, as it says itself (RFC 7519, "exp"); zero where it does not. Nothing is verified:
// STS does.
func tokenEnd(token string) time.Time {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Exp <= 0 || claims.Exp > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(claims.Exp), 0)
}
