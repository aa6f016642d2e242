package aws

import (
	"crypto/md5" // the API's checksum, not a secret
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxMessageSize is the most a message, or a whole batch, may weigh, in bytes:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
const maxMessageSize = 1 << 20

// message is one message in one queue.
type message struct {
	id         string
	body       string
	attributes map[string]messageAttribute
	system     map[string]messageAttribute // what the sender set: AWSTraceHeader
	sender     string

	sent          time.Time // kept when it dead-letters, new when it is moved
	visibleAt     time.Time
	receives      int // across all queues, until it is deleted or moved
	firstReceived time.Time
	lastReceived  time.Time
	handle        string // of the latest receive; empty when this queue has not handed it out
	deadLetterOf  string // ARN of the queue it came from, when it dead-lettered
}

// messageAttribute is an attribute as the API spells it.
type messageAttribute struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

func (m *message) visible(now time.Time) bool { return !m.visibleAt.After(now) }

// inFlight: handed out, not deleted, and its visibility has not lapsed.
func (m *message) inFlight(now time.Time) bool { return m.handle != "" && !m.visible(now) }

// queueCounts are the three numbers that together say whether a queue is empty.
type queueCounts struct {
	visible, inFlight, delayed int
	// oldest is the age of the oldest message that is not poison: CloudWatch leaves out what was received three times.
	oldest time.Duration
}

func (q *queue) counts(now time.Time) queueCounts {
	var n queueCounts
	for _, m := range q.messages {
		switch {
		case m.visible(now):
			n.visible++
		case m.inFlight(now):
			n.inFlight++
		default:
			n.delayed++
		}
		if m.receives < 3 {
			n.oldest = max(n.oldest, now.Sub(m.sent))
		}
	}
	return n
}

// expire drops what is older than the queue's retention, wherever it was sent first.
func (q *queue) expire(now time.Time) {
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return now.Sub(m.sent) > q.settings.retention })
}

func (q *queue) remove(m *message) {
	q.messages = slices.DeleteFunc(q.messages, func(other *message) bool { return other == m })
}

// systemAttributes are the attributes SQS itself tells of a message, on a clock that is off by skew.
func (m *message) systemAttributes(skew time.Duration) map[string]string {
	out := map[string]string{
		"SenderId":                         m.sender,
		"SentTimestamp":                    strconv.FormatInt(m.sent.Add(skew).UnixMilli(), 10),
		"ApproximateReceiveCount":          strconv.Itoa(m.receives),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.firstReceived.Add(skew).UnixMilli(), 10),
	}
	if m.deadLetterOf != "" {
		out["DeadLetterQueueSourceArn"] = m.deadLetterOf
	}
	for name, a := range m.system {
		if a.StringValue != nil {
			out[name] = *a.StringValue
		}
	}
	return out
}

// named picks attributes by the names a receiver gives: exact, All, .* or a prefix such as firedrill.*
func named[V any](all map[string]V, names []string) map[string]V {
	out := map[string]V{}
	for key, value := range all {
		for _, name := range names {
			prefix, isPrefix := strings.CutSuffix(name, ".*")
			if name == "All" || name == key || isPrefix && (prefix == "" || strings.HasPrefix(key, prefix+".")) {
				out[key] = value
			}
		}
	}
	return out
}

// checkBody refuses what is no message: empty, or with characters XML does not know.
func checkBody(body string) error {
	if body == "" {
		return sqsMissing("MessageBody")
	}
	legal := func(r rune) bool {
		return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
	}
	if !utf8.ValidString(body) || strings.ContainsFunc(body, func(r rune) bool { return !legal(r) }) {
		return sqsError("InvalidMessageContents", "The message contains characters outside the allowed set.")
	}
	return nil
}

func checkMessageAttributes(attributes map[string]messageAttribute) error {
	if len(attributes) > 10 {
		return sqsInvalid("Number of message attributes [%d] exceeds the allowed maximum [10].", len(attributes))
	}
	for name, a := range attributes {
		lower := strings.ToLower(name)
		if name == "" || len(name) > 256 || strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") ||
			strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") ||
			strings.ContainsFunc(name, func(r rune) bool { return r > 'z' || !strings.ContainsRune(attributeAlphabet, r) }) {
			return sqsInvalid("Invalid message attribute name %q.", name)
		}
		kind, _, _ := strings.Cut(a.DataType, ".")
		switch kind {
		case "Binary":
			if len(a.BinaryValue) == 0 {
				return sqsInvalid("Message attribute '%s' must contain a non-empty binary value.", name)
			}
		case "String", "Number":
			if a.StringValue == nil || *a.StringValue == "" {
				return sqsInvalid("Message attribute '%s' must contain a non-empty string value.", name)
			}
			if _, err := strconv.ParseFloat(*a.StringValue, 64); kind == "Number" && err != nil {
				return sqsInvalid("Can't cast the value of message (user) attribute '%s' to a number.", name)
			}
		default:
			return sqsInvalid("The message (user) attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		}
	}
	return nil
}

// attributeAlphabet is what attribute names are made of.
const attributeAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."

// weight is what counts against the size limits: the body, and each attribute's name, type and value.
func weight(body string, attributes map[string]messageAttribute) int {
	n := len(body)
	for name, a := range attributes {
		n += len(name) + len(a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}

func md5Of(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// md5OfAttributes is SQS's digest of attributes: sorted by name; name, type and value each behind its length, and
// one byte for the value's transport. Empty for none.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func md5OfAttributes(attributes map[string]messageAttribute) string {
	if len(attributes) == 0 {
		return ""
	}
	h := md5.New()
	put := func(b string) {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(b)))
		h.Write(size[:])
		h.Write([]byte(b))
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		put(name)
		put(a.DataType)
		if strings.HasPrefix(a.DataType, "Binary") {
			h.Write([]byte{2})
			put(string(a.BinaryValue))
			continue
		}
		h.Write([]byte{1})
		put(*a.StringValue)
	}
	return hex.EncodeToString(h.Sum(nil))
}
