package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/firedrill/firedrill/inject"
)

func TestMotoTakesOurRule(t *testing.T) {
	m := newMoto(t)
	l := &motoListener{c: m.clients(t)}
	l.make(t, m.subnets(t))
	conforms(t, world{
		kind: inject.KindError, params: fmt.Sprintf(`{"listener":%q,"path":"/users*","status":503}`, l.arn), catalog: m.catalog(t),
		state: l.state, during: func(t *testing.T, u inject.Undo) string { return l.during(t, u.Mark.Run) },
	})
}

var subnet = regexp.MustCompile(`subnet-[0-9a-f]+`)

// subnets asks EC2, over the wire as it is, for two subnets of the default VPC.
func (m *moto) subnets(t *testing.T) []string {
	t.Helper()
	form := url.Values{"Action": {"DescribeSubnets"}, "Version": {"2016-11-15"}}
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, m.url, strings.NewReader(form.Encode())))(t)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/"+region+"/ec2/aws4_request, SignedHeaders=host, Signature=00")
	resp := must(http.DefaultClient.Do(req))(t)
	defer resp.Body.Close()
	found := subnet.FindAllString(string(must(io.ReadAll(resp.Body))(t)), -1)
	unique := map[string]bool{}
	var two []string
	for _, id := range found {
		if !unique[id] && len(two) < 2 {
			two = append(two, id)
		}
		unique[id] = true
	}
	if len(two) < 2 {
		t.Fatalf("subnets: %v", found)
	}
	return two
}

type motoListener struct {
	c   *inject.Clients
	arn string
}

func (m *motoListener) make(t *testing.T, subnets []string) {
	t.Helper()
	tags := []types.Tag{{Key: sdk.String("environment"), Value: sdk.String("staging")}}
	lb := must(m.c.ELB.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: sdk.String("web"), Subnets: subnets, Tags: tags}))(t)
	forward := []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: sdk.String("200")}}}
	l := must(m.c.ELB.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Port: sdk.Int32(80), Protocol: types.ProtocolEnumHttp, DefaultActions: forward,
	}))(t)
	m.arn = *l.Listeners[0].ListenerArn
	for priority, path := range map[int32]string{10: "/users*", 20: "/admin*"} {
		must(m.c.ELB.CreateRule(t.Context(), &elb.CreateRuleInput{ListenerArn: &m.arn, Priority: &priority, Actions: forward,
			Conditions: []types.RuleCondition{{Field: sdk.String("path-pattern"), Values: []string{path}}}}))(t)
	}
}

func (m *motoListener) state(t *testing.T) string {
	t.Helper()
	return text(t, must(m.c.ELB.DescribeRules(t.Context(), &elb.DescribeRulesInput{ListenerArn: &m.arn}))(t).Rules)
}

// during wants exactly one more rule: before the one that serves the path, ours by its tags, with our answer, and
// no longer behind the header it was staged with.
func (m *motoListener) during(t *testing.T, run string) string {
	t.Helper()
	rules := must(m.c.ELB.DescribeRules(t.Context(), &elb.DescribeRulesInput{ListenerArn: &m.arn}))(t).Rules
	if len(rules) != 4 {
		return fmt.Sprintf("there are %d rules", len(rules))
	}
	for _, r := range rules {
		if *r.Priority == "10" || *r.Priority == "20" || sdk.ToBool(r.IsDefault) {
			continue
		}
		tags := must(m.c.ELB.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: []string{*r.RuleArn}}))(t).TagDescriptions[0].Tags
		marked := false
		for _, tag := range tags {
			marked = marked || *tag.Key == inject.TagRun && *tag.Value == run
		}
		answer := r.Actions[0].FixedResponseConfig
		if !marked || len(*r.Priority) != 1 || answer == nil || *answer.StatusCode != "503" || len(r.Conditions) != 1 || *r.Conditions[0].Field != "path-pattern" {
			return "our rule is " + text(t, r, tags)
		}
		return ""
	}
	return "our rule is not there"
}
