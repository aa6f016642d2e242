package hands_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/internal/sandbox/hands"
)

// scene is a sandbox, somebody's hands in it, and somebody else's who breaks it.
type scene struct {
	*testing.T
	world sandbox.World
	hands *hands.Hands
	db    *dynamodb.Client
	mq    *sqs.Client
	lb    *elb.Client
}

func newScene(t *testing.T) *scene {
	t.Helper()
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	w := box.World()
	k := w.Keys["other"]
	h := hands.New(hands.Options{AWS: w.AWS, Region: w.Region, Key: k.ID, Secret: k.Secret, Now: time.Now, Logs: w.URL + "/_sandbox/logs",
		Pager: w.Pager, Phone: w.OnCall.Phone, Token: w.OnCall.Token, User: w.OnCall.User,
		Pages: []hands.Page{{Name: "health", URL: w.Vars["orders_url"] + "/health"}, {Name: "users", URL: w.Vars["users_url"]}, {Name: "home", URL: w.Vars["home_url"]}}})
	t.Cleanup(h.Close)
	c := aws.Config{Region: w.Region, BaseEndpoint: &w.AWS, Credentials: credentials.NewStaticCredentialsProvider("AKIAFIREDRILL00000", "sandbox", "")}
	return &scene{t, w, h, dynamodb.NewFromConfig(c), sqs.NewFromConfig(c), elb.NewFromConfig(c)}
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// seen is what a look at a subject shows, a row a line.
func (s *scene) seen(subject string) string {
	s.Helper()
	all, err := s.hands.Look(s.Context(), subject)
	s.must(err)
	var lines []string
	for _, t := range all {
		for _, row := range t.Rows {
			var words []string
			for _, c := range row {
				words = append(words, c.Text)
			}
			lines = append(lines, strings.Join(words, " | "))
		}
	}
	return strings.Join(lines, "\n")
}

func (s *scene) until(what string, holds func() bool) {
	s.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("never: %s", what)
		}
	}
}

// fix is the fix of these words; it must be proposed.
func (s *scene) fix(words string) hands.Fix {
	s.Helper()
	all, err := s.hands.Fixes(s.Context())
	s.must(err)
	i := slices.IndexFunc(all, func(f hands.Fix) bool { return f.Words == words })
	if i < 0 {
		s.Fatalf("no fix %q in %+v", words, all)
	}
	return all[i]
}

func (s *scene) offered(words string) bool {
	all, err := s.hands.Fixes(s.Context())
	s.must(err)
	return slices.ContainsFunc(all, func(f hands.Fix) bool { return f.Words == words })
}

func (s *scene) do(c hands.Call) (string, *hands.Call) {
	s.Helper()
	said, next, err := c.Do(s.Context())
	s.must(err)
	return said, next
}

func (s *scene) shows(subject string, want ...string) {
	s.Helper()
	for _, w := range want {
		s.until(subject+" shows "+w, func() bool { return strings.Contains(s.seen(subject), w) })
	}
}

func TestThrottledTable(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.shows("table", "orders | capacity | on demand, ACTIVE", "writes | no maximum", "0 throttled", "policy | none", "stock | capacity | provisioned, ACTIVE", "writes | 100 a second")
	if s.offered("table orders on-demand-maximum off") {
		t.Error("there is no maximum to take away")
	}
	_, err := s.db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("orders"),
		OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: aws.Int64(1)}})
	s.must(err)
	s.shows("table", "writes | maximum 1 a second", "orders | capacity | on demand, ACTIVE")
	s.shows("app", "health | 503 | the shop")
	s.shows("logs", "write order heartbeat: operation error DynamoDB: PutItem")
	s.shows("alarms", "orders-write-throttled | ALARM")
	if first, _, _ := strings.Cut(s.seen("alarms"), "\n"); !strings.Contains(first, "ALARM") {
		t.Errorf("what rings stands first, not %q", first)
	}
	if why := s.hands.Answers(t.Context()); why != "health still answers 503" {
		t.Errorf("got %q", why)
	}
	f := s.fix("table orders on-demand-maximum off")
	if want := "aws dynamodb update-table --table-name orders --on-demand-throughput MaxWriteRequestUnits=-1,MaxReadRequestUnits=-1"; f.Call.Line() != want {
		t.Errorf("got %s", f.Call.Line())
	}
	// Another change while it is busy with one is refused, in AWS's own words.
	if said, next := s.do(f.Call); said != "table orders is UPDATING" || next != nil {
		t.Errorf("got %q, %v", said, next)
	}
	if _, _, err := s.fix("table orders on-demand-maximum 10").Call.Do(t.Context()); err == nil || !strings.HasPrefix(hands.Refusal(err), "ResourceInUseException: ") {
		t.Errorf("got %v", err)
	}
	s.shows("table", "writes | no maximum")
	s.until("well", func() bool { return s.hands.Answers(t.Context()) == "" })
	s.shows("logs", "orders can be written")
	if got := s.by("UpdateTable"); !slices.Equal(got, []string{"firedrill", "other", "other"}) {
		t.Errorf("UpdateTable was called by %v: the hands are a stranger's", got)
	}
}

