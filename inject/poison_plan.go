package inject

import (
	"fmt"
	"time"
)

// describe tells what is put into the queues.
func (k *poisoning) describe(u Undo) []Change {
	d, err := readPoisonUndo(u)
	if err != nil {
		return []Change{{What: u.Target.ARN, Before: "unknown: " + err.Error()}}
	}
	source, dlq := lastPart(d.Queue, ":"), lastPart(d.DLQ, ":")
	return []Change{
		{What: "messages of ours in queue " + source, Before: "none", After: "none",
			During: fmt.Sprintf("%d that its consumer cannot digest, which dead-letter to %s", d.Count, dlq)},
		{What: "tags of queues " + source + " and " + dlq, Before: "none of ours", During: "firedrill:run, …", After: "none of ours"},
	}
}

// Permissions lists the actions a poison needs: to send to the queue, and to take from where its dead letters go. Nothing
// of it may purge or change an attribute.
func (f *poison) Permissions(t Target) []Permission {
	all := grant(planning, "*", "lambda:ListEventSourceMappings", "cloudwatch:GetMetricStatistics")
	for _, queue := range append([]string{t.ARN}, t.Also...) {
		all = append(all, grant(looking, queue, "sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ListQueueTags")...)
		all = append(all, grantIf(ourTagsOnly(), undoing, queue, "sqs:TagQueue", "sqs:UntagQueue")...)
	}
	for _, dlq := range t.Also {
		all = append(all, grant(looking, dlq, "sqs:ListMessageMoveTasks")...)
		all = append(all, grant(undoing, dlq, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")...)
	}
	return append(all, grant(ForRun, t.ARN, "sqs:SendMessage")...)
}

// Moves is the DLQ's depth. The age of the oldest message of the queue ignores poison.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
func (f *poison) Moves(u Undo) []Metric {
	d, err := readPoisonUndo(u)
	if err != nil {
		return nil
	}
	return []Metric{{Namespace: "AWS/SQS", Name: "ApproximateNumberOfMessagesVisible", Delay: f.timing.MetricDelay,
		Dimensions: map[string]string{"QueueName": lastPart(d.DLQ, ":")}, By: "a poison", Most: float64(d.Count + d.Depth)}}
}

// Floor is the queue's delay and the time of the receives a message may have before it dead-letters.
func (f *poison) Floor(u Undo) (time.Duration, bool) {
	d, err := readPoisonUndo(u)
	if err != nil {
		return 0, false
	}
	return seconds(d.Delay) + time.Duration(d.MaxReceive)*seconds(d.Visibility), true
}

// Costs says what strangers notice, and how long a full account may take.
func (f *poison) Costs(u Undo) Costs {
	d, err := readPoisonUndo(u)
	if err != nil {
		return Costs{}
	}
	c := Costs{Undo: d.drained() + 4*d.apart(f.timing) + 2*f.timing.Hold, Money: "a few requests", Notes: []string{
		"consumer: " + d.Consumer,
		"no machine that cannot compare can sweep: there is no last resort but a recover",
	}}
	if d.Depth > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("about %d messages of others are in the DLQ: each look of ours raises their receive counts", d.Depth))
	}
	return c
}
