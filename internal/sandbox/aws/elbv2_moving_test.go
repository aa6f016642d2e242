package aws

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	elbsdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// states are those of a group's targets, as anybody reads them.
func (b *balancerTest) states() (all []string) {
	b.Helper()
	out, err := b.api.DescribeTargetHealth(b.Context(), &elbsdk.DescribeTargetHealthInput{TargetGroupArn: &b.group})
	must(b.T, err)
	for _, d := range out.TargetHealthDescriptions {
		all = append(all, string(d.TargetHealth.State))
	}
	slices.Sort(all)
	return all
}

// A target that joins others is initial and gets no request yet; one that leaves drains for a while.
func TestTargetsJoinAndLeave(t *testing.T) {
	b := newBalancerOf(t, Options{})
	old := b.target(b.group, says(200, "old"))
	if got := b.states(); !slices.Equal(got, []string{"healthy"}) {
		t.Errorf("the first is %v", got)
	}
	b.target(b.group, says(200, "new"))
	if got := b.states(); !slices.Equal(got, []string{"healthy", "initial"}) {
		t.Errorf("one joins: %v", got)
	}
	if got := b.answers(4); got["old"] != 4 {
		t.Errorf("an initial target serves: %v", got)
	}
	b.clock.move(time.Second)
	if got := b.answers(4); got["new"] != 2 {
		t.Errorf("it has joined: %v", got)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(old.URL, "http://"), ":")
	n, _ := strconv.Atoi(port)
	_, err := b.api.DeregisterTargets(t.Context(), &elbsdk.DeregisterTargetsInput{TargetGroupArn: &b.group, Targets: []types.TargetDescription{{Id: ref("127.0.0.1"), Port: ref(int32(n))}}})
	must(t, err)
	if got := b.states(); !slices.Equal(got, []string{"draining", "healthy"}) {
		t.Errorf("one leaves: %v", got)
	}
	if got := b.answers(4); got["new"] != 4 {
		t.Errorf("a draining target serves: %v", got)
	}
	b.clock.move(10 * time.Second)
	if got := b.states(); !slices.Equal(got, []string{"healthy"}) {
		t.Errorf("it has left: %v", got)
	}
}

// An internal load balancer is told under an address at which nobody who looks from outside reaches it.
func TestInternalBalancerIsElsewhere(t *testing.T) {
	b := newBalancerOf(t, Options{})
	out, err := b.api.CreateLoadBalancer(t.Context(), &elbsdk.CreateLoadBalancerInput{Name: ref("inside"), Scheme: types.LoadBalancerSchemeEnumInternal})
	must(t, err)
	if name := *out.LoadBalancers[0].DNSName; name != elsewhere || name == "127.0.0.1" {
		t.Errorf("it is at %s", name)
	}
}
