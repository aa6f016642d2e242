package drills

import "github.com/firedrill/firedrill/inject"

// Permissions lists what the credentials must be allowed: to look, and to change what each fault changes.
func (v *Preview) Permissions() []inject.Permission {
	all := []inject.Permission{}
	read := func(actions ...string) {
		for _, a := range actions {
			all = append(all, inject.Permission{Action: a, Resource: "*", When: "plan"})
		}
	}
	read("sts:GetCallerIdentity", "iam:ListAccountAliases")
	if v.Plan != nil {
		read("cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory")
		queue, metric := false, false
		for _, list := range [][]PlannedProbe{v.Plan.Steady, v.Plan.Watch, v.Plan.Stop} {
			for _, p := range list {
				queue, metric = queue || p.Spec.SQS != nil, metric || p.Spec.CloudWatch != nil
			}
		}
		if metric {
			read("cloudwatch:GetMetricData")
		}
		if queue {
			read("sqs:GetQueueUrl", "sqs:GetQueueAttributes")
		}
	}
	for _, f := range v.Faults {
		all = append(all, f.Permissions...)
	}
	return all
}
