package observe

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Clients is what probes look through. Every one of them only reads.
type Clients struct {
	HTTP       *http.Client // nil is a plain client of our own
	CloudWatch CloudWatchAPI
	SQS        SQSAPI
	Now        func() time.Time // the runner's clock; required
	// Secret reads a reference such as env:NAME; nil where nothing does.
	Secret func(ctx context.Context, ref string) (string, error)
}

// CloudWatchAPI is what we ask of CloudWatch; *cloudwatch.Client has it.
type CloudWatchAPI interface {
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
	DescribeAlarmHistory(context.Context, *cloudwatch.DescribeAlarmHistoryInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmHistoryOutput, error)
	GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
}

// SQSAPI is what we ask of SQS: no message is ever received. *sqs.Client has it.
type SQSAPI interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

var (
	_ CloudWatchAPI = (*cloudwatch.Client)(nil)
	_ SQSAPI        = (*sqs.Client)(nil)
)

// cloudWatchCalls are the calls of CloudWatchAPI and muteAPI, one by one: a client that stands behind an interface would
// carry all that it can do into the program.
type cloudWatchCalls struct {
	alarms  func(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
	history func(context.Context, *cloudwatch.DescribeAlarmHistoryInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmHistoryOutput, error)
	data    func(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
	mutes   func(context.Context, *cloudwatch.ListAlarmMuteRulesInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListAlarmMuteRulesOutput, error)
}

// CloudWatchOf is CloudWatch of an account and region.
func CloudWatchOf(cfg aws.Config) CloudWatchAPI {
	c := cloudwatch.NewFromConfig(cfg)
	return &cloudWatchCalls{alarms: c.DescribeAlarms, history: c.DescribeAlarmHistory, data: c.GetMetricData, mutes: c.ListAlarmMuteRules}
}

func (c *cloudWatchCalls) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput, o ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	return c.alarms(ctx, in, o...)
}

func (c *cloudWatchCalls) DescribeAlarmHistory(ctx context.Context, in *cloudwatch.DescribeAlarmHistoryInput, o ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	return c.history(ctx, in, o...)
}

func (c *cloudWatchCalls) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, o ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	return c.data(ctx, in, o...)
}

func (c *cloudWatchCalls) ListAlarmMuteRules(ctx context.Context, in *cloudwatch.ListAlarmMuteRulesInput, o ...func(*cloudwatch.Options)) (*cloudwatch.ListAlarmMuteRulesOutput, error) {
	return c.mutes(ctx, in, o...)
}
