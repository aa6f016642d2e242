package observe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Mute is one alarm mute rule that keeps an alarm's actions from running, now or at some time:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules.html
type Mute struct {
	Rule    string // its name
	Active  bool   // now; else it is scheduled
	Once    bool   // else it comes again and again
	Expires time.Time
}

// Muter tells mute rules. Alarms of NewAlarms do; a fake need not.
type Muter interface {
	// Mutes returns the rules that are active or scheduled for one alarm.
	Mutes(ctx context.Context, alarm string) ([]Mute, error)
}

// muteAPI is what CloudWatch is asked for beside alarms; *cloudwatch.Client has it.
type muteAPI interface {
	ListAlarmMuteRules(context.Context, *cloudwatch.ListAlarmMuteRulesInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListAlarmMuteRulesOutput, error)
}

var (
	_ muteAPI = (*cloudwatch.Client)(nil)
	_ Muter   = (*cloudAlarms)(nil)
)

// Mutes implements Muter.
func (c *cloudAlarms) Mutes(ctx context.Context, alarm string) (found []Mute, err error) {
	api, ok := c.cw.(muteAPI)
	if !ok {
		return nil, nil
	}
	in := &cloudwatch.ListAlarmMuteRulesInput{AlarmName: aws.String(alarm),
		Statuses: []types.AlarmMuteRuleStatus{types.AlarmMuteRuleStatusActive, types.AlarmMuteRuleStatusScheduled}}
	for range maxPages {
		out, err := api.ListAlarmMuteRules(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list mute rules of alarm %s: %w", alarm, err)
		}
		for _, s := range out.AlarmMuteRuleSummaries {
			name := aws.ToString(s.AlarmMuteRuleArn)
			found = append(found, Mute{Rule: name[strings.LastIndex(name, ":")+1:], Active: s.Status == types.AlarmMuteRuleStatusActive,
				Once: aws.ToString(s.MuteType) == "ONE_TIME", Expires: aws.ToTime(s.ExpireDate)})
		}
		if aws.ToString(out.NextToken) == "" {
			return found, nil
		}
		in.NextToken = out.NextToken
	}
	return nil, fmt.Errorf("list mute rules of alarm %s: no end after %d pages", alarm, maxPages)
}
