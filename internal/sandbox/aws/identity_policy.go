package aws

import (
	"fmt"
	"slices"
	"strings"
)

// identityPolicy is what a user or a role may do, checked when it was made. Unlike a resource's policy it names no
// principal, and whatever it does not allow is denied.
type identityPolicy struct {
	Version   string
	ID        string `json:"Id"`
	Statement identityStatements
}

type identityStatement struct {
	Sid       string
	Effect    string
	Action    texts
	Resource  texts
	Condition map[string]map[string]texts
}

type identityStatements []identityStatement

// UnmarshalJSON takes one statement or a list of them.
func (s *identityStatements) UnmarshalJSON(b []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(b)), "{") {
		b = append(append([]byte{'['}, b...), ']')
	}
	type plain []identityStatement
	return strict(b, (*plain)(s))
}

// identityPolicySize is how many characters a managed policy may have, white space apart.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const identityPolicySize = 6144

// parseIdentityPolicy refuses what IAM refuses, and whatever the sandbox could not honour.
func parseIdentityPolicy(document string) (*identityPolicy, error) {
	if n := len(strings.Join(strings.Fields(document), "")); n > identityPolicySize {
		return nil, &apiError{Code: "LimitExceeded", Message: fmt.Sprintf("Cannot exceed quota for PolicySize: %d", identityPolicySize), Status: 409}
	}
	malformed := func(format string, args ...any) error {
		return &apiError{Code: "MalformedPolicyDocument", Message: fmt.Sprintf(format, args...)}
	}
	p := &identityPolicy{}
	if err := strict([]byte(document), p); err != nil {
		return nil, malformed("This policy contains invalid Json: %v", err)
	}
	if p.Version != "2012-10-17" && p.Version != "2008-10-17" || len(p.Statement) == 0 {
		return nil, malformed("Policy document must have a version and at least one statement.")
	}
	sids := map[string]bool{}
	for _, s := range p.Statement {
		odd := strings.IndexFunc(s.Sid, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') })
		switch {
		case s.Effect != "Allow" && s.Effect != "Deny":
			return nil, malformed("Syntax error in policy: Effect %q", s.Effect)
		case odd >= 0 || s.Sid != "" && sids[s.Sid]:
			return nil, malformed("Statement IDs (SID) must be alpha-numeric and unique: %q", s.Sid)
		case len(s.Action) == 0 || len(s.Resource) == 0:
			return nil, malformed("Policy statement must contain actions and resources.")
		case some(s.Action, func(a string) bool { return a != "*" && !strings.Contains(a, ":") }):
			return nil, malformed("Actions/Conditions must be prefaced by a vendor.")
		case some(s.Resource, func(r string) bool { return r != "*" && strings.Count(r, ":") < 5 }):
			return nil, malformed("Resource must be in ARN format or \"*\".")
		}
		sids[s.Sid] = true
		for op := range s.Condition {
			if _, _, err := identityOperator(op); err != nil {
				return nil, malformed("Statement %s: %v", s.Sid, err)
			}
		}
	}
	return p, nil
}

// demand is what one call asks of its caller's policies: an action on a resource, and what the request says of itself.
type demand struct {
	action, resource string
	context          map[string][]string // by condition key, in lower case
}

// judged says what policies have to say about a demand, and which statement does. A Deny wins over every Allow.
func judged(policies []*identityPolicy, d demand) (v verdict, sid string) {
	for _, p := range policies {
		for _, s := range p.Statement {
			if !s.concerns(d) {
				continue
			}
			if s.Effect == "Deny" {
				return denied, s.Sid
			}
			v, sid = allowed, s.Sid
		}
	}
	return v, sid
}

func (s identityStatement) concerns(d demand) bool {
	if !some(s.Action, func(a string) bool { return like(strings.ToLower(a), strings.ToLower(d.action)) }) ||
		!some(s.Resource, func(r string) bool { return r == "*" || like(r, d.resource) }) {
		return false
	}
	for op, keys := range s.Condition {
		for key, wanted := range keys {
			if !meets(op, wanted, d.context[strings.ToLower(key)]) {
				return false
			}
		}
	}
	return true
}

// identityOperator reads an operator of a condition: over all values of a request, over any, or over its only one.
func identityOperator(op string) (set string, test func(want, got string) bool, err error) {
	if over, plain, ok := strings.Cut(op, ":"); ok {
		if over != "ForAllValues" && over != "ForAnyValue" {
			return "", nil, fmt.Errorf("no operator %q", op)
		}
		set, op = over, plain
	}
	switch op {
	case "StringEquals", "StringNotEquals", "Null", "Bool":
		return set, func(want, got string) bool { return want == got }, nil
	case "StringLike", "StringNotLike", "ArnLike", "ArnEquals":
		return set, like, nil
	}
	return "", nil, fmt.Errorf("the sandbox does not evaluate %q", op)
}

// meets says whether a condition holds. A key that is not there meets only what it is not, and every value of none.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func meets(op string, wanted texts, got []string) bool {
	set, test, err := identityOperator(op)
	if err != nil {
		return false
	}
	if op == "Null" {
		return slices.Contains(wanted, fmt.Sprint(len(got) == 0))
	}
	not := strings.Contains(op, "Not")
	one := func(got string) bool { return some(wanted, func(w string) bool { return test(w, got) }) != not }
	switch {
	case set == "ForAllValues":
		return !slices.ContainsFunc(got, func(g string) bool { return !one(g) })
	case set == "ForAnyValue":
		return slices.ContainsFunc(got, one)
	case len(got) == 0:
		return not
	}
	return one(got[0])
}
