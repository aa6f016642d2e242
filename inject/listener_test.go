package inject

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
)

// oddBalancers answers what the sandbox cannot: every other call is a mistake of the test.
type oddBalancers struct {
	groups []types.TargetGroup
	rules  [][]types.Rule // page by page
	goneAt int            // the n-th DescribeTags finds a rule gone
	asked  int
}

func (o *oddBalancers) DescribeTargetGroups(context.Context, *elb.DescribeTargetGroupsInput, ...func(*elb.Options)) (*elb.DescribeTargetGroupsOutput, error) {
	return &elb.DescribeTargetGroupsOutput{TargetGroups: o.groups}, nil
}

func (o *oddBalancers) DescribeRules(_ context.Context, in *elb.DescribeRulesInput, _ ...func(*elb.Options)) (*elb.DescribeRulesOutput, error) {
	page := len(aws.ToString(in.Marker))
	out := &elb.DescribeRulesOutput{Rules: o.rules[page]}
	if page+1 < len(o.rules) {
		out.NextMarker = aws.String(strings.Repeat("x", page+1))
	}
	return out, nil
}

func (o *oddBalancers) DescribeTags(_ context.Context, in *elb.DescribeTagsInput, _ ...func(*elb.Options)) (*elb.DescribeTagsOutput, error) {
	if o.asked++; o.asked == o.goneAt {
		return nil, &smithy.GenericAPIError{Code: "RuleNotFound"}
	}
	if len(in.ResourceArns) > tagsAtOnce {
		return nil, errors.New("too many at once")
	}
	out := &elb.DescribeTagsOutput{}
	for _, arn := range in.ResourceArns {
		out.TagDescriptions = append(out.TagDescriptions, types.TagDescription{ResourceArn: aws.String(arn), Tags: []types.Tag{{Key: aws.String("name"), Value: aws.String(arn)}}})
	}
	return out, nil
}

func (o *oddBalancers) calls() Balancers {
	return Balancers{DescribeTargetGroups: o.DescribeTargetGroups, DescribeRules: o.DescribeRules, DescribeTags: o.DescribeTags}
}

func TestListenerRefusesWhatOnlyForwards(t *testing.T) {
	active := types.LoadBalancer{LoadBalancerArn: aws.String("lb"), Type: types.LoadBalancerTypeEnumApplication, State: &types.LoadBalancerState{Code: types.LoadBalancerStateEnumActive}}
	starting, network := active, active
	starting.State = &types.LoadBalancerState{Code: types.LoadBalancerStateEnumProvisioning}
	network.Type = types.LoadBalancerTypeEnumNetwork
	for _, row := range []struct {
		version  string
		protocol types.ProtocolEnum
		balancer types.LoadBalancer
		want     string
		later    bool
	}{
		{"HTTP1", types.ProtocolEnumHttp, active, "", false},
		{"HTTP1", types.ProtocolEnumHttps, active, "", false},
		{"GRPC", types.ProtocolEnumHttps, active, "speaks GRPC", false},
		{"HTTP2", types.ProtocolEnumHttps, active, "speaks HTTP2", false},
		{"HTTP1", types.ProtocolEnumTcp, active, "speaks tcp", false},
		{"HTTP1", types.ProtocolEnumHttp, starting, "is provisioning", true},
		{"HTTP1", types.ProtocolEnumHttp, network, "of type network", false},
	} {
		f := &reply{replying: &replying{balancers: (&oddBalancers{groups: []types.TargetGroup{{TargetGroupName: aws.String("api"), ProtocolVersion: &row.version}}}).calls()}}
		err := f.refuseListener(t.Context(), listener{Listener: types.Listener{Protocol: row.protocol, LoadBalancerArn: aws.String("lb")}, balancer: row.balancer})
		var no *Refusal
		switch {
		case row.want == "" && err != nil:
			t.Errorf("%s over %s: %v", row.version, row.protocol, err)
		case row.want != "" && (!errors.As(err, &no) || !strings.Contains(strings.ToLower(no.Why), strings.ToLower(row.want)) || no.Later != row.later):
			t.Errorf("%s over %s: %v, want %s", row.version, row.protocol, err, row.want)
		}
	}
}

func TestListenerReadsAllPagesAndAsksAgain(t *testing.T) {
	o := &oddBalancers{goneAt: 2}
	for page := range 3 {
		var rules []types.Rule
		for n := range 25 {
			rules = append(rules, types.Rule{RuleArn: aws.String(strings.Repeat("r", page*25+n+1)), Priority: aws.String("1")})
		}
		o.rules = append(o.rules, rules)
	}
	o.rules[2] = append(o.rules[2], types.Rule{RuleArn: aws.String("default"), IsDefault: aws.Bool(true)})
	all, err := (&replying{balancers: o.calls()}).readTagged(t.Context(), "listener")
	if err != nil || len(all) != 76 || o.asked != 2+4 {
		t.Fatalf("%d rules, asked %d times for tags, %v", len(all), o.asked, err)
	}
	for _, r := range all[:75] {
		if r.tags["name"] != *r.RuleArn {
			t.Errorf("%s has the tags of %s", *r.RuleArn, r.tags["name"])
		}
	}
}

func TestTagsOfTwoAreToldTogether(t *testing.T) {
	a := map[string]string{"environment": "staging", "team": "orders", "only": "a"}
	b := map[string]string{"environment": "production", "team": "orders"}
	if both := bothTags(a, b); both["environment"] != "staging | production" || both["team"] != "orders" || both["only"] != "a" {
		t.Errorf("%v", both)
	}
	if every := everyTag(a, b); every["only"] != "a | none" || every["team"] != "orders" {
		t.Errorf("%v", every)
	}
	if every := everyTag(b, a); every["only"] != "a | none" {
		t.Errorf("%v", every)
	}
}

func TestListenerBase(t *testing.T) {
	for _, row := range []struct {
		protocol types.ProtocolEnum
		name     string
		port     int32
		want     string
	}{
		{types.ProtocolEnumHttp, "orders-1.eu-west-1.elb.amazonaws.com", 80, "http://orders-1.eu-west-1.elb.amazonaws.com:80"},
		{types.ProtocolEnumHttps, "orders-1.eu-west-1.elb.amazonaws.com", 443, "https://orders-1.eu-west-1.elb.amazonaws.com:443"},
		{types.ProtocolEnumHttp, "127.0.0.1", 4567, "http://127.0.0.1:4567"},
	} {
		l := listener{Listener: types.Listener{Protocol: row.protocol, Port: &row.port}, balancer: types.LoadBalancer{DNSName: &row.name}}
		if l.base() != row.want {
			t.Errorf("%s, want %s", l.base(), row.want)
		}
	}
}

func TestControllersAreWarnedOf(t *testing.T) {
	if w := controllers(map[string]string{"elbv2.k8s.aws/cluster": "staging"}); len(w) != 1 || !strings.Contains(w[0], "may delete our rule") {
		t.Errorf("%v", w)
	}
	if w := controllers(map[string]string{"team": "orders"}); w != nil {
		t.Errorf("%v", w)
	}
}
