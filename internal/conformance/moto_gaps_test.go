package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"

	"github.com/firedrill/firedrill/inject"
)

// gaps stands before moto where it is unlike AWS in what our faults ask.
//
// It has no message move tasks and answers 500. In moto nobody can start one, so there is none.
//
// In 5.2.1, no longer in 5.2.5, a DynamoDB tag that is there already is told twice after another TagResource instead
// of being overwritten; with more than ten tags told, its pages may then lead back to each other for ever.
type gaps struct{ next http.RoundTripper }

const (
	listMoves = "AmazonSQS.ListMessageMoveTasks"
	putTags   = "DynamoDB_20120810.TagResource"
	takeTags  = "DynamoDB_20120810.UntagResource"
)

func (g gaps) RoundTrip(r *http.Request) (*http.Response, error) {
	switch r.Header.Get("X-Amz-Target") {
	case listMoves:
		return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Proto: r.Proto, Request: r, ContentLength: -1,
			Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(`{"Results":[]}`))}, nil
	case putTags:
		return g.overwrite(r)
	}
	return g.next.RoundTrip(r)
}

// overwrite takes the tags away before they are put.
func (g gaps) overwrite(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	var in struct {
		ResourceArn string
		Tags        []struct{ Key string }
	}
	if err := errors.Join(err, r.Body.Close(), json.Unmarshal(body, &in)); err != nil {
		return nil, err
	}
	var keys []string
	for _, tag := range in.Tags {
		keys = append(keys, tag.Key)
	}
	away, err := json.Marshal(map[string]any{"ResourceArn": in.ResourceArn, "TagKeys": keys})
	if err != nil {
		return nil, err
	}
	answer, err := g.send(r, takeTags, away)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return answer, nil
	}
	if err := answer.Body.Close(); err != nil {
		return nil, err
	}
	return g.send(r, putTags, body)
}

// send is the request with another target and body; moto looks at no signature.
func (g gaps) send(r *http.Request, target string, body []byte) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Amz-Target", target)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return g.next.RoundTrip(r)
}

// queried is CloudWatch over the Query protocol: moto knows no CBOR, which is what the SDK speaks of itself. All
// else of the client is the same.
func queried(c *inject.Clients) *cloudwatch.Client {
	return cloudwatch.NewFromConfig(c.Config, func(o *cloudwatch.Options) { o.Protocol = awsquery.New(schemas.GraniteServiceVersion20100801) })
}
