package drills

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/inject"
)

// targets are read as a fault reads them before it changes anything: that they are there, and can be put back.
func (e *exam) targets(ctx context.Context, _ *Steps) (list []Finding) {
	for _, r := range e.readings(ctx) {
		for _, f := range r.faults {
			on := targetName(f)
			if f.err != nil {
				list = append(list, of(r.spec.Drill, []Finding{f.err.finding(on, "")})...)
				continue
			}
			list = append(list, of(r.spec.Drill, []Finding{well(on, "%s can be put in, and put back", f.planned.Kind)})...)
		}
	}
	return gathered(list)
}

// targetName is what a target is called before it is known.
func targetName(f faultReading) string {
	if f.planned.Target.ARN != "" {
		return f.planned.Target.ARN
	}
	return f.planned.Kind + " " + string(f.planned.Params)
}

// tags asks of every target what the guard asks right before a change.
func (e *exam) tags(ctx context.Context, st *Steps) []Finding {
	type one struct {
		fault  PlannedFault
		drills []string
		there  bool
	}
	var all []*one
	for _, r := range e.readings(ctx) {
		for _, f := range r.faults {
			i := slices.IndexFunc(all, func(o *one) bool { return o.fault.Kind == f.planned.Kind && o.fault.Target.ARN == f.planned.Target.ARN })
			if i < 0 {
				all = append(all, &one{fault: f.planned, there: f.fault != nil})
				i = len(all) - 1
			}
			all[i].drills = append(all[i].drills, r.spec.Drill)
		}
	}
	list := sideBySide(len(all), func(i int) []Finding {
		said := e.tagged(ctx, st.beside(), all[i].fault, all[i].there)
		for n := range said {
			said[n].Drills = all[i].drills
		}
		return said
	})
	return gathered(list)
}

func (e *exam) tagged(ctx context.Context, st *Steps, f PlannedFault, there bool) []Finding {
	if f.Target.ARN == "" {
		return unseen(f.Kind+" "+string(f.Params), "its target could not be read")
	}
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	r := st.guardTarget(ctx, f)
	if r == nil {
		return []Finding{well(f.Target.ARN, "%s", pairs(st.Env.Tags, ", "))}
	}
	missing := st.untagged(ctx, f)
	switch {
	case len(missing) > 0:
		return []Finding{r.finding(f.Target.ARN, st.tagging(f.Target, missing))}
	case !there:
		return unseen(f.Target.ARN, "it could not be read")
	}
	return []Finding{r.finding(f.Target.ARN, "")}
}

// untagged are the tags that a target must carry and does not; nil where its tags cannot be read.
func (st *Steps) untagged(ctx context.Context, f PlannedFault) map[string]string {
	kind, ok := st.World.Catalog[f.Kind]
	if !ok {
		return nil
	}
	_, tags, err := kind.Identity(ctx, f.Target)
	if err != nil {
		return nil
	}
	missing := map[string]string{}
	for k, want := range st.Env.Tags {
		if got, has := tags[k]; !has || got != want {
			missing[k] = want
		}
	}
	return missing
}

// pairs writes tags as people do.
func pairs(tags map[string]string, between string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, k+"="+tags[k])
	}
	return strings.Join(out, between)
}

// tagging is the command that tags a target, and whatever must carry the same tags with it: each service has its own.
func (st *Steps) tagging(t inject.Target, tags map[string]string) string {
	var lines []string
	for _, arn := range append([]string{t.ARN}, t.Also...) {
		part := strings.SplitN(arn, ":", 6)
		if len(part) < 6 || strings.Contains(arn, "*") {
			continue
		}
		list := ""
		for _, k := range slices.Sorted(maps.Keys(tags)) {
			list += " " + shellWord("Key="+k+",Value="+tags[k])
		}
		switch part[2] {
		case "dynamodb":
			lines = append(lines, st.aws("dynamodb tag-resource --resource-arn "+arn+" --tags"+list))
		case "elasticloadbalancing":
			lines = append(lines, st.aws("elbv2 add-tags --resource-arns "+withBalancer(arn)+" --tags"+list))
		case "sqs":
			lines = append(lines, st.aws("sqs tag-queue --queue-url "+st.queueURL(part)+" --tags "+shellWord(pairs(tags, ","))))
		default:
			lines = append(lines, st.aws("resourcegroupstaggingapi tag-resources --resource-arn-list "+arn+" --tags "+shellWord(pairs(tags, ","))))
		}
	}
	return strings.Join(lines, " && ")
}

// queueURL is the address of a queue by the parts of its ARN.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
func (st *Steps) queueURL(arn []string) string {
	base := "https://sqs." + arn[3] + ".amazonaws.com"
	if arn[1] == "aws-cn" {
		base += ".cn"
	}
	if st.Env.AWS.Endpoint != "" {
		base = strings.TrimRight(st.Env.AWS.Endpoint, "/")
	}
	return base + "/" + arn[4] + "/" + arn[5]
}

// aws is a command line of the AWS CLI for this environment.
func (st *Steps) aws(command string) string {
	region := ""
	if len(st.Env.AWS.Regions) > 0 {
		region = st.Env.AWS.Regions[0]
	}
	return st.awsIn(region, command)
}

// awsIn is one for another region.
func (st *Steps) awsIn(region, command string) string {
	line := "aws " + command
	if region != "" {
		line += " --region " + region
	}
	if st.Env.AWS.Endpoint != "" {
		line += " --endpoint-url " + st.Env.AWS.Endpoint
	}
	return line
}

// shellWord is a word that a shell takes as it stands.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("=,.:/_-+@%", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// reach says how a run would know from here that a fault is felt, as the plan found it: where a listener does not answer,
// only the load balancer's own metric is left, minute by minute.
func (e *exam) reach(ctx context.Context, _ *Steps) (list []Finding) {
	for _, r := range e.readings(ctx) {
		for _, f := range r.faults {
			switch on := targetName(f); {
			case f.fault == nil || f.fault.Witness == "":
			case strings.HasPrefix(f.fault.Witness, "by a request"):
				list = append(list, of(r.spec.Drill, []Finding{well(on, "felt %s", f.fault.Witness)})...)
			default:
				list = append(list, of(r.spec.Drill, []Finding{ailing(on, "run it where the listener answers, such as a runner in its VPC: docs/where-to-run.md",
					"it does not answer here: felt %s", f.fault.Witness)})...)
			}
		}
	}
	if len(list) == 0 {
		return []Finding{well("", "no drill here asks a load balancer")}
	}
	return gathered(list)
}

// withBalancer is a listener beside its load balancer: their tags count together, and a wrong value stands on either.
func withBalancer(listener string) string {
	head, rest, ok := strings.Cut(listener, ":listener/")
	at := strings.LastIndexByte(rest, '/')
	if !ok || at < 0 {
		return listener
	}
	return head + ":loadbalancer/" + rest[:at] + " " + listener
}
