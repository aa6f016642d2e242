package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	elbsdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// balancerTest is a cloud with one load balancer, a target group without targets, and one listener that forwards to it.
type balancerTest struct {
	*testing.T
	cloud    *Cloud
	clock    *testClock
	api      *elbsdk.Client
	balancer string
	group    string
	listener string
	base     string // of the data plane
}

func newBalancerTest(t *testing.T) *balancerTest {
	t.Helper()
	return newBalancerOf(t, Options{TargetSettling: -1})
}

func newBalancerOf(t *testing.T, o Options) *balancerTest {
	t.Helper()
	b := &balancerTest{T: t, clock: newTestClock()}
	var url string
	o.Now = b.clock.now
	b.cloud, url = testCloud(t, o)
	b.api = elbsdk.NewFromConfig(testConfig(url, "other"))
	lb, err := b.api.CreateLoadBalancer(t.Context(), &elbsdk.CreateLoadBalancerInput{Name: ref("orders"), Tags: tagsOf("environment", "sandbox")})
	must(t, err)
	b.balancer = *lb.LoadBalancers[0].LoadBalancerArn
	b.group = b.newGroup("orders-api")
	l, err := b.api.CreateListener(t.Context(), &elbsdk.CreateListenerInput{LoadBalancerArn: &b.balancer, Protocol: types.ProtocolEnumHttp, Port: ref(int32(0)), DefaultActions: forwardTo(b.group)})
	must(t, err)
	b.listener = *l.Listeners[0].ListenerArn
	b.base = fmt.Sprintf("http://127.0.0.1:%d", *l.Listeners[0].Port)
	return b
}

func (b *balancerTest) newGroup(name string) string {
	b.Helper()
	out, err := b.api.CreateTargetGroup(b.Context(), &elbsdk.CreateTargetGroupInput{Name: &name, Protocol: types.ProtocolEnumHttp,
		Port: ref(int32(80)), TargetType: types.TargetTypeEnumIp, HealthCheckPath: ref("/health")})
	must(b.T, err)
	return *out.TargetGroups[0].TargetGroupArn
}

// rule makes a rule and lets the data plane see it.
func (b *balancerTest) rule(priority int32, actions []types.Action, conditions ...types.RuleCondition) string {
	b.Helper()
	out, err := b.api.CreateRule(b.Context(), &elbsdk.CreateRuleInput{ListenerArn: &b.listener, Priority: &priority, Actions: actions, Conditions: conditions})
	must(b.T, err)
	b.clock.move(time.Second)
	return *out.Rules[0].RuleArn
}

// priorities lists the listener's rules in order.
func (b *balancerTest) priorities() string {
	b.Helper()
	out, err := b.api.DescribeRules(b.Context(), &elbsdk.DescribeRulesInput{ListenerArn: &b.listener})
	must(b.T, err)
	var list []string
	for _, r := range out.Rules {
		list = append(list, *r.Priority)
	}
	return strings.Join(list, " ")
}

func tagsOf(list ...string) []types.Tag {
	var out []types.Tag
	for k, v := range pairs(list) {
		out = append(out, types.Tag{Key: &k, Value: &v})
	}
	return out
}

func forwardTo(groups ...string) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &groups[0]}}
}

func weighted(weights map[string]int32) []types.Action {
	f := &types.ForwardActionConfig{}
	for group, weight := range weights {
		f.TargetGroups = append(f.TargetGroups, types.TargetGroupTuple{TargetGroupArn: &group, Weight: &weight})
	}
	return []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: f}}
}

func fixed(status, contentType, body string) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{
		StatusCode: &status, ContentType: &contentType, MessageBody: &body}}}
}

