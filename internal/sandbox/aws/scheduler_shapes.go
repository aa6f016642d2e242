package aws

import "time"

// The shapes of EventBridge Scheduler, with the members that the sandbox honours.

type scheduleInput struct {
	Name, GroupName                                string
	ScheduleExpression, ScheduleExpressionTimezone string
	FlexibleTimeWindow                             *timeWindow
	Target                                         *scheduleTarget
	ActionAfterCompletion, State                   string
	ClientToken, Description                       string
	StartDate, EndDate                             *time.Time // of recurring schedules; ignored for those that happen once
}

type timeWindow struct {
	Mode                   string
	MaximumWindowInMinutes *int
}

type scheduleTarget struct {
	Arn, RoleArn, Input string
	RetryPolicy         *retryPolicy
	DeadLetterConfig    *deadLetterConfig
}

type retryPolicy struct{ MaximumEventAgeInSeconds, MaximumRetryAttempts *int }

type deadLetterConfig struct{ Arn string }

type scheduleMade struct{ ScheduleArn string }

type scheduleName struct{ Name, GroupName, ClientToken string }

type scheduleOutput struct {
	Arn, Name, GroupName                           string
	ScheduleExpression, ScheduleExpressionTimezone string
	FlexibleTimeWindow                             *timeWindow
	Target                                         *scheduleTarget
	ActionAfterCompletion, State, Description      string
	CreationDate, LastModificationDate             time.Time
}

type schedulesInput struct {
	GroupName, NamePrefix, NextToken, State string
	MaxResults                              *int
}

type schedulesOutput struct {
	Schedules []scheduleSummary
	NextToken string
}

type scheduleSummary struct {
	Arn, Name, GroupName, State        string
	CreationDate, LastModificationDate time.Time
	Target                             scheduleTargetName
}

type scheduleTargetName struct{ Arn string }
