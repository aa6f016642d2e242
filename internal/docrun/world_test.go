package docrun_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/cmd"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// TestMain makes this binary the program itself where it is called by that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "firedrill" {
		os.Exit(cmd.Main())
	}
	os.Exit(m.Run())
}

const example = "../../examples/first-real-drill"

// desk is a folder with the example in it, whose environment is a sandbox, and a shell to type in.
type desk struct {
	dir string
	env []string
	box sandbox.World
}

// sit copies the example and points its environment at a sandbox, which has what the example's Terraform makes.
func sit(t *testing.T) *desk {
	t.Helper()
	var ago atomic.Int64 // what stands there was made an hour ago: what has just been made is left alone
	ago.Store(int64(time.Hour))
	now := func() time.Time { return time.Now().Add(-time.Duration(ago.Load())) }
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "auto", Now: now, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	ago.Store(0)
	t.Cleanup(func() { _ = box.Close() })
	d := &desk{dir: t.TempDir(), box: box.World()}
	d.prepare(t)
	bin := t.TempDir()
	self, err := os.Executable()
	if err := errors.Join(err, os.Symlink(self, filepath.Join(bin, "firedrill")),
		d.copyDrills(),
		os.WriteFile(filepath.Join(d.dir, "firedrill.yaml"), []byte(d.environment(t)), 0o600)); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	d.env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + home, "XDG_STATE_HOME=" + home + "/state", "NO_COLOR=1", "TZ=UTC", "LANG=C",
		"AWS_ACCESS_KEY_ID=" + d.box.Keys["firedrill"].ID, "AWS_SECRET_ACCESS_KEY=" + d.box.Keys["firedrill"].Secret, "PAGERDUTY_TOKEN=" + d.box.Token,
		"FIREDRILL_ORDERS_KEY=" + d.box.Teams["orders"].Key, "FIREDRILL_OWNER_KEY=" + d.box.Owner}
	return d
}

// wiki is any link of the example's drills: in the sandbox nobody asks the internet.
var wiki = regexp.MustCompile(`https://(wiki|dash)\.example\.com/\S+`)

// copyDrills makes the example's drills the desk's own.
func (d *desk) copyDrills() error {
	found, err := filepath.Glob(filepath.Join(example, "drills", "*.yaml"))
	err = errors.Join(err, os.Mkdir(filepath.Join(d.dir, "drills"), 0o700))
	for _, path := range found {
		src, e := os.ReadFile(path)
		text := wiki.ReplaceAllString(string(src), d.box.Vars["lb_url"]+"/users")
		err = errors.Join(err, e, os.WriteFile(filepath.Join(d.dir, "drills", filepath.Base(path)), []byte(text), 0o600))
	}
	return err
}

// environment is the example's with the sandbox's own account, addresses and people; the window is always open.
func (d *desk) environment(t *testing.T) string {
	t.Helper()
	text := slurp(t, filepath.Join(example, "firedrill.yaml"))
	for _, one := range [][2]string{
		{"123456789012", d.box.Account},
		{"regions: [eu-west-1]\n", "regions: [eu-west-1]\n      endpoint: " + d.box.AWS + "\n"},
		{`{days: mon-thu, hours: "10:00-16:00", zone: Europe/Berlin}`, `{days: mon-sun, hours: "00:00-24:00", zone: UTC}`},
		{"from: drills@example.com", "from: " + d.box.From + ", bots: [" + d.box.Bot + "]"},
		{"https://orders.staging.example.com", d.box.Vars["lb_url"]},
	} {
		if !strings.Contains(text, one[0]) {
			t.Fatalf("firedrill.yaml of the example has no %q", one[0])
		}
		text = strings.ReplaceAll(text, one[0], one[1])
	}
	before, after, _ := strings.Cut(text, "listener_arn: ")
	_, after, _ = strings.Cut(after, "\n")
	return before + "listener_arn: " + d.box.Vars["listener"] + "\n" + after
}

