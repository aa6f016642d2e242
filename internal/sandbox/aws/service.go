package aws

import (
	"context"
	"fmt"
	"time"
)

// service is one AWS service of the sandbox: a state machine behind its wire protocol.
type service interface {
	// id is the service's name as the call log prints it: dynamodb, sqs, elasticloadbalancing, …
	id() string
	// operations lists what it can do, by the API's own operation names.
	operations() map[string]operation
	// config is what people configured, ready to be rendered as canonical JSON:
	// no state, counters, traffic, ids or times (GET /_sandbox/config).
	config() any
}

// caller is who sent a request, told by the access key that signed it.
type caller struct {
	// By is firedrill, orders, responder, alarm, other, or scheduler: EventBridge Scheduler itself.
	By string
	// ARN is the caller's principal, as policies name it.
	ARN string
	// Agent is the User-Agent of the request; policies may ask for it.
	Agent string
	// Skew is how far the service's clock is off for this caller; codecs shift times, a service shifts only
	// times that it tells as text.
	Skew time.Duration
}

// ticker is a service that also acts by itself; the cloud calls tick about once a second while it runs.
// tick must not block.
type ticker interface {
	tick(now time.Time)
}

// closer is a service with goroutines or listeners of its own; the cloud calls close when it ends, and
// close returns when all of them have.
type closer interface {
	close() error
}

// deps is what a service may use of the cloud around it.
type deps struct {
	// now is the sandbox's clock.
	now func() time.Time
	// account and region are where everything lives.
	account, region string
	// base is the URL of the endpoint, such as http://127.0.0.1:4000/aws; it is known once somebody listens.
	base func() string
	// meter takes metrics; it is never nil.
	meter meter
	// acted does what one service does to another and puts it into the call log, past all knobs.
	acted func(call Call, do func() error) error
	// log lists the calls so far, for the service that tells of them.
	log func() []Call
	// others are the other services, for one that calls them as a client would.
	others others
	// options are the cloud's own, for delays and limits.
	options Options
}

// arn makes an ARN of this account and region.
func (d deps) arn(service, resource string) string {
	return "arn:aws:" + service + ":" + d.region + ":" + d.account + ":" + resource
}

// operation is one call of a service; make it with on.
type operation struct {
	// writes says whether the call may change the account.
	writes bool
	// newInput allocates the operation's input, for the codec of the wire protocol to fill.
	newInput func() any
	// resource names what the input is about, for the call log.
	resource func(in any) string
	do       func(ctx context.Context, c caller, in any) (any, error)
}

// on describes an operation whose input and output are plain structs. Their exported fields carry the API's
// member names (or a json tag with it); lists are slices, maps maps, blobs []byte, times time.Time, numbers
// numbers. The codecs turn them into AWS JSON, Query/XML or CBOR as the caller's protocol asks.
func on[In, Out any](writes bool, resource func(*In) string, do func(ctx context.Context, c caller, in *In) (*Out, error)) operation {
	return operation{
		writes:   writes,
		newInput: func() any { return new(In) },
		resource: func(in any) string {
			if resource == nil {
				return ""
			}
			return resource(in.(*In))
		},
		do: func(ctx context.Context, c caller, in any) (any, error) { return do(ctx, c, in.(*In)) },
	}
}

// apiError is a refusal in the service's own words.
type apiError struct {
	// Code is the error code as AWS spells it, without namespace: ResourceNotFoundException.
	Code string
	// Message is the text a person reads.
	Message string
	// Status is the HTTP status; 0 means 400.
	Status int
	// QueryCode is the code older clients know it by (x-amzn-query-error); "" means none.
	QueryCode string
	// Fields are further members of the error's shape, such as ThrottlingReasons.
	Fields map[string]any
}

func (e *apiError) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }
