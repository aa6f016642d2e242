package inject_test

import (
	"context"
	"crypto/sha1" //nolint:gosec // it names the files of logins
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// jobToken is a token as a CI signs them, for firedrill's own job.
func jobToken(ends time.Time) string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return strings.Join([]string{part(map[string]any{"alg": "RS256"}),
		part(map[string]any{"aud": "sts.amazonaws.com", "sub": "firedrill", "iss": "https://ci.example.com", "exp": ends.Unix()}), "signature"}, ".")
}

// byToken are clients whose role is assumed with tokens; tokens counts how many were asked for.
func (a *account) byToken(w inject.WebIdentity) *inject.Clients {
	a.Helper()
	c, err := inject.Open(a.Context(), inject.Options{Endpoint: a.url, Region: "eu-west-1", Now: time.Now, Identity: &w,
		Role: "arn:aws:iam::111122223333:role/firedrill", Session: "firedrill-01run"})
	if err != nil {
		a.Fatal(err)
	}
	return c
}

// A job lasts longer than its session and any of its tokens: a new token is asked for, the role assumed again, the fault
// put back. There is no key at all on this machine.
func TestJobsTokensAreRenewed(t *testing.T) {
	a := newAccount(t, sandbox.Options{})
	a.onDemand("orders", nil)
	tokens := 0
	c := a.byToken(inject.WebIdentity{Source: "GitHub's OIDC", Renews: true, Token: func(context.Context) (string, error) {
		tokens++
		return jobToken(time.Now().Add(5 * time.Minute)), nil
	}})
	k := inject.NewCatalog(c, inject.CatalogOptions{Timing: inject.SandboxTiming()})[inject.KindThrottle]
	before := a.config()
	f, err := k.New(json.RawMessage(`{"table":"orders","writes":1,"load":"30/s"}`))
	u, err := must(t, f, err).Prepare(t.Context(), testMark(), time.Now())
	must(t, 0, err)
	must(t, 0, f.Apply(t.Context(), u))
	if a.cloud.EndSessions() != 1 {
		t.Error("there was no session")
	}
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored || a.config() != before {
		t.Errorf("reverted: %s; the account is %s", how, a.config())
	}
	if tokens != 2 {
		t.Errorf("%d tokens were asked for, want one for each session", tokens)
	}
	who, err := c.Identity(t.Context())
	if must(t, who, err); !strings.HasSuffix(who.ARN, ":assumed-role/firedrill/firedrill-01run") {
		t.Errorf("the calls are made as %s", who.ARN)
	}
}

// What a token cannot do is said, with the token's source, and never with the token.
func TestJobsTokenThatIsNoGood(t *testing.T) {
	a := newAccount(t, sandbox.Options{})
	ended := jobToken(time.Now().Add(-time.Minute))
	for name, w := range map[string]inject.WebIdentity{
		"expired": {Source: "the token of ID_TOKEN", Token: func(context.Context) (string, error) { return ended, nil }},
		"none":    {Source: "the token of ID_TOKEN", Token: func(context.Context) (string, error) { return "", errors.New("GitHub is away") }},
	} {
		_, err := a.byToken(w).Identity(t.Context())
		if err == nil || !strings.Contains(err.Error(), "the token of ID_TOKEN") || strings.Contains(err.Error(), ended) {
			t.Errorf("%s: it says %v", name, err)
		}
	}
}

// Whoever puts back is logged in, and the job's token has ended since: the role is assumed all the same. Whether a drill may
// begin so is another question, and its answer stays no.
func TestAnEndedTokenKeepsNobodyFromTheRole(t *testing.T) {
	a := newAccount(t, sandbox.Options{})
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAFIREDRILL00000")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_SESSION_TOKEN", "")
	end := time.Now().Add(-time.Hour)
	c := a.byToken(inject.WebIdentity{Source: "the token of ID_TOKEN", Token: func(context.Context) (string, error) { return jobToken(end), nil }})
	who, err := c.Identity(t.Context())
	if err != nil || !strings.Contains(who.ARN, "assumed-role/firedrill/firedrill-01run") {
		t.Errorf("%+v, %v", who, err)
	}
	if l, err := c.Lifetime(t.Context()); err != nil || l.Renews || !l.Expires.Equal(end.Truncate(time.Second)) {
		t.Errorf("%+v, %v", l, err)
	}
}

