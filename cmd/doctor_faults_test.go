package cmd

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/killtest"
)

// setupFault is one thing wrong with a set-up. plant spoils it, and returns what takes it back.
type setupFault struct {
	name   string
	plant  func(c *clinic) (cure func())
	check  string // which finding names it
	on     string // what it was found on
	health string
	found  string
	try    string // the remedy, or a part of it
}

// setupFaults are the faults of set-up that people make, one by one.
func setupFaults() []setupFault {
	all := placeFaults()
	for _, more := range [][]setupFault{targetFaults(), alarmFaults(), pagerFaults(), backFaults(), {leftFault()}, wordFaults()} {
		all = append(all, more...)
	}
	return all
}

// inFile changes a piece of firedrill.yaml.
func inFile(old, now string) func(*clinic) func() {
	return func(c *clinic) func() {
		c.t.Helper()
		before := c.file
		if c.file = strings.Replace(c.file, old, c.fill(now), 1); c.file == before {
			c.t.Fatalf("%q does not stand in the file", old)
		}
		c.write()
		return func() { c.file = before; c.write() }
	}
}

// inCard changes a piece of a drill file.
func inCard(drill, old, now string) func(*clinic) func() {
	return func(c *clinic) func() {
		c.t.Helper()
		before := c.drill[drill]
		if c.drill[drill] = strings.Replace(before, old, now, 1); c.drill[drill] == before {
			c.t.Fatalf("%q does not stand in drill %s", old, drill)
		}
		c.write()
		return func() { c.drill[drill] = before; c.write() }
	}
}

// inEnv changes a variable of the process.
func inEnv(name, value string) func(*clinic) func() {
	return func(c *clinic) func() {
		before := c.env[name]
		c.env[name] = value
		return func() { c.env[name] = before }
	}
}

// inPager sets something up at the pager, and back.
func inPager(path, wrong, right string) func(*clinic) func() {
	return func(c *clinic) func() {
		c.setup(path, wrong)
		return func() { c.setup(path, right) }
	}
}

func placeFaults() []setupFault {
	return []setupFault{
		{"there are no credentials", func(c *clinic) func() {
			c.t.Setenv("AWS_ACCESS_KEY_ID", "")
			return func() {}
		}, "credentials", "", "wrong", "there are no credentials", "aws sso login"},
		{"an endpoint has strayed", func(c *clinic) func() {
			c.t.Setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:1")
			return func() {}
		}, "endpoint", "", "wrong", "AWS_ENDPOINT_URL_SQS is set", "unset AWS_ENDPOINT_URL_SQS"},
		{"the account is another one", func(c *clinic) func() {
			before := c.file
			c.file = strings.NewReplacer(`"111122223333"`, `"999900001111"`, "::111122223333:role", "::999900001111:role").Replace(before)
			c.write()
			return func() { c.file = before; c.write() }
		}, "account", "", "wrong",
			"these credentials stand in account 111122223333, environment staging is 999900001111", "aws sts get-caller-identity"},
		{"the clock is off", func(c *clinic) func() { return c.knob(killtest.Knob{Service: "sts", Effect: "skew", SkewS: -300}) },
			"clock", "aws", "wrong", "our clock is", "timedatectl set-ntp true"},
		{"nobody may be woken, ever", inFile(`    window: {days: mon-sun, hours: "00:00-24:00", zone: UTC}`+"\n", ""), "window", "", "wrong",
			"no window in which people may be woken", "window: {days: mon-fri"},
		{"the lever is pulled", func(c *clinic) func() {
			if code, out := c.run("halt", "--env", "staging", "--why", "a customer demo"); code != 0 {
				c.t.Fatalf("halt ends with %d: %s", code, out)
			}
			return func() { c.run("halt", "--release", "--env", "staging") }
		}, "lever", "", "warn", "a customer demo", "firedrill halt --release --env staging"},
	}
}

