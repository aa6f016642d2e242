package inject_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func TestErrorRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	b := newAccount(t, sandbox.Options{}).balancer()
	b.rule(1, "/users*")
	with := func(rest string) string { return fmt.Sprintf(`{"listener":%q%s}`, b.listener, rest) }
	for params, why := range map[string]string{
		`{"path":"/users*"}`:                  `listener "" is none`,
		`{"listener":"arn:aws:x"}`:            "is none",
		with(``):                              "every request would fail",
		with(`,"path":"users"`):               "does not begin with /",
		with(`,"path":"/u","x":1`):            "unknown field",
		with(`,"header":{"":"1"}`):            "cannot be matched",
		with(`,"path":"/users*"`):             "no priority is free",
		with(`,"path":"/users/me"`):           "no priority is free",
		with(`,"path":"/other","status":200`): "status 200 is no error",
		with(`,"path":"/other","load":"1/m"`): "is not a rate",
		with(`,"header":{"Host":"a"}`):        "cannot be matched",
		with(`,"header":{"X-Firedrill":"a"}`): "cannot be matched",
		with(`,"path":"/o","host":"h","header":{"a":"1","b":"2","c":"3"}`):                                           "a rule takes 5 values",
		with(`,"path":"/` + strings.Repeat("o", 128) + `"`):                                                          "at most 128",
		with(`,"path":"/other","body":"` + strings.Repeat("o", 1025) + `"`):                                          "at most 1024",
		strings.Replace(with(`,"path":"/other"`), b.listener, b.listener[:len(b.listener)-16]+"0000000000000000", 1): "there is no listener",
	} {
		b.refused(inject.KindError, params, why, false)
	}
}

func TestErrorIsFeltOnItsPathAlone(t *testing.T) {
	t.Parallel()
	b := newAccount(t, sandbox.Options{}).balancer()
	b.rule(10, "/users*")
	b.rule(20, "/admin*")
	k, f, u := b.prepared(inject.KindError, fmt.Sprintf(`{"listener":%q,"path":"/users*","status":503}`, b.listener))
	u, err := f.(inject.Staged).Stage(t.Context(), u)
	must(t, u, err)
	b.awaitRules()
	if got := b.get(u, "/users"); got != http.StatusOK {
		t.Errorf("staged, and /users answers %d", got)
	}
	must(t, 0, f.Apply(t.Context(), u))
	b.awaitRules()
	if users, admin := b.get(u, "/users/7"), b.get(u, "/admin"); users != 503 || admin != http.StatusOK {
		t.Errorf("/users/7 answers %d, /admin %d", users, admin)
	}
	loaded, err := f.(inject.Loader).Load(t.Context(), u, 100*time.Millisecond)
	if must(t, loaded, err).Sent != 0 {
		t.Errorf("sent load nobody asked for: %+v", loaded)
	}
	how, err := k.Revert(t.Context(), u)
	must(t, how, err)
	b.awaitRules()
	if got := b.get(u, "/users"); got != http.StatusOK {
		t.Errorf("put back, and /users answers %d", got)
	}
}

// awaitRules waits for rules to reach the data plane: the sandbox needs a fifth of a second.
func (b *balancer) awaitRules() {
	for until := time.Now().Add(300 * time.Millisecond); time.Now().Before(until); {
		pauseTest(b.account)
	}
}

