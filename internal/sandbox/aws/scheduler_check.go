package aws

import (
	"regexp"
	"strings"
	"time"
)

// The forms that Scheduler asks for.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
var (
	scheduleNameForm  = regexp.MustCompile(`^[0-9a-zA-Z_.-]{1,64}$`)
	scheduleTokenForm = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	scheduleRoleForm  = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):role/[\w+=,.@/-]+$`)
	scheduleDLQForm   = regexp.MustCompile(`^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[a-zA-Z0-9_-]+$`) // no name of a FIFO queue has it
	scheduleOnce      = regexp.MustCompile(`^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$`)
	universalTarget   = regexp.MustCompile(`^arn:aws[a-z-]*:scheduler:::aws-sdk:([a-z0-9]+):([a-zA-Z0-9]+)$`)
	readingAction     = regexp.MustCompile(`^(get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate|batchGet|batchDescribe|batchRead|transactGet|adminGet|adminList|testMigration|retrieve|testConnection|translateDocument|isAuthorized|invokeModel)`)
)

// maxScheduleInput is the most a target's input may weigh, in bytes.
const maxScheduleInput = 256 << 10

// check refuses what Scheduler refuses, fills in what it would, and says when the schedule is due. It does not look into
// the target's Input: whether that can be understood shows when it is too late.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
func (s *scheduler) check(in *scheduleInput) (time.Time, error) {
	pick := func(v *string, otherwise string, allowed ...string) bool {
		if *v == "" {
			*v = otherwise
		}
		for _, a := range allowed {
			if *v == a {
				return true
			}
		}
		return false
	}
	switch {
	case !scheduleNameForm.MatchString(in.Name):
		return time.Time{}, scheduleInvalid("Name %q does not match [0-9a-zA-Z-_.]+ of at most 64 characters.", in.Name)
	case in.ClientToken != "" && !scheduleTokenForm.MatchString(in.ClientToken):
		return time.Time{}, scheduleInvalid("ClientToken %q does not match [a-zA-Z0-9-_]+ of at most 64 characters.", in.ClientToken)
	case len(in.Description) > 512:
		return time.Time{}, scheduleInvalid("Description has more than 512 characters.")
	case !pick(&in.State, "ENABLED", "ENABLED", "DISABLED"):
		return time.Time{}, scheduleInvalid("State must be ENABLED or DISABLED, not %s.", in.State)
	case !pick(&in.ActionAfterCompletion, "NONE", "NONE", "DELETE"):
		return time.Time{}, scheduleInvalid("ActionAfterCompletion must be NONE or DELETE, not %s.", in.ActionAfterCompletion)
	}
	if err := checkGroup(in.GroupName); err != nil {
		return time.Time{}, err
	}
	in.GroupName = "default"
	if err := in.FlexibleTimeWindow.check(); err != nil {
		return time.Time{}, err
	}
	if err := s.checkTarget(in.Target); err != nil {
		return time.Time{}, err
	}
	return in.due()
}

// due reads the expression: at(yyyy-mm-ddThh:mm:ss), by the clock of the schedule's zone.
func (in *scheduleInput) due() (time.Time, error) {
	if in.ScheduleExpressionTimezone == "" {
		in.ScheduleExpressionTimezone = "UTC"
	}
	if strings.HasPrefix(in.ScheduleExpression, "rate(") || strings.HasPrefix(in.ScheduleExpression, "cron(") {
		return time.Time{}, scheduleInvalid("The sandbox's schedules happen once; it does not know %s.", in.ScheduleExpression)
	}
	zone, err := time.LoadLocation(in.ScheduleExpressionTimezone)
	if err != nil {
		return time.Time{}, scheduleInvalid("Invalid Schedule Expression Timezone %s.", in.ScheduleExpressionTimezone)
	}
	m := scheduleOnce.FindStringSubmatch(in.ScheduleExpression)
	if m == nil {
		return time.Time{}, scheduleInvalid("Invalid Schedule Expression %s.", in.ScheduleExpression)
	}
	at, err := time.ParseInLocation("2006-01-02T15:04:05", m[1], zone)
	if err != nil {
		return time.Time{}, scheduleInvalid("Invalid Schedule Expression %s.", in.ScheduleExpression)
	}
	return at, nil
}

func (w *timeWindow) check() error {
	switch {
	case w == nil:
		return scheduleInvalid("FlexibleTimeWindow is required.")
	case w.Mode == "OFF" && w.MaximumWindowInMinutes == nil:
		return nil
	case w.Mode == "FLEXIBLE" && w.MaximumWindowInMinutes != nil && *w.MaximumWindowInMinutes >= 1 && *w.MaximumWindowInMinutes <= 1440:
		return nil
	}
	return scheduleInvalid("FlexibleTimeWindow is OFF without a MaximumWindowInMinutes, or FLEXIBLE with one from 1 to 1440.")
}

// checkTarget refuses what is no universal target of a service that the sandbox has. Every role of the account is
// taken as one that Scheduler may assume; those of others are not.
func (s *scheduler) checkTarget(t *scheduleTarget) error {
	if t == nil || t.Arn == "" || t.RoleArn == "" {
		return scheduleInvalid("Target with Arn and RoleArn is required.")
	}
	action := universalTarget.FindStringSubmatch(t.Arn)
	role := scheduleRoleForm.FindStringSubmatch(t.RoleArn)
	switch {
	case action == nil:
		return scheduleInvalid("Provided Arn is not in correct format; the sandbox knows universal targets only: %s.", t.Arn)
	case readingAction.MatchString(action[2]):
		return scheduleInvalid("%s is not supported: actions that only read cannot be a target.", t.Arn)
	case !s.others.has(targetServices()[action[1]], operationOf(action[2])):
		return scheduleInvalid("%s is not a supported target: no such service or action in the sandbox.", t.Arn)
	case role == nil:
		return scheduleInvalid("RoleArn %q is no ARN of a role.", t.RoleArn)
	case role[1] != s.account:
		return scheduleInvalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
	case len(t.Input) > maxScheduleInput:
		return scheduleInvalid("Input has more than %d bytes.", maxScheduleInput)
	case t.DeadLetterConfig != nil && !scheduleDLQForm.MatchString(t.DeadLetterConfig.Arn):
		return scheduleInvalid("DeadLetterConfig needs the ARN of a standard queue, not %q.", t.DeadLetterConfig.Arn)
	}
	return t.RetryPolicy.check()
}

// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
func (r *retryPolicy) check() error {
	switch {
	case r == nil:
		return nil
	case r.MaximumRetryAttempts != nil && (*r.MaximumRetryAttempts < 0 || *r.MaximumRetryAttempts > 185):
		return scheduleInvalid("MaximumRetryAttempts must be from 0 to 185.")
	case r.MaximumEventAgeInSeconds != nil && (*r.MaximumEventAgeInSeconds < 60 || *r.MaximumEventAgeInSeconds > 86400):
		return scheduleInvalid("MaximumEventAgeInSeconds must be from 60 to 86400.")
	}
	return nil
}

func checkGroup(name string) error {
	if name == "" || name == "default" {
		return nil
	}
	return scheduleError("ResourceNotFoundException", "Schedule group %s does not exist.", name)
}

func scheduleInvalid(format string, args ...any) *apiError {
	return scheduleError("ValidationException", format, args...)
}

// targetServices are the service ids that a universal target's ARN may name, and what the sandbox calls them.
// https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
func targetServices() map[string]string {
	return map[string]string{"dynamodb": "dynamodb", "applicationautoscaling": "application-autoscaling", "sqs": "sqs", "sns": "sns",
		"elasticloadbalancingv2": "elasticloadbalancing", "cloudwatch": "monitoring"}
}

// operationOf is an action of a universal target as its service calls it: updateTable is UpdateTable.
func operationOf(action string) string { return strings.ToUpper(action[:1]) + action[1:] }