func path(values ...string) types.RuleCondition {
	return types.RuleCondition{Field: ref("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: values}}
}

func header(name string, values ...string) types.RuleCondition {
	return types.RuleCondition{Field: ref("http-header"), HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: &name, Values: values}}
}

func TestDescribeBalancer(t *testing.T) {
	b := newBalancerTest(t)
	lbs, err := b.api.DescribeLoadBalancers(t.Context(), &elbsdk.DescribeLoadBalancersInput{Names: []string{"orders"}})
	must(t, err)
	lb := lbs.LoadBalancers[0]
	if !strings.HasPrefix(*lb.LoadBalancerArn, "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/orders/") ||
		lb.State.Code != types.LoadBalancerStateEnumActive || lb.Type != types.LoadBalancerTypeEnumApplication || !lb.CreatedTime.Equal(b.clock.now()) {
		t.Errorf("load balancer %+v", lb)
	}
	ls, err := b.api.DescribeListeners(t.Context(), &elbsdk.DescribeListenersInput{LoadBalancerArn: &b.balancer})
	must(t, err)
	if len(ls.Listeners) != 1 || *ls.Listeners[0].Port == 0 || *ls.Listeners[0].DefaultActions[0].TargetGroupArn != b.group {
		t.Errorf("listeners %+v", ls.Listeners)
	}
	if !strings.HasPrefix(b.listener, strings.Replace(b.balancer, ":loadbalancer/", ":listener/", 1)+"/") {
		t.Errorf("listener ARN %s of %s", b.listener, b.balancer)
	}
	gs, err := b.api.DescribeTargetGroups(t.Context(), &elbsdk.DescribeTargetGroupsInput{LoadBalancerArn: &b.balancer})
	must(t, err)
	if len(gs.TargetGroups) != 1 || *gs.TargetGroups[0].TargetGroupName != "orders-api" || gs.TargetGroups[0].LoadBalancerArns[0] != b.balancer {
		t.Errorf("target groups %+v", gs.TargetGroups)
	}
}

func TestRulesAreToldAsTheyWereMade(t *testing.T) {
	b := newBalancerTest(t)
	arn := b.rule(10, fixed("503", "text/plain", "drill"), path("/users*"), header("X-Firedrill", "01j"),
		types.RuleCondition{Field: ref("query-string"), QueryStringConfig: &types.QueryStringConditionConfig{Values: []types.QueryStringKeyValuePair{{Key: ref("a"), Value: ref("b")}}}})
	b.rule(5, forwardTo(b.group), types.RuleCondition{Field: ref("path-pattern"), Values: []string{"/old"}})
	if got := b.priorities(); got != "5 10 default" {
		t.Errorf("order %q", got)
	}
	out, err := b.api.DescribeRules(t.Context(), &elbsdk.DescribeRulesInput{RuleArns: []string{arn}})
	must(t, err)
	r := out.Rules[0]
	if *r.IsDefault || *r.Actions[0].FixedResponseConfig.StatusCode != "503" || *r.Actions[0].FixedResponseConfig.MessageBody != "drill" {
		t.Errorf("rule %+v", r)
	}
	if r.Conditions[0].Values[0] != "/users*" || r.Conditions[0].PathPatternConfig.Values[0] != "/users*" || *r.Conditions[1].HttpHeaderConfig.HttpHeaderName != "X-Firedrill" ||
		*r.Conditions[2].QueryStringConfig.Values[0].Key != "a" {
		t.Errorf("conditions %+v", r.Conditions)
	}
	all, err := b.api.DescribeRules(t.Context(), &elbsdk.DescribeRulesInput{ListenerArn: &b.listener})
	must(t, err)
	old, last := all.Rules[0], all.Rules[2]
	if *old.Actions[0].TargetGroupArn != b.group || *old.Actions[0].ForwardConfig.TargetGroups[0].Weight != 1 || old.Conditions[0].PathPatternConfig == nil {
		t.Errorf("a single target group is told both ways: %+v", old.Actions[0])
	}
	if !*last.IsDefault || *last.Priority != "default" {
		t.Errorf("default rule %+v", last)
	}
}

func TestRulesArePaged(t *testing.T) {
	b := newBalancerTest(t)
	for i := range int32(6) {
		b.rule(i+1, forwardTo(b.group), path(fmt.Sprint("/", i)))
	}
	var got []string
	in := &elbsdk.DescribeRulesInput{ListenerArn: &b.listener, PageSize: ref(int32(3))}
	for {
		out, err := b.api.DescribeRules(t.Context(), in)
		must(t, err)
		if len(out.Rules) > 3 {
			t.Fatalf("a page of %d", len(out.Rules))
		}
		for _, r := range out.Rules {
			got = append(got, *r.Priority)
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	if want := "1 2 3 4 5 6 default"; strings.Join(got, " ") != want {
		t.Errorf("pages make %v, want %s", got, want)
	}
	_, err := b.api.DescribeRules(t.Context(), &elbsdk.DescribeRulesInput{ListenerArn: &b.listener, Marker: ref("x")})
	wantRefusal(t, err, "ValidationError")
}

func TestRuleRefusals(t *testing.T) {
	b := newBalancerTest(t)
	taken := b.rule(10, forwardTo(b.group), path("/users*"))
	here, gone := path("/x"), b.group+"0"
	redirect := func(r types.RedirectActionConfig) []types.Action {
		return []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &r}}
	}
	for _, c := range []struct {
		name       string
		priority   int32
		actions    []types.Action
		conditions []types.RuleCondition
		code       string
	}{
		{"priority in use", 10, forwardTo(b.group), []types.RuleCondition{here}, "PriorityInUse"},
		{"priority 0", 0, forwardTo(b.group), []types.RuleCondition{here}, "ValidationError"},
		{"priority 50001", 50001, forwardTo(b.group), []types.RuleCondition{here}, "ValidationError"},
		{"no condition", 1, forwardTo(b.group), []types.RuleCondition{}, "ValidationError"},
		{"two paths", 1, forwardTo(b.group), []types.RuleCondition{here, here}, "ValidationError"},
		{"six values", 1, forwardTo(b.group), []types.RuleCondition{path("/1", "/2", "/3", "/4", "/5", "/6")}, "ValidationError"},
		{"seven wildcards", 1, forwardTo(b.group), []types.RuleCondition{path("/*?*?*?*")}, "ValidationError"},
		{"unknown field", 1, forwardTo(b.group), []types.RuleCondition{{Field: ref("moon-phase"), Values: []string{"full"}}}, "ValidationError"},
		{"no value", 1, forwardTo(b.group), []types.RuleCondition{path()}, "ValidationError"},
		{"Host as a header", 1, forwardTo(b.group), []types.RuleCondition{header("Host", "x")}, "ValidationError"},
		{"no CIDR", 1, forwardTo(b.group), []types.RuleCondition{{Field: ref("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{"127.0.0.1"}}}}, "ValidationError"},
		{"unknown group", 1, forwardTo(gone), []types.RuleCondition{here}, "TargetGroupNotFound"},
		{"weight 1000", 1, weighted(map[string]int32{b.group: 1000}), []types.RuleCondition{here}, "ValidationError"},
		{"no action", 1, []types.Action{}, []types.RuleCondition{here}, "ValidationError"},
		{"two actions", 1, append(forwardTo(b.group), fixed("500", "text/plain", "")...), []types.RuleCondition{here}, "ValidationError"},
		{"fixed 302", 1, fixed("302", "text/plain", ""), []types.RuleCondition{here}, "ValidationError"},
		{"fixed content type", 1, fixed("500", "image/png", ""), []types.RuleCondition{here}, "ValidationError"},
		{"fixed body over 1024", 1, fixed("500", "text/plain", strings.Repeat("x", 1025)), []types.RuleCondition{here}, "ValidationError"},
		{"redirect 303", 1, redirect(types.RedirectActionConfig{StatusCode: "HTTP_303", Host: ref("a")}), []types.RuleCondition{here}, "ValidationError"},
		{"redirect to itself", 1, redirect(types.RedirectActionConfig{StatusCode: "HTTP_301"}), []types.RuleCondition{here}, "InvalidLoadBalancerAction"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := b.api.CreateRule(t.Context(), &elbsdk.CreateRuleInput{ListenerArn: &b.listener, Priority: &c.priority, Actions: c.actions, Conditions: c.conditions})
			wantRefusal(t, err, c.code)
			if got := b.priorities(); got != "10 default" {
				t.Errorf("refused, and made: %s", got)
			}
		})
	}
	absent := taken + "0"
	_, err := b.api.CreateRule(t.Context(), &elbsdk.CreateRuleInput{ListenerArn: ref(b.listener + "0"), Priority: ref(int32(1)), Actions: forwardTo(b.group), Conditions: []types.RuleCondition{here}})
	wantRefusal(t, err, "ListenerNotFound")
	_, err = b.api.DeleteRule(t.Context(), &elbsdk.DeleteRuleInput{RuleArn: &absent})
	wantRefusal(t, err, "RuleNotFound")
	_, err = b.api.ModifyRule(t.Context(), &elbsdk.ModifyRuleInput{RuleArn: &absent, Actions: forwardTo(b.group)})
	wantRefusal(t, err, "RuleNotFound")
	_, err = b.api.DescribeRules(t.Context(), &elbsdk.DescribeRulesInput{RuleArns: []string{absent}})
	wantRefusal(t, err, "RuleNotFound")
	_, err = b.api.DescribeRules(t.Context(), &elbsdk.DescribeRulesInput{})
	wantRefusal(t, err, "ValidationError")
	rules, err := b.api.DescribeRules(t.Context(), &elbsdk.DescribeRulesInput{ListenerArn: &b.listener})
	must(t, err)
	_, err = b.api.DeleteRule(t.Context(), &elbsdk.DeleteRuleInput{RuleArn: rules.Rules[1].RuleArn})
	wantRefusal(t, err, "OperationNotPermitted")
}

func TestAHundredRulesAndNoMore(t *testing.T) {
	b := newBalancerTest(t)
	for i := range int32(100) {
		b.rule(i+1, forwardTo(b.group), path("/x"))
	}
	_, err := b.api.CreateRule(t.Context(), &elbsdk.CreateRuleInput{ListenerArn: &b.listener, Priority: ref(int32(500)), Actions: forwardTo(b.group), Conditions: []types.RuleCondition{path("/x")}})
	wantRefusal(t, err, "TooManyRules")
}

func TestSetRulePriorities(t *testing.T) {
	b := newBalancerTest(t)
	first, second := b.rule(10, forwardTo(b.group), path("/a")), b.rule(20, forwardTo(b.group), path("/b"))
	b.rule(30, forwardTo(b.group), path("/c"))
	set := func(list ...any) error {
		var in []types.RulePriorityPair
		for i := 0; i < len(list); i += 2 {
			in = append(in, types.RulePriorityPair{RuleArn: ref(list[i].(string)), Priority: ref(int32(list[i+1].(int)))})
		}
		_, err := b.api.SetRulePriorities(t.Context(), &elbsdk.SetRulePrioritiesInput{RulePriorities: in})
		return err
	}
	must(t, set(first, 20, second, 10)) // they swap
	wantRefusal(t, set(first, 5, second, 30), "PriorityInUse")
	wantRefusal(t, set(first+"0", 5), "RuleNotFound")
	if got := b.priorities(); got != "10 20 30 default" {
		t.Errorf("priorities %s: a refused change must change nothing", got)
	}
	out, err := b.api.DescribeRules(t.Context(), &elbsdk.DescribeRulesInput{RuleArns: []string{first}})
	must(t, err)
	if *out.Rules[0].Priority != "20" {
		t.Errorf("first has priority %s, want 20", *out.Rules[0].Priority)
	}
}

func TestBalancerTags(t *testing.T) {
	b := newBalancerTest(t)
	arn := b.rule(10, forwardTo(b.group), path("/a"))
	_, err := b.api.AddTags(t.Context(), &elbsdk.AddTagsInput{ResourceArns: []string{arn, b.listener}, Tags: tagsOf("firedrill:run", "01j", "x", "y")})
	must(t, err)
	_, err = b.api.RemoveTags(t.Context(), &elbsdk.RemoveTagsInput{ResourceArns: []string{arn}, TagKeys: []string{"x"}})
	must(t, err)
	out, err := b.api.DescribeTags(t.Context(), &elbsdk.DescribeTagsInput{ResourceArns: []string{arn, b.listener, b.balancer, b.group}})
	must(t, err)
	var got []string
	for _, d := range out.TagDescriptions {
		for _, tag := range d.Tags {
			got = append(got, *tag.Key+"="+*tag.Value)
		}
	}
	if want := "firedrill:run=01j firedrill:run=01j x=y environment=sandbox"; strings.Join(got, " ") != want {
		t.Errorf("tags %v, want %s", got, want)
	}
	_, err = b.api.AddTags(t.Context(), &elbsdk.AddTagsInput{ResourceArns: []string{arn}, Tags: []types.Tag{{Key: ref("a"), Value: ref("b")}, {Key: ref("a"), Value: ref("c")}}})
	wantRefusal(t, err, "DuplicateTagKeys")
	for resource, code := range map[string]string{arn + "0": "RuleNotFound", b.listener + "0": "ListenerNotFound", b.balancer + "0": "LoadBalancerNotFound", b.group + "0": "TargetGroupNotFound", "arn:x": "ValidationError"} {
		_, err = b.api.DescribeTags(t.Context(), &elbsdk.DescribeTagsInput{ResourceArns: []string{resource}})
		wantRefusal(t, err, code)
	}
}

func TestBalancerRefusals(t *testing.T) {
	b := newBalancerTest(t)
	_, err := b.api.CreateLoadBalancer(t.Context(), &elbsdk.CreateLoadBalancerInput{Name: ref("orders")})
	wantRefusal(t, err, "DuplicateLoadBalancerName")
	_, err = b.api.DescribeLoadBalancers(t.Context(), &elbsdk.DescribeLoadBalancersInput{Names: []string{"nobody"}})
	wantRefusal(t, err, "LoadBalancerNotFound")
	_, err = b.api.CreateTargetGroup(t.Context(), &elbsdk.CreateTargetGroupInput{Name: ref("x"), Protocol: types.ProtocolEnumHttps, Port: ref(int32(1)), TargetType: types.TargetTypeEnumIp})
	wantRefusal(t, err, "ValidationError")
	_, err = b.api.DeleteTargetGroup(t.Context(), &elbsdk.DeleteTargetGroupInput{TargetGroupArn: &b.group})
	wantRefusal(t, err, "ResourceInUse")
	_, err = b.api.CreateListener(t.Context(), &elbsdk.CreateListenerInput{LoadBalancerArn: &b.balancer, Protocol: types.ProtocolEnumHttps, Port: ref(int32(0)), DefaultActions: forwardTo(b.group)})
	wantRefusal(t, err, "UnsupportedProtocol")
	_, err = b.api.RegisterTargets(t.Context(), &elbsdk.RegisterTargetsInput{TargetGroupArn: &b.group, Targets: []types.TargetDescription{{Id: ref("10.0.0.1"), Port: ref(int32(80))}}})
	wantRefusal(t, err, "InvalidTarget")
	second, err := b.api.CreateLoadBalancer(t.Context(), &elbsdk.CreateLoadBalancerInput{Name: ref("second")})
	must(t, err)
	_, err = b.api.CreateListener(t.Context(), &elbsdk.CreateListenerInput{LoadBalancerArn: second.LoadBalancers[0].LoadBalancerArn, Protocol: types.ProtocolEnumHttp, Port: ref(int32(0)), DefaultActions: forwardTo(b.group)})
	wantRefusal(t, err, "TargetGroupAssociationLimit")
}

func TestDeletingALoadBalancerTakesItsListenersAlong(t *testing.T) {
	b := newBalancerTest(t)
	b.rule(10, fixed("200", "text/plain", "ok"), path("/*"))
	if status, _, _ := b.get("/"); status != 200 {
		t.Fatalf("status %d", status)
	}
	_, err := b.api.DeleteLoadBalancer(t.Context(), &elbsdk.DeleteLoadBalancerInput{LoadBalancerArn: &b.balancer})
	must(t, err)
	if status, _, err := b.get("/"); err == nil {
		t.Errorf("still answers %d", status)
	}
	_, err = b.api.DescribeRules(t.Context(), &elbsdk.DescribeRulesInput{ListenerArn: &b.listener})
	wantRefusal(t, err, "ListenerNotFound")
	_, err = b.api.DeleteTargetGroup(t.Context(), &elbsdk.DeleteTargetGroupInput{TargetGroupArn: &b.group})
	must(t, err)
}

func TestBalancerConfigHasNoIdsAndNoOrder(t *testing.T) {
	b := newBalancerTest(t)
	text := func() string {
		out, err := b.cloud.ConfigJSON()
		must(t, err)
		return string(out)
	}
	before := text()
	for _, arn := range []string{b.balancer, b.group, b.listener} {
		if id := arn[strings.LastIndexByte(arn, '/')+1:]; strings.Contains(before, id) {
			t.Errorf("the configuration holds the id %s", id)
		}
	}
	arn := b.rule(10, fixed("500", "text/plain", "x"), path("/a", "/b"), header("X-A", "1"))
	one := text()
	if one == before {
		t.Error("a rule more is not in the configuration")
	}
	_, err := b.api.DeleteRule(t.Context(), &elbsdk.DeleteRuleInput{RuleArn: &arn})
	must(t, err)
	if got := text(); got != before {
		t.Errorf("made and deleted a rule: %s\nwas %s", got, before)
	}
	b.rule(10, fixed("500", "text/plain", "x"), header("x-a", "1"), path("/b", "/a"))
	if got := text(); got != one {
		t.Errorf("the same rule in another order: %s\nwas %s", got, one)
	}
	for range 3 {
		_, _, _ = b.get("/a")
	}
	if got := text(); got != one {
		t.Errorf("traffic changed the configuration: %s\nwas %s", got, one)
	}
	calls := b.cloud.CallLog()
	if !slices.ContainsFunc(calls, func(c Call) bool { return c.Operation == "CreateRule" && c.Writes && c.Resource == b.listener }) {
		t.Error("the call log does not name the listener of a new rule")
	}
}
