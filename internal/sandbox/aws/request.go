package aws

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// wire is one way to speak AWS.
type wire interface {
	ok(w http.ResponseWriter, r *request, tree any)
	fail(w http.ResponseWriter, r *request, e *apiError, fields object)
}

// request is one call as it came off the wire.
type request struct {
	id        string
	service   string
	operation string
	wire      wire
	input     object
	who       caller
	// region is the one the caller signed for; "" when unsigned.
	region string
	// session is the role session that signed, with the token that came along; nil for a key of its own.
	session *session
	token   string
	// skew is how far the service's clock is off for this caller.
	skew time.Duration
}

// parse finds out who wants what. The request it returns can carry a refusal even when there is an error.
func (c *Cloud) parse(r *http.Request, body []byte) (*request, error) {
	q := &request{id: requestID(), wire: jsonWire{contentType: "application/x-amz-json-1.0"}}
	var scope string
	q.who, q.region, scope = c.callerOf(r.Header.Get("Authorization"))
	q.who.Agent = r.UserAgent()
	q.hold(c, r.Header.Get("Authorization"), r.Header.Get("X-Amz-Security-Token"))
	if r.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gunzip(body); err != nil {
			return q, &apiError{Code: "SerializationException", Message: err.Error()}
		}
	}
	var tree any
	var err error
	switch target, path := r.Header.Get("X-Amz-Target"), r.URL.Path; {
	case strings.Contains(path, "/service/GraniteServiceVersion20100801/operation/"):
		q.service, q.operation = "monitoring", path[strings.LastIndexByte(path, '/')+1:]
		q.wire = cborWire{namespace: "com.amazonaws.cloudwatch#"}
		tree, err = readCBOR(body)
	case target != "":
		err = q.target(target)
		if err == nil {
			tree, err = readJSON(body)
		}
	case strings.Contains(path, "/2015-03-31/event-source-mappings"):
		q.service, q.operation = "lambda", "ListEventSourceMappings"
		q.wire = jsonWire{contentType: "application/json"}
		if tree = restInput(r.URL.Query()); r.Method != http.MethodGet {
			return q, &apiError{Code: "UnknownOperationException", Message: "the sandbox's Lambda only lists event source mappings", Status: http.StatusNotFound}
		}
	case isFIS(r):
		tree, err = q.lever(r, body)
	case isScheduler(r, scope):
		tree, err = q.rest(r, body)
	default:
		tree, err = q.query(r, body, scope)
	}
	if err != nil {
		var told *apiError
		if !errors.As(err, &told) {
			err = &apiError{Code: "SerializationException", Message: err.Error()}
		}
		return q, err
	}
	q.input, _ = tree.(object)
	return q, nil
}

// callerOf reads the access key, the region and the service from a signature; it does not check it.
func (c *Cloud) callerOf(authorization string) (who caller, region, service string) {
	by := "other"
	if _, rest, ok := strings.Cut(authorization, "Credential="); ok {
		rest, _, _ = strings.Cut(rest, ",")
		if p := strings.Split(strings.TrimSpace(rest), "/"); len(p) == 5 {
			if known := c.options.Keys[p[0]]; known != "" {
				by = known
			}
			region, service = p[2], p[3]
		}
	}
	return caller{By: by, ARN: "arn:aws:iam::" + c.options.Account + ":user/" + by}, region, service
}

func (q *request) target(header string) error {
	prefix, op := targetOf(header)
	q.operation = op
	switch prefix {
	case "DynamoDB_20120810":
		q.service = "dynamodb"
		q.wire = jsonWire{contentType: "application/x-amz-json-1.0", namespace: "com.amazonaws.dynamodb.v20120810#"}
	case "AmazonSQS":
		q.service = "sqs"
		q.wire = jsonWire{contentType: "application/x-amz-json-1.0", namespace: "com.amazonaws.sqs#"}
	case "AmazonSSM", "secretsmanager":
		q.service = map[string]string{"AmazonSSM": "ssm"}[prefix]
		if q.service == "" {
			q.service = prefix
		}
		q.wire = jsonWire{contentType: "application/x-amz-json-1.1", namespace: ""}
	case "AnyScaleFrontendService":
		q.service = "application-autoscaling"
		q.wire = jsonWire{contentType: "application/x-amz-json-1.1", namespace: "com.amazonaws.autoscaling#"}
	case "CloudTrail_20131101":
		q.service, q.wire = "cloudtrail", jsonWire{contentType: "application/x-amz-json-1.1"}
	case "GraniteServiceVersion20100801":
		q.service = "monitoring"
		q.wire = jsonWire{contentType: "application/x-amz-json-1.0", namespace: "com.amazonaws.cloudwatch#"}
	default:
		return &apiError{Code: "UnknownOperationException", Message: fmt.Sprintf("the sandbox has no %s", header)}
	}
	return nil
}

// query reads a Query request; the API version names the service.
func (q *request) query(r *http.Request, body []byte, scope string) (any, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("read form: %w", err)
	}
	for k, v := range r.URL.Query() {
		form[k] = v
	}
	q.operation = form.Get("Action")
	switch version := form.Get("Version"); version {
	case "2011-06-15":
		q.service = "sts"
	case "2010-05-08":
		q.service = "iam"
	case "2010-03-31":
		q.service = "sns"
	case "2015-12-01":
		q.service = "elasticloadbalancing"
	case "2010-08-01":
		q.service = "monitoring"
	case "2012-11-05":
		q.service = "sqs"
	default:
		q.service = scope
	}
	q.wire = queryWire{namespace: "https://" + q.service + ".amazonaws.com/doc/" + form.Get("Version") + "/"}
	if q.operation == "" {
		return nil, &apiError{Code: "MissingAction", Message: "this is firedrill's sandbox; the request names no action"}
	}
	return readQuery(form)
}

func restInput(v url.Values) object {
	o := object{}
	for k := range v {
		o[k] = v.Get(k)
	}
	return o
}

func gunzip(body []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(z, maxBody))
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	return b, nil
}

func requestID() string {
	b := make([]byte, 16)
	rand.Read(b)
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
