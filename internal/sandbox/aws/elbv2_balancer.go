package aws

import (
	"context"
	"regexp"
	"slices"
	"time"
)

type (
	createBalancerInput struct {
		Name           string
		Subnets        []string
		SecurityGroups []string
		Scheme         string
		Type           string
		IpAddressType  string
		Tags           []elbTag
	}
	describeBalancersInput struct {
		elbPage
		LoadBalancerArns []string
		Names            []string
	}
	balancersOutput struct {
		LoadBalancers []balancerShape
		NextMarker    string
	}
	deleteBalancerInput struct{ LoadBalancerArn string }
	balancerShape       struct {
		LoadBalancerArn  string
		LoadBalancerName string
		DNSName          string
		CreatedTime      time.Time
		Scheme           string
		Type             string
		IpAddressType    string
		State            struct{ Code string }
	}
)

// elbName is the legal form of a load balancer's or target group's name.
var elbName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)

func (e *elb) createBalancer(_ context.Context, _ caller, in *createBalancerInput) (*balancersOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !elbName.MatchString(in.Name) || len(in.Name) > 32 {
		return nil, elbError("ValidationError", "The load balancer name '%s' is not valid: letters, digits and hyphens, at most 32", in.Name)
	}
	if in.Type != "" && in.Type != "application" {
		return nil, elbError("ValidationError", "The sandbox has application load balancers only, not '%s'", in.Type)
	}
	if slices.ContainsFunc(e.balancers, func(b *balancer) bool { return b.name == in.Name }) {
		return nil, elbError("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", in.Name)
	}
	tags, err := mergedTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	b := &balancer{arn: e.arn("elasticloadbalancing", "loadbalancer/app/"+in.Name+"/"+newHex()), name: in.Name, scheme: in.Scheme, created: e.now(), tags: tags}
	if b.scheme == "" {
		b.scheme = "internet-facing"
	}
	e.balancers = append(e.balancers, b)
	return &balancersOutput{LoadBalancers: []balancerShape{b.shape()}}, nil
}

func (e *elb) describeBalancers(_ context.Context, _ caller, in *describeBalancersInput) (*balancersOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, arn := range in.LoadBalancerArns {
		if _, err := e.balancer(arn); err != nil {
			return nil, err
		}
	}
	for _, name := range in.Names {
		if !slices.ContainsFunc(e.balancers, func(b *balancer) bool { return b.name == name }) {
			return nil, elbError("LoadBalancerNotFound", "Load balancers '[%s]' not found", name)
		}
	}
	all := []balancerShape{}
	for _, b := range e.balancers {
		if len(in.LoadBalancerArns)+len(in.Names) == 0 || slices.Contains(in.LoadBalancerArns, b.arn) || slices.Contains(in.Names, b.name) {
			all = append(all, b.shape())
		}
	}
	out, next, err := page(all, in.elbPage)
	return &balancersOutput{LoadBalancers: out, NextMarker: next}, err
}

// deleteBalancer takes its listeners and rules along; one that is gone already is no error.
func (e *elb) deleteBalancer(_ context.Context, _ caller, in *deleteBalancerInput) (*elbEmpty, error) {
	e.mu.Lock()
	var gone []*listener
	for _, l := range slices.Clone(e.listeners) {
		if l.balancer.arn == in.LoadBalancerArn {
			gone = append(gone, e.forget(l))
		}
	}
	e.balancers = slices.DeleteFunc(e.balancers, func(b *balancer) bool { return b.arn == in.LoadBalancerArn })
	e.mu.Unlock()
	for _, l := range gone {
		l.stop()
	}
	return &elbEmpty{}, nil
}

func (b *balancer) shape() balancerShape {
	s := balancerShape{
		LoadBalancerArn: b.arn, LoadBalancerName: b.name, DNSName: "127.0.0.1", CreatedTime: b.created,
		Scheme: b.scheme, Type: "application", IpAddressType: "ipv4",
	}
	s.State.Code = "active"
	if b.scheme == "internal" {
		s.DNSName = elsewhere
	}
	return s
}

// elsewhere is an address on loopback at which nobody listens: where an internal load balancer seems to be to whoever looks
// from outside its network. Those within have been told its real one.
const elsewhere = "127.255.255.254"

// dimension is how CloudWatch names the load balancer: app/name/hex.
func (b *balancer) dimension() string {
	_, name, _ := cutLast(b.arn, ":loadbalancer/")
	return name
}
