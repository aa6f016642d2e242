package cmd

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
)

// onSandbox is a run's state on a sandbox at a URL.
func onSandbox(url string) *drills.State {
	s := drills.NewState("01kaaa")
	s.Plan.Sandbox = &drills.SandboxRef{URL: url, Instance: "mine", KeyID: "AKIA", Secret: "x"}
	s.Plan.Account, s.Plan.Region = "111122223333", "eu-west-1"
	return s
}

// TestOnlyAWorldThatIsGoneIsGone: one that does not answer may hold the fault still, and its run must not be closed.
func TestOnlyAWorldThatIsGoneIsGone(t *testing.T) {
	answer := func(status int, body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, c := range []struct {
		name, url, reason, says string
	}{
		{"nobody listens", closed.URL, drills.ReasonWorldGone, ""},
		{"another instance", answer(200, `{"instance": "other"}`), drills.ReasonWorldGone, ""},
		{"the instance", answer(200, `{"instance": "mine", "region": "eu-west-1", "token": "t"}`), drills.ReasonRecover, ""},
		{"it is in trouble", answer(500, "sorry"), drills.ReasonRecover, "reach the sandbox of run 01kaaa"},
		{"it talks nonsense", answer(200, "<html>"), drills.ReasonRecover, "reach the sandbox of run 01kaaa"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			_, reason, err := d.reach(t.Context(), onSandbox(c.url), drills.ReasonRecover)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("error %v", err)
			}
			if reason != c.reason {
				t.Errorf("reason %s, want %s", reason, c.reason)
			}
		})
	}
}

// TestABrokenFileKeepsNobodyFromPuttingBack: what is needed stands in the run's own plan.
func TestABrokenFileKeepsNobodyFromPuttingBack(t *testing.T) {
	d := newDesk(t)
	if err := os.WriteFile(filepath.Join(d.Dir, drills.ConfigName), []byte("environments: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	s := drills.NewState("01kaaa")
	s.Plan.Environment, s.Plan.Account, s.Plan.Region = "staging", "111122223333", "eu-west-1"
	out, reason, err := d.reach(t.Context(), s, drills.ReasonRecover)
	if err != nil || reason != drills.ReasonRecover || out.env.AWS.Account != "111122223333" || out.world.Pager != nil {
		t.Errorf("%+v %s %v", out, reason, err)
	}
	if !strings.Contains(d.err.String(), "going on without the environment file") {
		t.Errorf("nobody is told: %s", d.err.String())
	}
}

// A stray AWS_ENDPOINT_URL refuses a drill; nothing but identity may refuse an undo.
func TestStrayEndpointRefusesNoUndo(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	d := newDesk(t)
	s := drills.NewState("01kaaa")
	s.Plan.Environment, s.Plan.Account, s.Plan.Region = "staging", "111122223333", "eu-west-1"
	if _, _, err := d.reach(t.Context(), s, drills.ReasonRecover); err != nil {
		t.Errorf("recover is refused: %v", err)
	}
	if err := strayed(&drills.Environment{Name: "staging"}); codeOf(err) != exitRefused {
		t.Errorf("a drill is not refused: %v", err)
	}
}

// TestUndoWaitsForNobodyWhoOnlyTells: secrets with which people are told are not to be had, and nothing is kept in place
// for that.
func TestUndoWaitsForNobodyWhoOnlyTells(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	d := newDesk(t)
	hung := hanging(t)
	file := `environments:
  staging:
    aws: {account: "111122223333", regions: [eu-west-1]}
    pagerduty: {token: "ssm:/pager", from: bot@example.com}
    slack: {token: "ssm:/slack"}
    tags: {environment: staging, firedrill: allowed}
    owner: {key: "env:OWNER_KEY"}
    teams: {orders: {service: PORDERS, key: "env:ORDERS_KEY"}}
`
	if err := os.WriteFile(filepath.Join(d.Dir, drills.ConfigName), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	s := drills.NewState("01kaaa")
	s.Plan.Environment, s.Plan.Account, s.Plan.Region, s.Plan.Endpoint = "staging", "111122223333", "eu-west-1", hung.URL
	began := time.Now()
	out, _, err := d.reach(t.Context(), s, drills.ReasonRecover)
	if err != nil || out.world.Pager != nil || out.world.Slack == nil || !strings.Contains(d.err.String(), "going on without the pager") {
		t.Errorf("%+v %v: %s", out, err, d.err.String())
	}
	if took := time.Since(began); took > pagerBy+time.Second {
		t.Errorf("the undo waited %s", took)
	}
}
