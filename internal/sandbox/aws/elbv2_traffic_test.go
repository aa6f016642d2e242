package aws

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	elbsdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// get asks the data plane; pairs are headers.
func (b *balancerTest) get(path string, headers ...string) (status int, body string, err error) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), "GET", b.base+path, nil)
	must(b.T, err)
	for k, v := range pairs(headers) {
		req.Header.Set(k, v)
		if k == "Host" {
			req.Host = v
		}
	}
	client := &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(out) + resp.Header.Get("Location"), err
}

func (b *balancerTest) want(path string, status int, body string, headers ...string) {
	b.Helper()
	got, text, err := b.get(path, headers...)
	if err != nil || got != status || text != body {
		b.Errorf("GET %s %v: %d %q %v, want %d %q", path, headers, got, text, err, status, body)
	}
}

// target serves on loopback and joins a group.
func (b *balancerTest) target(group string, h http.HandlerFunc) *httptest.Server {
	b.Helper()
	srv := httptest.NewServer(h)
	b.Cleanup(srv.Close)
	b.register(group, srv)
	return srv
}

func (b *balancerTest) register(group string, srv *httptest.Server) {
	b.Helper()
	host, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "http://"), ":")
	n, _ := strconv.Atoi(port)
	_, err := b.api.RegisterTargets(b.Context(), &elbsdk.RegisterTargetsInput{TargetGroupArn: &group, Targets: []types.TargetDescription{{Id: &host, Port: ref(int32(n))}}})
	must(b.T, err)
}

func says(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, text)
	}
}

// tapped replaces the meter of the cloud's load balancers by a tape.
func (b *balancerTest) tapped() *tape {
	tape := &tape{}
	for _, s := range b.cloud.list {
		if e, ok := s.(*elb); ok {
			e.mu.Lock()
			e.meter = tape
			e.mu.Unlock()
		}
	}
	return tape
}

