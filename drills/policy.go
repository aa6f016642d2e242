package drills

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/inject"
)

// PolicySize is how many characters a managed policy may have, white space apart, and PoliciesOfRole how many of them a
// role may carry.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	PolicySize     = 6144
	PoliciesOfRole = 10
)

// PolicyOptions say whom a policy is for.
type PolicyOptions struct {
	For   string   // one of Roles
	Trust []string // who may assume the role: ParsePrincipal
}

// Policy is what one role may do and who may be it, as IAM takes it.
type Policy struct {
	For       string              `json:"for"`
	Role      string              `json:"role"`             // the role's name
	Trust     *Document           `json:"trust,omitempty"`  // who may assume it
	Documents []Document          `json:"policies"`         // what it may do: as many managed policies as it takes
	Caller    *Document           `json:"caller,omitempty"` // what who assumes it must be allowed
	Notes     []string            `json:"notes"`            // which * remains, and why
	Needs     []inject.Permission `json:"-"`                // the same, call by call
}

// Document is a policy document.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
type Document struct {
	Version   string
	Statement []Statement
}

// Statement allows or denies actions on resources.
type Statement struct {
	Sid       string
	Effect    string
	Principal map[string][]string `json:",omitempty"`
	Action    []string
	Resource  []string                       `json:",omitempty"`
	Condition map[string]map[string][]string `json:",omitempty"` // by operator, then by key
}

// Size is how many characters of a document IAM counts.
func (d Document) Size() int {
	b, err := json.Marshal(d)
	if err != nil {
		return 0 // it is made of text alone
	}
	return len(strings.Join(strings.Fields(string(b)), ""))
}

// MakePolicy writes the policy of one role for some drills in one environment. It asks nobody: what only the account
// could tell is a * with a note. The drills' variables are replaced already (Resolve).
func MakePolicy(env *Environment, specs []*Spec, catalog inject.Catalog, o PolicyOptions) (*Policy, error) {
	if !slices.Contains(Roles(), o.For) {
		return nil, fmt.Errorf("write policy: no role is called %q. Try: %s", o.For, strings.Join(Roles(), ", "))
	}
	n := newNeeds(env)
	p := &Policy{For: o.For, Role: lastWord(n.roleARN(o.For)), Notes: []string{}, Documents: []Document{}}
	notes, err := n.everything(specs, catalog)
	if err != nil {
		return nil, err
	}
	p.Needs = n.of(o.For)
	if o.For != inject.ForReport && o.For != inject.ForSweep {
		p.Notes = append(p.Notes, notes...)
	}
	p.Notes = append(p.Notes, openResources(p.Needs)...)
	if len(p.Needs) == 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%s calls nothing in the account: there is nothing to allow", o.For))
		return p, nil
	}
	allow := statements(p.Needs)
	if p.Documents, err = split(append(allow, n.never(p.Needs)...)); err != nil {
		return nil, err
	}
	p.Trust, p.Caller, err = n.trust(o)
	return p, err
}

func lastWord(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// everything gathers what all roles need.
func (n *needs) everything(specs []*Spec, catalog inject.Catalog) (notes []string, err error) {
	n.store()
	n.sweep()
	for _, s := range specs {
		n.ourselves()
		n.simulated()
		n.probes(s.SteadyState, s.Watch, s.StopConditions)
		n.secrets(lookers(), n.env.PagerDuty.Token, n.env.Teams[s.Team].Key, n.env.Owner)
		open, err := n.faults(catalog, s.Faults)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Drill, err)
		}
		notes = append(notes, open...)
	}
	return notes, nil
}

// of are the lines of one role, each once, narrowed by what is known of the environment.
func (n *needs) of(role string) []inject.Permission {
	var list []inject.Permission
	for _, p := range n.all {
		if p.When != role {
			continue
		}
		p = n.narrowed(p)
		same := func(x inject.Permission) bool {
			return x.Action == p.Action && x.Resource == p.Resource && conditionText(x) == conditionText(p)
		}
		if !slices.ContainsFunc(list, same) {
			list = append(list, p)
		}
	}
	return list
}

// narrowed adds what the environment knows: where AWS names no resource, the region; where the name of one is not known,
// the tags that every target carries.
func (n *needs) narrowed(p inject.Permission) inject.Permission {
	more := map[string]string{}
	service, _, _ := strings.Cut(p.Action, ":")
	switch {
	case p.Resource == "*" && service != "sts" && service != "iam": // those two answer for all regions
		more["aws:RequestedRegion"] = n.place.Region
	case anyOfService(p.Resource) && (p.When != inject.ForSweep || p.Condition["aws:ResourceTag/"+inject.TagRun] == "" && sidOf(p.Action) != "SqsRead"): // a sweep finds marks by reading all
		for k, v := range n.env.Tags {
			more["aws:ResourceTag/"+k] = v
		}
	}
	for k, v := range p.Condition {
		more[k] = v
	}
	p.Condition = more
	return p
}

// anyOfService says whether an ARN names everything of a service: arn:aws:sqs:eu-west-1:123456789012:*.
func anyOfService(arn string) bool {
	return strings.HasPrefix(arn, "arn:") && strings.HasSuffix(arn, ":*")
}

// openResources says which * remains, and why.
func openResources(list []inject.Permission) (notes []string) {
	var blunt []string
	for _, p := range list {
		if p.Resource == "*" && !slices.Contains(blunt, p.Action) {
			blunt = append(blunt, p.Action)
		}
	}
	if len(blunt) > 0 {
		slices.Sort(blunt)
		notes = append(notes, "AWS knows no resource for "+strings.Join(blunt, ", ")+", or none that has a name before it is asked: * stands there, in the environment's region alone where a call has one")
	}
	if slices.ContainsFunc(list, func(p inject.Permission) bool { return anyOfService(p.Resource) }) {
		notes = append(notes, "where the name is not known, the environment's tags narrow it: who takes them away from a target takes our way back, too")
	}
	return notes
}