// How long what serves as credentials lasts, whoever gave them out.
func TestLifetime(t *testing.T) {
	a := newAccount(t, sandbox.Options{})
	end := time.Now().Add(2 * time.Hour).Truncate(time.Second).UTC()
	keys := map[string]string{"AWS_ACCESS_KEY_ID": "AKIAFIREDRILL00000", "AWS_SECRET_ACCESS_KEY": "secret"}
	for _, tt := range []struct {
		name     string
		env      map[string]string
		identity *inject.WebIdentity
		want     string
	}{
		{name: "a key", want: "AWS_ACCESS_KEY_ID"},
		{name: "a session", env: map[string]string{"AWS_SESSION_TOKEN": "t"}, want: "AWS_ACCESS_KEY_ID unknown"},
		{name: "a session that says when it ends", env: map[string]string{"AWS_SESSION_TOKEN": "t", "AWS_CREDENTIAL_EXPIRATION": end.Format(time.RFC3339)},
			want: "AWS_ACCESS_KEY_ID " + end.Format(time.RFC3339)},
		{name: "a session that says nonsense", env: map[string]string{"AWS_SESSION_TOKEN": "t", "AWS_CREDENTIAL_EXPIRATION": "soon"}, want: "AWS_ACCESS_KEY_ID unknown"},
		{name: "GitHub", identity: &inject.WebIdentity{Source: "GitHub's OIDC", Renews: true, Token: func(context.Context) (string, error) { return jobToken(end), nil }},
			want: "GitHub's OIDC renews"},
		{name: "one token for the whole job", identity: &inject.WebIdentity{Source: "ID_TOKEN", Token: func(context.Context) (string, error) { return jobToken(end), nil }},
			want: "ID_TOKEN " + end.Format(time.RFC3339)},
		{name: "a token that says nothing", identity: &inject.WebIdentity{Source: "ID_TOKEN", Token: func(context.Context) (string, error) { return "opaque", nil }},
			want: "ID_TOKEN unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, vars := range []map[string]string{{"AWS_SESSION_TOKEN": "", "AWS_CREDENTIAL_EXPIRATION": ""}, keys, tt.env} {
				for k, v := range vars {
					t.Setenv(k, v)
				}
			}
			o := inject.Options{Endpoint: a.url, Region: "eu-west-1", Now: time.Now, Identity: tt.identity}
			if tt.identity != nil {
				o.Role, o.Session = "arn:aws:iam::111122223333:role/firedrill", "firedrill-01run"
			}
			c, err := inject.Open(t.Context(), o)
			l, err := must(t, c, err).Lifetime(t.Context())
			must(t, l, err)
			if got := lifetimeWords(l); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What a service for containers or machines gives out is renewed by it.
func TestLifetimeOfWhatIsGivenOutAgain(t *testing.T) {
	given := 0
	server := serve(t, func() string {
		given++
		return fmt.Sprintf(`{"AccessKeyId":"ASIA%d","SecretAccessKey":"s","Token":"t","Expiration":%q}`, given, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	})
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "HOME": t.TempDir(),
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": server} {
		t.Setenv(k, v)
	}
	c, err := inject.Open(t.Context(), inject.Options{Region: "eu-west-1", Now: time.Now})
	l, err := must(t, c, err).Lifetime(t.Context())
	if must(t, l, err); !l.Renews || l.Unknown {
		t.Errorf("%+v", l)
	}
}

// serve answers every request with what answer says.
func serve(t *testing.T, answer func() string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer())) }))
	t.Cleanup(s.Close)
	return s.URL
}

