package drills

import (
	"slices"
	"strings"

	"github.com/firedrill/firedrill/inject"
)

// losesData are actions that must never be, whoever else grants them: an explicit Deny wins over every Allow.
func losesData() []string {
	return []string{
		"sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", // retention is one of a queue's attributes
		"dynamodb:DeleteTable", "dynamodb:DeleteBackup", "dynamodb:UpdateTimeToLive", "dynamodb:UpdateContinuousBackups",
		"sns:Unsubscribe", "sns:DeleteTopic", "sns:SetSubscriptionAttributes",
		"kinesis:DeleteStream", "kinesis:DecreaseStreamRetentionPeriod",
		"logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy",
	}
}

// silences are actions that would keep people from hearing of it.
func silences() []string {
	return []string{
		"cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState",
		"cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail",
	}
}

// never lists what the role must not do, even if somebody grants it more.
func (n *needs) never(allowed []inject.Permission) []Statement {
	free := func(actions []string) (out []string) {
		for _, a := range actions {
			if !slices.ContainsFunc(allowed, func(p inject.Permission) bool { return p.Action == a }) {
				out = append(out, a)
			}
		}
		return out
	}
	deny := func(sid string, resources, actions []string, condition map[string]map[string][]string) Statement {
		return Statement{Sid: sid, Effect: "Deny", Action: actions, Resource: resources, Condition: condition}
	}
	all := []string{"*"}
	list := []Statement{deny("NeverLoseData", all, free(losesData()), nil), deny("NeverSilence", all, free(silences()), nil)}
	tables := n.targets("table")
	if len(allowed) > 0 && allowed[0].When == inject.ForSweep {
		tables = nil // it may touch no item at all
	}
	if len(tables) > 0 {
		list = append(list,
			deny("NeverTheirItems", tables, []string{"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete",
				"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"}, nil),
			deny("NeverTheirKeys", tables, []string{"dynamodb:GetItem", "dynamodb:UpdateItem"},
				map[string]map[string][]string{"ForAnyValue:StringNotLike": {"dynamodb:LeadingKeys": ourKeys(n.all)}}))
	}
	if slices.ContainsFunc(allowed, func(p inject.Permission) bool { return p.Action == "elasticloadbalancing:DeleteRule" }) {
		list = append(list, deny("NeverAnothersRule", all, []string{"elasticloadbalancing:DeleteRule", "elasticloadbalancing:ModifyRule"},
			map[string]map[string][]string{"Null": {"aws:ResourceTag/" + inject.TagRun: {"true"}}}))
	}
	return list
}

// ourKeys are the leading keys that a probe of ours may ask for.
func ourKeys(list []inject.Permission) []string {
	for _, p := range list {
		if keys := p.Condition["dynamodb:LeadingKeys"]; keys != "" {
			return strings.Split(keys, "|")
		}
	}
	return []string{"firedrill/*"}
}

// targets are the ARNs of the drills' tables: those that are not our own store.
func (n *needs) targets(sort string) (list []string) {
	for _, p := range n.all {
		own := n.env.Store.Table != "" && strings.HasSuffix(p.Resource, ":table/"+n.env.Store.Table)
		if strings.HasPrefix(p.Action, "dynamodb:") && strings.Contains(p.Resource, ":"+sort+"/") && !own && p.When != inject.ForSweep && !slices.Contains(list, p.Resource) {
			list = append(list, p.Resource)
		}
	}
	slices.Sort(list)
	return list
}
