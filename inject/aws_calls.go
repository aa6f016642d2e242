package inject

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Balancers are the calls that we make of Elastic Load Balancing, one by one: a field with its client would carry all of
// it into the program, a megabyte and a half.
type Balancers struct {
	DescribeListeners     func(context.Context, *elb.DescribeListenersInput, ...func(*elb.Options)) (*elb.DescribeListenersOutput, error)
	DescribeLoadBalancers func(context.Context, *elb.DescribeLoadBalancersInput, ...func(*elb.Options)) (*elb.DescribeLoadBalancersOutput, error)
	DescribeTargetGroups  func(context.Context, *elb.DescribeTargetGroupsInput, ...func(*elb.Options)) (*elb.DescribeTargetGroupsOutput, error)
	DescribeTargetHealth  func(context.Context, *elb.DescribeTargetHealthInput, ...func(*elb.Options)) (*elb.DescribeTargetHealthOutput, error)
	DescribeRules         func(context.Context, *elb.DescribeRulesInput, ...func(*elb.Options)) (*elb.DescribeRulesOutput, error)
	DescribeTags          func(context.Context, *elb.DescribeTagsInput, ...func(*elb.Options)) (*elb.DescribeTagsOutput, error)
	CreateRule            func(context.Context, *elb.CreateRuleInput, ...func(*elb.Options)) (*elb.CreateRuleOutput, error)
	ModifyRule            func(context.Context, *elb.ModifyRuleInput, ...func(*elb.Options)) (*elb.ModifyRuleOutput, error)
	DeleteRule            func(context.Context, *elb.DeleteRuleInput, ...func(*elb.Options)) (*elb.DeleteRuleOutput, error)
}

func balancersOf(cfg aws.Config) Balancers {
	c := elb.NewFromConfig(cfg)
	return Balancers{
		DescribeListeners:     c.DescribeListeners,
		DescribeLoadBalancers: c.DescribeLoadBalancers,
		DescribeTargetGroups:  c.DescribeTargetGroups,
		DescribeTargetHealth:  c.DescribeTargetHealth,
		DescribeRules:         c.DescribeRules,
		DescribeTags:          c.DescribeTags,
		CreateRule:            c.CreateRule,
		ModifyRule:            c.ModifyRule,
		DeleteRule:            c.DeleteRule,
	}
}

// Scaling are the calls that we make of Application Auto Scaling.
type Scaling struct {
	DescribeScalableTargets func(context.Context, *scaling.DescribeScalableTargetsInput, ...func(*scaling.Options)) (*scaling.DescribeScalableTargetsOutput, error)
	RegisterScalableTarget  func(context.Context, *scaling.RegisterScalableTargetInput, ...func(*scaling.Options)) (*scaling.RegisterScalableTargetOutput, error)
}

func scalingOf(cfg aws.Config) Scaling {
	c := scaling.NewFromConfig(cfg)
	return Scaling{DescribeScalableTargets: c.DescribeScalableTargets, RegisterScalableTarget: c.RegisterScalableTarget}
}

// Scheduling are the calls that we make of EventBridge Scheduler.
type Scheduling struct {
	CreateSchedule func(context.Context, *scheduler.CreateScheduleInput, ...func(*scheduler.Options)) (*scheduler.CreateScheduleOutput, error)
	GetSchedule    func(context.Context, *scheduler.GetScheduleInput, ...func(*scheduler.Options)) (*scheduler.GetScheduleOutput, error)
	DeleteSchedule func(context.Context, *scheduler.DeleteScheduleInput, ...func(*scheduler.Options)) (*scheduler.DeleteScheduleOutput, error)
	ListSchedules  func(context.Context, *scheduler.ListSchedulesInput, ...func(*scheduler.Options)) (*scheduler.ListSchedulesOutput, error)
}

func schedulingOf(cfg aws.Config) Scheduling {
	c := scheduler.NewFromConfig(cfg)
	return Scheduling{CreateSchedule: c.CreateSchedule, GetSchedule: c.GetSchedule, DeleteSchedule: c.DeleteSchedule, ListSchedules: c.ListSchedules}
}

