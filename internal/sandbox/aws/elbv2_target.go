package aws

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

type (
	createGroupInput struct {
		Name            string
		Protocol        string
		ProtocolVersion string
		Port            int
		VpcId           string
		TargetType      string
		HealthCheckPath string
		Matcher         *groupMatcher
		Tags            []elbTag
	}
	groupMatcher        struct{ HttpCode string }
	describeGroupsInput struct {
		elbPage
		LoadBalancerArn string
		TargetGroupArns []string
		Names           []string
	}
	groupsOutput struct {
		TargetGroups []groupShape
		NextMarker   string
	}
	groupShape struct {
		TargetGroupArn   string
		TargetGroupName  string
		Protocol         string
		ProtocolVersion  string
		Port             int
		TargetType       string
		HealthCheckPath  string
		Matcher          groupMatcher
		LoadBalancerArns []string
	}
	deleteGroupInput struct{ TargetGroupArn string }
	targetsInput     struct {
		TargetGroupArn string
		Targets        []elbTarget
	}
	elbTarget struct {
		Id               string
		Port             int
		AvailabilityZone string
	}
	targetHealthInput struct {
		TargetGroupArn string
		Targets        []elbTarget
	}
	targetHealthOutput struct{ TargetHealthDescriptions []targetHealthShape }
	targetHealthShape  struct {
		Target          elbTarget
		HealthCheckPort string
		TargetHealth    struct {
			State       string
			Reason      string
			Description string
		}
	}
)

// healthCheck is how a target group asks its targets whether they are well.
type healthCheck struct {
	path    string
	codes   string
	timeout time.Duration
}

func (e *elb) createGroup(_ context.Context, _ caller, in *createGroupInput) (*groupsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !elbName.MatchString(in.Name) || len(in.Name) > 32 {
		return nil, elbError("ValidationError", "The target group name '%s' is not valid: letters, digits and hyphens, at most 32", in.Name)
	}
	if in.Protocol != "HTTP" || in.TargetType != "ip" || in.ProtocolVersion != "" && in.ProtocolVersion != "HTTP1" {
		return nil, elbError("ValidationError", "The sandbox has target groups of protocol HTTP (HTTP1) and target type ip only")
	}
	if in.Port < 1 || in.Port > 65535 {
		return nil, elbError("ValidationError", "A port between 1 and 65535 must be specified")
	}
	if slices.ContainsFunc(e.groups, func(g *targetGroup) bool { return g.name == in.Name }) {
		return nil, elbError("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", in.Name)
	}
	tags, err := mergedTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	g := &targetGroup{
		arn: e.arn("elasticloadbalancing", "targetgroup/"+in.Name+"/"+newHex()), name: in.Name, port: in.Port, protocol: in.Protocol, tags: tags,
		health: healthCheck{path: "/", codes: "200", timeout: time.Second},
	}
	if in.HealthCheckPath != "" {
		g.health.path = in.HealthCheckPath
	}
	if in.Matcher != nil && in.Matcher.HttpCode != "" {
		g.health.codes = in.Matcher.HttpCode
	}
	e.groups = append(e.groups, g)
	return &groupsOutput{TargetGroups: []groupShape{e.groupShape(g)}}, nil
}

func (e *elb) describeGroups(_ context.Context, _ caller, in *describeGroupsInput) (*groupsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, arn := range in.TargetGroupArns {
		if _, err := e.group(arn); err != nil {
			return nil, err
		}
	}
	for _, name := range in.Names {
		if !slices.ContainsFunc(e.groups, func(g *targetGroup) bool { return g.name == name }) {
			return nil, elbError("TargetGroupNotFound", "One or more target groups not found: %s", name)
		}
	}
	all := []groupShape{}
	for _, g := range e.groups {
		chosen := len(in.TargetGroupArns)+len(in.Names) == 0 || slices.Contains(in.TargetGroupArns, g.arn) || slices.Contains(in.Names, g.name)
		if chosen && (in.LoadBalancerArn == "" || slices.Contains(e.balancersOf(g), in.LoadBalancerArn)) {
			all = append(all, e.groupShape(g))
		}
	}
	out, next, err := page(all, in.elbPage)
	return &groupsOutput{TargetGroups: out, NextMarker: next}, err
}

func (e *elb) groupShape(g *targetGroup) groupShape {
	return groupShape{
		TargetGroupArn: g.arn, TargetGroupName: g.name, Protocol: g.protocol, ProtocolVersion: "HTTP1", Port: g.port, TargetType: "ip",
		HealthCheckPath: g.health.path, Matcher: groupMatcher{HttpCode: g.health.codes}, LoadBalancerArns: e.balancersOf(g),
	}
}

// balancersOf lists the load balancers with a rule that forwards to the group; AWS allows one.
func (e *elb) balancersOf(g *targetGroup) []string {
	out := []string{}
	for _, r := range e.rules {
		l, err := e.listener(r.listener)
		if err == nil && slices.ContainsFunc(r.actions, func(a elbAction) bool { return a.forwardsTo(g.arn) }) && !slices.Contains(out, l.balancer.arn) {
			out = append(out, l.balancer.arn)
		}
	}
	return out
}