// prepare does to the sandbox what the example's Terraform does to an account: tags, the third alarm, the journal.
func (d *desk) prepare(t *testing.T) {
	t.Helper()
	c := d.aws()
	ctx, account := t.Context(), d.box.Region+":"+d.box.Account
	db, mq, lb, cw := dynamodb.NewFromConfig(c), sqs.NewFromConfig(c), elb.NewFromConfig(c), cloudwatch.NewFromConfig(c)
	listener := d.box.Vars["listener"]
	path := strings.Split(listener, "/")
	balancer := strings.Replace(strings.Join(path[:len(path)-1], "/"), ":listener/", ":loadbalancer/", 1)
	_, errDB := db.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: aws.String("arn:aws:dynamodb:" + account + ":table/orders"),
		Tags: []types.Tag{{Key: aws.String("environment"), Value: aws.String("staging")}}})
	_, errMQ := mq.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: aws.String(d.box.Vars["orders_queue"]), Tags: map[string]string{"environment": "staging"}})
	_, errDLQ := mq.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: aws.String(d.box.Vars["orders_dlq"]), Tags: map[string]string{"environment": "staging"}})
	_, errLB := lb.AddTags(ctx, &elb.AddTagsInput{ResourceArns: []string{balancer, listener}, Tags: []elbtypes.Tag{{Key: aws.String("environment"), Value: aws.String("staging")}}})
	known, err := cw.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"user-api-5xx"}})
	if err := errors.Join(errDB, errMQ, errDLQ, errLB, err); err != nil {
		t.Fatal(err)
	}
	a := known.MetricAlarms[0]
	_, errCW := cw.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String("orders-balancer-5xx"), AlarmDescription: aws.String("orders answers with errors"),
		Namespace: a.Namespace, MetricName: a.MetricName, Dimensions: a.Dimensions, Statistic: cwtypes.StatisticSum, Period: a.Period, EvaluationPeriods: aws.Int32(1),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, Threshold: aws.Float64(5), TreatMissingData: aws.String("notBreaching"),
		AlarmActions: a.AlarmActions, OKActions: a.OKActions})
	_, errJournal := journal.CreateDynamoDB(ctx, journal.TableOptions{Client: db, Table: "firedrill"})
	if err := errors.Join(errCW, errJournal); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		out, err := cw.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"orders-balancer-5xx"}})
		return err == nil && out.MetricAlarms[0].StateValue == cwtypes.StateValueOk
	})
	until(t, func() bool { // and the queue has a consumer, as CloudWatch tells
		out, err := cw.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("AWS/SQS"), MetricName: aws.String("NumberOfEmptyReceives"), Dimensions: []cwtypes.Dimension{{Name: aws.String("QueueName"), Value: aws.String("orders")}},
			StartTime: aws.Time(time.Now().Add(-time.Minute)), EndTime: aws.Time(time.Now().Add(time.Minute)), Period: aws.Int32(60), Statistics: []cwtypes.Statistic{cwtypes.StatisticSum}})
		return err == nil && len(out.Datapoints) > 0
	})
}

// until waits for what comes by itself.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the sandbox does not come to rest")
		}
	}
}

// dynamodb is the sandbox's, as somebody who has nothing to do with the drill.
func (d *desk) dynamodb() *dynamodb.Client { return dynamodb.NewFromConfig(d.aws()) }

func (d *desk) aws() aws.Config {
	k := d.box.Keys["other"]
	return aws.Config{Region: d.box.Region, BaseEndpoint: &d.box.AWS, Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, "")}
}

// said is what a command said and how it ended.
type said struct {
	out  string // both streams, as a terminal would show them
	code int
}

// say runs one line as somebody types it, with extra arguments at its end.
func (d *desk) say(ctx context.Context, t *testing.T, args ...string) said {
	t.Helper()
	most := 30 * time.Second // in the middle of everything else
	if args[0] == "run" {
		most = 4 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	c := exec.CommandContext(ctx, "firedrill", args...)
	c.Dir, c.Env = d.dir, d.env
	for _, e := range d.env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			c.Path = filepath.Join(strings.Split(path, ":")[0], "firedrill")
			c.Err = nil
		}
	}
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return said{string(out), exit.ExitCode()}
	case err != nil:
		t.Fatalf("firedrill %s: %v", strings.Join(args, " "), err)
	}
	return said{string(out), 0}
}

func slurp(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
