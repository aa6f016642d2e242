package aws

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	elbsdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestListenerRefusals(t *testing.T) {
	b := newBalancerTest(t)
	var port int32
	_, _ = fmt.Sscanf(b.base, "http://127.0.0.1:%d", &port)
	create := func(in elbsdk.CreateListenerInput) error {
		if in.LoadBalancerArn == nil {
			in.LoadBalancerArn = &b.balancer
		}
		in.Protocol = types.ProtocolEnumHttp
		_, err := b.api.CreateListener(t.Context(), &in)
		return err
	}
	wantRefusal(t, create(elbsdk.CreateListenerInput{Port: &port, DefaultActions: forwardTo(b.group)}), "DuplicateListener")
	wantRefusal(t, create(elbsdk.CreateListenerInput{Port: ref(int32(0)), DefaultActions: forwardTo(b.group + "0")}), "TargetGroupNotFound")
	wantRefusal(t, create(elbsdk.CreateListenerInput{LoadBalancerArn: ref(b.balancer + "0"), Port: ref(int32(0)), DefaultActions: forwardTo(b.group)}), "LoadBalancerNotFound")
	second, err := b.api.CreateLoadBalancer(t.Context(), &elbsdk.CreateLoadBalancerInput{Name: ref("second")})
	must(t, err)
	// The port is taken on this machine, though not on this load balancer.
	wantRefusal(t, create(elbsdk.CreateListenerInput{LoadBalancerArn: second.LoadBalancers[0].LoadBalancerArn, Port: &port, DefaultActions: fixed("200", "text/plain", "")}), "InvalidConfigurationRequest")
	_, err = b.api.DescribeListeners(t.Context(), &elbsdk.DescribeListenersInput{})
	wantRefusal(t, err, "ValidationError")
	_, err = b.api.DescribeListeners(t.Context(), &elbsdk.DescribeListenersInput{LoadBalancerArn: ref(b.balancer + "0")})
	wantRefusal(t, err, "LoadBalancerNotFound")
	_, err = b.api.DescribeListeners(t.Context(), &elbsdk.DescribeListenersInput{ListenerArns: []string{b.listener + "0"}})
	wantRefusal(t, err, "ListenerNotFound")
	_, err = b.api.DeleteListener(t.Context(), &elbsdk.DeleteListenerInput{ListenerArn: ref(b.listener + "0")})
	wantRefusal(t, err, "ListenerNotFound")
	all, err := b.api.DescribeListeners(t.Context(), &elbsdk.DescribeListenersInput{LoadBalancerArn: &b.balancer})
	must(t, err)
	if len(all.Listeners) != 1 {
		t.Errorf("refused, and made: %d listeners", len(all.Listeners))
	}
}

func TestDeletedListenerStopsListening(t *testing.T) {
	b := newBalancerTest(t)
	b.want("/", 503, "503 Service Temporarily Unavailable\n") // no target yet
	_, err := b.api.DeleteListener(t.Context(), &elbsdk.DeleteListenerInput{ListenerArn: &b.listener})
	must(t, err)
	if status, _, err := b.get("/"); err == nil {
		t.Errorf("still answers %d", status)
	}
}

func TestModifyRuleReplacesWholeLists(t *testing.T) {
	b := newBalancerTest(t)
	arn := b.rule(10, fixed("500", "text/plain", "x"), path("/a"), header("X-Drill", "1"))
	out, err := b.api.ModifyRule(t.Context(), &elbsdk.ModifyRuleInput{RuleArn: &arn, Conditions: []types.RuleCondition{path("/b")}})
	must(t, err)
	r := out.Rules[0]
	if len(r.Conditions) != 1 || r.Conditions[0].Values[0] != "/b" || *r.Actions[0].FixedResponseConfig.StatusCode != "500" {
		t.Errorf("rule %+v: want the conditions replaced, the action kept", r)
	}
	_, err = b.api.ModifyRule(t.Context(), &elbsdk.ModifyRuleInput{RuleArn: &arn, Conditions: []types.RuleCondition{path()}, Actions: fixed("503", "text/plain", "")})
	wantRefusal(t, err, "ValidationError")
	_, err = b.api.ModifyRule(t.Context(), &elbsdk.ModifyRuleInput{RuleArn: &arn, Actions: fixed("99", "text/plain", "")})
	wantRefusal(t, err, "ValidationError")
	kept, err := b.api.DescribeRules(t.Context(), &elbsdk.DescribeRulesInput{RuleArns: []string{arn}})
	must(t, err)
	if *kept.Rules[0].Actions[0].FixedResponseConfig.StatusCode != "500" {
		t.Error("a refused change changed the action")
	}
	rules, err := b.api.DescribeRules(t.Context(), &elbsdk.DescribeRulesInput{ListenerArn: &b.listener})
	must(t, err)
	standard := rules.Rules[1].RuleArn
	_, err = b.api.ModifyRule(t.Context(), &elbsdk.ModifyRuleInput{RuleArn: standard, Actions: forwardTo(b.group)})
	wantRefusal(t, err, "OperationNotPermitted")
	_, err = b.api.SetRulePriorities(t.Context(), &elbsdk.SetRulePrioritiesInput{RulePriorities: []types.RulePriorityPair{{RuleArn: standard, Priority: ref(int32(7))}}})
	wantRefusal(t, err, "OperationNotPermitted")
}