func targetFaults() []setupFault {
	return []setupFault{
		{"a drill file does not read", inCard("erring", "limit: 30m", "limit: soon"), "drill", "erring.yaml", "wrong", "limit", "firedrill validate "},
		{"a variable is not set", inFile("vars: {table: orders, ", "vars: {tabel: orders, "), "drill", "throttled.yaml", "warn", "does not set table", "vars: {table: …}"},
		{"a table is not there", inFile("table: orders, queue", "table: odrers, queue"), "target", "table/odrers", "wrong", "there is no table odrers", ""},
		{"a table lacks a tag", func(c *clinic) func() {
			db, arn := dynamodb.NewFromConfig(c.aws), "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
			_, err := db.UntagResource(c.t.Context(), &dynamodb.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"firedrill"}})
			c.must(err)
			return func() {
				_, err := db.TagResource(c.t.Context(), &dynamodb.TagResourceInput{ResourceArn: &arn,
					Tags: []dynamodbtypes.Tag{{Key: aws.String("firedrill"), Value: aws.String("allowed")}}})
				c.must(err)
			}
		}, "tags", "table/orders", "wrong", "no tag firedrill",
			"aws dynamodb tag-resource --resource-arn arn:aws:dynamodb:eu-west-1:111122223333:table/orders --tags Key=firedrill,Value=allowed"},
		{"a queue lacks a tag", func(c *clinic) func() {
			q, url := sqs.NewFromConfig(c.aws), c.w.Vars["orders_queue"]
			_, err := q.UntagQueue(c.t.Context(), &sqs.UntagQueueInput{QueueUrl: &url, TagKeys: []string{"firedrill"}})
			c.must(err)
			return func() {
				_, err := q.TagQueue(c.t.Context(), &sqs.TagQueueInput{QueueUrl: &url, Tags: map[string]string{"firedrill": "allowed"}})
				c.must(err)
			}
		}, "tags", ":orders", "wrong", "no tag firedrill", "/111122223333/orders --tags firedrill=allowed"},
		{"a load balancer lacks a tag", func(c *clinic) func() {
			lb, listener := elb.NewFromConfig(c.aws), c.w.Vars["listener"]
			out, err := lb.DescribeListeners(c.t.Context(), &elb.DescribeListenersInput{ListenerArns: []string{listener}})
			c.must(err)
			arns := []string{listener, *out.Listeners[0].LoadBalancerArn}
			_, err = lb.RemoveTags(c.t.Context(), &elb.RemoveTagsInput{ResourceArns: arns, TagKeys: []string{"firedrill"}})
			c.must(err)
			return func() { c.tagBalancer(arns) }
		}, "tags", "listener/app/orders", "wrong", "no tag firedrill", "aws elbv2 add-tags --resource-arns arn:aws:elasticloadbalancing"},
	}
}

