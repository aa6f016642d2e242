package aws

import (
	"regexp"
	"slices"
)

type (
	// elbAction is what a rule does with a request: forward, fixed-response or redirect.
	elbAction struct {
		Type                string
		Order               *int
		TargetGroupArn      string
		ForwardConfig       *forwardAction
		FixedResponseConfig *fixedResponse
		RedirectConfig      *redirect
	}
	forwardAction struct {
		TargetGroups                []weightedGroup
		TargetGroupStickinessConfig *stickiness
	}
	weightedGroup struct {
		TargetGroupArn string
		Weight         *int
	}
	stickiness struct {
		Enabled         bool
		DurationSeconds *int
	}
	fixedResponse struct {
		StatusCode  string
		ContentType string
		MessageBody string
	}
	redirect struct {
		Protocol   string
		Host       string
		Port       string
		Path       string
		Query      string
		StatusCode string
	}
)

// fixedStatus is what a fixed response may answer:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html
var fixedStatus = regexp.MustCompile(`^[245]\d\d$`)

// checkActions answers the actions in the form that Describe tells, or the refusal. The sandbox knows no
// authentication, so a rule has exactly one action.
func (e *elb) checkActions(b *balancer, in []elbAction) ([]elbAction, error) {
	if len(in) != 1 {
		return nil, elbError("ValidationError", "The sandbox's rules have exactly one action: forward, fixed-response or redirect")
	}
	a := in[0]
	var err error
	switch a.Type {
	case "forward":
		a.TargetGroupArn, a.ForwardConfig, err = e.checkForward(b, a)
		a.FixedResponseConfig, a.RedirectConfig = nil, nil
	case "fixed-response":
		err = a.FixedResponseConfig.check()
		a = elbAction{Type: a.Type, Order: a.Order, FixedResponseConfig: a.FixedResponseConfig}
	case "redirect":
		a.RedirectConfig, err = a.RedirectConfig.checked()
		a = elbAction{Type: a.Type, Order: a.Order, RedirectConfig: a.RedirectConfig}
	default:
		err = elbError("ValidationError", "The sandbox does not know action type '%s'", a.Type)
	}
	if err != nil {
		return nil, err
	}
	return []elbAction{a}, nil
}

// checkForward wants groups that exist and serve no other load balancer. A single group is told both ways.
func (e *elb) checkForward(b *balancer, a elbAction) (string, *forwardAction, error) {
	f := forwardAction{TargetGroupStickinessConfig: &stickiness{}}
	if a.ForwardConfig != nil {
		f.TargetGroups = slices.Clone(a.ForwardConfig.TargetGroups)
		if s := a.ForwardConfig.TargetGroupStickinessConfig; s != nil && s.Enabled {
			return "", nil, elbError("ValidationError", "The sandbox does not know sticky target groups")
		}
	}
	if len(f.TargetGroups) == 0 && a.TargetGroupArn != "" {
		f.TargetGroups = []weightedGroup{{TargetGroupArn: a.TargetGroupArn}}
	}
	if n := len(f.TargetGroups); n == 0 || n > maxForwardGroups {
		return "", nil, elbError("ValidationError", "A forward action has 1 to %d target groups", maxForwardGroups)
	}
	seen := map[string]bool{}
	for i, w := range f.TargetGroups {
		g, err := e.group(w.TargetGroupArn)
		if err != nil {
			return "", nil, err
		}
		if seen[g.arn] {
			return "", nil, elbError("ValidationError", "Target group '%s' is listed twice", g.arn)
		}
		seen[g.arn] = true
		if slices.ContainsFunc(e.balancersOf(g), func(arn string) bool { return arn != b.arn }) {
			return "", nil, elbError("TargetGroupAssociationLimit", "Target group '%s' cannot be associated with more than one load balancer", g.arn)
		}
		if w.Weight == nil {
			one := 1
			f.TargetGroups[i].Weight = &one
		} else if *w.Weight < 0 || *w.Weight > 999 {
			return "", nil, elbError("ValidationError", "Weight '%d' must be between 0 and 999", *w.Weight)
		}
	}
	if len(f.TargetGroups) == 1 {
		return f.TargetGroups[0].TargetGroupArn, &f, nil
	}
	return "", &f, nil
}

func (f *fixedResponse) check() error {
	if f == nil || !fixedStatus.MatchString(f.StatusCode) {
		return elbError("ValidationError", "A fixed-response action must have a status code of 2XX, 4XX or 5XX")
	}
	if len(f.MessageBody) > 1024 {
		return elbError("ValidationError", "The message body of a fixed response has at most 1024 characters")
	}
	types := []string{"", "text/plain", "text/css", "text/html", "application/javascript", "application/json"}
	if !slices.Contains(types, f.ContentType) {
		return elbError("ValidationError", "Content type '%s' must be one of %v", f.ContentType, types[1:])
	}
	return nil
}

// checked fills in the parts that stay as they are, and refuses a redirect to the same place.
func (r *redirect) checked() (*redirect, error) {
	if r == nil || r.StatusCode != "HTTP_301" && r.StatusCode != "HTTP_302" {
		return nil, elbError("ValidationError", "A redirect action must have status code HTTP_301 or HTTP_302")
	}
	same := redirect{Protocol: "#{protocol}", Host: "#{host}", Port: "#{port}", Path: "/#{path}", Query: "#{query}", StatusCode: r.StatusCode}
	out := *r
	for _, part := range [][2]*string{
		{&out.Protocol, &same.Protocol}, {&out.Host, &same.Host}, {&out.Port, &same.Port}, {&out.Path, &same.Path}, {&out.Query, &same.Query},
	} {
		if *part[0] == "" {
			*part[0] = *part[1]
		}
	}
	if out == same {
		return nil, elbError("InvalidLoadBalancerAction", "The redirect would lead to itself: change protocol, host, port, path or query")
	}
	return &out, nil
}

// forwardsTo says whether the action may send a request to the group.
func (a elbAction) forwardsTo(group string) bool {
	return a.ForwardConfig != nil && slices.ContainsFunc(a.ForwardConfig.TargetGroups, func(w weightedGroup) bool { return w.TargetGroupArn == group })
}
