package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
)

// The variables by which GitHub Actions tells a job where it gets its identity tokens, where it may have any.
// https://docs.github.com/en/actions/reference/security/oidc
const (
	githubTokenURL = "ACTIONS_ID_TOKEN_REQUEST_URL"
	githubTokenKey = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
)

// awsAudience is for whom a token must be that STS takes.
const awsAudience = "sts.amazonaws.com"

// awsOptions say which account an environment's clients speak to, and as whom; who names the session.
func (d *Deps) awsOptions(env *drills.Environment, who string) inject.Options {
	return inject.Options{Endpoint: env.AWS.Endpoint, Role: d.actsAs(env), Session: "firedrill-" + who, Now: d.Now, Learned: d.known.learn,
		Identity: d.webIdentity(env), Agent: []inject.Agent{{Name: "firedrill", Value: Version}, {Name: "run", Value: who}}}
}

// actsAs is the role that this process assumes: that of the environment, or in its place FIREDRILL_ROLE, with which a job that
// only plans or recovers does so under a role that may do nothing else. It counts in its own account alone.
func (d *Deps) actsAs(env *drills.Environment) string {
	role := d.Getenv("FIREDRILL_ROLE")
	if env.Sandbox != nil || role == "" || drills.AccountOfRole(role) != env.AWS.Account {
		return env.AWS.Role
	}
	return role
}

// misplaced refuses a FIREDRILL_ROLE that is none of the environment's account: whoever set it expects it to count.
func (d *Deps) misplaced(env *drills.Environment) error {
	role := d.Getenv("FIREDRILL_ROLE")
	if env.Sandbox != nil || role == "" || drills.AccountOfRole(role) == env.AWS.Account {
		return nil
	}
	return &drills.Refusal{Code: "account", Why: fmt.Sprintf("FIREDRILL_ROLE is %s, and environment %s is account %s", role, env.Name, env.AWS.Account),
		Try: "unset FIREDRILL_ROLE, or name a role of that account by its ARN"}
}

// untokened refuses a drill in a job of GitHub's that may have no identity token although its environment lives on them.
// Putting back asks nobody: it goes on with whatever credentials there are.
func (d *Deps) untokened(env *drills.Environment) error {
	if env.AWS.OIDC != drills.OIDCGitHub || d.Getenv("GITHUB_ACTIONS") != "true" || d.webIdentity(env) != nil {
		return nil
	}
	return &drills.Refusal{Code: "credentials", Why: "aws.oidc is github, and this job may have no identity token",
		Try: "permissions: {id-token: write} in the workflow"}
}

// webIdentity is how a CI job proves who it is, where the environment says so and there is a token; else nil.
func (d *Deps) webIdentity(env *drills.Environment) *inject.WebIdentity {
	scheme, name, _ := strings.Cut(env.AWS.OIDC, ":")
	switch scheme {
	case drills.OIDCGitHub:
		at, key := d.Getenv(githubTokenURL), d.Getenv(githubTokenKey)
		if at == "" || key == "" {
			return nil
		}
		d.known.learn(key)
		return &inject.WebIdentity{Source: "GitHub's OIDC", Renews: true,
			Token: func(ctx context.Context) (string, error) { return githubToken(ctx, at, key) }}
	case "env":
		if token := d.Getenv(name); token != "" {
			return &inject.WebIdentity{Source: "the token of " + name, Token: func(context.Context) (string, error) { return token, nil }}
		}
	case "file":
		if _, err := os.Stat(name); err == nil {
			return &inject.WebIdentity{Source: "the token in " + name, Token: func(context.Context) (string, error) {
				b, err := os.ReadFile(name)
				return strings.TrimSpace(string(b)), err
			}}
		}
	}
	return nil
}

// githubTime bounds one question for a token, githubAnswer its answer.
const (
	githubTime   = 10 * time.Second
	githubAnswer = 64 << 10
)

// githubToken asks GitHub for one token. They last some minutes, and a job gets as many as it asks for.
func githubToken(ctx context.Context, at, key string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, githubTime)
	defer cancel()
	u, err := url.Parse(at)
	if err != nil {
		return "", fmt.Errorf("%s is no address", githubTokenURL)
	}
	q := u.Query()
	q.Set("audience", awsAudience)
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", fmt.Errorf("%s is no address", githubTokenURL)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Accept", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask GitHub: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask GitHub: %s", res.Status)
	}
	var answer struct{ Value string }
	if err := json.NewDecoder(io.LimitReader(res.Body, githubAnswer)).Decode(&answer); err != nil || answer.Value == "" {
		return "", fmt.Errorf("ask GitHub: the answer holds no token")
	}
	return answer.Value, nil
}

// lifetime tells a run how long its credentials last.
func lifetime(c *inject.Clients) func(context.Context) (drills.Credentials, error) {
	return func(ctx context.Context) (drills.Credentials, error) {
		l, err := c.Lifetime(ctx)
		return drills.Credentials(l), err
	}
}