func TestConditionsMatch(t *testing.T) {
	hostIs := func(v string) types.RuleCondition {
		return types.RuleCondition{Field: ref("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{v}}}
	}
	query := func(key, value string) types.RuleCondition {
		return types.RuleCondition{Field: ref("query-string"), QueryStringConfig: &types.QueryStringConditionConfig{Values: []types.QueryStringKeyValuePair{{Key: &key, Value: &value}}}}
	}
	method := func(v string) types.RuleCondition {
		return types.RuleCondition{Field: ref("http-request-method"), HttpRequestMethodConfig: &types.HttpRequestMethodConditionConfig{Values: []string{v}}}
	}
	from := func(v string) types.RuleCondition {
		return types.RuleCondition{Field: ref("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{v}}}
	}
	for _, c := range []struct {
		name       string
		conditions []types.RuleCondition
		hit, miss  []string // paths, then header pairs after a space
	}{
		{"path", []types.RuleCondition{path("/users*", "/a?c")}, []string{"/users", "/users/1", "/abc"}, []string{"/user", "/Users", "/ac"}},
		{"path and header", []types.RuleCondition{path("/users*"), header("X-Drill", "01*")}, []string{"/users X-Drill 01j", "/users x-drill 01J"}, []string{"/users", "/users X-Drill 02", "/ X-Drill 01"}},
		{"host", []types.RuleCondition{hostIs("*.Example.com")}, []string{"/ Host a.example.COM", "/ Host a.example.com:80"}, []string{"/ Host example.com", "/"}},
		{"query", []types.RuleCondition{query("a", "b*")}, []string{"/?a=bc", "/?x=1&A=B"}, []string{"/", "/?a=c", "/?b=b"}},
		{"method", []types.RuleCondition{method("GET")}, []string{"/"}, nil},
		{"another method", []types.RuleCondition{method("POST")}, nil, []string{"/"}},
		{"source", []types.RuleCondition{from("127.0.0.0/8")}, []string{"/"}, nil},
		{"another source", []types.RuleCondition{from("10.0.0.0/8")}, nil, []string{"/"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBalancerTest(t)
			b.target(b.group, says(200, "target"))
			b.rule(10, fixed("418", "text/plain", "rule"), c.conditions...)
			ask := func(list []string, status int, body string) {
				for _, one := range list {
					words := strings.Fields(one)
					b.want(words[0], status, body, words[1:]...)
				}
			}
			ask(c.hit, 418, "rule")
			ask(c.miss, 200, "target")
		})
	}
}

func TestLowestPriorityWins(t *testing.T) {
	b := newBalancerTest(t)
	b.rule(20, fixed("200", "text/plain", "twenty"), path("/a*"))
	b.want("/a", 200, "twenty")
	ten := b.rule(10, fixed("200", "text/plain", "ten"), path("/a*"))
	b.want("/a", 200, "ten")
	_, err := b.api.SetRulePriorities(t.Context(), &elbsdk.SetRulePrioritiesInput{RulePriorities: []types.RulePriorityPair{{RuleArn: &ten, Priority: ref(int32(30))}}})
	must(t, err)
	b.clock.move(time.Second)
	b.want("/a", 200, "twenty")
}

func TestChangesTakeTimeToReachTheDataPlane(t *testing.T) {
	b := newBalancerTest(t)
	b.target(b.group, says(200, "target"))
	out, err := b.api.CreateRule(t.Context(), &elbsdk.CreateRuleInput{ListenerArn: &b.listener, Priority: ref(int32(1)), Actions: fixed("500", "text/plain", "rule"), Conditions: []types.RuleCondition{path("/*")}})
	must(t, err)
	b.clock.move(199 * time.Millisecond)
	b.want("/", 200, "target")
	b.clock.move(time.Millisecond)
	b.want("/", 500, "rule")
	arn := out.Rules[0].RuleArn
	_, err = b.api.ModifyRule(t.Context(), &elbsdk.ModifyRuleInput{RuleArn: arn, Actions: fixed("503", "text/plain", "other")})
	must(t, err)
	b.want("/", 500, "rule")
	b.clock.move(200 * time.Millisecond)
	b.want("/", 503, "other")
	_, err = b.api.DeleteRule(t.Context(), &elbsdk.DeleteRuleInput{RuleArn: arn})
	must(t, err)
	b.want("/", 503, "other")
	b.clock.move(200 * time.Millisecond)
	b.want("/", 200, "target")
}

func TestAFixedResponseIsTheLoadBalancers(t *testing.T) {
	b := newBalancerTest(t)
	b.target(b.group, says(200, "target"))
	b.rule(1, fixed("500", "application/json", `{"no":1}`), path("/users*"))
	b.rule(2, fixed("404", "text/plain", ""), path("/gone"))
	b.rule(3, fixed("503", "text/plain", ""), path("/busy"))
	tape := b.tapped()
	b.want("/users/1", 500, `{"no":1}`)
	b.want("/gone", 404, "")
	b.want("/busy", 503, "")
	for metric, want := range map[string]float64{
		"HTTP_Fixed_Response_Count": 3, "HTTPCode_ELB_5XX_Count": 2, "HTTPCode_ELB_500_Count": 1, "HTTPCode_ELB_503_Count": 1, "HTTPCode_ELB_4XX_Count": 1,
		"HTTPCode_Target_5XX_Count": 0, "HTTPCode_Target_4XX_Count": 0, "RequestCount": 0, "TargetResponseTime": 0,
	} {
		if got := tape.sum(metric, 1); got != want {
			t.Errorf("%s = %v, want %v", metric, got, want)
		}
	}
	if s := tape.samples[0]; s.Namespace != "AWS/ApplicationELB" || s.Dimensions["LoadBalancer"] != b.balancer[strings.Index(b.balancer, "app/orders/"):] {
		t.Errorf("sample %+v", s)
	}
}

func TestTargetAnswersAreTheTargets(t *testing.T) {
	b := newBalancerTest(t)
	b.target(b.group, func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Query().Get("status"))
		b.clock.move(250 * time.Millisecond)
		w.WriteHeader(status)
	})
	tape := b.tapped()
	for _, status := range []int{200, 201, 301, 404, 500, 503} {
		b.want(fmt.Sprint("/?status=", status), status, "")
	}
	for metric, want := range map[string]float64{
		"RequestCount": 6, "HTTPCode_Target_2XX_Count": 2, "HTTPCode_Target_3XX_Count": 1, "HTTPCode_Target_4XX_Count": 1, "HTTPCode_Target_5XX_Count": 2,
		"HTTPCode_ELB_5XX_Count": 0, "HTTPCode_ELB_500_Count": 0, "HTTP_Fixed_Response_Count": 0, "TargetResponseTime": 1.5,
	} {
		if got := tape.sum(metric, 1); got != want {
			t.Errorf("%s = %v, want %v", metric, got, want)
		}
		if got := tape.sum(metric, 2); got != want {
			t.Errorf("%s by target group = %v, want %v", metric, got, want)
		}
	}
}

func TestForwardPassesTheRequestOn(t *testing.T) {
	b := newBalancerTest(t)
	b.target(b.group, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Method, " ", r.RequestURI, " ", r.Host, " ", r.Header.Get("X-Forwarded-For"), " ", r.Header.Get("X-Forwarded-Proto"), " ", r.Header.Get("X-Drill"))
	})
	b.want("/orders/a%2Fb?x=1", 200, "GET /orders/a%2Fb?x=1 shop.example.com 127.0.0.1 http 01j", "Host", "shop.example.com", "X-Drill", "01j")
}

func TestTargetsTakeTurns(t *testing.T) {
	b := newBalancerTest(t)
	b.target(b.group, says(200, "a"))
	gone := b.target(b.group, says(200, "b"))
	if got := b.answers(10); got["a"] != 5 || got["b"] != 5 {
		t.Errorf("answers %v", got)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(gone.URL, "http://"), ":")
	n, _ := strconv.Atoi(port)
	_, err := b.api.DeregisterTargets(t.Context(), &elbsdk.DeregisterTargetsInput{TargetGroupArn: &b.group, Targets: []types.TargetDescription{{Id: ref("127.0.0.1"), Port: ref(int32(n))}}})
	must(t, err)
	if got := b.answers(4); got["a"] != 4 {
		t.Errorf("after one has left: %v", got)
	}
}

