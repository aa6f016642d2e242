package inject

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// When whole Lambda batches fail, good messages fail along. So few of ours, and so many receives, keep theirs safe.
const (
	fewMessages  = 5
	manyReceives = 3
)

// consumer proves that somebody consumes the queue, and says how; depth proves nothing. It refuses a Lambda
// function whose failed batches would drag good messages into the DLQ.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func (f *poison) consumer(ctx context.Context, q queue, d poisonUndo, now time.Time) (string, error) {
	feeds, err := f.feeds(ctx, q.arn())
	if err != nil {
		return "", err
	}
	for _, m := range feeds {
		alone := slices.Contains(m.FunctionResponseTypes, types.FunctionResponseTypeReportBatchItemFailures) || aws.ToInt32(m.BatchSize) == 1
		if !alone && (d.MaxReceive < manyReceives || d.Count > fewMessages) {
			return "", Refuse("let it report batch item failures, or send at most 5 messages to a queue with 3 or more receives",
				"function %s takes batches of %d and does not report single failures: good messages would dead-letter along", aws.ToString(m.FunctionArn), aws.ToInt32(m.BatchSize))
		}
	}
	if len(feeds) > 0 {
		return "lambda: " + aws.ToString(feeds[0].FunctionArn), nil
	}
	received, asked, err := f.receives(ctx, q, now.Add(-f.timing.Window), now)
	if err != nil {
		return "", err
	}
	if received == 0 {
		return "", Refuse("start its consumer, and wait until CloudWatch shows its receives",
			"nobody is known to consume queue %s: no event source mapping, and no receives in the last %s", q.name(), f.timing.Window)
	}
	return fmt.Sprintf("receives in %d of %d periods of %s", received, asked, f.timing.Period), nil
}

// feeds lists the event source mappings of a queue that are not switched off.
func (k *poisoning) feeds(ctx context.Context, arn string) ([]types.EventSourceMappingConfiguration, error) {
	var on []types.EventSourceMappingConfiguration
	in := &lambda.ListEventSourceMappingsInput{EventSourceArn: &arn}
	for {
		out, err := k.mappings(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list event source mappings of queue %s: %w", arn, err)
		}
		for _, m := range out.EventSourceMappings {
			if state := aws.ToString(m.State); state != "Disabled" && state != "Disabling" && state != "Deleting" {
				on = append(on, m)
			}
		}
		if aws.ToString(out.NextMarker) == "" {
			return on, nil
		}
		in.Marker = out.NextMarker
	}
}

// receives counts the periods of a time in which somebody asked the queue for messages, found or not.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
func (k *poisoning) receives(ctx context.Context, q queue, from, to time.Time) (periods, of int, err error) {
	in := map[time.Time]bool{}
	for _, name := range []string{"NumberOfMessagesReceived", "NumberOfEmptyReceives"} {
		out, err := k.metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("AWS/SQS"), MetricName: aws.String(name),
			Dimensions: []cwtypes.Dimension{{Name: aws.String("QueueName"), Value: aws.String(q.name())}},
			StartTime:  aws.Time(from), EndTime: aws.Time(to.Add(k.timing.Period)),
			Period: aws.Int32(int32(k.timing.Period.Seconds())), Statistics: []cwtypes.Statistic{cwtypes.StatisticSum},
		})
		if err != nil {
			return 0, 0, fmt.Errorf("read %s of queue %s: %w", name, q.name(), err)
		}
		for _, p := range out.Datapoints {
			if aws.ToFloat64(p.Sum) > 0 {
				in[aws.ToTime(p.Timestamp)] = true
			}
		}
	}
	return len(in), int(to.Sub(from) / k.timing.Period), nil
}