func TestErrorWithHostAndHeader(t *testing.T) {
	t.Parallel()
	b := newAccount(t, sandbox.Options{}).balancer()
	_, f, u := b.prepared(inject.KindError, fmt.Sprintf(`{"listener":%q,"host":"*.example.com","header":{"X-Team":"orders*"},"body":"{\"error\":1}","load":"100/s"}`, b.listener))
	u, err := f.(inject.Staged).Stage(t.Context(), u)
	must(t, u, err)
	must(t, 0, f.Apply(t.Context(), u))
	b.awaitRules()
	r, err := f.(inject.Verifier).Verify(t.Context(), u)
	if must(t, r, err).Felt != inject.Yes {
		t.Errorf("%+v", r)
	}
	loaded, err := f.(inject.Loader).Load(t.Context(), u, 200*time.Millisecond)
	if must(t, loaded, err); loaded.Felt == 0 || loaded.Felt > 30 || loaded.Failed != 0 || len(loaded.Looks) != 1 || loaded.Looks[0].To.Before(loaded.Looks[0].From) {
		t.Errorf("%+v", loaded)
	}
	if got := b.get(u, "/users"); got != http.StatusOK {
		t.Errorf("without host and header it answers %d", got)
	}
}

// Somebody takes our number between Prepare and Stage: a definite no, and nothing left.
func TestErrorLosesItsPlace(t *testing.T) {
	t.Parallel()
	b := newAccount(t, sandbox.Options{}).balancer()
	b.rule(10, "/users*")
	k, f, u := b.prepared(inject.KindError, fmt.Sprintf(`{"listener":%q,"path":"/users*"}`, b.listener))
	b.rule(9, "/new*")
	_, err := f.(inject.Staged).Stage(t.Context(), u)
	var definite *inject.Definite
	if !errors.As(err, &definite) || !strings.Contains(err.Error(), "PriorityInUse") {
		t.Errorf("staged: %v", err)
	}
	if err := f.Apply(t.Context(), u); !errors.As(err, &definite) {
		t.Errorf("applied what was not staged: %v", err)
	}
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.NeverApplied || len(b.rules()) != 3 {
		t.Errorf("reverted: %s, %d rules", how, len(b.rules()))
	}
}

// A rule somebody edited is still ours, by its tags; the crash between CreateRule and its record leaves only them.
func TestErrorFindsItsRuleByItsTags(t *testing.T) {
	t.Parallel()
	b := newAccount(t, sandbox.Options{}).balancer()
	b.rule(10, "/users*")
	before := b.config()
	k, f, u := b.prepared(inject.KindError, fmt.Sprintf(`{"listener":%q,"path":"/users*"}`, b.listener))
	staged, err := f.(inject.Staged).Stage(t.Context(), u)
	must(t, staged, err)
	own := b.marked(u.Mark.Run)
	_, err = b.responder().ELB.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: &own, Conditions: paths("/elsewhere")})
	must(t, 0, err)
	if ok, why, err := k.Settled(t.Context(), u); ok || err != nil || why == "" {
		t.Errorf("settled: %v %q %v", ok, why, err)
	}
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored || b.config() != before {
		t.Errorf("reverted: %s, %s", how, b.config())
	}
}

func TestErrorMovesTheBalancersMetricsAlone(t *testing.T) {
	t.Parallel()
	b := newAccount(t, sandbox.Options{}).balancer()
	_, f, u := b.prepared(inject.KindError, fmt.Sprintf(`{"listener":%q,"path":"/users*"}`, b.listener))
	_, name, _ := strings.Cut(b.arn, "loadbalancer/")
	seen := map[string]bool{}
	for _, m := range f.(inject.Mover).Moves(u) {
		seen[m.Name] = m.Namespace == "AWS/ApplicationELB" && m.Dimensions["LoadBalancer"] == name
	}
	if len(seen) != 3 || !seen["HTTPCode_ELB_5XX_Count"] || !seen["HTTPCode_ELB_500_Count"] || !seen["HTTP_Fixed_Response_Count"] {
		t.Errorf("%v", seen)
	}
	if f.(inject.LastResorter).LastResort(u) != nil {
		t.Error("a last resort for a rule that is not there yet")
	}
	u, err := f.(inject.Staged).Stage(t.Context(), u)
	calls := f.(inject.LastResorter).LastResort(must(t, u, err))
	if len(calls) != 1 || calls[0].Action != "deleteRule" || !strings.Contains(string(calls[0].Input), b.marked(u.Mark.Run)) {
		t.Errorf("%+v", calls)
	}
}
