package killtest

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// AWS is the account as somebody who has nothing to do with the drill.
func (s Stage) AWS(ctx context.Context) (aws.Config, error) {
	w, err := s.World(ctx)
	k := w.Keys["other"]
	return aws.Config{Region: w.Region, BaseEndpoint: aws.String(w.AWS), Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, "")}, err
}

// Silence switches every alarm off that would page somebody.
func (s Stage) Silence(ctx context.Context) error {
	cfg, err := s.AWS(ctx)
	if err != nil {
		return err
	}
	cw := cloudwatch.NewFromConfig(cfg)
	all, err := cw.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
	if err != nil {
		return fmt.Errorf("silence alarms: %w", err)
	}
	var names []string
	for _, a := range all.MetricAlarms {
		names = append(names, *a.AlarmName)
	}
	if _, err := cw.DisableAlarmActions(ctx, &cloudwatch.DisableAlarmActionsInput{AlarmNames: names}); err != nil {
		return fmt.Errorf("silence alarms: %w", err)
	}
	return nil
}

// Strangers puts n messages into the dead-letter queue that are nobody's business.
func (s Stage) Strangers(ctx context.Context, n int) error {
	w, err := s.World(ctx)
	if err != nil {
		return err
	}
	cfg, err := s.AWS(ctx)
	if err != nil {
		return err
	}
	for i := range n {
		_, err := sqs.NewFromConfig(cfg).SendMessage(ctx, &sqs.SendMessageInput{
			QueueUrl: aws.String(w.Vars["orders_dlq"]), MessageBody: aws.String(fmt.Sprintf("a stranger's order %d", i+1))})
		if err != nil {
			return fmt.Errorf("send a stranger's message: %w", err)
		}
	}
	return nil
}