// answers counts the bodies of n requests.
func (b *balancerTest) answers(n int) map[string]int {
	b.Helper()
	out := map[string]int{}
	for range n {
		_, body, err := b.get("/")
		must(b.T, err)
		out[body]++
	}
	return out
}

func TestWeights(t *testing.T) {
	b := newBalancerTest(t)
	faulty := b.newGroup("faulty")
	b.target(b.group, says(200, "good"))
	b.target(faulty, says(500, "bad"))
	b.rule(1, weighted(map[string]int32{b.group: 7, faulty: 3}), path("/*"))
	if got := b.answers(20); got["good"] != 14 || got["bad"] != 6 {
		t.Errorf("answers %v, want 14 good and 6 bad", got)
	}
}

func TestAGroupWithoutTargetsAnswers503AndNobodyTakesOver(t *testing.T) {
	b := newBalancerTest(t)
	empty := b.newGroup("empty")
	b.target(b.group, says(200, "good"))
	b.rule(1, weighted(map[string]int32{b.group: 1, empty: 1}), path("/*"))
	tape := b.tapped()
	b.answers(10)
	if ok, bad := tape.sum("HTTPCode_Target_2XX_Count", 1), tape.sum("HTTPCode_ELB_503_Count", 1); ok != 5 || bad != 5 || tape.sum("HTTPCode_ELB_5XX_Count", 1) != 5 {
		t.Errorf("%v good, %v 503: want five of each", ok, bad)
	}
}

func TestADeadTargetIsABadGateway(t *testing.T) {
	b := newBalancerTest(t)
	b.target(b.group, says(200, "")).Close()
	tape := b.tapped()
	if status, _, err := b.get("/"); status != 502 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
	if tape.sum("HTTPCode_ELB_502_Count", 1) != 1 || tape.sum("HTTPCode_Target_5XX_Count", 1) != 0 {
		t.Errorf("metrics %+v", tape.samples)
	}
}

func TestRedirect(t *testing.T) {
	b := newBalancerTest(t)
	redirect := func(r types.RedirectActionConfig) []types.Action {
		return []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &r}}
	}
	b.rule(1, redirect(types.RedirectActionConfig{StatusCode: types.RedirectActionStatusCodeEnumHttp301, Path: ref("/new/#{path}"), Host: ref("new.#{host}"), Port: ref("8080")}), path("/old/*"))
	b.rule(2, redirect(types.RedirectActionConfig{StatusCode: types.RedirectActionStatusCodeEnumHttp302, Protocol: ref("HTTPS"), Port: ref("443"), Query: ref("")}), path("/safe"))
	tape := b.tapped()
	b.want("/old/x?y=1", 301, "http://new.shop:8080/new/old/x?y=1", "Host", "shop")
	b.want("/safe", 302, "https://shop:443/safe", "Host", "shop")
	if tape.sum("HTTP_Redirect_Count", 1) != 2 || tape.sum("HTTPCode_ELB_3XX_Count", 1) != 2 {
		t.Errorf("metrics %+v", tape.samples)
	}
}

func TestTargetHealth(t *testing.T) {
	b := newBalancerTest(t)
	b.target(b.group, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			w.WriteHeader(500)
		}
	})
	b.target(b.group, says(503, ""))
	b.target(b.group, says(200, "")).Close()
	out, err := b.api.DescribeTargetHealth(t.Context(), &elbsdk.DescribeTargetHealthInput{TargetGroupArn: &b.group})
	must(t, err)
	var got []string
	for _, d := range out.TargetHealthDescriptions {
		got = append(got, string(d.TargetHealth.State)+":"+string(d.TargetHealth.Reason))
	}
	if want := "healthy: unhealthy:Target.ResponseCodeMismatch unhealthy:Target.FailedHealthChecks"; strings.Join(got, " ") != want {
		t.Errorf("health %v, want %s", got, want)
	}
}

func TestTrafficWhileRulesChange(t *testing.T) {
	b := newBalancerTest(t)
	b.target(b.group, says(200, "target"))
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for range 20 {
				if status, _, err := b.get("/"); err != nil || status != 200 && status != 500 {
					t.Errorf("status %d, %v", status, err)
				}
			}
		})
	}
	for range 10 {
		arn := b.rule(1, fixed("500", "text/plain", "rule"), path("/*"))
		_, err := b.api.DeleteRule(t.Context(), &elbsdk.DeleteRuleInput{RuleArn: &arn})
		must(t, err)
	}
	asking.Wait()
	b.clock.move(time.Second)
	b.want("/", 200, "target")
}

func TestMatcherCodes(t *testing.T) {
	for _, c := range []struct {
		codes  string
		status int
		want   bool
	}{{"200", 200, true}, {"200", 201, false}, {"200,202", 202, true}, {"200-299", 250, true}, {"200-299", 300, false}, {"", 200, false}} {
		if got := inCodes(c.codes, c.status); got != c.want {
			t.Errorf("%d in %q: %v", c.status, c.codes, got)
		}
	}
}
