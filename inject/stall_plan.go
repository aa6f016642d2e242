package inject

import (
	"fmt"
	"slices"
	"time"
)

// describe tells what is done to the queue's policy.
func (k *stalling) describe(u Undo) []Change {
	d, err := readStallUndo(u)
	if err != nil {
		return []Change{{What: u.Target.ARN, Before: "unknown: " + err.Error()}}
	}
	return append([]Change{{What: "receives and deletes of queue " + d.name(), Before: "as its policies say", After: "as its policies say",
		During: "denied to everybody but firedrill, until " + until(u.Mark) + ": its messages wait"}}, d.Policy.describe(u.Mark, "queue "+d.name())...)
}

// Expires is the mark's Until: SQS stops honouring the statements, whoever is dead.
func (f *stall) Expires(u Undo) (time.Time, string) {
	return u.Mark.Until, fmt.Sprintf("the statements %s in the policy of queue %s: text that denies nothing any more, and our tags", sidOf(u.Mark), lastPart(u.Target.ARN, ":"))
}

// Permissions lists the actions a stall needs. SetQueueAttributes knows no condition for which attribute: only Policy is set.
func (f *stall) Permissions(t Target) []Permission {
	return slices.Concat(
		grant(planning, "*", "lambda:ListEventSourceMappings", "cloudwatch:GetMetricStatistics"),
		grant(looking, t.ARN, "sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ListQueueTags"),
		grantIf(ourTagsOnly(), undoing, t.ARN, "sqs:TagQueue", "sqs:UntagQueue"),
		grant(undoing, t.ARN, "sqs:SetQueueAttributes", "sqs:DeleteMessage"))
}

// Place is the queue.
func (f *stall) Place(p Place) (Target, []string) {
	return Target{ARN: p.queue(f.params.Queue), Account: p.Account, Region: p.Region}, nil
}

// Moves is what rises while messages wait, as long as somebody sends any, and what falls while nobody gets one.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
func (f *stall) Moves(u Undo) []Metric {
	d, err := readStallUndo(u)
	if err != nil {
		return nil
	}
	var moved []Metric
	for i, name := range []string{"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible",
		"NumberOfMessagesReceived", "NumberOfMessagesDeleted", "NumberOfEmptyReceives"} {
		moved = append(moved, Metric{Namespace: "AWS/SQS", Name: name, Dimensions: map[string]string{"QueueName": d.name()},
			Delay: f.timing.MetricDelay, By: "a stalled consumer", Falls: i >= 2})
	}
	return moved
}

// Floor is nothing: a policy is enforced at once, or up to a minute later.
func (f *stall) Floor(Undo) (time.Duration, bool) { return 0, false }

// undoTime is how long a changed policy may take to be seen and enforced, and the looks besides.
func (f *stall) undoTime() time.Duration { return f.timing.Spread + 3*f.timing.Again }

// Costs says how long the undo may take, and what strangers notice.
func (f *stall) Costs(u Undo) Costs {
	d, err := readStallUndo(u)
	if err != nil {
		return Costs{}
	}
	return Costs{Undo: f.undoTime(), Money: "a few requests", Notes: []string{
		"consumer: " + d.Consumer,
		fmt.Sprintf("a changed policy may take %s to be enforced, on the way in and on the way out", f.timing.Spread),
		fmt.Sprintf("what a consumer has in hand at the start (%d messages now) is delivered to it once more afterwards", d.InHand),
		fmt.Sprintf("messages pile up and are kept: the queue keeps them for %s, its oldest is %s old", seconds(d.Keeps), seconds(d.Oldest).Round(time.Second)),
		"SQS changes a policy without a condition: what somebody makes of it in the moment between our last look and our write is lost",
	}}
}
