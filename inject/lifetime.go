package inject

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
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
	return judgeLifetime(got, c.profile, os.Getenv), nil
}

// profileOf is the profile that the SDK has read.
func profileOf(cfg aws.Config) config.SharedConfig {
	for _, source := range cfg.ConfigSources {
		if p, ok := source.(config.SharedConfig); ok {
			return p
		}
	}
	return config.SharedConfig{}
}

// judgeLifetime says how long credentials last, by who provided them, and what the profile says that they came from: a
// session of a role lasts an hour, and there is a next one for as long as what it is made with lasts.
func judgeLifetime(c aws.Credentials, profile config.SharedConfig, getenv func(string) string) Lifetime {
	l := Lifetime{Source: c.Source}
	for profile.Source != nil {
		profile = *profile.Source
	}
	switch c.Source {
	case config.CredentialsSourceName:
		l.Source = "AWS_ACCESS_KEY_ID"
		return l.ofSession(c.SessionToken, getenv("AWS_CREDENTIAL_EXPIRATION"))
	case credentials.StaticCredentialsName:
		l.Source = "a key"
	case stscreds.WebIdentityProviderName:
		if path := getenv("AWS_WEB_IDENTITY_TOKEN_FILE"); path != "" {
			return l.ofToken("AWS_WEB_IDENTITY_TOKEN_FILE", path)
		}
		return l.ofToken("web_identity_token_file", profile.WebIdentityTokenFile)
	case stscreds.ProviderName, ssocreds.ProviderName:
		return l.ofProfile(profile)
	}
	if c.CanExpire { // whoever gave them out gives out the next
		l.Renews = true
		return l
	}
	return l.ofSession(c.SessionToken, "")
}

// ofProfile judges what a chain of profiles begins with, in the SDK's order.
func (l Lifetime) ofProfile(p config.SharedConfig) Lifetime {
	l.Source += " of profile " + p.Profile
	switch {
	case p.Credentials.HasKeys():
		if l = l.ofSession(p.Credentials.SessionToken, ""); !l.Unknown {
			l.Renews = true
		}
	case p.CredentialSource == "" && p.WebIdentityTokenFile != "":
		return l.ofToken("web_identity_token_file", p.WebIdentityTokenFile)
	case p.CredentialSource == "" && (p.SSOStartURL != "" || p.SSOSession != nil):
		return l.ofLogin(p)
	default: // a machine's, a program's: whoever gives them out gives out the next
		l.Renews = true
	}
	return l
}

// ofSession judges a key that is none of the giver's to renew. aws configure export-credentials tells when it ends, and so
// do those who imitate it: https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html
func (l Lifetime) ofSession(token, end string) Lifetime {
	if token == "" {
		return l
	}
	at, err := time.Parse(time.RFC3339, end)
	if l.Unknown = err != nil; !l.Unknown {
		l.Expires = at
	}
	return l
}

// ofToken judges a file with a token: it is renewed where a cluster mounts it, and stays the same elsewhere.
func (l Lifetime) ofToken(name, path string) Lifetime {
	l.Source = name
	if token, err := os.ReadFile(path); err == nil {
		l.Expires = tokenEnd(string(token))
	}
	l.Renews = l.Expires.IsZero()
	return l
}

// ofLogin judges a person's login: it ends, unless whoever logged in may have it renewed.
// https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html
func (l Lifetime) ofLogin(p config.SharedConfig) Lifetime {
	key := p.SSOStartURL
	if p.SSOSession != nil {
		key = p.SSOSession.Name
	}
	var login struct {
		ExpiresAt    time.Time `json:"expiresAt"`
		RefreshToken string    `json:"refreshToken"`
	}
	path, err := ssocreds.StandardCachedTokenFilepath(key)
	if err == nil {
		var src []byte
		if src, err = os.ReadFile(path); err == nil {
			err = json.Unmarshal(src, &login)
		}
	}
	switch {
	case err != nil || login.ExpiresAt.IsZero():
		l.Unknown = true
	case p.SSOSession != nil && login.RefreshToken != "":
		l.Renews = true
	default:
		l.Expires = login.ExpiresAt
	}
	return l
}