func alarmFaults() []setupFault {
	return []setupFault{
		{"an alarm is not there", inCard("throttled", "alarm: orders-write-throttled", "alarm: orders-writes-throttled"), "alarm", "alarm orders-writes-throttled", "wrong",
			"there is no alarm orders-writes-throttled", "aws cloudwatch describe-alarms"},
		{"an alarm tells nobody", func(c *clinic) func() {
			before := c.alarm("orders-write-throttled")
			silent := *before
			silent.AlarmActions, silent.OKActions = nil, nil
			c.putAlarm(&silent)
			return func() { c.putAlarm(before) }
		}, "actions", "alarm orders-write-throttled", "wrong", "has an action", "aws cloudwatch put-metric-alarm --alarm-name orders-write-throttled"},
		{"an alarm's actions are disabled", func(c *clinic) func() {
			cw, names := cloudwatch.NewFromConfig(c.aws), []string{"orders-write-throttled"}
			_, err := cw.DisableAlarmActions(c.t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: names})
			c.must(err)
			return func() {
				_, err := cw.EnableAlarmActions(c.t.Context(), &cloudwatch.EnableAlarmActionsInput{AlarmNames: names})
				c.must(err)
			}
		}, "actions", "alarm orders-write-throttled", "wrong", "are disabled", "aws cloudwatch enable-alarm-actions --alarm-names orders-write-throttled"},
		{"an alarm's topic does not reach PagerDuty", func(c *clinic) func() {
			before := c.alarm("orders-write-throttled")
			lost := *before
			lost.AlarmActions, lost.OKActions = []string{c.topic("nobody")}, []string{c.topic("nobody")}
			c.putAlarm(&lost)
			return func() { c.putAlarm(before) }
		}, "actions", "alarm orders-write-throttled", "warn", "delivers nothing to PagerDuty", "aws sns subscribe --topic-arn arn:aws:sns:eu-west-1:111122223333:nobody"},
		{"an alarm cannot see the fault", inCard("throttled", "alarm: orders-write-throttled", "alarm: stock-throttled"), "sight", "alarm stock-throttled", "wrong",
			"TableName=stock", "watch: [{alarm: orders-write-throttled}]"},
		{"the steady state does not hold", func(c *clinic) func() {
			return inFile(c.w.Vars["orders_url"]+"/health", "PAGES/none")(c)
		}, "steady_state", "/none", "wrong", "status 404, want 200", "curl -i http"},
	}
}

func pagerFaults() []setupFault {
	return []setupFault{
		{"the token is not set", inEnv("PAGERDUTY_TOKEN", ""), "token", "env:PAGERDUTY_TOKEN", "wrong", "it is empty", "export PAGERDUTY_TOKEN="},
		{"the token is another's", inEnv("PAGERDUTY_TOKEN", "not-this-one-at-all"), "token", "", "wrong", "token is wrong", "pagerduty.token"},
		{"the user of from is not there", inFile("from: drills@firedrill.invalid", "from: drill@firedrill.invalid"), "from", "drill@firedrill.invalid", "wrong",
			"has no user drill@firedrill.invalid", "pagerduty: {from: …}"},
		{"an integration key is none", inEnv("ORDERS_KEY", "f1ed"), "key", "PORDERS", "wrong", "is not 32 letters and digits", "export ORDERS_KEY="},
		{"the owner's key is not set", inEnv("OWNER_KEY", ""), "key", "the owner's", "wrong", "it is empty", "export OWNER_KEY="},
		{"the service is not there", inFile("service: PORDERS", "service: PORDER5"), "service", "PORDER5", "wrong", "PORDER5", "check"},
		{"the service is off", inPager("services/PORDERS", `{"disabled":true}`, `{"disabled":false}`), "service", "PORDERS", "wrong", "service_off", "enable the service"},
		{"the service is of low urgency", inPager("services/PORDERS", `{"urgency":{"rule":"low"}}`, `{"urgency":{"rule":"high"}}`), "service", "PORDERS", "wrong",
			"low_urgency", "set the urgency to high"},
		{"nobody is on call", inPager("policies/PEPORD", `{"levels":[[],[]]}`, `{"levels":[["PRESP01"],["PRESP02"]]}`), "service", "PORDERS", "wrong",
			"nobody is on call", "put somebody on call"},
		{"a page would set something off", inPager("services/PORDERS", `{"workflows":[{"id":"PW1","name":"Call the board","trigger":"conditional"}]}`, `{"workflows":[]}`),
			"service", "PORDERS", "wrong", "automation_fires", "pagerduty: {accept: [automation_fires]}"},
		{"a webhook's secret is not set", inEnv("HOOK", ""), "webhook_secret", "env:HOOK", "wrong", "it is empty", "export HOOK="},
	}
}