// Identity is the call that tells who we are, as AWS sees us.
type Identity struct {
	GetCallerIdentity func(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error)
}

func identityOf(cfg aws.Config) Identity {
	return Identity{GetCallerIdentity: sts.NewFromConfig(cfg).GetCallerIdentity}
}

// lister is Scheduling for the SDK's own paginator.
type lister struct{ Scheduling }

// ListSchedules is the call.
func (l lister) ListSchedules(ctx context.Context, in *scheduler.ListSchedulesInput, o ...func(*scheduler.Options)) (*scheduler.ListSchedulesOutput, error) {
	return l.Scheduling.ListSchedules(ctx, in, o...)
}

// Tables are the calls that we make of DynamoDB's control plane.
type Tables struct {
	CreateTable          func(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	DeleteResourcePolicy func(context.Context, *dynamodb.DeleteResourcePolicyInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteResourcePolicyOutput, error)
	DeleteTable          func(context.Context, *dynamodb.DeleteTableInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteTableOutput, error)
	DescribeTable        func(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
	GetResourcePolicy    func(context.Context, *dynamodb.GetResourcePolicyInput, ...func(*dynamodb.Options)) (*dynamodb.GetResourcePolicyOutput, error)
	ListTables           func(context.Context, *dynamodb.ListTablesInput, ...func(*dynamodb.Options)) (*dynamodb.ListTablesOutput, error)
	ListTagsOfResource   func(context.Context, *dynamodb.ListTagsOfResourceInput, ...func(*dynamodb.Options)) (*dynamodb.ListTagsOfResourceOutput, error)
	PutResourcePolicy    func(context.Context, *dynamodb.PutResourcePolicyInput, ...func(*dynamodb.Options)) (*dynamodb.PutResourcePolicyOutput, error)
	TagResource          func(context.Context, *dynamodb.TagResourceInput, ...func(*dynamodb.Options)) (*dynamodb.TagResourceOutput, error)
	UntagResource        func(context.Context, *dynamodb.UntagResourceInput, ...func(*dynamodb.Options)) (*dynamodb.UntagResourceOutput, error)
	UpdateTable          func(context.Context, *dynamodb.UpdateTableInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateTableOutput, error)
}

func tablesOf(cfg aws.Config) Tables {
	c := dynamodb.NewFromConfig(cfg)
	return Tables{
		CreateTable:          c.CreateTable,
		DeleteResourcePolicy: c.DeleteResourcePolicy,
		DeleteTable:          c.DeleteTable,
		DescribeTable:        c.DescribeTable,
		GetResourcePolicy:    c.GetResourcePolicy,
		ListTables:           c.ListTables,
		ListTagsOfResource:   c.ListTagsOfResource,
		PutResourcePolicy:    c.PutResourcePolicy,
		TagResource:          c.TagResource,
		UntagResource:        c.UntagResource,
		UpdateTable:          c.UpdateTable,
	}
}

// Items are those of its data plane: what a load and its probe ask. None is tried again: each answer counts.
type Items struct {
	GetItem    func(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem func(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

func itemsOf(cfg aws.Config) Items {
	c := dynamodb.NewFromConfig(cfg, func(d *dynamodb.Options) { d.Retryer = aws.NopRetryer{} })
	return Items{
		GetItem:    c.GetItem,
		UpdateItem: c.UpdateItem,
	}
}

// Metrics are the calls that we make of CloudWatch; what looks at alarms has its own.
type Metrics struct {
	GetMetricData       func(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
	GetMetricStatistics func(context.Context, *cloudwatch.GetMetricStatisticsInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricStatisticsOutput, error)
}

func metricsOf(cfg aws.Config) Metrics {
	c := cloudwatch.NewFromConfig(cfg)
	return Metrics{
		GetMetricData:       c.GetMetricData,
		GetMetricStatistics: c.GetMetricStatistics,
	}
}
