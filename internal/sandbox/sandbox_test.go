package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// stage is a sandbox of the test's own, and the SDK with a key of nobody's.
type stage struct {
	t *testing.T
	*Sandbox
	cfg aws.Config
}

func start(t *testing.T, onCall string) *stage {
	t.Helper()
	began := time.Now()
	s, err := Start(t.Context(), Options{Responder: onCall, Now: time.Now, Log: testLog{t}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %v", time.Since(began))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &stage{t: t, Sandbox: s, cfg: s.config("other")}
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) { l.t.Log(string(b)); return len(b), nil }

func (s *Sandbox) config(by string) aws.Config {
	k := s.World().Keys[by]
	return aws.Config{Region: s.World().Region, BaseEndpoint: aws.String(s.World().AWS),
		Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, "")}
}

func (s *stage) get(path string) (int, string) {
	s.t.Helper()
	u := path
	if strings.HasPrefix(path, "/") {
		u = s.World().URL + path
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, u, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// until polls a condition, at most for d.
func (s *stage) until(d time.Duration, what string, ok func() bool) {
	s.t.Helper()
	began := time.Now()
	for time.Since(began) < d {
		if ok() {
			s.t.Logf("%s after %v", what, time.Since(began).Round(10*time.Millisecond))
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	_, truth := s.get("/_sandbox/pager/truth")
	s.t.Fatalf("not within %v: %s\n%v\n%s", d, what, s.alarms(), truth)
}

func (s *stage) alarms() map[string]string {
	s.t.Helper()
	out, err := cloudwatch.NewFromConfig(s.cfg).DescribeAlarms(s.t.Context(), &cloudwatch.DescribeAlarmsInput{})
	if err != nil {
		s.t.Fatal(err)
	}
	states := map[string]string{}
	for _, a := range out.MetricAlarms {
		states[*a.AlarmName] = string(a.StateValue)
	}
	return states
}

type incident struct {
	ID, Title, Status string
	Entries           []struct {
		Type, Channel, Agent, User, Text string
		At                               time.Time
	}
}

func (s *stage) incidents() []incident {
	s.t.Helper()
	_, body := s.get("/_sandbox/pager/truth")
	var out struct{ Incidents []incident }
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		s.t.Fatal(err)
	}
	return out.Incidents
}

// resolver is who resolved an incident, by what means; empty while it is open.
func (i incident) resolver() string {
	for _, e := range i.Entries {
		if e.Type == "resolve_log_entry" {
			return e.Agent + " by " + e.Channel
		}
	}
	return ""
}

// load writes to a table as fast as the tick says until the returned function is called.
func (s *stage) load(table string, every time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	cfg := s.cfg
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	db := dynamodb.NewFromConfig(cfg)
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for n := 0; ctx.Err() == nil; n++ {
			select {
			case <-ctx.Done():
			case <-t.C:
				_, _ = db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table,
					Item: map[string]dbtypes.AttributeValue{"id": &dbtypes.AttributeValueMemberS{Value: "load"}}})
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

func TestStartsQuickAndComplete(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := start(t, "none")
	if took := time.Since(began); took > 5*time.Second { // 1.5 s on a machine of one's own
		t.Errorf("took %v", took)
	}
	if _, body := s.get("/_sandbox/calls"); strings.Contains(body, `"by": "other"`) {
		t.Errorf("the call log tells of the set-up: %s", body)
	}
	for name, state := range s.alarms() {
		if state != "OK" {
			t.Errorf("%s is %s", name, state)
		}
	}
	if n := len(s.alarms()); n != 9 {
		t.Errorf("%d alarms", n)
	}
	_, first := s.get("/_sandbox/config")
	for _, want := range []string{"orders-dlq", "stock", "user-api-target-5xx", "/admin*", "oncall", "\"400\"", "firedrill"} {
		if !strings.Contains(first, strings.Trim(want, `"`)) {
			t.Errorf("/_sandbox/config lacks %s", want)
		}
	}
	var w World
	_, body := s.get("/_sandbox/world")
	if err := json.Unmarshal([]byte(body), &w); err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"orders_table", "stock_table", "orders_queue", "orders_dlq", "orders_url", "lb_url", "listener", "users_url", "home_url"} {
		if w.Vars[v] == "" {
			t.Errorf("the world does not tell %s", v)
		}
	}
	if w.PID != os.Getpid() || w.Instance == "" || w.Keys["firedrill"].ID != "AKIAFIREDRILL00000" || w.Teams["orders"].Service != "PORDERS" {
		t.Errorf("got %+v", w)
	}
	for _, path := range []string{w.Vars["orders_url"] + "/health", w.Vars["users_url"], w.Vars["home_url"], "/_sandbox/messages",
		"/_sandbox/knobs", "/_sandbox/pager/knobs", "/_sandbox/pager/truth"} {
		if got, body := s.get(path); got != 200 {
			t.Errorf("%s: %d %s", path, got, body)
		}
	}
	if got, body := s.get("/"); got != 200 || !strings.Contains(body, "This is a sandbox") {
		t.Errorf("/: %d %s", got, body)
	}
	s.until(10*time.Second, "traffic leaves the configuration alone", func() bool {
		_, calls := s.get("/_sandbox/calls")
		return strings.Count(calls, `"PutItem"`) > 10
	})
	if _, again := s.get("/_sandbox/config"); again != first {
		t.Error("the configuration changed by itself")
	}
	if n := len(s.incidents()); n != 0 {
		t.Errorf("%d incidents in peace", n)
	}
}

func TestWhoAndWhere(t *testing.T) {
	t.Parallel()
	s := start(t, "none")
	id, err := sts.NewFromConfig(s.Sandbox.config("firedrill")).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *id.Account != "111122223333" || *id.Arn != "arn:aws:iam::111122223333:user/firedrill" {
		t.Errorf("got %+v, %v", id, err)
	}
	al, err := iam.NewFromConfig(s.cfg).ListAccountAliases(t.Context(), &iam.ListAccountAliasesInput{})
	if err != nil || len(al.AccountAliases) != 1 || al.AccountAliases[0] != "firedrill-sandbox" {
		t.Errorf("got %+v, %v", al, err)
	}
	as, err := cloudwatch.NewFromConfig(s.cfg).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{
		AlarmNames: []string{"orders-write-throttled", "user-api-target-5xx", "orders-api-5xx"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range as.MetricAlarms {
		enabled, actions := *a.ActionsEnabled, len(a.AlarmActions)
		if got, want := fmt.Sprint(enabled, actions), map[string]string{"orders-write-throttled": "true 1", "user-api-target-5xx": "false 1",
			"orders-api-5xx": "true 0"}[*a.AlarmName]; got != want {
			t.Errorf("%s: %s, want %s", *a.AlarmName, got, want)
		}
	}
}

// TestThrottleFromFaultToResolve is the first drill as the world sees it: no part is told of the fault.
func TestThrottleFromFaultToResolve(t *testing.T) {
	t.Parallel()
	s := start(t, "auto")
	_, before := s.get("/_sandbox/config")
	db := dynamodb.NewFromConfig(s.cfg)
	d, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	ours := []dbtypes.Tag{{Key: aws.String("firedrill:run"), Value: aws.String("01run")}, {Key: aws.String("firedrill:undo"), Value: aws.String("mode=on-demand writes=-1")}}
	if _, err := db.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: d.Table.TableArn, Tags: ours}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("orders"),
		OnDemandThroughput: &dbtypes.OnDemandThroughput{MaxWriteRequestUnits: aws.Int64(1)}}); err != nil {
		t.Fatal(err)
	}
	stop := s.load("orders", 20*time.Millisecond)
	defer stop()
	health := s.World().Vars["orders_url"] + "/health"
	s.until(5*time.Second, "unhealthy", func() bool { got, _ := s.get(health); return got == 503 })
	s.until(8*time.Second, "alarm", func() bool { return s.alarms()["orders-write-throttled"] == "ALARM" })
	s.until(8*time.Second, "incident", func() bool { return len(s.incidents()) == 1 })
	s.until(25*time.Second, "resolved", func() bool { return s.incidents()[0].Status == "resolved" })
	i := s.incidents()[0]
	if !strings.Contains(i.Title, "orders-write-throttled") || i.resolver() != "PRESP01 by mobile" {
		t.Errorf("%q, resolved by %s", i.Title, i.resolver())
	}
	if got, _ := s.get(health); got != 200 {
		t.Errorf("health after the fix: %d", got)
	}
	stop()
	s.until(10*time.Second, "alarms OK", func() bool { return s.alarms()["orders-write-throttled"] == "OK" })
	if _, err := db.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: d.Table.TableArn,
		TagKeys: []string{"firedrill:run", "firedrill:undo"}}); err != nil {
		t.Fatal(err)
	}
	if _, after := s.get("/_sandbox/config"); after != before {
		t.Error("the configuration is not as before")
	}
	if n := len(s.incidents()); n != 1 {
		t.Errorf("%d incidents, want 1", n)
	}
}

func TestRuleFromFaultToResolve(t *testing.T) {
	t.Parallel()
	s := start(t, "auto")
	lb := elb.NewFromConfig(s.cfg)
	_, err := lb.CreateRule(t.Context(), &elb.CreateRuleInput{ListenerArn: aws.String(s.World().Vars["listener"]), Priority: aws.Int32(1),
		Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/users*"}}},
		Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{
			StatusCode: aws.String("500"), ContentType: aws.String("text/plain")}}},
		Tags: []elbtypes.Tag{{Key: aws.String("firedrill:run"), Value: aws.String("01run")}}})
	if err != nil {
		t.Fatal(err)
	}
	users := s.World().Vars["users_url"]
	s.until(3*time.Second, "users see errors", func() bool { got, _ := s.get(users); return got == 500 })
	s.until(8*time.Second, "alarm", func() bool { return s.alarms()["user-api-5xx"] == "ALARM" })
	if got := s.alarms()["user-api-target-5xx"]; got != "OK" {
		t.Errorf("the trap: a fixed response moved the target's alarm to %s", got)
	}
	s.until(25*time.Second, "resolved", func() bool { is := s.incidents(); return len(is) == 1 && is[0].Status == "resolved" })
	if got := s.incidents()[0].resolver(); got != "PRESP01 by mobile" {
		t.Errorf("resolved by %s", got)
	}
	if got, _ := s.get(users); got != 200 {
		t.Errorf("users: %d", got)
	}
}

