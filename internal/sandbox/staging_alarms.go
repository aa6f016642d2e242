package sandbox

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// alarmPeriod is short, so that a drill in the sandbox takes seconds. Seconds.
const alarmPeriod = 2

// alarm is one alarm of the shop's team.
type alarm struct {
	name, about       string
	namespace, metric string
	dimension, of     string
	statistic         types.Statistic
	above             float64
	silent            bool // without actions at all
	disabled          bool // with actions, but switched off
}

// ring lists the alarms. user-api-target-5xx is the trap: a fixed response of the load balancer does not move it.
func (s *staging) ring() []alarm {
	return []alarm{
		{name: "orders-write-throttled", about: "Writes of orders are throttled", namespace: "AWS/DynamoDB", metric: "WriteThrottleEvents",
			dimension: "TableName", of: ordersTable, statistic: types.StatisticSum},
		{name: "stock-throttled", about: "Writes of stock are throttled", namespace: "AWS/DynamoDB", metric: "WriteThrottleEvents",
			dimension: "TableName", of: stockTable, statistic: types.StatisticSum},
		{name: "orders-dead-letters", about: "Orders that nobody could read", namespace: "AWS/SQS", metric: "ApproximateNumberOfMessagesVisible",
			dimension: "QueueName", of: ordersDLQ, statistic: types.StatisticMaximum},
		{name: "orders-queue-age", about: "Orders wait in the queue for too long", namespace: "AWS/SQS", metric: "ApproximateAgeOfOldestMessage",
			dimension: "QueueName", of: ordersQueue, statistic: types.StatisticMaximum, above: 5},
		{name: "dynamodb-requests-refused", about: "DynamoDB refuses requests, for another reason than throttling", namespace: "AWS/DynamoDB", metric: "UserErrors",
			statistic: types.StatisticSum, above: 2},
		{name: "user-api-5xx", about: "The load balancer answers with errors", namespace: "AWS/ApplicationELB", metric: "HTTPCode_ELB_5XX_Count",
			dimension: "LoadBalancer", of: s.dimension, statistic: types.StatisticSum, above: 2},
		{name: "user-api-target-5xx", about: "The user API answers with errors", namespace: "AWS/ApplicationELB", metric: "HTTPCode_Target_5XX_Count",
			dimension: "LoadBalancer", of: s.dimension, statistic: types.StatisticSum, above: 2, disabled: true},
		{name: "orders-api-5xx", about: "The orders API fails", namespace: "Orders", metric: "Errors",
			dimension: "Service", of: "orders", statistic: types.StatisticSum, above: 3, silent: true},
		{name: "checkout-customers-hurt", about: "Real customers are affected: stop any drill", namespace: "Orders", metric: "CustomersHurt",
			dimension: "Service", of: "checkout", statistic: types.StatisticSum},
	}
}

// dimensions are none for a metric of the whole region.
func (a alarm) dimensions() []types.Dimension {
	if a.dimension == "" {
		return nil
	}
	return []types.Dimension{{Name: &a.dimension, Value: &a.of}}
}

func (s *staging) makeTopic(ctx context.Context) error {
	in := &sns.CreateTopicInput{Name: aws.String(onCallTopic)}
	for k, v := range tags() {
		in.Tags = append(in.Tags, snstypes.Tag{Key: &k, Value: &v})
	}
	t, err := s.topic.CreateTopic(ctx, in)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", onCallTopic, err)
	}
	s.topicARN = *t.TopicArn
	return nil
}

func (s *staging) alarms(ctx context.Context) error {
	for _, a := range s.ring() {
		in := &cloudwatch.PutMetricAlarmInput{
			AlarmName: &a.name, AlarmDescription: &a.about, Namespace: &a.namespace, MetricName: &a.metric,
			Dimensions: a.dimensions(),
			Statistic:  a.statistic, Period: aws.Int32(alarmPeriod), EvaluationPeriods: aws.Int32(1), DatapointsToAlarm: aws.Int32(1),
			Threshold: &a.above, ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
			TreatMissingData: aws.String("notBreaching"), ActionsEnabled: aws.Bool(!a.disabled),
		}
		if !a.silent {
			in.AlarmActions, in.OKActions = []string{s.topicARN}, []string{s.topicARN}
		}
		for k, v := range tags() {
			in.Tags = append(in.Tags, types.Tag{Key: &k, Value: &v})
		}
		if _, err := s.cw.PutMetricAlarm(ctx, in); err != nil {
			return fmt.Errorf("put alarm %s: %w", a.name, err)
		}
	}
	return nil
}

// subscribe connects the alarms' topic with the pager.
func (s *staging) subscribe(ctx context.Context) error {
	_, err := s.topic.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &s.topicARN, Protocol: aws.String("http"),
		Endpoint: aws.String(s.world.URL + "/integration/" + cloudWatchKey + "/enqueue")})
	if err != nil {
		return fmt.Errorf("subscribe the pager: %w", err)
	}
	return nil
}