// by tells who made the calls of an operation.
func (s *scene) by(operation string) (who []string) {
	res, err := http.Get(s.world.URL + "/_sandbox/calls")
	s.must(err)
	defer func() { _ = res.Body.Close() }()
	var calls []struct{ By, Operation string }
	s.must(json.NewDecoder(res.Body).Decode(&calls))
	for _, c := range calls {
		if c.Operation == operation {
			who = append(who, c.By)
		}
	}
	return who
}

func TestRulesQueuesAndPolicies(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, err := s.lb.CreateRule(t.Context(), &elb.CreateRuleInput{ListenerArn: aws.String(s.world.Vars["listener"]), Priority: aws.Int32(5),
		Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: []string{"/users*"}}}},
		Actions:    []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("500")}}}})
	s.must(err)
	s.shows("rules", "5 | path /users* | 500 by the load balancer itself", "10 | path /users* | forward to orders-api", "default | anything else | forward to orders-api")
	s.shows("app", "users | 500 | load balancer")
	s.do(s.fix("rule delete 5").Call)
	s.shows("app", "users | 200 | the shop")

	dlq := s.world.Vars["orders_dlq"]
	for _, body := range []string{"one", "it's\nthe other"} { // the consumer can read neither
		_, err := s.mq.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(s.world.Vars["orders_queue"]), MessageBody: aws.String(body)})
		s.must(err)
	}
	s.shows("queue", "orders-dlq | messages | 2 wait, 0 in flight", "dead letters | to orders-dlq after 2 receives", `the first is | "`)
	take := s.fix("queue take orders-dlq")
	said, next := s.do(take.Call)
	if next == nil || !strings.HasPrefix(said, `it is "`) || !strings.HasPrefix(next.Line(), "aws sqs delete-message --queue-url "+dlq+" --receipt-handle ") {
		t.Fatalf("got %q, %+v", said, next)
	}
	s.do(*next)
	s.do(s.fix("queue redrive orders-dlq").Call)
	s.shows("logs", ": not deleted (4 times)") // what is sent back comes back
	s.shows("queue", "orders-dlq | messages | 1 wait, 0 in flight")

	arn := "arn:aws:dynamodb:" + s.world.Region + ":" + s.world.Account + ":table/orders"
	deny := func(sid, action, of string) string {
		return `{"Sid":"` + sid + `","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::` + s.world.Account + `:user/nobody"},"Action":"` + action + `","Resource":"` + of + `"}`
	}
	_, err = s.db.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: &arn,
		Policy: aws.String(`{"Version":"2012-10-17","Statement":[` + deny("One", "dynamodb:PutItem", arn) + "," + deny("Two", "dynamodb:DeleteItem", arn) + `]}`)})
	s.must(err)
	s.shows("table", "policy | Deny dynamodb:PutItem (One)", "policy | Deny dynamodb:DeleteItem (Two)")
	remove := s.fix("policy remove One").Call
	if line := remove.Line(); strings.Contains(line, "One") || !strings.Contains(line, "--policy '{") {
		t.Errorf("got %s", line)
	}
	s.until("the policy can be changed again", func() bool { _, _, err := remove.Do(t.Context()); return err == nil })
	s.until("one is gone", func() bool { return !strings.Contains(s.seen("table"), "(One)") })
	all := s.fix("policy allow table orders").Call
	if want := "aws dynamodb delete-resource-policy --resource-arn " + arn; all.Line() != want {
		t.Errorf("got %s", all.Line())
	}
	queue := "arn:aws:sqs:" + s.world.Region + ":" + s.world.Account + ":orders"
	_, err = s.mq.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(s.world.Vars["orders_queue"]),
		Attributes: map[string]string{"Policy": `{"Version":"2012-10-17","Statement":[` + deny("Three", "sqs:ReceiveMessage", queue) + `]}`}})
	s.must(err)
	s.shows("queue", "policy | Deny sqs:ReceiveMessage (Three)")
	s.do(s.fix("policy allow queue orders").Call)
	s.until("it is gone", func() bool { return !strings.Contains(s.seen("queue"), "(Three)") })
}

