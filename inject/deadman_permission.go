package inject

// SwitchPermissions lists what a dead-man's switch takes: who plans looks whether one still stands, who runs a drill makes
// schedules of our name and hands them their role, who recovers deletes them, and the role itself tells the dead-letter
// queue what failed. armed is false where no fault of the drill has a last resort. What the calls need stands in each
// fault's Permissions.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/security_iam_id-based-policy-examples.html
func SwitchPermissions(p Place, o SwitchOptions, armed bool) []Permission {
	if o.Role == "" {
		return nil
	}
	ours := p.ARN("scheduler", "schedule/"+switchGroup+"/firedrill-*")
	all := append(grant(planning, ours, "scheduler:GetSchedule"), grant(planning, "*", "scheduler:ListSchedules")...)
	if !armed {
		return all
	}
	all = append(all, grant(ForRun, ours, "scheduler:CreateSchedule")...)
	all = append(all, grant(ForRecover, ours, "scheduler:GetSchedule")...)
	all = append(all, grant(ForRecover, "*", "scheduler:ListSchedules")...)
	all = append(all, grant(undoing, ours, "scheduler:DeleteSchedule")...)
	all = append(all, grantIf(map[string]string{"iam:PassedToService": "scheduler.amazonaws.com"}, ForRun, o.Role, "iam:PassRole")...)
	if o.DLQ != "" {
		all = append(all, grant(ForDeadman, o.DLQ, "sqs:SendMessage")...)
	}
	return all
}
