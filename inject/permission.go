package inject

import (
	"fmt"
	"strings"
)

// Permission is one line of a policy: one action on one resource, that one role needs.
type Permission struct {
	Action   string // dynamodb:UpdateTable
	Resource string // an ARN; * in it stands for what is not known, or * alone where AWS knows no resource
	// When is the role that calls it: plan, run, recover, deadman, report or sweep. An action of two roles stands twice: the
	// role of a run makes its plan too, and so has the plan's lines among its own.
	When string
	// Condition narrows it: a condition key's values, with * and ?; alternatives are parted by |. Keys of many values
	// (aws:TagKeys, dynamodb:LeadingKeys) must match with all of theirs.
	Condition map[string]string
}

// The roles that a policy is written for, as Permission.When spells them.
const (
	ForPlan    = "plan"    // looks, and changes nothing
	ForRun     = "run"     // plans, injects and puts back
	ForRecover = "recover" // puts back what a run that died has left
	ForDeadman = "deadman" // EventBridge Scheduler's: the calls of a last resort
	ForReport  = "report"  // reads the journal
	ForSweep   = "sweep"   // looks for our marks without a journal, and puts back what carries them
)

// The roles that share what they do.
const (
	looking  = ForPlan + " " + ForRun + " " + ForRecover // whoever compares
	planning = ForPlan + " " + ForRun                    // whoever asks whether a drill may run
	undoing  = ForRun + " " + ForRecover                 // whoever puts back
)

// grant lists actions on a resource for each of the roles, which are parted by spaces.
func grant(roles, resource string, actions ...string) []Permission {
	return grantIf(nil, roles, resource, actions...)
}

// grantIf is grant under a condition.
func grantIf(condition map[string]string, roles, resource string, actions ...string) []Permission {
	var all []Permission
	for _, role := range strings.Fields(roles) {
		for _, a := range actions {
			all = append(all, Permission{Action: a, Resource: resource, When: role, Condition: condition})
		}
	}
	return all
}

// ourTagsOnly lets a role put and take tags whose names are ours, and no other: the tags that guards go by are safe.
func ourTagsOnly() map[string]string { return map[string]string{"aws:TagKeys": "firedrill:*"} }

// ourKeysOnly lets a role ask for keys that are nobody's (absentKey), in whatever type the table has: text, a number or
// bytes, which policies see in base 64.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
func ourKeysOnly() map[string]string {
	return map[string]string{"dynamodb:LeadingKeys": "firedrill/*|-735560*|ZmlyZWRyaWxsL*"}
}

// Place is where an environment's targets are.
type Place struct{ Partition, Account, Region string }

// ARN is the ARN of a resource in a place.
func (p Place) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", p.Partition, service, p.Region, p.Account, resource)
}

// Placed is a Fault that can tell its target from its parameters: policies are written without a look.
type Placed interface {
	// Place is the target; what only a look could tell is a * in its ARNs, and open says why.
	Place(p Place) (t Target, open []string)
}

// Place is the table.
func (f *throttle) Place(p Place) (Target, []string) {
	return Target{ARN: p.ARN("dynamodb", "table/"+f.params.Table), Account: p.Account, Region: p.Region}, nil
}

// Place is the listener.
func (f *reply) Place(p Place) (Target, []string) {
	return Target{ARN: f.params.Listener, Account: p.Account, Region: p.Region}, nil
}

// Place is the queue, and whichever queue its dead letters go to.
func (f *poison) Place(p Place) (Target, []string) {
	return Target{ARN: p.queue(f.params.Queue), Also: []string{p.ARN("sqs", "*")}, Account: p.Account, Region: p.Region},
		[]string{"which queue takes the dead letters of " + lastPart(p.queue(f.params.Queue), ":") + " stands in its redrive policy only"}
}

// queue is the ARN of a queue that is named by its ARN, its URL or its name.
func (p Place) queue(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return p.ARN("sqs", lastPart(name, "/"))
}
