package aws

import (
	"context"
	"encoding/base64"
	"slices"
	"time"
)

type (
	startMoveInput struct {
		SourceArn                    string
		DestinationArn               string
		MaxNumberOfMessagesPerSecond *int
	}
	startMoveOutput struct{ TaskHandle string }
	listMovesInput  struct {
		SourceArn  string
		MaxResults *int
	}
	listMovesOutput struct{ Results []moveResult }
	moveResult      struct {
		TaskHandle                        string `json:",omitempty"` // told while it runs
		Status                            string
		SourceArn                         string
		DestinationArn                    string `json:",omitempty"`
		MaxNumberOfMessagesPerSecond      *int   `json:",omitempty"`
		ApproximateNumberOfMessagesMoved  int64
		ApproximateNumberOfMessagesToMove int64
		FailureReason                     string `json:",omitempty"`
		StartedTimestamp                  int64  // milliseconds since 1970
	}
	cancelMoveInput  struct{ TaskHandle string }
	cancelMoveOutput struct{ ApproximateNumberOfMessagesMoved int64 }
)

// moveRate is how many messages a second a move task moves when its caller sets no limit:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
const moveRate = 500

// moveTask redrives a dead-letter queue: everything in it, for there is no filter.
type moveTask struct {
	handle      string
	source      string // ARN
	destination string // ARN; empty means back to where each message came from
	limit       *int   // messages a second, as the caller set it
	started     time.Time
	toMove      int64
	moved       int64
	status      string // RUNNING, COMPLETED, CANCELLED or FAILED
	reason      string
}

func (s *sqs) startMove(_ context.Context, c caller, in *startMoveInput) (*startMoveOutput, error) {
	now := s.lock()
	defer s.unlock()
	source := s.findARN(in.SourceArn)
	if source == nil || in.DestinationArn != "" && s.findARN(in.DestinationArn) == nil {
		return nil, sqsError("ResourceNotFoundException", "The resource that you specified for the SourceArn or DestinationArn parameter doesn't exist.")
	}
	if err := s.authorise(c, source, "StartMessageMoveTask", now); err != nil {
		return nil, err
	}
	if len(s.sourcesOf(source)) == 0 {
		return nil, sqsInvalid("Source queue must be configured as a Dead Letter Queue.")
	}
	if n := in.MaxNumberOfMessagesPerSecond; n != nil && (*n < 1 || *n > moveRate) {
		return nil, sqsInvalid("Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and %d.", moveRate)
	}
	for _, t := range s.tasks {
		if t.source == in.SourceArn && t.status == "RUNNING" {
			return nil, sqsInvalid("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
		}
	}
	t := &moveTask{
		handle: base64.URLEncoding.EncodeToString([]byte(newUUID())), source: in.SourceArn, destination: in.DestinationArn,
		limit: in.MaxNumberOfMessagesPerSecond, started: now, toMove: int64(source.counts(now).visible), status: "RUNNING",
	}
	s.tasks = append(s.tasks, t)
	s.wake()
	return &startMoveOutput{TaskHandle: t.handle}, nil
}

func (s *sqs) listMoves(_ context.Context, c caller, in *listMovesInput) (*listMovesOutput, error) {
	s.lock()
	defer s.unlock()
	if s.findARN(in.SourceArn) == nil {
		return nil, sqsError("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	most := 1
	if in.MaxResults != nil {
		most = *in.MaxResults
	}
	if most < 1 || most > 10 {
		return nil, sqsInvalid("Value %d for parameter MaxResults is invalid. Reason: Must be between 1 and 10.", most)
	}
	out := &listMovesOutput{Results: []moveResult{}}
	for _, t := range slices.Backward(s.tasks) {
		if t.source == in.SourceArn && len(out.Results) < most {
			out.Results = append(out.Results, t.result(c.Skew))
		}
	}
	return out, nil
}

func (s *sqs) cancelMove(_ context.Context, _ caller, in *cancelMoveInput) (*cancelMoveOutput, error) {
	s.lock()
	defer s.unlock()
	for _, t := range s.tasks {
		if t.handle != in.TaskHandle {
			continue
		}
		if t.status != "RUNNING" {
			return nil, sqsInvalid("Only active tasks can be cancelled.")
		}
		t.status = "CANCELLED"
		return &cancelMoveOutput{ApproximateNumberOfMessagesMoved: t.moved}, nil
	}
	return nil, sqsError("ResourceNotFoundException", "Task does not exist.")
}

func (t *moveTask) result(skew time.Duration) moveResult {
	r := moveResult{
		Status: t.status, SourceArn: t.source, DestinationArn: t.destination, MaxNumberOfMessagesPerSecond: t.limit,
		ApproximateNumberOfMessagesMoved: t.moved, ApproximateNumberOfMessagesToMove: t.toMove,
		FailureReason: t.reason, StartedTimestamp: t.started.Add(skew).UnixMilli(),
	}
	if t.status == "RUNNING" {
		r.TaskHandle = t.handle
	}
	return r
}

// moving says whether any move task is under way.
func (s *sqs) moving() bool {
	return slices.ContainsFunc(s.tasks, func(t *moveTask) bool { return t.status == "RUNNING" })
}

// moveOn lets every running task move as much as time allows.
func (s *sqs) moveOn(now time.Time) {
	for _, t := range s.tasks {
		if t.status == "RUNNING" {
			s.advance(t, now)
		}
	}
}

func (s *sqs) advance(t *moveTask, now time.Time) {
	source := s.findARN(t.source)
	if source == nil {
		t.status, t.reason = "FAILED", "AWS.SimpleQueueService.NonExistentQueue"
		return
	}
	rate := moveRate
	if t.limit != nil {
		rate = *t.limit
	}
	due := int64(now.Sub(t.started).Seconds()*float64(rate)) - t.moved
	for _, m := range slices.Clone(source.messages) {
		if !m.visible(now) { // in flight with somebody: it stays where it is
			continue
		}
		if due <= 0 {
			return
		}
		to := t.destination
		if to == "" {
			to = m.deadLetterOf
		}
		destination := s.findARN(to)
		if destination == nil { // sent straight to the dead-letter queue, or its source is gone
			t.status, t.reason = "FAILED", "CouldNotDetermineMessageSource"
			return
		}
		source.remove(m)
		destination.messages = append(destination.messages, m.anew(now))
		due, t.moved = due-1, t.moved+1
		s.wake()
	}
	if now.After(t.started) { // it is asynchronous: never done within the call that starts it
		t.status = "COMPLETED"
	}
}

// anew is the message as a move task delivers it: a new message, with the same contents.
func (m *message) anew(now time.Time) *message {
	return &message{id: newUUID(), body: m.body, attributes: m.attributes, system: m.system, sender: m.sender, sent: now, visibleAt: now}
}
