package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// iamService knows the account's alias, which guards look at for the word prod, and who may do what: policies that are
// attached to users and roles. It makes no users and no roles: each that is named is there.
type iamService struct {
	d        deps
	mu       sync.Mutex
	policies map[string]*identityPolicy // by ARN
	held     map[string][]string        // policies' ARNs, by whom they are attached to: user/NAME, role/NAME
}

func newIAM(d deps) *iamService {
	return &iamService{d: d, policies: map[string]*identityPolicy{}, held: map[string][]string{}}
}

func (*iamService) id() string { return "iam" }
func (i *iamService) config() any {
	return map[string]any{"AccountAliases": []string{i.d.options.Alias}}
}

// iam is the account's.
func (c *Cloud) iam() *iamService {
	for _, s := range c.list {
		if i, ok := s.(*iamService); ok {
			return i
		}
	}
	return nil
}

type aliasesInput struct {
	Marker   string
	MaxItems int
}

type aliases struct {
	AccountAliases []string
	IsTruncated    bool
}

type createPolicyInput struct{ PolicyName, PolicyDocument, Path, Description string }

type managedPolicy struct {
	Policy struct{ PolicyName, Arn, Path, DefaultVersionId string }
}

type attachInput struct{ UserName, RoleName, PolicyArn string }

type simulateInput struct {
	PolicySourceArn string
	ActionNames     []string
	ResourceArns    []string
	ContextEntries  []contextEntry
	MaxItems        int
	Marker          string
}

type contextEntry struct {
	ContextKeyName   string
	ContextKeyType   string
	ContextKeyValues []string
}

type simulated struct {
	EvaluationResults []evaluationResult
	IsTruncated       bool
}

type evaluationResult struct{ EvalActionName, EvalResourceName, EvalDecision string }

func (i *iamService) operations() map[string]operation {
	return map[string]operation{
		"ListAccountAliases": on(false, nil, func(context.Context, caller, *aliasesInput) (*aliases, error) {
			return &aliases{AccountAliases: []string{i.d.options.Alias}}, nil
		}),
		"CreatePolicy":            on(true, func(in *createPolicyInput) string { return in.PolicyName }, i.create),
		"AttachUserPolicy":        on(true, func(in *attachInput) string { return in.UserName }, i.attach),
		"AttachRolePolicy":        on(true, func(in *attachInput) string { return in.RoleName }, i.attach),
		"DetachUserPolicy":        on(true, func(in *attachInput) string { return in.UserName }, i.detach),
		"DetachRolePolicy":        on(true, func(in *attachInput) string { return in.RoleName }, i.detach),
		"SimulatePrincipalPolicy": on(false, func(in *simulateInput) string { return in.PolicySourceArn }, i.simulate),
	}
}

func (i *iamService) create(_ context.Context, _ caller, in *createPolicyInput) (*managedPolicy, error) {
	p, err := parseIdentityPolicy(in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	out := &managedPolicy{}
	out.Policy.PolicyName, out.Policy.Path, out.Policy.DefaultVersionId = in.PolicyName, "/", "v1"
	out.Policy.Arn = "arn:aws:iam::" + i.d.account + ":policy/" + in.PolicyName
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.policies[out.Policy.Arn] != nil {
		return nil, &apiError{Code: "EntityAlreadyExists", Message: "A policy called " + in.PolicyName + " already exists.", Status: 409}
	}
	i.policies[out.Policy.Arn] = p
	return out, nil
}

// who is whom a policy is attached to or taken from.
func (in *attachInput) who() string {
	if in.UserName != "" {
		return "user/" + in.UserName
	}
	return "role/" + in.RoleName
}

// policiesOfOne is how many managed policies a user or a role may carry.
const policiesOfOne = 10

func (i *iamService) attach(_ context.Context, _ caller, in *attachInput) (*struct{}, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	held := i.held[in.who()]
	switch {
	case i.policies[in.PolicyArn] == nil:
		return nil, &apiError{Code: "NoSuchEntity", Message: "Policy " + in.PolicyArn + " does not exist or is not attachable.", Status: 404}
	case !slices.Contains(held, in.PolicyArn) && len(held) >= policiesOfOne:
		return nil, &apiError{Code: "LimitExceeded", Message: fmt.Sprintf("Cannot exceed quota for PoliciesPerUser: %d", policiesOfOne), Status: 409}
	case !slices.Contains(held, in.PolicyArn):
		i.held[in.who()] = append(held, in.PolicyArn)
	}
	return &struct{}{}, nil
}

func (i *iamService) detach(_ context.Context, _ caller, in *attachInput) (*struct{}, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.held[in.who()] = slices.DeleteFunc(i.held[in.who()], func(arn string) bool { return arn == in.PolicyArn })
	return &struct{}{}, nil
}

// attached are the policies of a principal; a session of a role has its role's.
func (i *iamService) attached(arn string) (list []*identityPolicy) {
	who := arn[strings.LastIndexByte(arn, ':')+1:]
	if role, ok := strings.CutPrefix(who, "assumed-role/"); ok {
		role, _, _ = strings.Cut(role, "/")
		who = "role/" + role
	}
	kind, name, _ := strings.Cut(who, "/")
	who = kind + "/" + name[strings.LastIndexByte(name, '/')+1:] // a path is no part of the name
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, p := range i.held[who] {
		list = append(list, i.policies[p])
	}
	return list
}

// simulate answers as the policies would: a context key that nobody gives is not there.
func (i *iamService) simulate(_ context.Context, _ caller, in *simulateInput) (*simulated, error) {
	if !strings.Contains(in.PolicySourceArn, ":user/") && !strings.Contains(in.PolicySourceArn, ":role/") {
		return nil, &apiError{Code: "InvalidInput", Message: "Invalid Entity Arn: " + in.PolicySourceArn + " does not clearly define entity type and name."}
	}
	policies := i.attached(in.PolicySourceArn)
	given := map[string][]string{}
	for _, e := range in.ContextEntries {
		given[strings.ToLower(e.ContextKeyName)] = e.ContextKeyValues
	}
	resources := in.ResourceArns
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	out := &simulated{EvaluationResults: []evaluationResult{}}
	for _, a := range in.ActionNames {
		for _, r := range resources {
			v, _ := judged(policies, demand{action: a, resource: r, context: given})
			said := map[verdict]string{silent: "implicitDeny", allowed: "allowed", denied: "explicitDeny"}[v]
			if len(policies) == 0 {
				said = "allowed" // an administrator, as everybody here who has no policy
			}
			out.EvaluationResults = append(out.EvaluationResults, evaluationResult{a, r, said})
		}
	}
	return out, nil
}