// A profile may say that it renews, and end all the same with what it was made of: a job's token in a file, a session that
// somebody has pasted, a login.
func TestLifetimeOfAProfile(t *testing.T) {
	end := time.Now().Add(20 * time.Minute).Truncate(time.Second).UTC()
	until := " " + end.Format(time.RFC3339)
	home := t.TempDir()
	token := filepath.Join(home, "token")
	must(t, 0, os.WriteFile(token, []byte(jobToken(end)), 0o600))
	cache := filepath.Join(home, ".aws", "sso", "cache")
	must(t, 0, os.MkdirAll(cache, 0o700))
	login := func(key, refresh string) {
		name := fmt.Sprintf("%x.json", sha1.Sum([]byte(key)))
		must(t, 0, os.WriteFile(filepath.Join(cache, name), []byte(fmt.Sprintf(`{"accessToken":"a","expiresAt":%q%s}`, end.Format(time.RFC3339), refresh)), 0o600))
	}
	login("https://sso.example.com/start", "")
	login("corp", `,"refreshToken":"r","clientId":"c","clientSecret":"s"`)
	login("short", "")
	const role = "role_arn = arn:aws:iam::111122223333:role/jobs\n"
	const sso = "sso_account_id = 111122223333\nsso_role_name = jobs\nsso_region = eu-west-1\n"
	for name, x := range map[string]struct {
		profile, source, want string
	}{
		"a job's token":                  {role + "web_identity_token_file = " + token, "WebIdentityCredentials", "web_identity_token_file" + until},
		"a role of a job's token":        {role + "source_profile = job\n[profile job]\n" + role + "web_identity_token_file = " + token, "AssumeRoleProvider", "web_identity_token_file" + until},
		"a role of a key":                {role + "source_profile = key\n[profile key]\naws_access_key_id = AKIAFIREDRILL00000\naws_secret_access_key = s", "AssumeRoleProvider", "AssumeRoleProvider of profile key renews"},
		"a role of a pasted session":     {role + "source_profile = key\n[profile key]\naws_access_key_id = ASIAFIREDRILL00000\naws_secret_access_key = s\naws_session_token = t", "AssumeRoleProvider", "AssumeRoleProvider of profile key unknown"},
		"a login of old":                 {"sso_start_url = https://sso.example.com/start\n" + sso, "SSOProvider", "SSOProvider of profile tested" + until},
		"a login that renews":            {"sso_session = corp\nsso_account_id = 111122223333\nsso_role_name = jobs\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://sso.example.com/start", "SSOProvider", "SSOProvider of profile tested renews"},
		"a login without a next one":     {"sso_session = short\nsso_account_id = 111122223333\nsso_role_name = jobs\n[sso-session short]\nsso_region = eu-west-1\nsso_start_url = https://sso.example.com/start", "SSOProvider", "SSOProvider of profile tested" + until},
		"a role of a login":              {role + "source_profile = sso\n[profile sso]\nsso_start_url = https://sso.example.com/start\n" + sso, "AssumeRoleProvider", "AssumeRoleProvider of profile sso" + until},
		"a login that nobody has made":   {"sso_start_url = https://sso.example.com/other\n" + sso, "SSOProvider", "SSOProvider of profile tested unknown"},
		"a role of what a machine gives": {role + "credential_source = Ec2InstanceMetadata", "AssumeRoleProvider", "AssumeRoleProvider of profile tested renews"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config")
			must(t, 0, os.WriteFile(file, []byte("[profile tested]\n"+x.profile+"\n"), 0o600))
			for k, v := range map[string]string{"HOME": home, "AWS_CONFIG_FILE": file, "AWS_SHARED_CREDENTIALS_FILE": file + "-none", "AWS_PROFILE": "tested", "AWS_ACCESS_KEY_ID": "",
				"AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_CREDENTIAL_EXPIRATION": "", "AWS_WEB_IDENTITY_TOKEN_FILE": ""} {
				t.Setenv(k, v)
			}
			c, err := inject.Open(t.Context(), inject.Options{Region: "eu-west-1", Now: time.Now})
			if got := lifetimeWords(inject.LifetimeOf(must(t, c, err), x.source)); got != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
}

func lifetimeWords(l inject.Lifetime) string {
	switch {
	case l.Unknown:
		return l.Source + " unknown"
	case l.Renews:
		return l.Source + " renews"
	case !l.Expires.IsZero():
		return l.Source + " " + l.Expires.UTC().Format(time.RFC3339)
	}
	return l.Source
}
