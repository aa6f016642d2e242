package inject

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// The attributes of a message of ours. A redrive script of somebody's may lose them: the body carries the mark too.
const (
	attrRun   = "firedrill.run"
	attrFault = "firedrill.fault"
	attrSeq   = "firedrill.seq"
	attrUntil = "firedrill.until"
)

// Further tags of a queue with poison in it: what a sweep that is broken off leaves for the next one to know.
const (
	TagSent   = "firedrill:sent"   // no message of ours entered the queue later
	TagSwept  = "firedrill:swept"  // copies swept by sequence number: 1=1 2=3
	TagLooked = "firedrill:looked" // since when full looks have found nothing
)

// queueTags lists the names of the tags we may have put on a queue.
func queueTags() []string { return append(ourTags(), TagSent, TagSwept, TagLooked) }

// poisonUndo is the data of an sqs.poison undo, version 1: the ledger of what may be sent, written before it is.
type poisonUndo struct {
	Queue      string  `json:"queue"` // ARN
	QueueURL   string  `json:"queue_url"`
	DLQ        string  `json:"dlq"` // ARN
	DLQURL     string  `json:"dlq_url"`
	Count      int     `json:"count"` // sequence numbers 1 to count
	Body       string  `json:"body"`  // with {mark}
	MaxReceive int     `json:"max_receive_count"`
	Visibility float64 `json:"visibility_s"`      // the queue's
	Delay      float64 `json:"delay_s,omitempty"` // the queue's, of every message
	Consumer   string  `json:"consumer"`          // how it was proven
	Depth      int     `json:"dlq_depth"`         // strangers' messages when it was read

	// ByMark says that the bodies are not known: it was made of tags. A message is ours where attributes and body both
	// say so.
	ByMark bool `json:"by_mark,omitempty"`
}

// readPoisonUndo decodes an undo of any version ever written.
func readPoisonUndo(u Undo) (poisonUndo, error) {
	var d poisonUndo
	if u.Kind != KindPoison || u.V != 1 {
		return d, fmt.Errorf("undo of kind %s version %d is not one of ours", u.Kind, u.V)
	}
	if err := json.Unmarshal(u.Data, &d); err != nil {
		return d, fmt.Errorf("read undo of %s: %w", u.Kind, err)
	}
	// Beyond what SQS has, it was not written by us: a ledger without an end would be looked for without an end.
	if d.Count < 1 || d.Count > maxMessages || d.MaxReceive < 0 || d.MaxReceive > 1000 || d.Visibility < 0 || d.Visibility > 43200 || d.Delay < 0 || d.Delay > 900 {
		return d, fmt.Errorf("read undo of %s: %d messages, %d receives, %g s of visibility and %g s of delay are no ledger of ours", u.Kind, d.Count, d.MaxReceive, d.Visibility, d.Delay)
	}
	return d, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// drained is how long after it was sent a message has dead-lettered: the queue's delay, every receive it may have, and the one at
// which the queue moves it away.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func (d poisonUndo) drained() time.Duration {
	return seconds(d.Delay) + time.Duration(d.MaxReceive+1)*max(seconds(d.Visibility), time.Second)
}

// short is what an undo does, for the tags.
func (d poisonUndo) short() string { return fmt.Sprintf("sweep %d messages", d.Count) }

// apart is the time between two looks that make one another sure: a deleted message may be told once more, and a
// queue's counts follow later.
func (d poisonUndo) apart(t Timing) time.Duration { return max(seconds(d.Visibility), t.Apart) }

// markIn is the mark in a body; markOf is what all marks of a fault begin with.
func markIn(m Mark, seq int) string { return fmt.Sprintf("%s%d]", markOf(m), seq) }
func markOf(m Mark) string          { return fmt.Sprintf("[firedrill %s/%s/", m.Run, m.Fault) }

// poisonBody is what is no JSON, no number and no order.
const poisonBody = "not an order, but poison {mark}"

// body is one message's: the mark stands where the drill says, else on a line of its own.
func (d poisonUndo) body(m Mark, seq int) string {
	mark := markIn(m, seq)
	if strings.Contains(d.Body, "{mark}") {
		return strings.ReplaceAll(d.Body, "{mark}", mark)
	}
	return d.Body + "\n" + mark
}

// entries are the messages as they are sent.
func (d poisonUndo) entries(m Mark) []types.SendMessageBatchRequestEntry {
	var all []types.SendMessageBatchRequestEntry
	text := func(s string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(s)}
	}
	for seq := 1; seq <= d.Count; seq++ {
		n := strconv.Itoa(seq)
		all = append(all, types.SendMessageBatchRequestEntry{Id: aws.String(n), MessageBody: aws.String(d.body(m, seq)),
			MessageAttributes: map[string]types.MessageAttributeValue{
				attrRun: text(m.Run), attrFault: text(m.Fault), attrSeq: text(n), attrUntil: text(m.Until.UTC().Format(time.RFC3339))}})
	}
	return all
}

// seqOf tells which of ours a message is, by its attributes, or where a script has lost them by its whole body; never by
// its id. 0 for strangers: also one that quotes our mark, such as a consumer's report of a failed batch.
func (d poisonUndo) seqOf(m Mark, message types.Message) int {
	attribute := func(name string) string { return aws.ToString(message.MessageAttributes[name].StringValue) }
	if attribute(attrRun) == m.Run && attribute(attrFault) == m.Fault {
		n, err := strconv.Atoi(attribute(attrSeq))
		if err == nil && n >= 1 && n <= d.Count && (!d.ByMark || strings.Contains(aws.ToString(message.Body), markIn(m, n))) {
			return n
		}
	}
	if d.ByMark {
		return 0
	}
	for seq := 1; seq <= d.Count; seq++ {
		if aws.ToString(message.Body) == d.body(m, seq) {
			return seq
		}
	}
	return 0
}

// quotes says whether a body names our mark.
func quotes(m Mark, message types.Message) bool {
	return strings.Contains(aws.ToString(message.Body), markOf(m))
}

// writeCopies and readCopies spell how many copies of each message were swept.
func writeCopies(copies map[int]int) string {
	var words []string
	for _, seq := range slices.Sorted(maps.Keys(copies)) {
		words = append(words, fmt.Sprintf("%d=%d", seq, copies[seq]))
	}
	return strings.Join(words, " ")
}

func readCopies(s string) map[int]int {
	copies := map[int]int{}
	for _, word := range strings.Fields(s) {
		seq, n, _ := strings.Cut(word, "=")
		at, err := strconv.Atoi(seq)
		if many, bad := strconv.Atoi(n); err == nil && bad == nil {
			copies[at] = many
		}
	}
	return copies
}
