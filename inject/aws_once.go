package inject

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// These make one call one attempt: what was answered with an error may have taken effect all the same, and only
// the engine knows whether it may be issued again.

func onceDynamoDB(o *dynamodb.Options)              { o.Retryer = aws.NopRetryer{} }
func onceScaling(o *applicationautoscaling.Options) { o.Retryer = aws.NopRetryer{} }
func onceELB(o *elasticloadbalancingv2.Options)     { o.Retryer = aws.NopRetryer{} }
func onceSQS(o *sqs.Options)                        { o.Retryer = aws.NopRetryer{} }
func onceScheduler(o *scheduler.Options)            { o.Retryer = aws.NopRetryer{} }
