package drills

import (
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

// Roles are whom a policy is written for, in the order of a drill.
func Roles() []string {
	return []string{inject.ForPlan, inject.ForRun, inject.ForRecover, inject.ForDeadman, inject.ForReport, inject.ForSweep}
}

// needs gathers what each role must be allowed in an environment, call by call.
type needs struct {
	env   *Environment
	place inject.Place
	all   []inject.Permission
}

func newNeeds(env *Environment) *needs {
	n := &needs{env: env, place: inject.Place{Partition: "aws", Account: env.AWS.Account}}
	if len(env.AWS.Regions) > 0 {
		n.place.Region = env.AWS.Regions[0] // the one our clients are made for
	}
	switch {
	case strings.HasPrefix(n.place.Region, "cn-"):
		n.place.Partition = "aws-cn"
	case strings.HasPrefix(n.place.Region, "us-gov-"):
		n.place.Partition = "aws-us-gov"
	}
	return n
}

// lookers are the roles that compare, undoers those of them that put back.
func lookers() []string { return []string{inject.ForPlan, inject.ForRun, inject.ForRecover} }
func undoers() []string { return []string{inject.ForRun, inject.ForRecover} }

func (n *needs) add(roles []string, resource string, actions ...string) {
	for _, role := range roles {
		for _, a := range actions {
			n.all = append(n.all, inject.Permission{Action: a, Resource: resource, When: role})
		}
	}
}

// ourselves is what the guards ask of the account.
func (n *needs) ourselves() {
	n.add(lookers(), "*", "sts:GetCallerIdentity", "iam:ListAccountAliases")
	n.add([]string{inject.ForPlan, inject.ForRun}, n.place.ARN("fis", "safety-lever/default"), "fis:GetSafetyLever")
	n.add(lookers(), "*", "cloudtrail:LookupEvents") // who else changes a target, or has; AWS gives it for no single resource
}

// sweep is what looking for our marks takes; it is the same for every drill.
func (n *needs) sweep() {
	n.add([]string{inject.ForSweep}, "*", "sts:GetCallerIdentity", "iam:ListAccountAliases")
	n.all = append(n.all, inject.SweepPermissions(n.place)...)
}

// simulated lets a role ask IAM about itself: plan --check-permissions.
func (n *needs) simulated() {
	for _, role := range []string{inject.ForPlan, inject.ForRun} {
		n.add([]string{role}, n.roleARN(role), "iam:SimulatePrincipalPolicy")
	}
}

// deadman is what the dead-man's switch takes, where the environment has one.
func (n *needs) deadman(armed bool) {
	n.all = append(n.all, inject.SwitchPermissions(n.place, inject.SwitchOptions{Role: n.env.Deadman.Role, DLQ: n.env.Deadman.DLQ}, armed)...)
}

// probes is what looking at alarms, queues and metrics takes. The plan lists all alarms. Who recovers looks at the steady
// state and at the watched alarms where they had not come back.
func (n *needs) probes(steady, watch, stop []observe.ProbeSpec) {
	planners := []string{inject.ForPlan, inject.ForRun}
	n.add(planners, "*", "cloudwatch:DescribeAlarms")
	n.add([]string{inject.ForRun}, "*", "cloudwatch:DescribeAlarmHistory")
	for _, p := range steady {
		n.probe(lookers(), p)
	}
	for _, p := range watch {
		if p.Alarm != nil {
			n.add(planners, "*", "cloudwatch:ListAlarmMuteRules")
			n.probe(lookers(), p)
		}
	}
	for _, p := range slices.Concat(watch, stop) {
		n.probe(planners, p)
	}
}

func (n *needs) probe(roles []string, p observe.ProbeSpec) {
	switch {
	case p.Alarm != nil:
		n.add(roles, "*", "cloudwatch:DescribeAlarms")
	case p.CloudWatch != nil:
		n.add(roles, "*", "cloudwatch:GetMetricData")
	case p.SQS != nil:
		n.add(roles, n.queue(p.SQS.Queue), "sqs:GetQueueUrl", "sqs:GetQueueAttributes")
	}
}

// queue is the ARN of a queue that a drill names by its ARN, its URL or its name.
func (n *needs) queue(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return n.place.ARN("sqs", name[strings.LastIndex(name, "/")+1:])
}

// secrets is what reading a reference takes; those that are not AWS's take nothing here.
func (n *needs) secrets(roles []string, refs ...string) {
	for _, ref := range refs {
		scheme, name, _ := strings.Cut(ref, ":")
		switch scheme {
		case "ssm":
			n.add(roles, n.place.ARN("ssm", "parameter/"+strings.TrimPrefix(name, "/")), "ssm:GetParameter")
		case "secretsmanager":
			if !strings.HasPrefix(name, "arn:") {
				name = n.place.ARN("secretsmanager", "secret:"+name+"-??????") // AWS ends a secret's ARN with six characters of its own
			}
			n.add(roles, name, "secretsmanager:GetSecretValue")
		}
	}
}

// faults is what the drill's faults ask for, on targets as far as the file tells them; open says what it does not.
func (n *needs) faults(catalog inject.Catalog, specs []FaultSpec) (open []string, err error) {
	armed := false
	for _, f := range specs {
		kind, ok := catalog[f.Kind]
		if !ok {
			return nil, fmt.Errorf("write policy: no fault is called %s", f.Kind)
		}
		fault, err := kind.New(f.Params)
		if err != nil {
			return nil, fmt.Errorf("write policy for fault %s: %w", f.ID, err)
		}
		placed, ok := fault.(inject.Placed)
		permitter, permits := fault.(inject.Permitter)
		if !ok || !permits {
			return nil, fmt.Errorf("write policy for fault %s: %s does not say what it needs", f.ID, f.Kind)
		}
		target, unknown := placed.Place(n.place)
		open = append(open, unknown...)
		if _, ok := fault.(inject.LastResorter); ok {
			armed = true
		}
		n.all = append(n.all, permitter.Permissions(target)...)
	}
	n.deadman(armed)
	return open, nil
}

// Permissions lists what the credentials must be allowed, role by role: to look, and to change what each fault changes.
func (v *Preview) Permissions() []inject.Permission {
	n := newNeeds(&Environment{})
	switch {
	case v.env != nil:
		n = newNeeds(v.env)
		whole := *v.spec
		whole.Faults = nil                        // the plan knows their targets better
		_, _ = n.everything([]*Spec{&whole}, nil) // only a fault can be unknown
		n.deadman(v.armed())
	case v.Plan != nil:
		n = newNeeds(&Environment{AWS: AWSSpec{Account: v.Plan.Account, Regions: []string{v.Plan.Region}}})
		n.ourselves()
		n.probes(specsOf(v.Plan.Steady), specsOf(v.Plan.Watch), specsOf(v.Plan.Stop))
	}
	for _, f := range v.Faults {
		n.all = append(n.all, f.Permissions...)
	}
	return n.all
}

// armed says whether a fault of the plan has a dead-man's switch.
func (v *Preview) armed() bool {
	return slices.ContainsFunc(v.Faults, func(f PreviewFault) bool { return f.Switch.Staged || len(f.Switch.Schedules) > 0 })
}

func specsOf(planned []PlannedProbe) (list []observe.ProbeSpec) {
	for _, p := range planned {
		list = append(list, p.Spec)
	}
	return list
}
