package inject

// SwitchPermissions lists what a dead-man's switch takes: who runs a drill makes schedules of our name and hands them
// their role, who recovers deletes them, and the role itself tells the dead-letter queue what failed. What the calls
// need stands in each fault's Permissions.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/security_iam_id-based-policy-examples.html
func SwitchPermissions(p Place, o SwitchOptions) []Permission {
	if o.Role == "" {
		return nil
	}
	ours := p.ARN("scheduler", "schedule/"+switchGroup+"/firedrill-*")
	all := grant(ForRun, ours, "scheduler:CreateSchedule")
	all = append(all, grant(undoing, ours, "scheduler:GetSchedule", "scheduler:DeleteSchedule")...)
	all = append(all, grant(undoing, "*", "scheduler:ListSchedules")...)
	all = append(all, grantIf(map[string]string{"iam:PassedToService": "scheduler.amazonaws.com"}, ForRun, o.Role, "iam:PassRole")...)
	if o.DLQ != "" {
		all = append(all, grant(ForDeadman, o.DLQ, "sqs:SendMessage")...)
	}
	return all
}