func TestTargetGroupRefusals(t *testing.T) {
	b := newBalancerTest(t)
	create := func(name string, port int32) error {
		_, err := b.api.CreateTargetGroup(t.Context(), &elbsdk.CreateTargetGroupInput{Name: &name, Protocol: types.ProtocolEnumHttp, Port: &port, TargetType: types.TargetTypeEnumIp})
		return err
	}
	wantRefusal(t, create("orders-api", 80), "DuplicateTargetGroupName")
	wantRefusal(t, create("-x", 80), "ValidationError")
	wantRefusal(t, create("x", 70000), "ValidationError")
	absent := b.group + "0"
	_, err := b.api.DescribeTargetGroups(t.Context(), &elbsdk.DescribeTargetGroupsInput{TargetGroupArns: []string{absent}})
	wantRefusal(t, err, "TargetGroupNotFound")
	_, err = b.api.DescribeTargetGroups(t.Context(), &elbsdk.DescribeTargetGroupsInput{Names: []string{"nobody"}})
	wantRefusal(t, err, "TargetGroupNotFound")
	_, err = b.api.DescribeTargetHealth(t.Context(), &elbsdk.DescribeTargetHealthInput{TargetGroupArn: &absent})
	wantRefusal(t, err, "TargetGroupNotFound")
	_, err = b.api.DeregisterTargets(t.Context(), &elbsdk.DeregisterTargetsInput{TargetGroupArn: &absent, Targets: []types.TargetDescription{{Id: ref("127.0.0.1")}}})
	wantRefusal(t, err, "TargetGroupNotFound")
	must(t, create("spare", 80))
	groups, err := b.api.DescribeTargetGroups(t.Context(), &elbsdk.DescribeTargetGroupsInput{LoadBalancerArn: &b.balancer})
	must(t, err)
	if len(groups.TargetGroups) != 1 {
		t.Errorf("%d target groups of the load balancer, want the one it forwards to", len(groups.TargetGroups))
	}
}

func TestAllWeightsZeroServeNobody(t *testing.T) {
	b := newBalancerTest(t)
	b.target(b.group, says(200, ""))
	b.rule(1, weighted(map[string]int32{b.group: 0}), path("/*"))
	if status, _, err := b.get("/"); status != 503 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
}

func TestAClientThatLeavesIsNoServerError(t *testing.T) {
	b := newBalancerTest(t)
	asked := make(chan struct{})
	b.target(b.group, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	tape := b.tapped()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, "GET", b.base+"/", nil)
	must(t, err)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Fatal("answered")
	}
	until(t, "the load balancer noticed", func() bool { return tape.sum("HTTPCode_ELB_4XX_Count", 1) == 1 })
	if n := tape.sum("HTTPCode_ELB_5XX_Count", 1); n != 0 {
		t.Errorf("HTTPCode_ELB_5XX_Count = %v", n)
	}
}

func TestCloseEndsTheDataPlane(t *testing.T) {
	b := newBalancerTest(t)
	asked := make(chan struct{})
	b.target(b.group, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	ended := make(chan error, 1)
	go func() {
		resp, err := http.Get(b.base + "/")
		if err == nil {
			_ = resp.Body.Close()
		}
		ended <- err
	}()
	<-asked
	must(t, b.cloud.Close())
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("a request outlives the sandbox")
	}
	if _, _, err := b.get("/"); err == nil {
		t.Error("the listener outlives the sandbox")
	}
}
