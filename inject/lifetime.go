package inject

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
)

// Lifetime is how long the credentials of an account's clients last. Putting back needs them too.
type Lifetime struct {
	Source  string    // for people
	Renews  bool      // they are renewed without anybody's help
	Expires time.Time // when they end for good; zero: never, or nobody knows
	Unknown bool      // a session whose end nobody can tell
}

// Lifetime reads the credentials once and judges them. A role that we assume ourselves lasts as long as what it is assumed
// with.
func (c *Clients) Lifetime(ctx context.Context) (Lifetime, error) {
	if w := c.identity; w != nil {
		token, err := w.Token(ctx)
		if err != nil {
			return Lifetime{}, fmt.Errorf("get a token of %s: %w", w.Source, err)
		}
		if c.learned != nil {
			c.learned(token)
		}
		l := Lifetime{Source: w.Source, Renews: w.Renews}
		if !w.Renews {
			l.Expires = tokenEnd(token)
			l.Unknown = l.Expires.IsZero()
		}
		return l, nil
	}
	if c.base == nil {
		return Lifetime{}, ErrNoCredentials
	}
	got, err := c.base.Retrieve(ctx)
	if err != nil {
		return Lifetime{}, fmt.Errorf("read credentials: %w", err)
	}
	return judgeLifetime(got, os.Getenv), nil
}

// judgeLifetime says how long credentials last, by who provided them.
func judgeLifetime(c aws.Credentials, getenv func(string) string) Lifetime {
	l := Lifetime{Source: c.Source}
	switch c.Source {
	case config.CredentialsSourceName:
		l.Source = "AWS_ACCESS_KEY_ID"
	case credentials.StaticCredentialsName:
		l.Source = "a key"
	case stscreds.WebIdentityProviderName: // its file is renewed where a cluster mounts it, and stays the same elsewhere
		l.Source = "AWS_WEB_IDENTITY_TOKEN_FILE"
		if token, err := os.ReadFile(getenv("AWS_WEB_IDENTITY_TOKEN_FILE")); err == nil {
			l.Expires = tokenEnd(string(token))
		}
		l.Renews = l.Expires.IsZero()
		return l
	}
	switch {
	case c.CanExpire: // whoever gave them out gives out the next
		l.Renews = true
	case c.SessionToken == "":
	default:
		// aws configure export-credentials tells it so, and so do those who imitate it:
		// https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html
		end, err := time.Parse(time.RFC3339, getenv("AWS_CREDENTIAL_EXPIRATION"))
		if l.Unknown = c.Source != config.CredentialsSourceName || err != nil; !l.Unknown {
			l.Expires = end
		}
	}
	return l
}
