package inject

import "slices"

// SweepPermissions lists what a sweep takes: to look through everything that can carry a mark of ours, and to change what
// carries one. It knows no drill, so its resources are the account's and region's; our tag narrows them, or, where the
// mark may be on the other queue of a pair, the environment's own tags.
func SweepPermissions(p Place) []Permission {
	const elb, sqs = "elasticloadbalancing:", "sqs:"
	marked := map[string]string{"aws:ResourceTag/" + TagRun: "*"}
	tags := map[string]string{"aws:ResourceTag/" + TagRun: "*", "aws:TagKeys": "firedrill:*"}
	keys := ourKeysOnly()
	keys["aws:ResourceTag/"+TagRun] = "*"
	tables, queues := p.ARN("dynamodb", "table/*"), p.ARN("sqs", "*")
	schedules := p.ARN("scheduler", "schedule/"+switchGroup+"/firedrill-*")
	return slices.Concat(
		grant(ForSweep, "*", "dynamodb:ListTables", "application-autoscaling:DescribeScalableTargets", sqs+"ListQueues", "scheduler:ListSchedules",
			elb+"DescribeLoadBalancers", elb+"DescribeListeners", elb+"DescribeRules", elb+"DescribeTags"),
		grant(ForSweep, tables, "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:GetResourcePolicy"),
		grant(ForSweep, queues, sqs+"GetQueueUrl", sqs+"GetQueueAttributes", sqs+"ListQueueTags"),
		grant(ForSweep, schedules, "scheduler:GetSchedule", "scheduler:DeleteSchedule"),
		grantIf(marked, ForSweep, tables, "dynamodb:UpdateTable", "dynamodb:PutResourcePolicy", "dynamodb:DeleteResourcePolicy"),
		grantIf(tags, ForSweep, tables, "dynamodb:TagResource", "dynamodb:UntagResource"),
		grantIf(map[string]string{"application-autoscaling:service-namespace": "dynamodb"}, ForSweep, "*", "application-autoscaling:RegisterScalableTarget"),
		grantIf(keys, ForSweep, tables, "dynamodb:GetItem", "dynamodb:UpdateItem"),
		grantIf(marked, ForSweep, queues, sqs+"SetQueueAttributes"),
		grant(ForSweep, queues, sqs+"ListMessageMoveTasks", sqs+"ReceiveMessage", sqs+"DeleteMessage", sqs+"ChangeMessageVisibility"), // a DLQ has no mark when its messages have gone
		grantIf(ourTagsOnly(), ForSweep, queues, sqs+"TagQueue", sqs+"UntagQueue"),
		grantIf(marked, ForSweep, p.ARN("elasticloadbalancing", "listener-rule/app/*"), elb+"DeleteRule"))
}
