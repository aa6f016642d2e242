package inject_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// ask is a customer inside the network.
func (b *balancer) ask(path string) int {
	b.Helper()
	out, err := b.owner().ELB.DescribeListeners(b.Context(), &elb.DescribeListenersInput{ListenerArns: []string{b.listener}})
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", *must(b, out, err).Listeners[0].Port, path), nil)
	answer, err := http.DefaultClient.Do(must(b, request, err))
	_ = must(b, answer, err).Body.Close()
	return answer.StatusCode
}

// Behind an internal load balancer nothing of ours gets through, and its own metric tells: of an effect, and of its end.
func TestAPrivateBalancerTellsOfItself(t *testing.T) {
	t.Parallel()
	b := newAccount(t, sandbox.Options{}).balancerFor(types.LoadBalancerSchemeEnumInternal)
	b.rule(10, "/users*")
	params := fmt.Sprintf(`{"listener":%q,"path":"/users*","load":"5/s"}`, b.listener)
	b.refused(inject.KindError, params, "has had no request in the last 20s", false)
	b.ask("/users")
	k, f, u := b.prepared(inject.KindError, params)
	if w := f.(inject.Witnessed).Witness(u); !strings.HasPrefix(w, "by the load balancer's metric HTTP_Fixed_Response_Count: ±2s; expects traffic: 1 requests in the last 20s") {
		t.Errorf("the plan says %q", w)
	}
	if notes := strings.Join(f.(inject.Costed).Costs(u).Notes, "; "); !strings.Contains(notes, "load of 5/s cannot be sent from here") || !strings.Contains(notes, "not reachable from here") {
		t.Errorf("the plan minds %q", notes)
	}
	if floor, sure := f.(inject.Floored).Floor(u); floor != 2*time.Second || !sure {
		t.Errorf("it is seen after %s (%v)", floor, sure)
	}
	u, err := f.(inject.Staged).Stage(t.Context(), u)
	must(t, u, err)
	must(t, 0, f.Apply(t.Context(), u))
	loaded, err := f.(inject.Loader).Load(t.Context(), u, time.Second)
	if must(t, loaded, err).Sent != 0 {
		t.Errorf("sent %+v", loaded)
	}
	b.awaitReading(f, u, inject.Yes)
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored {
		t.Error(how)
	}
	b.awaitReading(f, u, inject.No)
}

// awaitReading asks as a customer until our look says what it should.
func (b *balancer) awaitReading(f inject.Fault, u inject.Undo, want inject.Tri) {
	b.Helper()
	var r inject.Reading
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); {
		b.ask("/users")
		var err error
		r, err = f.(inject.Verifier).Verify(b.Context(), u)
		if must(b, r, err).Felt == want {
			if r.Witness != "HTTP_Fixed_Response_Count" || !r.From.Before(r.To) {
				b.Errorf("%+v", r)
			}
			return
		}
		pauseTest(b.account)
	}
	b.Fatalf("it never said %s: %+v", want, r)
}

// Where nobody else asks, the plan says so and names the load that would be felt; where somebody does, it does not.
func TestAQuietBalancerIsTold(t *testing.T) {
	t.Parallel()
	b := newAccount(t, sandbox.Options{}).balancer()
	params := fmt.Sprintf(`{"listener":%q,"path":"/users*"}`, b.listener)
	notes := func(params string) string {
		_, f, u := b.prepared(inject.KindError, params)
		if w := f.(inject.Witnessed).Witness(u); !strings.HasPrefix(w, "by a request of its own through http://127.0.0.1:") {
			t.Errorf("the plan says %q", w)
		}
		return strings.Join(f.(inject.Costed).Costs(u).Notes, "; ")
	}
	if got := notes(params); !strings.Contains(got, "nobody has asked the load balancer for anything in the last 20s: without load of ours (load: 5/s)") {
		t.Errorf("quiet: %q", got)
	}
	if got := notes(strings.Replace(params, "}", `,"load":"5/s"}`, 1)); got != "" {
		t.Errorf("with load: %q", got)
	}
	b.ask("/users")
	if got := notes(params); !strings.Contains(got, "only requests that match are felt") || strings.Contains(got, "nobody has asked") {
		t.Errorf("with traffic: %q", got)
	}
}
