package cmd

import "testing"

func TestErrorsComeWithoutTheSDKsWay(t *testing.T) {
	for said, want := range map[string]string{
		`read journal in DynamoDB table firedrill: operation error DynamoDB: Query, get identity: get credentials: failed to refresh cached credentials, operation error STS: AssumeRole, https response error StatusCode: 0, RequestID: , request send failed, Post "https://sts.eu-west-1.amazonaws.com/": dial tcp: no such host`: `read journal in DynamoDB table firedrill: Post "https://sts.eu-west-1.amazonaws.com/": dial tcp: no such host`,
		`list queues: operation error SQS: ListQueues, exceeded maximum number of attempts, 3, https response error StatusCode: 0, RequestID: , canceled, context deadline exceeded`:                                                                                                                                                 `list queues: context deadline exceeded`,
		`operation error SQS: ListQueues, https response error StatusCode: 403, RequestID: 1, api error AccessDenied: no`:                                                                                                                                                                                                            `operation error SQS: ListQueues, https response error StatusCode: 403, RequestID: 1, api error AccessDenied: no`,
	} {
		if got := withoutChain(said); got != want {
			t.Errorf("%q", got)
		}
	}
}
