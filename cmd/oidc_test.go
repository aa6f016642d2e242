package cmd

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// github is the place where a job of GitHub's gets its tokens.
type github struct {
	*httptest.Server
	given  int
	status int
}

func newGithub(t *testing.T, sub string) *github {
	t.Helper()
	g := &github{status: http.StatusOK}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer request-key-of-the-job" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if w.WriteHeader(g.status); g.status != http.StatusOK {
			return
		}
		g.given++
		claims, _ := json.Marshal(map[string]any{"aud": r.URL.Query().Get("audience"), "sub": sub, "exp": time.Now().Add(5 * time.Minute).Unix()})
		fmt.Fprintf(w, `{"count":1,"value":"e30.%s.c2lnbmVk"}`, base64.RawURLEncoding.EncodeToString(claims))
	}))
	t.Cleanup(g.Close)
	return g
}

// In a job of GitHub's a plan is made with the role's session of the job's own token, and of nothing else.
func TestPlanByGitHubsToken(t *testing.T) {
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	g := newGithub(t, "firedrill")
	w := box.World()
	d, out, errs := on(t, w.URL)
	vars := map[string]string{"GITHUB_ACTIONS": "true", githubTokenURL: g.URL + "/token?api-version=2.0", githubTokenKey: "request-key-of-the-job",
		"PAGERDUTY_TOKEN": w.Token, "OWNER_KEY": w.Owner, "ORDERS_KEY": w.Teams["orders"].Key, "HOME": d.Dir}
	d.Getenv = func(k string) string { return vars[k] }
	file := fmt.Sprintf(`environments:
  staging:
    aws: {account: %q, regions: [%s], role: "arn:aws:iam::%s:role/firedrill", oidc: github, endpoint: %q}
    tags: {environment: sandbox, firedrill: allowed}
    window: {days: mon-sun, hours: "00:00-24:00", zone: UTC}
    pagerduty: {token: "env:PAGERDUTY_TOKEN", from: %s, bots: [%s]}
    owner: {key: "env:OWNER_KEY"}
    teams: {orders: {service: %s, key: "env:ORDERS_KEY"}}
    vars: {orders_table: %s, orders_url: %q}
`, w.Account, w.Region, w.Account, w.AWS, w.From, w.Bot, w.Teams["orders"].Service, w.Vars["orders_table"], w.Vars["orders_url"])
	if err := os.WriteFile(filepath.Join(d.Dir, drills.ConfigName), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := []string{"plan", "orders-write-throttle", "--env", "staging", "-o", "json"}
	_ = Run(t.Context(), d, plan) // it may be refused for the drill's own times; who asked is what counts here
	var told struct{ Guards map[string]string }
	if err := json.Unmarshal(out.Bytes(), &told); err != nil || told.Guards["credentials"] != "GitHub's OIDC, renewed" {
		t.Errorf("the plan says %v (%v)\n%s%s", told.Guards, err, out, errs)
	}
	var calls []struct{ By, Operation string }
	if err := json.Unmarshal(fetch(t, w.URL+"/_sandbox/calls"), &calls); err != nil {
		t.Fatal(err)
	}
	assumed, described := 0, 0
	for _, c := range calls {
		if c.Operation == "AssumeRoleWithWebIdentity" {
			assumed++
		}
		if c.Operation == "DescribeTable" && c.By == "firedrill" {
			described++
		}
	}
	if assumed == 0 || described == 0 || g.given == 0 {
		t.Errorf("%d tokens, %d sessions, %d looks at the table", g.given, assumed, described)
	}

	// A job that only plans does so under a role of its own; one of another account is no such role.
	vars["FIREDRILL_ROLE"] = fmt.Sprintf("arn:aws:iam::%s:role/firedrill-staging-plan", w.Account)
	_ = Run(t.Context(), d, plan)
	var roles []struct{ Operation, Resource string }
	if err := json.Unmarshal(fetch(t, w.URL+"/_sandbox/calls"), &roles); err != nil {
		t.Fatal(err)
	}
	if last := slices.IndexFunc(roles, func(c struct{ Operation, Resource string }) bool {
		return c.Operation == "AssumeRoleWithWebIdentity" && c.Resource == vars["FIREDRILL_ROLE"]
	}); last < 0 {
		t.Errorf("nobody assumed %s: %+v", vars["FIREDRILL_ROLE"], roles)
	}
	out.Reset()
	vars["FIREDRILL_ROLE"] = "arn:aws:iam::999999999999:role/firedrill"
	if code := Run(t.Context(), d, plan); code != exitRefused || !strings.Contains(out.String()+errs.String(), "FIREDRILL_ROLE is arn:aws:iam::999999999999:role/firedrill") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	delete(vars, "FIREDRILL_ROLE")

	// A job that may have no token is told which permission is missing, before anything is asked.
	delete(vars, githubTokenURL)
	out.Reset()
	if code := Run(t.Context(), d, plan); code != exitRefused || !strings.Contains(out.String()+errs.String(), "id-token: write") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// What GitHub answers instead of a token is told, and the request's key never.
func TestGitHubWithoutToken(t *testing.T) {
	g := newGithub(t, "firedrill")
	for status, want := range map[int]string{http.StatusOK: "", http.StatusInternalServerError: "500", http.StatusNoContent: "204"} {
		g.status = status
		token, err := githubToken(t.Context(), g.URL+"?x=1", "request-key-of-the-job")
		if want == "" && (err != nil || strings.Count(token, ".") != 2) {
			t.Errorf("%d: %q %v", status, token, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "request-key")) {
			t.Errorf("%d: %v", status, err)
		}
	}
	g.status = http.StatusOK
	if _, err := githubToken(t.Context(), g.URL, "another key"); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("another's key: %v", err)
	}
}

// On a laptop the same file means the laptop's own credentials.
func TestNoTokenOnALaptop(t *testing.T) {
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "token")
	for _, oidc := range []string{"", "github", "env:ID_TOKEN", "file:" + file} {
		env := &drills.Environment{AWS: drills.AWSSpec{OIDC: oidc, Role: "arn:aws:iam::111122223333:role/firedrill"}}
		if d.webIdentity(env) != nil || d.untokened(env) != nil {
			t.Errorf("%q: %v %v", oidc, d.webIdentity(env), d.untokened(env))
		}
	}
	if err := os.WriteFile(file, []byte("a.b.c\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := d.webIdentity(&drills.Environment{AWS: drills.AWSSpec{OIDC: "file:" + file}})
	if token, err := w.Token(t.Context()); err != nil || token != "a.b.c" {
		t.Errorf("%q %v", token, err)
	}
}
