package inject

import (
	"strings"
	"unicode"
)

// cliLines tells the calls as the AWS CLI takes them, in their order: for a person who puts back by hand what nothing else
// could. They look at nothing; the last one takes our tags off.
func cliLines(u Undo, calls []Call, last ...string) (all []string) {
	h := home{account: u.Target.Account, region: u.Target.Region}
	for _, c := range calls {
		line := h.command(cliName(c.Service), kebab(c.Action), "--cli-input-json", string(c.Input))
		if c.After > 0 {
			line += "   # " + c.After.String() + " after the line before"
		}
		all = append(all, line)
	}
	return append(all, last...)
}

// cliName is a service of Scheduler's universal targets as the AWS CLI calls it.
func cliName(service string) string {
	switch service {
	case "applicationautoscaling":
		return "application-autoscaling"
	case "elasticloadbalancingv2":
		return "elbv2"
	}
	return service
}

// kebab is an action as the AWS CLI spells it: updateTable is update-table.
func kebab(action string) string {
	var b strings.Builder
	for _, r := range action {
		if unicode.IsUpper(r) {
			b.WriteByte('-')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// byHand are the commands with which a person puts the table back.
func (k *throttling) byHand(u Undo) []string {
	h := home{account: u.Target.Account, region: u.Target.Region}
	return cliLines(u, (&throttle{throttling: k}).LastResort(u), h.untagTable(u.Target.ARN))
}

// byHand deletes the rule. One that was never recorded is known by its tags.
func (k *replying) byHand(u Undo) []string {
	calls := (&reply{replying: k}).LastResort(u)
	if len(calls) > 0 {
		return cliLines(u, calls)
	}
	h := home{account: u.Target.Account, region: u.Target.Region}
	return []string{h.command("elbv2", "describe-rules", "--listener-arn", u.Target.ARN) + "   # then delete-rule for the one that is tagged " + TagRun + "=" + u.Mark.Run}
}

// byHand looks through the dead-letter queue for what is ours.
func (k *poisoning) byHand(u Undo) []string {
	d, err := readPoisonUndo(u)
	if err != nil {
		return nil
	}
	h := home{account: u.Target.Account, region: u.Target.Region}
	return []string{
		h.command("sqs", "receive-message", "--queue-url", d.DLQURL, "--max-number-of-messages", "10", "--message-attribute-names",
			attrRun, attrFault, attrSeq) + "   # then delete-message for those whose body has " + markOf(u.Mark) + "…",
		h.untagQueue(d.QueueURL), h.untagQueue(d.DLQURL),
	}
}

// byHand says which statement is ours: it holds nothing any more once its time is over.
func (k *denying) byHand(u Undo) []string {
	h := home{account: u.Target.Account, region: u.Target.Region}
	return []string{
		h.command("dynamodb", "get-resource-policy", "--resource-arn", u.Target.ARN) + "   # " + ourStatements(u),
		h.untagTable(u.Target.ARN),
	}
}

// byHand says the same of a queue's policy.
func (k *stalling) byHand(u Undo) []string {
	d, err := readStallUndo(u)
	if err != nil {
		return nil
	}
	h := home{account: u.Target.Account, region: u.Target.Region}
	return []string{
		h.command("sqs", "get-queue-attributes", "--queue-url", d.QueueURL, "--attribute-names", "Policy") + "   # " + ourStatements(u),
		h.untagQueue(d.QueueURL),
	}
}

func ourStatements(u Undo) string {
	return "then put it without the statements whose Sid begins with " + sidOf(u.Mark) + "; they end by themselves at " + u.Mark.Until.UTC().Format("2006-01-02 15:04:05 MST")
}