func backFaults() []setupFault {
	return []setupFault{
		{"CI keeps its journal in SQLite", func(c *clinic) func() {
			ci, file := inEnv("CI", "true")(c), inFile("store: {dynamodb: {table: firedrill, region: eu-west-1}}", "store: sqlite")(c)
			return func() { ci(); file() }
		}, "store", "", "wrong", "CI is set", "firedrill init --store dynamodb --env staging"},
		{"the journal's table is not there", inFile("table: firedrill, region", "table: nothing, region"), "store", "nothing", "wrong", "nothing", "firedrill init --store dynamodb --env staging"},
		{"the journal's table is not protected", func(c *clinic) func() {
			c.protect(false)
			return func() { c.protect(true) }
		}, "store", "firedrill", "warn", "not protected against deletion", "aws dynamodb update-table --table-name firedrill --deletion-protection-enabled"},
		{"the dead-man's role may do nothing", func(c *clinic) func() {
			who := iam.NewFromConfig(c.aws)
			out, err := who.CreatePolicy(c.t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("little"), PolicyDocument: aws.String(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"` + c.w.Deadman.DLQ + `"}]}`)})
			c.must(err)
			_, err = who.AttachRolePolicy(c.t.Context(), &iam.AttachRolePolicyInput{PolicyArn: out.Policy.Arn, RoleName: aws.String("firedrill-deadman")})
			c.must(err)
			return func() {
				_, err := who.DetachRolePolicy(c.t.Context(), &iam.DetachRolePolicyInput{PolicyArn: out.Policy.Arn, RoleName: aws.String("firedrill-deadman")})
				c.must(err)
			}
		}, "deadman", "role/firedrill-deadman", "wrong", "dynamodb:UpdateTable on", "firedrill policy --for deadman --env staging"},
		{"the dead-man's queue is not there", inFile(":firedrill-deadman-dlq\"", ":firedrill-deadman-dl\""), "deadman", ":firedrill-deadman-dl", "wrong", "there is no such queue",
			"aws sqs create-queue --queue-name firedrill-deadman-dl "},
	}
}

// leftFault is a dead-man's call of a run that nobody knows.
func leftFault() setupFault {
	return setupFault{"a dead-man's call of a dead run stands", func(c *clinic) func() {
		who, name := scheduler.NewFromConfig(c.aws), "firedrill-01k7zzzzzzzzzzzzzzzzzzzzzz-throttle-1"
		_, err := who.CreateSchedule(c.t.Context(), &scheduler.CreateScheduleInput{Name: &name, ScheduleExpression: aws.String("at(2099-01-01T00:00:00)"),
			FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
			Target: &schedulertypes.Target{Arn: aws.String("arn:aws:scheduler:::aws-sdk:dynamodb:updateTable"), RoleArn: &c.w.Deadman.Role,
				Input: aws.String(`{"TableName":"orders"}`)}})
		c.must(err)
		return func() {
			_, err := who.DeleteSchedule(c.t.Context(), &scheduler.DeleteScheduleInput{Name: &name})
			c.must(err)
		}
	}, "leftovers", "", "warn", "01k7zzzzzzzzzzzzzzzzzzzzzz", "firedrill recover --sweep --env staging"}
}

func wordFaults() []setupFault {
	return []setupFault{
		{"Slack does not know the bot", inEnv("SLACK", "xoxb-nobody"), "slack", "env:SLACK", "warn", "the token is wrong", "install the app anew"},
		{"the Pushgateway does not answer", func(c *clinic) func() {
			return inFile(`pushgateway: "`+c.pages.URL, `pushgateway: "PAGES/gone`)(c)
		}, "metrics", "/gone", "warn", "answers 404", "metrics: {pushgateway: …}"},
		{"the runbook is gone", inCard("throttled", "/runbook", "/rumbook"), "link", "/rumbook", "warn", "answers 404", "mend runbook: in throttled"},
	}
}

// Each fault of set-up is named, exactly that one, with its remedy. A remedy that is a command line of the AWS CLI is
// carried out, and mends it. Once everything is taken back, all is well.
func TestDoctorNamesEachFault(t *testing.T) {
	c := newClinic(t)
	t.Run("healthy", c.healthy)
	carried := map[string]bool{}
	for _, f := range setupFaults() {
		t.Run(f.name, func(t *testing.T) {
			defer c.under(t)()
			defer f.plant(c)()
			code, said := c.examine()
			ill := said.ill()
			if len(ill) != 1 {
				t.Fatalf("exit %d, named: %v", code, ill)
			}
			one := ill[0]
			if one.Check != f.check || !strings.Contains(one.On, f.on) || one.Health != f.health || !strings.Contains(one.Found, f.found) ||
				!strings.Contains(one.Try, f.try) || one.Try == "" {
				t.Errorf("named: %v", one)
			}
			if want := map[string]int{"wrong": exitRefused, "warn": exitMet}[f.health]; code != want {
				t.Errorf("exit %d, want %d", code, want)
			}
			if command, ok := c.carryOut(one.Try); ok {
				carried[command] = true
				if _, said := c.examine(); len(said.ill()) > 0 {
					t.Errorf("after %s: %v", one.Try, said.ill())
				}
			}
		})
	}
	if len(carried) < 7 {
		t.Errorf("only these remedies were carried out: %v", carried)
	}
	if code, said := c.examine(); code != exitMet || len(said.ill()) > 0 {
		t.Errorf("with everything taken back: exit %d: %v", code, said.ill())
	}
}

// healthy: an environment without a fault is told to be one, line by line, and nothing of it is touched.
func (c *clinic) healthy(t *testing.T) {
	defer c.under(t)()
	before, err := c.stage.Writes(t.Context())
	c.must(err)
	code, said := c.examine()
	if ill := said.ill(); code != 0 || len(ill) > 0 || said.Unseen > 0 {
		t.Errorf("exit %d, %d not looked at:\n%v", code, said.Unseen, said.Findings)
	}
	if after, err := c.stage.Writes(t.Context()); err != nil || after != before {
		t.Errorf("the doctor has made %d writes (%v)", after-before, err)
	}
	seen := map[string]bool{}
	for _, f := range said.Findings {
		seen[f.Check] = true
	}
	for _, check := range drills.DoctorChecks() {
		if !seen[check.Name] {
			t.Errorf("nothing is said of %s", check.Name)
		}
	}
	code, text := c.run("doctor", "--env", "staging")
	if code != 0 || !strings.Contains(text, " ok, 0 warn, 0 wrong\n") || !strings.Contains(text, "dashboard asks for a login") {
		t.Errorf("exit %d:\n%s", code, text)
	}
}

// under lets a subtest answer for what goes wrong.
func (c *clinic) under(t *testing.T) (over func()) {
	outer := c.t
	c.t = t
	return func() { c.t = outer }
}

func (c *clinic) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// alarm is one alarm as it would be put again.
func (c *clinic) alarm(name string) *cloudwatch.PutMetricAlarmInput {
	c.t.Helper()
	out, err := cloudwatch.NewFromConfig(c.aws).DescribeAlarms(c.t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}})
	c.must(err)
	a := out.MetricAlarms[0]
	return &cloudwatch.PutMetricAlarmInput{AlarmName: a.AlarmName, Namespace: a.Namespace, MetricName: a.MetricName, Dimensions: a.Dimensions, Statistic: a.Statistic,
		Period: a.Period, EvaluationPeriods: a.EvaluationPeriods, DatapointsToAlarm: a.DatapointsToAlarm, Threshold: a.Threshold, ComparisonOperator: a.ComparisonOperator,
		TreatMissingData: a.TreatMissingData, ActionsEnabled: a.ActionsEnabled, AlarmActions: a.AlarmActions, OKActions: a.OKActions}
}

func (c *clinic) putAlarm(in *cloudwatch.PutMetricAlarmInput) {
	c.t.Helper()
	_, err := cloudwatch.NewFromConfig(c.aws).PutMetricAlarm(c.t.Context(), in)
	c.must(err)
}
