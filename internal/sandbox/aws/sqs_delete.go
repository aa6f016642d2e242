package aws

import (
	"context"
	"time"
)

type (
	deleteInput struct {
		QueueUrl      string
		ReceiptHandle string
	}
	deleteBatchInput struct {
		QueueUrl string
		Entries  []deleteEntry
	}
	deleteEntry struct {
		Id            string
		ReceiptHandle string
	}
	visibilityInput struct {
		QueueUrl          string
		ReceiptHandle     string
		VisibilityTimeout *int
	}
	visibilityBatchInput struct {
		QueueUrl string
		Entries  []visibilityEntry
	}
	visibilityEntry struct {
		Id                string
		ReceiptHandle     string
		VisibilityTimeout *int
	}
	batchOutput struct {
		Successful []batchSuccess
		Failed     []batchFailure
	}
	batchSuccess struct{ Id string }
)

func (s *sqs) deleteMessage(_ context.Context, c caller, in *deleteInput) (*sqsEmpty, error) {
	q, now, err := s.enter(c, in.QueueUrl, "DeleteMessage")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	if err := s.drop(q, in.ReceiptHandle, now); err != nil {
		return nil, err
	}
	return &sqsEmpty{}, nil
}

func (s *sqs) deleteBatch(_ context.Context, c caller, in *deleteBatchInput) (*batchOutput, error) {
	q, now, err := s.enter(c, in.QueueUrl, "DeleteMessage")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	var ids []string
	for _, e := range in.Entries {
		ids = append(ids, e.Id)
	}
	return each(ids, func(i int) error { return s.drop(q, in.Entries[i].ReceiptHandle, now) })
}

// drop deletes the message behind a receipt handle. An older handle than the latest "succeeds" and deletes nothing,
// and so does one of a message that is gone:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
func (s *sqs) drop(q *queue, handle string, now time.Time) error {
	m, err := q.behind(handle)
	if err != nil {
		return err
	}
	if m != nil && m.handle == handle {
		q.remove(m)
		s.count(q, "NumberOfMessagesDeleted", 1, now)
	}
	return nil
}

func (s *sqs) changeVisibility(_ context.Context, c caller, in *visibilityInput) (*sqsEmpty, error) {
	q, now, err := s.enter(c, in.QueueUrl, "ChangeMessageVisibility")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	if err := s.hide(q, in.ReceiptHandle, in.VisibilityTimeout, now); err != nil {
		return nil, err
	}
	return &sqsEmpty{}, nil
}

func (s *sqs) changeVisibilityBatch(_ context.Context, c caller, in *visibilityBatchInput) (*batchOutput, error) {
	q, now, err := s.enter(c, in.QueueUrl, "ChangeMessageVisibility")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	var ids []string
	for _, e := range in.Entries {
		ids = append(ids, e.Id)
	}
	return each(ids, func(i int) error {
		return s.hide(q, in.Entries[i].ReceiptHandle, in.Entries[i].VisibilityTimeout, now)
	})
}

// hide sets for how long from now a message in flight stays hidden; 0 returns it at once. It does not undo the
// receive that was counted.
func (s *sqs) hide(q *queue, handle string, seconds *int, now time.Time) error {
	if seconds == nil {
		return sqsMissing("VisibilityTimeout")
	}
	if *seconds < 0 || *seconds > 43200 {
		return sqsInvalid("Value %d for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200.", *seconds)
	}
	m, err := q.behind(handle)
	if err != nil {
		return err
	}
	if m == nil {
		return sqsInvalid("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", handle)
	}
	if m.handle != handle || !m.inFlight(now) {
		return sqsError("MessageNotInflight", "The message referred to isn't in flight.")
	}
	until := now.Add(time.Duration(*seconds) * time.Second)
	if until.Sub(m.lastReceived) > 12*time.Hour {
		return sqsInvalid("Value %d for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].", *seconds)
	}
	m.visibleAt = until
	s.wake()
	return nil
}

// behind finds the message a handle was given out for: nil when it is gone, an error when this queue never gave
// out such a handle.
func (q *queue) behind(handle string) (*message, error) {
	if handle == "" {
		return nil, sqsMissing("ReceiptHandle")
	}
	id, ok := q.receipt(handle)
	if !ok {
		return nil, sqsError("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", handle)
	}
	for _, m := range q.messages {
		if m.id == id {
			return m, nil
		}
	}
	return nil, nil
}

// each does a batch entry by entry and tells the failures apart.
func each(ids []string, do func(i int) error) (*batchOutput, error) {
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	out := &batchOutput{Successful: []batchSuccess{}, Failed: []batchFailure{}}
	for i, id := range ids {
		if err := do(i); err != nil {
			out.Failed = append(out.Failed, failure(id, err))
			continue
		}
		out.Successful = append(out.Successful, batchSuccess{Id: id})
	}
	return out, nil
}
