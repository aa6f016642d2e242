package aws

import (
	"context"
	"regexp"
	"strings"
	"time"
)

// compositeAlarm is an alarm of alarms as DescribeAlarms tells it. Within the account it is a metricAlarm with a rule.
type compositeAlarm struct {
	AlarmName, AlarmArn, AlarmDescription, AlarmRule  string
	ActionsEnabled                                    *bool
	AlarmActions, OKActions, InsufficientDataActions  []string
	ActionsSuppressor                                 string
	ActionsSuppressorWaitPeriod                       *int
	ActionsSuppressorExtensionPeriod                  *int
	ActionsSuppressedBy, ActionsSuppressedReason      string
	AlarmConfigurationUpdatedTimestamp                time.Time
	StateValue, StateReason, StateReasonData          string
	StateUpdatedTimestamp, StateTransitionedTimestamp time.Time
}

// composition is what a composite alarm has beside an alarm's name, actions and state.
type composition struct {
	rule            string
	suppressor      string // name of an alarm
	wait, extension *int
	suppressed      bool   // the actions of its state have not run
	from            string // the state it was in before that
}

func (a *metricAlarm) kind() string {
	if a.composite.rule != "" {
		return "CompositeAlarm"
	}
	return "MetricAlarm"
}

type putCompositeAlarmInput struct {
	AlarmName, AlarmDescription, AlarmRule           string
	ActionsEnabled                                   *bool
	AlarmActions, OKActions, InsufficientDataActions []string
	ActionsSuppressor                                string
	ActionsSuppressorWaitPeriod                      *int
	ActionsSuppressorExtensionPeriod                 *int
	Tags                                             []alarmTag
}

// ruleWords are all the words of a rule: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
var ruleWords = regexp.MustCompile(`^(?:\s+|\(|\)|AND\b|OR\b|NOT\b|TRUE\b|FALSE\b|(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"[^"]+"|[^\s"()]+)\s*\))+$`)

var ruleChild = regexp.MustCompile(`(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]+)"|([^\s"()]+))\s*\)`)

// children are the names of the alarms in a rule; one may be told by its ARN.
func children(rule string) (names []string) {
	for _, m := range ruleChild.FindAllStringSubmatch(rule, -1) {
		name := m[1] + m[2]
		if _, tail, ok := strings.Cut(name, ":alarm:"); ok {
			name = tail
		}
		names = append(names, name)
	}
	return names
}

// putCompositeAlarm makes an alarm of alarms, or overwrites one and leaves its state. It decides nothing: whoever
// evaluates alarms evaluates this one too.
func (c *cloudWatch) putCompositeAlarm(_ context.Context, _ caller, in *putCompositeAlarmInput) (*cloudWatchEmpty, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range append(children(in.AlarmRule), nameOfAlarm(in.ActionsSuppressor)) {
		if name != "" && c.alarms[name] == nil {
			return nil, validation("AlarmRule or ActionsSuppressor names the alarm %s, which does not exist", name)
		}
	}
	if old := c.alarms[in.AlarmName]; old != nil && old.composite.rule == "" {
		return nil, validation("a metric alarm has the name %s", in.AlarmName)
	}
	enabled := in.ActionsEnabled == nil || *in.ActionsEnabled
	return &cloudWatchEmpty{}, c.keep(&metricAlarm{
		AlarmName: in.AlarmName, AlarmDescription: in.AlarmDescription, ActionsEnabled: &enabled,
		AlarmActions: listed(in.AlarmActions), OKActions: listed(in.OKActions), InsufficientDataActions: listed(in.InsufficientDataActions),
		composite: composition{rule: in.AlarmRule, suppressor: nameOfAlarm(in.ActionsSuppressor),
			wait: in.ActionsSuppressorWaitPeriod, extension: in.ActionsSuppressorExtensionPeriod},
	}, in.Tags)
}

// nameOfAlarm takes a name or an ARN.
func nameOfAlarm(s string) string {
	if _, tail, ok := strings.Cut(s, ":alarm:"); ok {
		return tail
	}
	return s
}

func (in *putCompositeAlarmInput) check() error {
	switch {
	case in.AlarmName == "" || len(in.AlarmName) > 255:
		return validation("AlarmName must have between 1 and 255 characters")
	case len(in.AlarmRule) > 10240 || !ruleWords.MatchString(in.AlarmRule) || strings.Count(in.AlarmRule, "(") != strings.Count(in.AlarmRule, ")"):
		return validation("AlarmRule %q cannot be read: the sandbox knows ALARM(), OK(), INSUFFICIENT_DATA(), TRUE, FALSE, AND, OR, NOT and brackets", in.AlarmRule)
	case len(children(in.AlarmRule)) > 100:
		return validation("AlarmRule names more than 100 alarms")
	case (in.ActionsSuppressor == "") != (in.ActionsSuppressorWaitPeriod == nil) || (in.ActionsSuppressor == "") != (in.ActionsSuppressorExtensionPeriod == nil):
		return validation("ActionsSuppressor, ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod come together")
	}
	return checkActions(in.AlarmActions, in.OKActions, in.InsufficientDataActions)
}

// suppressing says why an alarm's actions do not run now; the caller holds the lock. The sandbox's suppressors know no
// wait and no extension period.
func (c *cloudWatch) suppressing(a *metricAlarm) (by, reason string) {
	if s := c.alarms[a.composite.suppressor]; s != nil && s.StateValue == "ALARM" {
		return "Alarm", "Actions suppressed by " + s.AlarmArn
	}
	return "", ""
}

// released runs the actions that were held back by an alarm that rings no more; the caller holds the lock.
func (c *cloudWatch) released(now time.Time, suppressor string) {
	for _, a := range c.sorted() {
		if a.composite.suppressor == suppressor && a.composite.suppressed {
			a.composite.suppressed = false
			c.act(now, a.composite.from, a)
		}
	}
}

func (c *cloudWatch) compositeView(a *metricAlarm) compositeAlarm {
	by, reason := c.suppressing(a)
	return compositeAlarm{
		AlarmName: a.AlarmName, AlarmArn: a.AlarmArn, AlarmDescription: a.AlarmDescription, AlarmRule: a.composite.rule,
		ActionsEnabled: a.ActionsEnabled, AlarmActions: a.AlarmActions, OKActions: a.OKActions, InsufficientDataActions: a.InsufficientDataActions,
		ActionsSuppressor: a.composite.suppressor, ActionsSuppressorWaitPeriod: a.composite.wait, ActionsSuppressorExtensionPeriod: a.composite.extension,
		ActionsSuppressedBy: by, ActionsSuppressedReason: reason,
		AlarmConfigurationUpdatedTimestamp: a.AlarmConfigurationUpdatedTimestamp,
		StateValue:                         a.StateValue, StateReason: a.StateReason, StateReasonData: a.StateReasonData,
		StateUpdatedTimestamp: a.StateUpdatedTimestamp, StateTransitionedTimestamp: a.StateTransitionedTimestamp,
	}
}
