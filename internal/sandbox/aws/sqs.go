package aws

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// sqs is Amazon SQS: standard queues, with visibility, receive counts, redrive and message move tasks.
// FIFO queues exist in name and attributes only; sending to one is refused.
type sqs struct {
	deps
	// flightLimit is how many messages of one queue may be received and not yet deleted.
	flightLimit int

	mu      sync.Mutex
	queues  map[string]*queue    // by name
	deleted map[string]time.Time // names deleted lately, which may not be used again yet
	tasks   []*moveTask          // oldest first
	pending []sample             // metrics told once the lock is let go
	changed chan struct{}        // closed when something may have become visible
	gone    chan struct{}        // closed when the sandbox ends, and every long poll with it
	ending  sync.Once
}

// standardFlightLimit is a standard queue's limit of messages in flight:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const standardFlightLimit = 120000

// queue is one queue. Its settings are configuration; its messages are traffic.
type queue struct {
	name     string
	created  time.Time
	modified time.Time
	purged   time.Time
	set      map[string]string // attributes as people set them
	settings queueSettings     // the same, parsed
	policy   policyHistory     // settings' policy, which takes a while to be enforced
	tags     map[string]string
	messages []*message // roughly in order of arrival
	receipts int        // handles given out
}

func newSQS(d deps) *sqs {
	s := &sqs{deps: d, flightLimit: d.options.InFlight, queues: map[string]*queue{}, deleted: map[string]time.Time{}, changed: make(chan struct{}), gone: make(chan struct{})}
	if s.flightLimit == 0 {
		s.flightLimit = standardFlightLimit
	}
	return s
}

// close ends the long polls; whoever serves them waits for them.
func (s *sqs) close() error {
	s.ending.Do(func() { close(s.gone) })
	return nil
}

func (s *sqs) id() string { return "sqs" }

func (s *sqs) operations() map[string]operation {
	return map[string]operation{
		"CreateQueue":                  on(true, func(in *createQueueInput) string { return in.QueueName }, s.createQueue),
		"DeleteQueue":                  on(true, (*queueInput).nameOf, s.deleteQueue),
		"GetQueueUrl":                  on(false, func(in *getQueueURLInput) string { return in.QueueName }, s.getQueueURL),
		"ListQueues":                   on(false, nil, s.listQueues),
		"GetQueueAttributes":           on(false, func(in *getAttributesInput) string { return lastSegment(in.QueueUrl) }, s.getAttributes),
		"SetQueueAttributes":           on(true, func(in *setAttributesInput) string { return lastSegment(in.QueueUrl) }, s.setAttributes),
		"PurgeQueue":                   on(true, (*queueInput).nameOf, s.purgeQueue),
		"TagQueue":                     on(true, func(in *tagQueueInput) string { return lastSegment(in.QueueUrl) }, s.tagQueue),
		"UntagQueue":                   on(true, func(in *untagQueueInput) string { return lastSegment(in.QueueUrl) }, s.untagQueue),
		"ListQueueTags":                on(false, (*queueInput).nameOf, s.listQueueTags),
		"ListDeadLetterSourceQueues":   on(false, (*queueInput).nameOf, s.listDeadLetterSourceQueues),
		"SendMessage":                  on(true, func(in *sendInput) string { return lastSegment(in.QueueUrl) }, s.send),
		"SendMessageBatch":             on(true, func(in *sendBatchInput) string { return lastSegment(in.QueueUrl) }, s.sendBatch),
		"ReceiveMessage":               on(false, func(in *receiveInput) string { return lastSegment(in.QueueUrl) }, s.receive),
		"DeleteMessage":                on(true, func(in *deleteInput) string { return lastSegment(in.QueueUrl) }, s.deleteMessage),
		"DeleteMessageBatch":           on(true, func(in *deleteBatchInput) string { return lastSegment(in.QueueUrl) }, s.deleteBatch),
		"ChangeMessageVisibility":      on(true, func(in *visibilityInput) string { return lastSegment(in.QueueUrl) }, s.changeVisibility),
		"ChangeMessageVisibilityBatch": on(true, func(in *visibilityBatchInput) string { return lastSegment(in.QueueUrl) }, s.changeVisibilityBatch),
		"StartMessageMoveTask":         on(true, func(in *startMoveInput) string { return lastSegment(in.SourceArn) }, s.startMove),
		"ListMessageMoveTasks":         on(false, func(in *listMovesInput) string { return lastSegment(in.SourceArn) }, s.listMoves),
		"CancelMessageMoveTask":        on(true, nil, s.cancelMove),
	}
}

