package aws

import (
	"context"
	"fmt"
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
	// By is firedrill, orders, responder, alarm or other.
	By string
	// ARN is the caller's principal, as policies name it.
	ARN string
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
	// Fields are further members of the error's shape, such as ThrottlingReasons.
	Fields map[string]any
}

func (e *apiError) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }
