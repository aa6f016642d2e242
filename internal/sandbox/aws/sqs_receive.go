package aws

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

type (
	receiveInput struct {
		QueueUrl                    string
		MaxNumberOfMessages         *int
		VisibilityTimeout           *int
		WaitTimeSeconds             *int
		AttributeNames              []string // deprecated spelling of MessageSystemAttributeNames
		MessageSystemAttributeNames []string
		MessageAttributeNames       []string
		ReceiveRequestAttemptId     string
	}
	receiveOutput struct {
		Messages []receivedMessage `json:",omitempty"`
	}
	receivedMessage struct {
		MessageId              string
		ReceiptHandle          string
		Body                   string
		MD5OfBody              string
		MD5OfMessageAttributes string                      `json:",omitempty"`
		Attributes             map[string]string           `json:",omitempty"`
		MessageAttributes      map[string]messageAttribute `json:",omitempty"`
	}
)

// receive answers what is visible now, or waits for it as long as the caller asked.
func (s *sqs) receive(ctx context.Context, c caller, in *receiveInput) (*receiveOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	start := time.Duration(-1)
	for {
		look, err := s.take(c, in, start >= 0)
		if err != nil || len(look.out) > 0 {
			return &receiveOutput{Messages: look.out}, err
		}
		if start < 0 { // the first look tells how long to wait
			if look.wait == 0 {
				return &receiveOutput{}, nil
			}
			start = 0
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, look.wait)
			defer cancel()
		}
		timer := time.NewTimer(look.next)
		select {
		case <-look.changed:
			timer.Stop()
		case <-timer.C:
		case <-s.gone:
			timer.Stop()
			return &receiveOutput{}, nil
		case <-ctx.Done():
			timer.Stop()
			s.empty(look.queue)
			return &receiveOutput{}, nil
		}
	}
}

func (in *receiveInput) check() error {
	within := func(name string, value *int, lowest, highest int) error {
		if value == nil || *value >= lowest && *value <= highest {
			return nil
		}
		return sqsInvalid("Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.", *value, name, lowest, highest)
	}
	if err := within("MaxNumberOfMessages", in.MaxNumberOfMessages, 1, 10); err != nil {
		return err
	}
	if err := within("VisibilityTimeout", in.VisibilityTimeout, 0, 43200); err != nil {
		return err
	}
	return within("WaitTimeSeconds", in.WaitTimeSeconds, 0, 20)
}

// look is one look at a queue.
type look struct {
	out     []receivedMessage
	queue   *queue
	wait    time.Duration   // how long the caller wants to wait at most
	next    time.Duration   // when time alone may make something visible
	changed <-chan struct{} // closed when somebody else does
}

// take receives what is visible. It first moves on what was received too often: a message dead-letters when
// somebody tries to receive it once more than maxReceiveCount allows.
func (s *sqs) take(c caller, in *receiveInput, again bool) (look, error) {
	q, now, err := s.enter(c, in.QueueUrl, "ReceiveMessage")
	if err != nil {
		return look{}, err
	}
	defer s.unlock()
	wait := q.settings.wait
	if in.WaitTimeSeconds != nil {
		wait = time.Duration(*in.WaitTimeSeconds) * time.Second
	}
	most, hide := 1, q.settings.visibility
	if in.MaxNumberOfMessages != nil {
		most = *in.MaxNumberOfMessages
	}
	if in.VisibilityTimeout != nil {
		hide = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	s.redrive(q, now)
	room := s.flightLimit - q.counts(now).inFlight
	if room <= 0 && wait == 0 {
		return look{}, sqsError("OverLimit", "Too many messages received and not deleted: queue %s allows %d in flight.", q.name, s.flightLimit)
	}
	var out []receivedMessage
	for _, m := range slices.Clone(q.messages) {
		if len(out) == min(most, room) {
			break
		}
		if m.visible(now) {
			out = append(out, q.hand(m, hide, now).as(in, c.Skew))
		}
	}
	if len(out) > 0 {
		s.count(q, "NumberOfMessagesReceived", float64(len(out)), now)
	} else if !again && wait == 0 {
		s.count(q, "NumberOfEmptyReceives", 1, now)
	}
	return look{out: out, queue: q, wait: wait, next: s.nextChange(q, now), changed: s.changed}, nil
}

// empty counts a long poll that ended with nothing.
func (s *sqs) empty(q *queue) {
	now := s.lock()
	defer s.unlock()
	s.count(q, "NumberOfEmptyReceives", 1, now)
}

// redrive moves every visible message that was received maxReceiveCount times to the dead-letter queue. It keeps
// its id, its stamp and its receive count.
func (s *sqs) redrive(q *queue, now time.Time) {
	p := q.settings.redrive
	if p == nil {
		return
	}
	dlq := s.findARN(p.Target)
	if dlq == nil { // deleted since: messages go round until their retention ends
		return
	}
	moved := false
	for _, m := range slices.Clone(q.messages) {
		if !m.visible(now) || m.receives < p.MaxReceives {
			continue
		}
		q.remove(m)
		m.handle, m.visibleAt, m.deadLetterOf = "", now, s.queueARN(q.name)
		dlq.messages = append(dlq.messages, m)
		moved = true
	}
	if moved {
		s.wake()
	}
}

// hand gives a message out under a new receipt handle. From the third time on it goes to the back of the queue.
func (q *queue) hand(m *message, hide time.Duration, now time.Time) *message {
	q.receipts++
	m.receives++
	m.lastReceived, m.visibleAt = now, now.Add(hide)
	if m.firstReceived.IsZero() {
		m.firstReceived = now
	}
	m.handle = base64.URLEncoding.EncodeToString(fmt.Appendf(nil, "%s/%s/%d", q.name, m.id, q.receipts))
	if m.receives >= 3 {
		q.remove(m)
		q.messages = append(q.messages, m)
	}
	return m
}

// as is the message as this receiver asked to see it.
func (m *message) as(in *receiveInput, skew time.Duration) receivedMessage {
	attributes := named(m.attributes, in.MessageAttributeNames)
	return receivedMessage{
		MessageId: m.id, ReceiptHandle: m.handle, Body: m.body, MD5OfBody: md5Of(m.body),
		MD5OfMessageAttributes: md5OfAttributes(attributes), MessageAttributes: attributes,
		Attributes: named(m.systemAttributes(skew), slices.Concat(in.MessageSystemAttributeNames, in.AttributeNames)),
	}
}

// nextChange is when a message may become visible by time alone; never so soon that waiting would spin.
func (s *sqs) nextChange(q *queue, now time.Time) time.Duration {
	next := time.Second
	for _, m := range q.messages {
		if !m.visible(now) {
			next = min(next, m.visibleAt.Sub(now))
		}
	}
	if s.moving() {
		next = min(next, 20*time.Millisecond)
	}
	return max(next, 10*time.Millisecond)
}

// receipt splits a receipt handle; ok only for one this queue could have given out.
func (q *queue) receipt(handle string) (id string, ok bool) {
	raw, err := base64.URLEncoding.DecodeString(handle)
	if err != nil {
		return "", false
	}
	parts := strings.Split(string(raw), "/")
	if len(parts) != 3 || parts[0] != q.name {
		return "", false
	}
	return parts[1], true
}
