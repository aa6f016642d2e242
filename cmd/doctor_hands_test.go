package cmd

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/internal/killtest"
)

// tagBalancer tags a listener and its load balancer as an administrator would.
func (c *clinic) tagBalancer(arns []string) {
	c.t.Helper()
	_, err := elb.NewFromConfig(c.aws).AddTags(c.t.Context(), &elb.AddTagsInput{ResourceArns: arns,
		Tags: []elbtypes.Tag{{Key: aws.String("firedrill"), Value: aws.String("allowed")}}})
	c.must(err)
}

// topic makes a topic to which nobody listens.
func (c *clinic) topic(name string) string {
	c.t.Helper()
	out, err := sns.NewFromConfig(c.aws).CreateTopic(c.t.Context(), &sns.CreateTopicInput{Name: &name})
	c.must(err)
	return *out.TopicArn
}

// protect sets the protection of the journal's table, once it is at rest.
func (c *clinic) protect(yes bool) {
	c.t.Helper()
	db, name := dynamodb.NewFromConfig(c.aws), "firedrill"
	rests := func(protected func(bool) bool) {
		c.must(killtest.Until(c.t.Context(), func() (bool, error) {
			out, err := db.DescribeTable(c.t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
			return err == nil && out.Table.TableStatus == types.TableStatusActive && protected(aws.ToBool(out.Table.DeletionProtectionEnabled)), err
		}))
	}
	rests(func(bool) bool { return true })
	_, err := db.UpdateTable(c.t.Context(), &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: &yes})
	c.must(err)
	rests(func(now bool) bool { return now == yes })
}

// carryOut makes the call that a command line of the AWS CLI would, as an administrator. False: it is none, or one whose
// remedy is not for this test to make.
func (c *clinic) carryOut(line string) (command string, ok bool) {
	c.t.Helper()
	words := shellWords(line)
	if len(words) < 3 || words[0] != "aws" {
		return "", false
	}
	flags := map[string][]string{}
	last := ""
	for _, w := range words[3:] {
		if w == "#" { // what follows is for people
			break
		}
		if name, flag := strings.CutPrefix(w, "--"); flag {
			last, flags[name] = name, []string{}
		} else {
			flags[last] = append(flags[last], w)
		}
	}
	one := func(name string) string {
		if len(flags[name]) == 0 {
			return ""
		}
		return flags[name][0]
	}
	command = words[1] + " " + words[2]
	act := c.hands(flags, one)[command]
	if act == nil {
		return command, false
	}
	if one("region") != c.w.Region || one("endpoint-url") != c.w.AWS {
		c.t.Errorf("this would reach another place: %s", line)
	}
	c.must(act(c.t.Context()))
	return command, true
}

// hands are the calls behind the commands that a doctor names.
func (c *clinic) hands(flags map[string][]string, one func(string) string) map[string]func(context.Context) error {
	db, queues, lb, cw := dynamodb.NewFromConfig(c.aws), sqs.NewFromConfig(c.aws), elb.NewFromConfig(c.aws), cloudwatch.NewFromConfig(c.aws)
	return map[string]func(context.Context) error{
		"dynamodb tag-resource": func(ctx context.Context) error {
			in := &dynamodb.TagResourceInput{ResourceArn: aws.String(one("resource-arn"))}
			for k, v := range keyValues(flags["tags"], "Key") {
				in.Tags = append(in.Tags, types.Tag{Key: &k, Value: &v})
			}
			_, err := db.TagResource(ctx, in)
			return err
		},
		"sqs tag-queue": func(ctx context.Context) error {
			tags := map[string]string{}
			for _, pair := range strings.Split(one("tags"), ",") {
				k, v, _ := strings.Cut(pair, "=")
				tags[k] = v
			}
			_, err := queues.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: aws.String(one("queue-url")), Tags: tags})
			return err
		},
		"sqs create-queue": func(ctx context.Context) error {
			_, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(one("queue-name"))})
			return err
		},
		"elbv2 add-tags": func(ctx context.Context) error {
			in := &elb.AddTagsInput{ResourceArns: flags["resource-arns"]}
			for k, v := range keyValues(flags["tags"], "Key") {
				in.Tags = append(in.Tags, elbtypes.Tag{Key: &k, Value: &v})
			}
			_, err := lb.AddTags(ctx, in)
			return err
		},
		"cloudwatch enable-alarm-actions": func(ctx context.Context) error {
			_, err := cw.EnableAlarmActions(ctx, &cloudwatch.EnableAlarmActionsInput{AlarmNames: flags["alarm-names"]})
			return err
		},
		"cloudwatch put-metric-alarm": func(ctx context.Context) error { return putAlarm(ctx, cw, flags, one) },
		"dynamodb update-table": func(ctx context.Context) error {
			if _, protect := flags["deletion-protection-enabled"]; protect && one("table-name") == "firedrill" {
				c.protect(true)
			}
			return nil
		},
	}
}

// putAlarm is cloudwatch put-metric-alarm.
func putAlarm(ctx context.Context, cw *cloudwatch.Client, flags map[string][]string, one func(string) string) error {
	number := func(name string) *int32 {
		n, _ := strconv.Atoi(one(name))
		return aws.Int32(int32(n)) //nolint:gosec // a test's own
	}
	threshold, _ := strconv.ParseFloat(one("threshold"), 64)
	_, on := flags["actions-enabled"]
	in := &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String(one("alarm-name")), Namespace: aws.String(one("namespace")), MetricName: aws.String(one("metric-name")),
		Statistic: cwtypes.Statistic(one("statistic")), Period: number("period"), EvaluationPeriods: number("evaluation-periods"),
		DatapointsToAlarm: number("datapoints-to-alarm"), Threshold: &threshold, ComparisonOperator: cwtypes.ComparisonOperator(one("comparison-operator")),
		TreatMissingData: aws.String(one("treat-missing-data")), ActionsEnabled: &on, AlarmActions: flags["alarm-actions"], OKActions: flags["ok-actions"]}
	for k, v := range keyValues(flags["dimensions"], "Name") {
		in.Dimensions = append(in.Dimensions, cwtypes.Dimension{Name: &k, Value: &v})
	}
	_, err := cw.PutMetricAlarm(ctx, in)
	return err
}

// keyValues reads Key=…,Value=… pairs.
func keyValues(words []string, key string) map[string]string {
	out := map[string]string{}
	for _, w := range words {
		k, v, _ := strings.Cut(strings.TrimPrefix(w, key+"="), ",Value=")
		out[k] = v
	}
	return out
}

// shellWords cuts a line as a shell would, as far as these lines go: blanks, and single quotes.
func shellWords(line string) (words []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}
