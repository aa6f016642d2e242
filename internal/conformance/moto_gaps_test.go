package conformance

import (
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"

	"github.com/firedrill/firedrill/inject"
)

// gaps stands before moto and answers the one call of ours that moto does not know: it has no message move tasks,
// and answers 500. In moto nobody can start one, so there is none.
type gaps struct{ next http.RoundTripper }

func (g gaps) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Target") != "AmazonSQS.ListMessageMoveTasks" {
		return g.next.RoundTrip(r)
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Proto: r.Proto, Request: r, ContentLength: -1,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(`{"Results":[]}`))}, nil
}

// queried is CloudWatch over the Query protocol: moto knows no CBOR, which is what the SDK speaks of itself. All
// else of the client is the same.
func queried(c *inject.Clients) *cloudwatch.Client {
	return cloudwatch.NewFromConfig(c.Config, func(o *cloudwatch.Options) { o.Protocol = awsquery.New(schemas.GraniteServiceVersion20100801) })
}
