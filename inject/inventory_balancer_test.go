package inject

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// shopFront are load balancers of every type.
func shopFront() *Inventory {
	const lb = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/"
	active := &types.LoadBalancerState{Code: types.LoadBalancerStateEnumActive}
	all := []types.LoadBalancer{
		{LoadBalancerName: aws.String("shop"), LoadBalancerArn: aws.String(lb + "app/shop/1"), Type: types.LoadBalancerTypeEnumApplication, State: active},
		{LoadBalancerName: aws.String("wire"), LoadBalancerArn: aws.String(lb + "net/wire/2"), Type: types.LoadBalancerTypeEnumNetwork, State: active},
		{LoadBalancerName: aws.String("bare"), LoadBalancerArn: aws.String(lb + "app/bare/3"), Type: types.LoadBalancerTypeEnumApplication, State: active},
	}
	ports := map[string][]types.Listener{
		"shop": {{Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp}, {Port: aws.Int32(443), Protocol: types.ProtocolEnumHttps}},
		"wire": {{Port: aws.Int32(443), Protocol: types.ProtocolEnumTls}},
	}
	b := Balancers{
		DescribeLoadBalancers: func(_ context.Context, in *elb.DescribeLoadBalancersInput, _ ...func(*elb.Options)) (*elb.DescribeLoadBalancersOutput, error) {
			out := &elb.DescribeLoadBalancersOutput{}
			for i, one := range all {
				named := len(in.Names) == 1 && in.Names[0] == *one.LoadBalancerName || len(in.LoadBalancerArns) == 1 && in.LoadBalancerArns[0] == *one.LoadBalancerArn
				page := len(in.Names)+len(in.LoadBalancerArns) == 0 && aws.ToString(in.Marker) == strings.Repeat("+", i) // one a page
				if named || page {
					out.LoadBalancers = append(out.LoadBalancers, one)
				}
				if page && i < len(all)-1 {
					out.NextMarker = aws.String(strings.Repeat("+", i+1))
				}
			}
			return out, nil
		},
		DescribeListeners: func(_ context.Context, in *elb.DescribeListenersInput, _ ...func(*elb.Options)) (*elb.DescribeListenersOutput, error) {
			list := ports[called(*in.LoadBalancerArn)]
			for i := range list {
				list[i].LoadBalancerArn = in.LoadBalancerArn
				list[i].ListenerArn = aws.String(strings.Replace(*in.LoadBalancerArn, ":loadbalancer/", ":listener/", 1) + "/" + string(list[i].Protocol))
			}
			return &elb.DescribeListenersOutput{Listeners: list}, nil
		},
		DescribeTargetGroups: func(context.Context, *elb.DescribeTargetGroupsInput, ...func(*elb.Options)) (*elb.DescribeTargetGroupsOutput, error) {
			return &elb.DescribeTargetGroupsOutput{}, nil
		},
		DescribeTags: func(_ context.Context, in *elb.DescribeTagsInput, _ ...func(*elb.Options)) (*elb.DescribeTagsOutput, error) {
			out := &elb.DescribeTagsOutput{}
			for _, arn := range in.ResourceArns {
				d := types.TagDescription{ResourceArn: aws.String(arn)}
				if strings.Contains(arn, ":loadbalancer/") {
					d.Tags = []types.Tag{{Key: aws.String("firedrill"), Value: aws.String("allowed")}}
				}
				out.TagDescriptions = append(out.TagDescriptions, d)
			}
			return out, nil
		},
	}
	i := NewInventory(&Clients{Config: aws.Config{Region: "eu-west-1"}, ELB: b}, 20*time.Second)
	return i
}

// Every listener of every load balancer is listed, and what takes no fixed response says so.
func TestInventoryOfBalancers(t *testing.T) {
	i := shopFront()
	list, err := i.List(t.Context(), ServiceBalancers)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, c := range list.Candidates {
		rows = append(rows, c.Name+" | "+c.Says+" | "+c.Out)
	}
	const lb = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/"
	want := []string{"bare | no listener | it has no listener", "shop/443 | HTTPS | ", "shop/80 | HTTP | ",
		"wire/443 | TLS | load balancer " + lb + "net/wire/2 is of type network"}
	if strings.Join(rows, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
	lines := list.Candidates[1].Untagged(map[string]string{"environment": "staging", "firedrill": "allowed"})
	listener := list.Candidates[1].ARN
	if len(lines) != 1 || lines[0] != "aws elbv2 add-tags --resource-arns "+lb+"app/shop/1 "+listener+" --tags Key=environment,Value=staging --region eu-west-1" {
		t.Errorf("%q", lines)
	}
}

// A balancer of several listeners is no target until somebody says which.
func TestInventoryFindsAListener(t *testing.T) {
	i := shopFront()
	if c, err := i.Find(t.Context(), ServiceBalancers, "shop/443"); err != nil || !strings.HasSuffix(c.ARN, "/HTTPS") {
		t.Errorf("%+v %v", c, err)
	}
	if c, err := i.Find(t.Context(), ServiceBalancers, "wire"); err != nil || c.Name != "wire/443" || c.Out == "" {
		t.Errorf("%+v %v", c, err)
	}
	for name, want := range map[string]string{"shop": "has 2 listeners", "shop/8080": "has no listener on port 8080"} {
		_, err := i.Find(t.Context(), ServiceBalancers, name)
		var no *Refusal
		if !errors.As(err, &no) || !strings.Contains(no.Why, want) || no.Try != "alb:shop/80 or alb:shop/443" {
			t.Errorf("%s: %v, try %q", name, err, no)
		}
	}
}

// Names that come in one answer too many, or with more behind them, end at the most that people choose from.
func TestBounded(t *testing.T) {
	for _, row := range []struct {
		have       int
		next       string
		n          int
		more, done bool
	}{{3, "", 3, false, true}, {3, "x", 3, false, false}, {500, "", 500, false, true}, {500, "x", 500, true, true}, {501, "", 500, true, true}} {
		cut, more, done := bounded(make([]string, row.have), row.next)
		if len(cut) != row.n || more != row.more || done != row.done {
			t.Errorf("%+v: %d %t %t", row, len(cut), more, done)
		}
	}
}
