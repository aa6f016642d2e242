package sandbox

import (
	"context"
	"time"

	aws "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// consumed waits until CloudWatch shows that somebody asks the queue for messages: who plans to poison it looks there
// for its consumer.
func (st *staging) consumed(ctx context.Context, now func() time.Time) error {
	for {
		out, err := st.cw.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("AWS/SQS"), MetricName: aws.String("NumberOfEmptyReceives"),
			Dimensions: []types.Dimension{{Name: aws.String("QueueName"), Value: aws.String(ordersQueue)}},
			StartTime:  aws.Time(now().Add(-time.Minute)), EndTime: aws.Time(now().Add(time.Minute)),
			Period: aws.Int32(60), Statistics: []types.Statistic{types.StatisticSum},
		})
		if err != nil || len(out.Datapoints) > 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