// enter locks the service, brings it up to now and finds the queue the caller may act on.
// On success the caller owes an unlock.
func (s *sqs) enter(c caller, queueURL, action string) (*queue, time.Time, error) {
	now := s.lock()
	q, err := s.find(queueURL)
	if err == nil {
		err = s.authorise(c, q, action, now)
	}
	if err != nil {
		s.unlock()
		return nil, now, err
	}
	return q, now, nil
}

// lock takes the service and lets what time has done happen: move tasks move, old messages expire.
func (s *sqs) lock() time.Time {
	s.mu.Lock()
	now := s.now()
	s.moveOn(now)
	for _, q := range s.queues {
		q.expire(now)
	}
	return now
}

// unlock lets the service go and then tells the metrics, so that no other service is called under our lock.
func (s *sqs) unlock() {
	told := s.pending
	s.pending = nil
	s.mu.Unlock()
	for _, one := range told {
		s.meter.observe(one)
	}
}

// count notes one metric of a queue, to be told at unlock.
func (s *sqs) count(q *queue, metric string, value float64, now time.Time) {
	s.pending = append(s.pending, sample{
		Namespace: "AWS/SQS", Metric: metric, Dimensions: map[string]string{"QueueName": q.name}, Value: value, At: now,
	})
}

// wake rouses every long poll: something may have become visible.
func (s *sqs) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// find looks a queue up by its URL; scheme and host do not matter, account and name do.
func (s *sqs) find(queueURL string) (*queue, error) {
	if queueURL == "" {
		return nil, sqsMissing("QueueUrl")
	}
	parts := strings.Split(strings.TrimRight(queueURL, "/"), "/")
	name := parts[len(parts)-1]
	q := s.queues[name]
	if q == nil || len(parts) < 2 || parts[len(parts)-2] != s.account {
		return nil, sqsError("QueueDoesNotExist", "The specified queue does not exist.")
	}
	return q, nil
}

// findARN looks a queue up by its ARN; nil when this account and region have none of that name.
func (s *sqs) findARN(arn string) *queue {
	name, ok := strings.CutPrefix(arn, s.queueARN(""))
	if !ok {
		return nil
	}
	return s.queues[name]
}

func (s *sqs) authorise(c caller, q *queue, action string, now time.Time) error {
	if evaluate(q.policy.enforced(now, s.options.PolicyPropagation), c, "sqs:"+action, s.queueARN(q.name), now) == denied {
		return sqsError("AccessDenied",
			"User: %s is not authorized to perform: sqs:%s on resource: %s with an explicit deny in a resource-based policy",
			c.ARN, strings.ToLower(action), s.queueARN(q.name))
	}
	return nil
}

func (s *sqs) queueARN(name string) string { return s.arn("sqs", name) }

func (s *sqs) url(name string) string {
	return strings.TrimRight(s.base(), "/") + "/" + s.account + "/" + name
}

// sqsEmpty is the answer of operations that answer nothing.
type sqsEmpty struct{}

// lastSegment is the name at the end of a queue URL or ARN.
func lastSegment(s string) string {
	return s[strings.LastIndexAny(s, "/:")+1:]
}

// sqsError is a refusal, with the code that clients of the older Query protocol know it by.
func sqsError(code, format string, args ...any) *apiError {
	e := &apiError{Code: code, Message: fmt.Sprintf(format, args...), QueryCode: code}
	switch code {
	case "QueueDoesNotExist":
		e.QueryCode = "AWS.SimpleQueueService.NonExistentQueue"
	case "QueueNameExists":
		e.QueryCode = "QueueAlreadyExists"
	case "EmptyBatchRequest", "TooManyEntriesInBatchRequest", "BatchEntryIdsNotDistinct", "InvalidBatchEntryId", "BatchRequestTooLong",
		"QueueDeletedRecently", "PurgeQueueInProgress", "MessageNotInflight", "UnsupportedOperation":
		e.QueryCode = "AWS.SimpleQueueService." + code
	case "OverLimit", "AccessDenied":
		e.Status = http.StatusForbidden
	}
	return e
}

func sqsMissing(parameter string) *apiError {
	return sqsError("MissingParameter", "The request must contain the parameter %s.", parameter)
}

func sqsInvalid(format string, args ...any) *apiError {
	return sqsError("InvalidParameterValue", format, args...)
}

// newUUID is a random (version 4) UUID, the form of message ids.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