func TestPhone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	body := `{"routing_key":"` + s.world.Teams["web"].Key + `","event_action":"trigger","payload":{"summary":"the page is down","source":"x","severity":"critical"}}`
	res, err := http.Post(s.world.Events+"/v2/enqueue", "application/json", bytes.NewReader([]byte(body)))
	s.must(err)
	_ = res.Body.Close()
	var mine hands.Incident
	s.until("it calls", func() bool {
		calling, err := s.hands.Calling(t.Context())
		s.must(err)
		if len(calling) > 0 {
			mine = calling[0]
		}
		return len(calling) == 1
	})
	if me, _ := s.hands.Mine(mine); !me || mine.Title != "the page is down" || mine.Status != "triggered" || mine.Service.Summary != "Web (staging)" {
		t.Errorf("got %+v", mine)
	}
	s.must(s.hands.Tap(t.Context(), "acknowledge", mine.ID, ""))
	s.must(s.hands.Tap(t.Context(), "note", mine.ID, "on it"))
	if now, err := s.hands.Incident(t.Context(), mine.ID); err != nil || now.Status != "acknowledged" {
		t.Errorf("got %+v, %v", now, err)
	}
	if calling, err := s.hands.Calling(t.Context()); err != nil || len(calling) > 0 {
		t.Errorf("it calls on: %+v, %v", calling, err)
	}
	s.must(s.hands.Tap(t.Context(), "resolve", mine.ID, "well"))
	if err := s.hands.Tap(t.Context(), "acknowledge", mine.ID, ""); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("got %v", err)
	}
	if _, err := s.hands.Incident(t.Context(), "QNONE"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
}

func TestNothingAnswers(t *testing.T) {
	t.Parallel()
	const nowhere = "http://127.0.0.1:1"
	h := hands.New(hands.Options{AWS: nowhere, Region: "eu-west-1", Key: "k", Secret: "s", Now: time.Now, Logs: nowhere, Pager: nowhere, Phone: nowhere,
		Pages: []hands.Page{{Name: "health", URL: nowhere}}})
	defer h.Close()
	for _, subject := range append(hands.Subjects(), "nothing") {
		all, err := h.Look(t.Context(), subject)
		if subject == "app" { // that is what there is to see
			if err != nil || all[0].Rows[0][1].Tone != hands.Bad {
				t.Errorf("got %+v, %v", all, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("look %s: %+v", subject, all)
		}
	}
	if _, err := h.Fixes(t.Context()); err == nil {
		t.Error("what cannot be read cannot be mended")
	}
	if why := h.Answers(t.Context()); why != "health does not answer" {
		t.Errorf("got %q", why)
	}
	if _, err := h.Calling(t.Context()); err == nil {
		t.Error("no pager, and no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Tap(ctx, "note", "Q1", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for want, words := range map[string][]string{
		"aws sqs list-queues":         {"sqs", "list-queues"},
		"aws --message 'two words'":   {"--message", "two words"},
		`aws --body 'it'\''s' ''`:     {"--body", "it's", ""},
		`aws --policy '{"a":"$(b)"}'`: {"--policy", `{"a":"$(b)"}`},
	} {
		if got := (hands.Call{CLI: words}).Line(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := hands.Refusal(errors.New("plain")); got != "plain" {
		t.Errorf("got %s", got)
	}
}
