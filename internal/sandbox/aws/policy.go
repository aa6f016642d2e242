package aws

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// verdict is what a policy says about a request.
type verdict int

const (
	// silent: no statement matches; the account's own callers are then allowed.
	silent verdict = iota
	allowed
	denied
)

// policy is a resource policy, checked when it was put.
type policy struct {
	Version   string
	ID        string `json:"Id"`
	Statement statements
}

type statements []statement

// UnmarshalJSON takes one statement or a list of them.
func (s *statements) UnmarshalJSON(b []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(b)), "{") {
		b = append(append([]byte{'['}, b...), ']')
	}
	type plain []statement
	return strict(b, (*plain)(s))
}

type statement struct {
	Sid       string
	Effect    string
	Principal principals
	Action    texts
	Resource  texts
	Condition map[string]map[string]texts
}

// texts is a string or a list of strings.
type texts []string

// UnmarshalJSON takes "a", ["a"], true and 1, as policies do.
func (t *texts) UnmarshalJSON(b []byte) error {
	if s := strings.TrimSpace(string(b)); !strings.HasPrefix(s, "[") {
		b = []byte("[" + s + "]")
	}
	var list []any
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*t = nil
	for _, v := range list {
		*t = append(*t, fmt.Sprint(v))
	}
	return nil
}

// principals are ARNs; "*" is everybody.
type principals []string

// UnmarshalJSON takes "*" and {"AWS": …}; principals of other kinds never match a caller of ours.
func (p *principals) UnmarshalJSON(b []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(b)), "{") {
		var kinds map[string]texts
		if err := json.Unmarshal(b, &kinds); err != nil {
			return err
		}
		for kind := range kinds {
			if kind != "AWS" && kind != "Service" && kind != "Federated" && kind != "CanonicalUser" {
				return fmt.Errorf("no principal %q", kind)
			}
		}
		*p = append(principals{}, kinds["AWS"]...)
		return nil
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	if one != "*" {
		return fmt.Errorf(`a principal is "*" or {"AWS": …}, not %q`, one)
	}
	*p = principals{one}
	return nil
}

// strict decodes JSON and refuses what it does not know.
func strict(b []byte, v any) error {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// parsePolicy reads a policy when it is put, and refuses whatever evaluate could not honour.
func parsePolicy(document string) (*policy, error) {
	p := &policy{}
	if err := strict([]byte(document), p); err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	if len(p.Statement) == 0 {
		return nil, fmt.Errorf("read policy: no statement")
	}
	for _, s := range p.Statement {
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return nil, fmt.Errorf("statement %q: effect is Allow or Deny, not %q", s.Sid, s.Effect)
		}
		if len(s.Action) == 0 || s.Principal == nil {
			return nil, fmt.Errorf("statement %q: needs Principal and Action", s.Sid)
		}
		for op, keys := range s.Condition {
			for key, values := range keys {
				if err := checkCondition(op, key, values); err != nil {
					return nil, fmt.Errorf("statement %q: %w", s.Sid, err)
				}
			}
		}
	}
	return p, nil
}

func checkCondition(op, key string, values texts) error {
	switch op {
	case "StringEquals", "StringLike", "ArnEquals", "ArnLike", "ArnNotEquals", "Bool":
	case "DateLessThan", "DateGreaterThan":
		for _, v := range values {
			if _, err := asTime(v); err != nil {
				return fmt.Errorf("condition %s: %w", op, err)
			}
		}
	default:
		return fmt.Errorf("condition %s: the sandbox does not evaluate this operator", op)
	}
	switch strings.ToLower(key) {
	case "aws:principalarn", "aws:currenttime", "aws:securetransport", "aws:principalaccount", "aws:username", "aws:sourcearn", "aws:useragent":
		return nil
	}
	return fmt.Errorf("condition %s: the sandbox does not know the key %s", op, key)
}

// evaluate says what a policy has to say about a request at an instant; a nil policy is silent. An explicit
// Deny wins over every Allow.
func evaluate(p *policy, c caller, action, resource string, now time.Time) verdict {
	v := silent
	if p == nil {
		return v
	}
	for _, s := range p.Statement {
		if !s.concerns(c.ARN, action, resource) || !s.holds(c, now) {
			continue
		}
		if s.Effect == "Deny" {
			return denied
		}
		v = allowed
	}
	return v
}

func (s statement) concerns(principal, action, resource string) bool {
	who := func(want string) bool {
		// An account, as its number or its root, stands for everybody in it.
		account := field(principal, 4)
		return want == "*" || want == principal || want == account || want == "arn:aws:iam::"+account+":root"
	}
	if !some(s.Principal, who) {
		return false
	}
	if !some(s.Action, func(a string) bool { return like(strings.ToLower(a), strings.ToLower(action)) }) {
		return false
	}
	return len(s.Resource) == 0 || some(s.Resource, func(r string) bool { return like(r, resource) })
}

// holds says whether every condition of the statement is met.
func (s statement) holds(c caller, now time.Time) bool {
	for op, keys := range s.Condition {
		for key, values := range keys {
			got, known := contextValue(key, c, now)
			if !known {
				if op == "ArnNotEquals" {
					continue
				}
				return false
			}
			met := some(values, func(want string) bool { return compare(op, got, want, now) })
			if op == "ArnNotEquals" {
				met = !some(values, func(want string) bool { return like(want, got) })
			}
			if !met {
				return false
			}
		}
	}
	return true
}

func compare(op, got, want string, now time.Time) bool {
	switch op {
	case "StringEquals":
		return got == want
	case "Bool":
		return strings.EqualFold(got, want)
	case "DateLessThan", "DateGreaterThan":
		at, err := asTime(want)
		if err != nil {
			return false
		}
		if op == "DateLessThan" {
			return now.Before(at)
		}
		return now.After(at)
	}
	return like(want, got)
}

// contextValue is what the request says about a condition key.
func contextValue(key string, c caller, now time.Time) (string, bool) {
	principal := c.ARN
	switch strings.ToLower(key) {
	case "aws:principalarn":
		return principal, true
	case "aws:principalaccount":
		return field(principal, 4), true
	case "aws:username":
		return principal[strings.LastIndexByte(principal, '/')+1:], true
	case "aws:currenttime":
		return now.UTC().Format(time.RFC3339), true
	case "aws:securetransport":
		return "false", true
	case "aws:useragent":
		return c.Agent, c.Agent != ""
	}
	return "", false
}

// field is the n-th part of an ARN.
func field(arn string, n int) string {
	if p := strings.SplitN(arn, ":", n+2); len(p) > n {
		return p[n]
	}
	return ""
}

func some(list []string, f func(string) bool) bool {
	for _, s := range list {
		if f(s) {
			return true
		}
	}
	return false
}

// like matches text against a pattern with * (anything) and ? (any one byte).
func like(pattern, text string) bool {
	star, from := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