func TestPoisonFromFaultToResolve(t *testing.T) {
	t.Parallel()
	s := start(t, "auto")
	mq := sqs.NewFromConfig(s.cfg)
	queue := s.World().Vars["orders_queue"]
	for _, body := range []string{"poison", `{"order":"7"}`, "poison"} {
		if _, err := mq.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &body}); err != nil {
			t.Fatal(err)
		}
	}
	s.until(12*time.Second, "alarm", func() bool { return s.alarms()["orders-dead-letters"] == "ALARM" })
	s.until(25*time.Second, "resolved", func() bool { is := s.incidents(); return len(is) == 1 && is[0].Status == "resolved" })
	if got := s.incidents()[0].resolver(); got != "PRESP01 by mobile" {
		t.Errorf("resolved by %s", got)
	}
	_, body := s.get("/_sandbox/messages")
	if n := strings.Count(body, `"orders-dlq"`); n != 2 {
		t.Errorf("%d dead letters are left, want 2: %s", n, body)
	}
}

func TestNobodyAnswersWithoutAResponder(t *testing.T) {
	t.Parallel()
	s := start(t, "none")
	_, err := cloudwatch.NewFromConfig(s.cfg).PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Orders"),
		MetricData: []types.MetricDatum{{MetricName: aws.String("CustomersHurt"), Value: aws.Float64(1), Timestamp: aws.Time(time.Now()),
			Dimensions: []types.Dimension{{Name: aws.String("Service"), Value: aws.String("checkout")}}}}})
	if err != nil {
		t.Fatal(err)
	}
	s.until(15*time.Second, "resolved by the alarm itself", func() bool {
		is := s.incidents()
		return len(is) == 1 && is[0].resolver() == "PIORDCW by api"
	})
	for _, e := range s.incidents()[0].Entries {
		if e.Type == "acknowledge_log_entry" {
			t.Errorf("acknowledged by %s", e.Agent)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	for _, o := range []Options{
		{Responder: "quick", Now: time.Now},
		{Listen: "256.0.0.1:0", Now: time.Now},
	} {
		if s, err := Start(t.Context(), o); err == nil {
			_ = s.Close()
			t.Errorf("%+v: started", o)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := Start(ctx, Options{Now: time.Now}); err == nil {
		_ = s.Close()
		t.Error("started although it was called off")
	}
}

func TestOutlivesTheContextOfItsStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sb, err := Start(ctx, Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	s := &stage{t: t, Sandbox: sb, cfg: sb.config("other")}
	s.until(5*time.Second, "still at work", func() bool {
		_, calls := s.get("/_sandbox/calls")
		return strings.Contains(calls, "PutMetricData")
	})
	if err := sb.Close(); err != nil {
		t.Error(err)
	}
	if err := sb.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := http.Get(sb.World().URL + "/"); err == nil {
		t.Error("answers after Close")
	}
}
