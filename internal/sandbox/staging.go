package sandbox

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

const (
	ordersTable = "orders"
	stockTable  = "stock"
	ordersQueue = "orders"
	ordersDLQ   = "orders-dlq"
	deadmanDLQ  = "firedrill-deadman-dlq"
	balancer    = "orders"
	onCallTopic = "oncall"
)

// staging sets the account up with the real SDK.
type staging struct {
	world World
	db    *dynamodb.Client
	as    *applicationautoscaling.Client
	mq    *sqs.Client
	lb    *elb.Client
	cw    *cloudwatch.Client
	topic *sns.Client

	topicARN  string
	dimension string // of the load balancer, as its metrics name it: app/orders/…
	port      int32  // of the listener
	private   bool   // the load balancer is internal
}

func newStaging(w World) *staging {
	k := w.Keys["other"]
	c := aws.Config{Region: w.Region, BaseEndpoint: aws.String(w.AWS), Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, "")}
	return &staging{world: w, db: dynamodb.NewFromConfig(c), as: applicationautoscaling.NewFromConfig(c), mq: sqs.NewFromConfig(c),
		lb: elb.NewFromConfig(c), cw: cloudwatch.NewFromConfig(c), topic: sns.NewFromConfig(c)}
}

// tags are what a target must carry to be allowed in a drill.
func tags() map[string]string {
	return map[string]string{"environment": "sandbox", "firedrill": "allowed"}
}

// build makes tables, queues, the load balancer in front of the API on port, the topic and the alarms. Tables take
// their time to become active, so the rest is made meanwhile.
func (s *staging) build(ctx context.Context, port int) error {
	var wg sync.WaitGroup
	errs := make([]error, 2)
	wg.Go(func() { errs[0] = s.table(ctx, ordersTable, 0) })
	wg.Go(func() {
		if errs[1] = s.table(ctx, stockTable, 100); errs[1] == nil {
			errs[1] = s.scale(ctx, stockTable)
		}
	})
	var err error
	for _, make := range []func(context.Context) error{
		s.queues,
		func(ctx context.Context) error { return s.balance(ctx, port) },
		s.makeTopic,
		s.alarms,
	} {
		if err = make(ctx); err != nil {
			break
		}
	}
	wg.Wait()
	for _, e := range append(errs, err) {
		if e != nil {
			return e
		}
	}
	return nil
}

// table makes a table and waits for it; without capacity it is on demand.
func (s *staging) table(ctx context.Context, name string, capacity int64) error {
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}
	for k, v := range tags() {
		in.Tags = append(in.Tags, types.Tag{Key: &k, Value: &v})
	}
	if capacity > 0 {
		in.BillingMode = types.BillingModeProvisioned
		in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: &capacity, WriteCapacityUnits: &capacity}
	}
	if _, err := s.db.CreateTable(ctx, in); err != nil {
		return fmt.Errorf("create table %s: %w", name, err)
	}
	for {
		d, err := s.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return fmt.Errorf("describe table %s: %w", name, err)
		}
		if d.Table.TableStatus == types.TableStatusActive {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for table %s: %w", name, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// scale hands a table's capacity to auto scaling, reads and writes.
func (s *staging) scale(ctx context.Context, name string) error {
	resource := "table/" + name
	for dimension, metric := range map[scaling.ScalableDimension]scaling.MetricType{
		scaling.ScalableDimensionDynamoDBTableWriteCapacityUnits: scaling.MetricTypeDynamoDBWriteCapacityUtilization,
		scaling.ScalableDimensionDynamoDBTableReadCapacityUnits:  scaling.MetricTypeDynamoDBReadCapacityUtilization,
	} {
		_, err := s.as.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{
			ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: &resource, ScalableDimension: dimension,
			MinCapacity: aws.Int32(50), MaxCapacity: aws.Int32(400), Tags: tags(),
		})
		if err != nil {
			return fmt.Errorf("register scalable target %s: %w", resource, err)
		}
		_, err = s.as.PutScalingPolicy(ctx, &applicationautoscaling.PutScalingPolicyInput{
			ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: &resource, ScalableDimension: dimension,
			PolicyName: aws.String(name + "-" + string(metric)), PolicyType: scaling.PolicyTypeTargetTrackingScaling,
			TargetTrackingScalingPolicyConfiguration: &scaling.TargetTrackingScalingPolicyConfiguration{TargetValue: aws.Float64(70),
				PredefinedMetricSpecification: &scaling.PredefinedMetricSpecification{PredefinedMetricType: metric}},
		})
		if err != nil {
			return fmt.Errorf("put scaling policy of %s: %w", resource, err)
		}
	}
	return nil
}

func (s *staging) queues(ctx context.Context) error {
	dlq, err := s.mq.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(ordersDLQ), Tags: tags()})
	if err != nil {
		return fmt.Errorf("create queue %s: %w", ordersDLQ, err)
	}
	if _, err := s.mq.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(deadmanDLQ), Tags: map[string]string{"environment": "sandbox"}}); err != nil {
		return fmt.Errorf("create queue %s: %w", deadmanDLQ, err)
	}
	target := "arn:aws:sqs:" + s.world.Region + ":" + s.world.Account + ":" + ordersDLQ
	q, err := s.mq.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(ordersQueue), Tags: tags(), Attributes: map[string]string{
		"VisibilityTimeout": "1",
		"RedrivePolicy":     `{"deadLetterTargetArn":` + strconv.Quote(target) + `,"maxReceiveCount":2}`,
	}})
	if err != nil {
		return fmt.Errorf("create queue %s: %w", ordersQueue, err)
	}
	s.world.Vars["orders_queue"], s.world.Vars["orders_dlq"] = *q.QueueUrl, *dlq.QueueUrl
	return nil
}

// vars tells drills the names of things.
func (s *staging) vars(ordersURL string) {
	v := s.world.Vars
	v["orders_table"], v["stock_table"] = ordersTable, stockTable
	v["orders_url"] = ordersURL
	v["lb_url"] = fmt.Sprintf("http://127.0.0.1:%d", s.port)
	v["users_url"], v["home_url"] = v["lb_url"]+"/users", v["lb_url"]+"/"
}
