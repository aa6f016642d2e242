package drills

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/firedrill/firedrill/inject"
)

// The forms of who may assume a role.
var (
	principalForm = regexp.MustCompile(`^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:(root|(role|user|assumed-role)/[\w+=,.@/-]+)$`)
	providerForm  = regexp.MustCompile(`^(arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/([\w.:/-]+))=(.+)$`)
)

// roleARN is the environment's own role, where it names one.
func (n *needs) roleARN(role string) string {
	switch {
	case role == inject.ForRun && n.env.AWS.Role != "":
		return n.env.AWS.Role
	case role == inject.ForDeadman && n.env.Deadman.Role != "":
		return n.env.Deadman.Role
	}
	return fmt.Sprintf("arn:%s:iam::%s:role/firedrill-%s-%s", n.place.Partition, n.place.Account, n.env.Name, role)
}

// trust says who may be the role, and what they must be allowed for it.
func (n *needs) trust(o PolicyOptions) (trust, caller *Document, err error) {
	if o.For == inject.ForDeadman {
		if len(o.Trust) > 0 {
			return nil, nil, fmt.Errorf("write trust of the dead-man's switch: nobody but EventBridge Scheduler may be it. Try: without --trust")
		}
		return n.trustScheduler(), nil, nil
	}
	if len(o.Trust) == 0 {
		return nil, nil, nil
	}
	trust = &Document{Version: policyVersion}
	plain := Statement{Sid: "Trust", Effect: "Allow", Principal: map[string][]string{}, Action: []string{"sts:AssumeRole"}}
	for _, who := range o.Trust {
		if m := providerForm.FindStringSubmatch(who); m != nil {
			trust.Statement = append(trust.Statement, trustPipeline(m[1], m[2], m[3]))
			continue
		}
		kind, id, err := n.principal(who)
		if err != nil {
			return nil, nil, err
		}
		plain.Principal[kind] = append(plain.Principal[kind], id)
	}
	if len(plain.Principal) > 0 {
		if o.For == inject.ForRun && n.env.AWS.Role != "" { // firedrill itself assumes it, and names the session after the run
			plain.Condition = map[string]map[string][]string{"StringLike": {"sts:RoleSessionName": {"firedrill-*"}}}
		}
		trust.Statement = append(trust.Statement, plain)
		caller = &Document{Version: policyVersion, Statement: []Statement{{Sid: "AssumeFiredrill", Effect: "Allow", Action: []string{"sts:AssumeRole"},
			Resource: []string{n.roleARN(o.For)}}}}
	}
	trust.Statement = numbered(trust.Statement)
	return trust, caller, nil
}

// principal reads who may assume a role: an ARN, an account or a service.
func (n *needs) principal(who string) (kind, id string, err error) {
	switch {
	case principalForm.MatchString(who):
		return "AWS", who, nil
	case accountForm.MatchString(who):
		return "AWS", "arn:" + n.place.Partition + ":iam::" + who + ":root", nil
	case strings.HasSuffix(who, ".amazonaws.com"):
		return "Service", who, nil
	case strings.Contains(who, ":oidc-provider/"):
		return "", "", fmt.Errorf("write trust: %s trusts everybody whom it knows. Try: %s=repo:acme/staging:*", who, who)
	}
	return "", "", fmt.Errorf("write trust: %q is no principal. Try: the ARN of a role or user, an account, or OIDC-PROVIDER-ARN=SUBJECT", who)
}

// trustPipeline trusts the jobs of a CI system, by the subject of their tokens.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
func trustPipeline(arn, host, subject string) Statement {
	return Statement{Sid: "TrustPipeline", Effect: "Allow", Principal: map[string][]string{"Federated": {arn}}, Action: []string{"sts:AssumeRoleWithWebIdentity"},
		Condition: map[string]map[string][]string{"StringEquals": {host + ":aud": {"sts.amazonaws.com"}}, "StringLike": {host + ":sub": {subject}}}}
}

// trustScheduler trusts the schedules of this account alone.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
func (n *needs) trustScheduler() *Document {
	return &Document{Version: policyVersion, Statement: []Statement{{Sid: "TrustScheduler", Effect: "Allow",
		Principal: map[string][]string{"Service": {"scheduler.amazonaws.com"}}, Action: []string{"sts:AssumeRole"},
		Condition: map[string]map[string][]string{"StringEquals": {"aws:SourceAccount": {n.place.Account}, "aws:SourceArn": {n.place.ARN("scheduler", "schedule-group/default")}}}}}}
}
