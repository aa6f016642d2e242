package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/firedrill/firedrill/internal/killtest"
)

// cmdAround is what goes on in a staging environment that has nothing to do with the drill: letters N (strangers' dead letters,
// with an alarm that takes them for usual), deploy (a target joins and leaves), deny SERVICE OPERATION and allow (what firedrill
// may ask, or skew SECONDS, the clock that it is told), incident TITLE…, low TITLE… and ended (somebody else's, at the orders team),
// tag NAME VALUE and untag NAME (of the orders table), forbid ACTION and permit (what IAM says that firedrill may).
func cmdAround(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: around letters|deploy|deny|allow|incident …")
	}
	ctx := context.Background()
	s := killtest.Stage{URL: ts.Getenv("FIREDRILL_SANDBOX")}
	w, err := s.World(ctx)
	ts.Check(err)
	cfg, err := s.AWS(ctx)
	ts.Check(err)
	switch what, rest := args[0], args[1:]; what {
	case "letters":
		n, err := strconv.Atoi(rest[0])
		ts.Check(err)
		_, err = cloudwatch.NewFromConfig(cfg).PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String("orders-dead-letters"),
			Namespace: aws.String("AWS/SQS"), MetricName: aws.String("ApproximateNumberOfMessagesVisible"), Statistic: types.StatisticMaximum,
			Dimensions: []types.Dimension{{Name: aws.String("QueueName"), Value: aws.String("orders-dlq")}}, Period: aws.Int32(2), EvaluationPeriods: aws.Int32(1),
			Threshold: aws.Float64(float64(n)), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("notBreaching"),
			AlarmActions: []string{"arn:aws:sns:" + w.Region + ":" + w.Account + ":oncall"}})
		ts.Check(err)
		ts.Check(s.Strangers(ctx, n))
	case "deploy":
		deploy(ctx, ts, elb.NewFromConfig(cfg))
	case "deny":
		id, err := s.Turn(ctx, killtest.Knob{Service: rest[0], Operation: rest[1], By: "firedrill", Effect: "deny"})
		ts.Check(err)
		ts.Setenv("DENIED", id)
	case "allow":
		ts.Check(s.Release(ctx, ts.Getenv("DENIED")))
	case "forbid", "permit":
		rights(ctx, ts, iam.NewFromConfig(cfg), rest)
	case "skew":
		by, err := strconv.ParseFloat(rest[0], 64)
		ts.Check(err)
		id, err := s.Turn(ctx, killtest.Knob{Service: "sts", Effect: "skew", SkewS: by})
		ts.Check(err)
		ts.Setenv("DENIED", id)
	case "incident", "low":
		theirIncident(ts, w, map[string]string{"event_action": "trigger", "severity": map[bool]string{true: "warning", false: "critical"}[what == "low"],
			"summary": strings.Join(rest, " ")})
	case "ended":
		theirIncident(ts, w, map[string]string{"event_action": "resolve", "severity": "info", "summary": "over"})
	case "tag", "untag":
		retag(ctx, ts, dynamodb.NewFromConfig(cfg), "arn:aws:dynamodb:"+w.Region+":"+w.Account+":table/orders", rest)
	default:
		ts.Fatalf("around %s: there is no such thing", what)
	}
}

// theirIncident begins or ends an incident that has nothing to do with us.
func theirIncident(ts *testscript.TestScript, w killtest.World, how map[string]string) {
	body, err := json.Marshal(map[string]any{"routing_key": w.Teams["orders"].Key, "event_action": how["event_action"], "dedup_key": "theirs",
		"payload": map[string]any{"summary": how["summary"], "source": "their monitoring", "severity": how["severity"]}})
	ts.Check(err)
	res, err := http.Post(w.URL+"/events/v2/enqueue", "application/json", bytes.NewReader(body))
	ts.Check(err)
	ts.Check(res.Body.Close())
	if res.StatusCode != http.StatusAccepted {
		ts.Fatalf("enqueue: %s", res.Status)
	}
}

// retag gives a table a tag (its name and value), or takes one off (its name).
func retag(ctx context.Context, ts *testscript.TestScript, api *dynamodb.Client, arn string, tag []string) {
	var err error
	if len(tag) == 2 {
		_, err = api.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: &arn, Tags: []dynamodbtypes.Tag{{Key: &tag[0], Value: &tag[1]}}})
	} else {
		_, err = api.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: &arn, TagKeys: tag})
	}
	ts.Check(err)
}

// rights let firedrill's own user do everything but one thing, as far as IAM is asked; without one, as before.
func rights(ctx context.Context, ts *testscript.TestScript, api *iam.Client, but []string) {
	user := aws.String("firedrill")
	if len(but) == 0 {
		_, err := api.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: user, PolicyArn: aws.String(ts.Getenv("RIGHTS"))})
		ts.Check(err)
		return
	}
	made, err := api.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("but"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"` + but[0] + `","Resource":"*"}]}`)})
	ts.Check(err)
	_, err = api.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: user, PolicyArn: made.Policy.Arn})
	ts.Check(err)
	ts.Setenv("RIGHTS", *made.Policy.Arn)
}

// deploy lets a second target join the load balancer and leave it: it drains for a while.
func deploy(ctx context.Context, ts *testscript.TestScript, api *elb.Client) {
	groups, err := api.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: []string{"orders-api"}})
	ts.Check(err)
	group := groups.TargetGroups[0].TargetGroupArn
	targets := []elbtypes.TargetDescription{{Id: aws.String("127.0.0.1"), Port: aws.Int32(1)}}
	_, err = api.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: group, Targets: targets})
	ts.Check(err)
	_, err = api.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: group, Targets: targets})
	ts.Check(err)
}