func (e *elb) deleteGroup(_ context.Context, _ caller, in *deleteGroupInput) (*elbEmpty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(in.TargetGroupArn)
	if err != nil {
		return &elbEmpty{}, nil // gone already is as good
	}
	if len(e.balancersOf(g)) > 0 {
		return nil, elbError("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", g.arn)
	}
	e.groups = slices.DeleteFunc(e.groups, func(other *targetGroup) bool { return other == g })
	return &elbEmpty{}, nil
}

// registerTargets takes loopback addresses only: the sandbox sends traffic nowhere else.
func (e *elb) registerTargets(_ context.Context, _ caller, in *targetsInput) (*elbEmpty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	for i, t := range in.Targets {
		ip, err := netip.ParseAddr(t.Id)
		if err != nil || !ip.IsLoopback() {
			return nil, elbError("InvalidTarget", "'%s' is no target of the sandbox: loopback addresses only", t.Id)
		}
		if t.Port == 0 {
			in.Targets[i].Port = g.port
		}
	}
	for _, t := range in.Targets {
		if !slices.ContainsFunc(g.targets, t.same) {
			g.join(elbTarget{Id: t.Id, Port: t.Port}, e.now(), e.options.TargetSettling)
		}
	}
	return &elbEmpty{}, nil
}

func (e *elb) deregisterTargets(_ context.Context, _ caller, in *targetsInput) (*elbEmpty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	g.leave(func(have elbTarget) bool {
		return slices.ContainsFunc(in.Targets, func(t elbTarget) bool { return t.Id == have.Id && (t.Port == 0 || t.Port == have.Port) })
	}, e.now(), e.options.TargetDraining)
	return &elbEmpty{}, nil
}

func (t elbTarget) same(other elbTarget) bool { return t.Id == other.Id && t.Port == other.Port }

func (t elbTarget) address() string { return net.JoinHostPort(t.Id, strconv.Itoa(t.Port)) }

// describeTargetHealth asks the targets now, all at once; the sandbox keeps no history of checks, and traffic does
// not depend on them (a load balancer whose targets are all unwell serves them all the same).
func (e *elb) describeTargetHealth(ctx context.Context, _ caller, in *targetHealthInput) (*targetHealthOutput, error) {
	e.mu.Lock()
	g, err := e.group(in.TargetGroupArn)
	if err != nil {
		e.mu.Unlock()
		return nil, err
	}
	targets, check := slices.Clone(g.targets), g.health
	moving := g.movingAt(e.now())
	for _, m := range moving {
		if m.state == "draining" {
			targets = append(targets, m.elbTarget)
		}
	}
	e.mu.Unlock()
	if len(in.Targets) > 0 {
		targets = slices.DeleteFunc(targets, func(t elbTarget) bool { return !slices.ContainsFunc(in.Targets, t.same) })
	}
	out := &targetHealthOutput{TargetHealthDescriptions: make([]targetHealthShape, len(targets))}
	var asked sync.WaitGroup
	for i, t := range targets {
		one := &out.TargetHealthDescriptions[i]
		one.Target, one.HealthCheckPort = t, strconv.Itoa(t.Port)
		if i := slices.IndexFunc(moving, func(m movingTarget) bool { return m.same(t) }); i >= 0 {
			one.TargetHealth.State, one.TargetHealth.Reason, one.TargetHealth.Description = moving[i].state, moving[i].reason(), "Target is "+moving[i].state
			continue
		}
		asked.Go(func() {
			one.TargetHealth.State, one.TargetHealth.Reason, one.TargetHealth.Description = e.ask(ctx, t, check)
		})
	}
	asked.Wait()
	return out, nil
}

// ask is one health check.
func (e *elb) ask(ctx context.Context, t elbTarget, check healthCheck) (state, reason, description string) {
	ctx, cancel := context.WithTimeout(ctx, check.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.address()+check.path, nil)
	if err != nil {
		return "unhealthy", "Target.FailedHealthChecks", err.Error()
	}
	req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	resp, err := e.transport.RoundTrip(req)
	if err != nil {
		return "unhealthy", "Target.FailedHealthChecks", "Health checks failed"
	}
	_ = resp.Body.Close()
	if !inCodes(check.codes, resp.StatusCode) {
		return "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [" + strconv.Itoa(resp.StatusCode) + "]"
	}
	return "healthy", "", ""
}

// inCodes reads a matcher such as 200,202 or 200-299.
func inCodes(codes string, status int) bool {
	for part := range strings.SplitSeq(codes, ",") {
		low, high, ranged := strings.Cut(strings.TrimSpace(part), "-")
		from, _ := strconv.Atoi(low)
		to := from
		if ranged {
			to, _ = strconv.Atoi(high)
		}
		if status >= from && status <= to {
			return true
		}
	}
	return false
}
