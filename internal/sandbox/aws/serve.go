package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"
)

// serve carries out one call, with whatever the knobs do to it.
func (c *Cloud) serve(w http.ResponseWriter, r *http.Request, q *request) {
	op, ok := c.ops[q.service][q.operation]
	if !ok {
		c.refuse(w, q, unknownOperation(q))
		return
	}
	call := Call{At: c.options.Now(), By: q.who.By, Service: logName(q.service), Operation: q.operation, Writes: op.writes,
		Principal: q.who.ARN, Agent: q.who.Agent}
	hits := c.knobs.match(call)
	for _, h := range hits {
		q.skew += h.skew()
	}
	q.who.Skew = q.skew
	in := op.newInput()
	if err := fill(reflect.ValueOf(in).Elem(), q.input, q.skew); err != nil {
		call.N = c.calls.begin(call)
		c.calls.end(call.N, http.StatusBadRequest, "SerializationException")
		c.refuse(w, q, &apiError{Code: "SerializationException", Message: fmt.Sprintf("%s: %s", q.operation, err)})
		return
	}
	call.Resource = op.resource(in)
	call.N = c.calls.begin(call)
	if err := errors.Join(c.elsewhere(q), c.sessionEnded(q)); err != nil {
		c.calls.end(call.N, statusOf(err), codeOf(err))
		c.refuse(w, q, err)
		return
	}
	needs, err := c.authorize(r.Context(), q)
	c.calls.asked(call.N, needs, err != nil)
	if err != nil {
		c.calls.end(call.N, statusOf(err), codeOf(err))
		c.refuse(w, q, err)
		return
	}

	// A call that was slowed down is on its way: it arrives even when its caller has left.
	ctx := r.Context()
	for _, h := range hits {
		if h.waits("before") {
			c.wait(r.Context(), h, call)
			ctx = context.WithoutCancel(r.Context())
		}
	}
	tree, err := c.act(ctx, q, op, in, hits)
	c.calls.end(call.N, statusOf(err), codeOf(err))
	for _, h := range hits {
		if h.waits("after") {
			c.wait(r.Context(), h, call)
		}
	}
	for _, h := range hits {
		if h.Effect == effectPartial && err == nil {
			if h.Status == 0 {
				panic(http.ErrAbortHandler) // the connection breaks: the answer is lost
			}
			err = &apiError{Code: "InternalServerError", Message: "the answer was lost", Status: h.Status}
		}
	}
	if err != nil {
		c.refuse(w, q, err)
		return
	}
	c.stamp(w, q)
	q.wire.ok(w, q, shift(tree, q.skew))
}

// act does the operation, unless a knob answers in its place.
func (c *Cloud) act(ctx context.Context, q *request, op operation, in any, hits []*hit) (any, error) {
	var staleFor time.Duration
	for _, h := range hits {
		switch h.Effect {
		case effectThrottle, effect5xx, effectDeny:
			return nil, h.refusal(q)
		case effectIgnore:
			return object{}, nil
		case effectStale:
			staleFor = max(staleFor, h.delay())
		}
	}
	now := c.options.Now()
	if op.writes {
		c.stale.wrote(q.service, now)
	} else if staleFor > 0 {
		if tree, ok := c.stale.old(q, now, staleFor); ok {
			return tree, nil
		}
	}
	out, err := op.do(ctx, q.who, in)
	if err != nil {
		return nil, err
	}
	tree := render(reflect.ValueOf(out))
	if tree == nil {
		tree = object{}
	}
	if !op.writes {
		c.stale.read(q, tree)
	}
	return tree, nil
}

// elsewhere refuses what was signed for another region, as a regional endpoint does. STS and IAM are everywhere.
func (c *Cloud) elsewhere(q *request) error {
	if q.region == "" || q.region == c.options.Region || q.service == "sts" || q.service == "iam" {
		return nil
	}
	return &apiError{Code: "InvalidSignatureException", Status: http.StatusForbidden,
		Message: fmt.Sprintf("Credential should be scoped to a valid region, not '%s'. ", q.region)}
}

// refuse answers with an error in the shape of the caller's protocol.
func (c *Cloud) refuse(w http.ResponseWriter, q *request, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	fields := object{}
	for k, v := range e.Fields {
		fields[k] = shift(render(reflect.ValueOf(v)), q.skew)
	}
	c.stamp(w, q)
	q.wire.fail(w, q, e, fields)
}

// codeOf is the error code of an answer.
func codeOf(err error) string {
	var e *apiError
	if err != nil && !errors.As(err, &e) {
		return "InternalFailure"
	}
	if e == nil {
		return ""
	}
	return e.Code
}

func (c *Cloud) stamp(w http.ResponseWriter, q *request) {
	h := w.Header()
	h.Set("Date", c.options.Now().Add(q.skew).UTC().Format(http.TimeFormat))
	h.Set("X-Amzn-RequestId", q.id)
	h.Set("Server", "firedrill-sandbox")
}

func unknownOperation(q *request) *apiError {
	code, status := "UnknownOperationException", http.StatusBadRequest
	if _, ok := q.wire.(queryWire); ok {
		code = "InvalidAction"
	}
	return &apiError{Code: code, Status: status, Message: fmt.Sprintf("the sandbox does not know %s %s", q.service, q.operation)}
}

// logName is what the call log and the knobs call a service that signs under another name.
func logName(service string) string {
	if service == "monitoring" {
		return "cloudwatch"
	}
	return service
}
