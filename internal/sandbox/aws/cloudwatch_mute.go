package aws

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// muteRule keeps the actions of some alarms from running for a time; they are evaluated all the same.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules.html
type muteRule struct {
	in          putAlarmMuteRuleInput
	arn         string
	from, until time.Time
	updated     time.Time
}

type putAlarmMuteRuleInput struct {
	Name, Description string
	Rule              *muteSchedule
	MuteTargets       *muteTargets
}

type muteSchedule struct{ Schedule *muteTime }

type muteTime struct{ Expression, Duration, Timezone string }

type muteTargets struct{ AlarmNames []string }

var (
	onceAt  = regexp.MustCompile(`^at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2})\)$`)
	lasting = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$`)
)

// muteForm is how at(…) tells a time.
const muteForm = "2006-01-02T15:04"

// putAlarmMuteRule makes a rule that mutes once; the sandbox knows no recurring ones.
func (c *cloudWatch) putAlarmMuteRule(_ context.Context, _ caller, in *putAlarmMuteRuleInput) (*cloudWatchEmpty, error) {
	if in.Name == "" || in.Rule == nil || in.Rule.Schedule == nil || in.MuteTargets == nil || len(in.MuteTargets.AlarmNames) == 0 || len(in.MuteTargets.AlarmNames) > 100 {
		return nil, validation("a mute rule needs a Name, a Rule with a Schedule, and 1 to 100 AlarmNames")
	}
	s := in.Rule.Schedule
	if s.Timezone != "" && s.Timezone != "UTC" {
		return nil, validation("the sandbox mutes in UTC, not in %s", s.Timezone)
	}
	when, length := onceAt.FindStringSubmatch(s.Expression), lasting.FindStringSubmatch(s.Duration)
	if when == nil || length == nil {
		return nil, validation("the sandbox knows at(yyyy-MM-ddThh:mm) and durations such as PT4H, not %q for %q", s.Expression, s.Duration)
	}
	from, err := time.Parse(muteForm, when[1])
	if err != nil {
		return nil, validation("%q is no time", s.Expression)
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
		n, _ := strconv.Atoi(length[i+1]) // digits, or nothing
		d += time.Duration(n) * unit
	}
	if d < time.Minute || d > 15*24*time.Hour {
		return nil, validation("Duration must be between PT1M and P15D, not %s", s.Duration)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range in.MuteTargets.AlarmNames {
		if c.alarms[name] == nil {
			return nil, alarmNotFound(name)
		}
	}
	c.mutes[in.Name] = muteRule{in: *in, arn: c.arn("cloudwatch", "alarm-mute-rule:"+in.Name), from: from, until: from.Add(d), updated: c.now()}
	return &cloudWatchEmpty{}, nil
}

func (r muteRule) status(now time.Time) string {
	switch {
	case now.Before(r.from):
		return "SCHEDULED"
	case now.Before(r.until):
		return "ACTIVE"
	}
	return "EXPIRED"
}

// muted says that an alarm's actions do not run now; the caller holds the lock. What was muted is not run later, which
// AWS does where the alarm is still in that state.
func (c *cloudWatch) muted(now time.Time, name string) bool {
	for _, r := range c.mutes {
		if r.status(now) == "ACTIVE" && slices.Contains(r.in.MuteTargets.AlarmNames, name) {
			return true
		}
	}
	return false
}

type alarmMuteRuleNameInput struct{ AlarmMuteRuleName string }

// deleteAlarmMuteRule ends a rule at once; one that is not there is no error.
func (c *cloudWatch) deleteAlarmMuteRule(_ context.Context, _ caller, in *alarmMuteRuleNameInput) (*cloudWatchEmpty, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.mutes, in.AlarmMuteRuleName)
	return &cloudWatchEmpty{}, nil
}

type listAlarmMuteRulesInput struct {
	AlarmName  string
	Statuses   []string
	MaxRecords int
	NextToken  string
}

type listAlarmMuteRulesOutput struct {
	AlarmMuteRuleSummaries []muteSummary
	NextToken              string
}

type muteSummary struct {
	AlarmMuteRuleArn, MuteType, Status string
	LastUpdatedTimestamp               time.Time
}

func (c *cloudWatch) listAlarmMuteRules(_ context.Context, _ caller, in *listAlarmMuteRulesInput) (*listAlarmMuteRulesOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, found := c.now(), []muteSummary{}
	for _, name := range slices.Sorted(maps.Keys(c.mutes)) {
		r := c.mutes[name]
		status := r.status(now)
		if (in.AlarmName == "" || slices.Contains(r.in.MuteTargets.AlarmNames, in.AlarmName)) && (len(in.Statuses) == 0 || slices.Contains(in.Statuses, status)) {
			found = append(found, muteSummary{AlarmMuteRuleArn: r.arn, MuteType: "ONE_TIME", Status: status, LastUpdatedTimestamp: r.updated})
		}
	}
	page, next, err := cloudWatchPage(found, in.NextToken, max(in.MaxRecords, 1)*100)
	return &listAlarmMuteRulesOutput{AlarmMuteRuleSummaries: page, NextToken: next}, err
}
