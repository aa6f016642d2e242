package aws

import (
	"context"
	"errors"
	"regexp"
	"time"
)

type (
	sendInput struct {
		QueueUrl                string
		MessageBody             string
		DelaySeconds            *int
		MessageAttributes       map[string]messageAttribute
		MessageSystemAttributes map[string]messageAttribute
		MessageGroupId          string
		MessageDeduplicationId  string
	}
	sendOutput struct {
		MessageId                    string
		MD5OfMessageBody             string
		MD5OfMessageAttributes       string `json:",omitempty"`
		MD5OfMessageSystemAttributes string `json:",omitempty"`
	}
	sendBatchInput struct {
		QueueUrl string
		Entries  []sendEntry
	}
	sendEntry struct {
		Id                      string
		MessageBody             string
		DelaySeconds            *int
		MessageAttributes       map[string]messageAttribute
		MessageSystemAttributes map[string]messageAttribute
		MessageGroupId          string
		MessageDeduplicationId  string
	}
	sendBatchOutput struct {
		Successful []sendResult
		Failed     []batchFailure
	}
	sendResult struct {
		Id                           string
		MessageId                    string
		MD5OfMessageBody             string
		MD5OfMessageAttributes       string `json:",omitempty"`
		MD5OfMessageSystemAttributes string `json:",omitempty"`
	}
	// batchFailure is one entry's refusal within an answer that is HTTP 200.
	batchFailure struct {
		Id          string
		SenderFault bool
		Code        string
		Message     string
	}
)

// batchID is the legal form of an entry's id in a batch.
var batchID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (s *sqs) send(_ context.Context, c caller, in *sendInput) (*sendOutput, error) {
	q, now, err := s.enter(c, in.QueueUrl, "SendMessage")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	m, err := s.accept(q, c, sendEntry{
		MessageBody: in.MessageBody, DelaySeconds: in.DelaySeconds, MessageAttributes: in.MessageAttributes,
		MessageSystemAttributes: in.MessageSystemAttributes, MessageGroupId: in.MessageGroupId,
	}, now)
	if err != nil {
		return nil, err
	}
	s.count(q, "NumberOfMessagesSent", 1, now)
	s.wake()
	return &sendOutput{
		MessageId: m.id, MD5OfMessageBody: md5Of(m.body),
		MD5OfMessageAttributes: md5OfAttributes(m.attributes), MD5OfMessageSystemAttributes: md5OfAttributes(m.system),
	}, nil
}

func (s *sqs) sendBatch(_ context.Context, c caller, in *sendBatchInput) (*sendBatchOutput, error) {
	q, now, err := s.enter(c, in.QueueUrl, "SendMessage")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	ids, total := make([]string, 0, len(in.Entries)), 0
	for _, e := range in.Entries {
		ids = append(ids, e.Id)
		total += weight(e.MessageBody, e.MessageAttributes)
	}
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	if total > maxMessageSize {
		return nil, sqsError("BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes.")
	}
	out := &sendBatchOutput{Successful: []sendResult{}, Failed: []batchFailure{}}
	for _, e := range in.Entries {
		m, err := s.accept(q, c, e, now)
		if err != nil {
			out.Failed = append(out.Failed, failure(e.Id, err))
			continue
		}
		out.Successful = append(out.Successful, sendResult{
			Id: e.Id, MessageId: m.id, MD5OfMessageBody: md5Of(m.body),
			MD5OfMessageAttributes: md5OfAttributes(m.attributes), MD5OfMessageSystemAttributes: md5OfAttributes(m.system),
		})
	}
	if n := len(out.Successful); n > 0 {
		s.count(q, "NumberOfMessagesSent", float64(n), now)
		s.wake()
	}
	return out, nil
}

// accept puts one message into the queue, or says why not.
func (s *sqs) accept(q *queue, c caller, e sendEntry, now time.Time) (*message, error) {
	if q.fifo() {
		if e.MessageGroupId == "" {
			return nil, sqsMissing("MessageGroupId")
		}
		return nil, sqsError("UnsupportedOperation", "The sandbox's FIFO queues take no messages; only standard queues do.")
	}
	if err := checkBody(e.MessageBody); err != nil {
		return nil, err
	}
	if err := checkMessageAttributes(e.MessageAttributes); err != nil {
		return nil, err
	}
	for name, a := range e.MessageSystemAttributes {
		if name != "AWSTraceHeader" || a.DataType != "String" || a.StringValue == nil {
			return nil, sqsInvalid("Message system attribute '%s' is invalid; AWSTraceHeader of type String is the only one.", name)
		}
	}
	if weight(e.MessageBody, e.MessageAttributes) > q.settings.maxSize {
		return nil, sqsInvalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.settings.maxSize)
	}
	delay := q.settings.delay
	if e.DelaySeconds != nil {
		if *e.DelaySeconds < 0 || *e.DelaySeconds > 900 {
			return nil, sqsInvalid("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", *e.DelaySeconds)
		}
		delay = time.Duration(*e.DelaySeconds) * time.Second
	}
	m := &message{
		id: newUUID(), body: e.MessageBody, attributes: e.MessageAttributes, system: e.MessageSystemAttributes,
		sender: c.By, sent: now, visibleAt: now.Add(delay),
	}
	q.messages = append(q.messages, m)
	return m, nil
}

// checkBatch refuses a batch as a whole: 1 to 10 entries, each with an id of its own.
func checkBatch(ids []string) error {
	if len(ids) == 0 {
		return sqsError("EmptyBatchRequest", "There should be at least one entry in the request.")
	}
	if len(ids) > 10 {
		return sqsError("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.")
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if !batchID.MatchString(id) || len(id) > 80 {
			return sqsError("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[id] {
			return sqsError("BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
		seen[id] = true
	}
	return nil
}

func failure(id string, err error) batchFailure {
	var refused *apiError
	if !errors.As(err, &refused) {
		return batchFailure{Id: id, Code: "InternalError", Message: err.Error()}
	}
	return batchFailure{Id: id, SenderFault: true, Code: refused.Code, Message: refused.Message}
}
