package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PagerDuty/go-pagerduty"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// call sends JSON to the sandbox's own port.
func (s *stage) call(method, path, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.World().URL+path, strings.NewReader(body))
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

func TestTargetsCarryTheirTags(t *testing.T) {
	t.Parallel()
	s := start(t, "none")
	want := "environment=sandbox firedrill=allowed"
	db := dynamodb.NewFromConfig(s.cfg)
	for _, name := range []string{"orders", "stock"} {
		out, err := db.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{
			ResourceArn: aws.String("arn:aws:dynamodb:eu-west-1:111122223333:table/" + name)})
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]string{}
		for _, tag := range out.Tags {
			m[*tag.Key] = *tag.Value
		}
		if got := words(m); got != want {
			t.Errorf("table %s: %s", name, got)
		}
	}
	for _, u := range []string{s.World().Vars["orders_queue"], s.World().Vars["orders_dlq"]} {
		out, err := sqs.NewFromConfig(s.cfg).ListQueueTags(t.Context(), &sqs.ListQueueTagsInput{QueueUrl: &u})
		if err != nil || words(out.Tags) != want {
			t.Errorf("queue %s: %v, %v", u, out, err)
		}
	}
	lb := elb.NewFromConfig(s.cfg)
	b, err := lb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{Names: []string{"orders"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, arn := range []string{*b.LoadBalancers[0].LoadBalancerArn, s.World().Vars["listener"]} {
		out, err := lb.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: []string{arn}})
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]string{}
		for _, tag := range out.TagDescriptions[0].Tags {
			m[*tag.Key] = *tag.Value
		}
		if got := words(m); got != want {
			t.Errorf("%s: %s", arn, got)
		}
	}
}

func words(m map[string]string) string {
	return "environment=" + m["environment"] + " firedrill=" + m["firedrill"]
}

func TestAutoScalingHoldsStock(t *testing.T) {
	t.Parallel()
	s := start(t, "none")
	out, err := applicationautoscaling.NewFromConfig(s.cfg).DescribeScalableTargets(t.Context(),
		&applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceIds: []string{"table/stock"}})
	if err != nil || len(out.ScalableTargets) != 2 {
		t.Fatalf("got %+v, %v", out, err)
	}
	for _, target := range out.ScalableTargets {
		if *target.MinCapacity != 50 || *target.MaxCapacity != 400 {
			t.Errorf("%s: %d to %d", target.ScalableDimension, *target.MinCapacity, *target.MaxCapacity)
		}
	}
	d, err := dynamodb.NewFromConfig(s.cfg).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("stock")})
	if err != nil || *d.Table.ProvisionedThroughput.WriteCapacityUnits != 100 {
		t.Errorf("got %+v, %v", d, err)
	}
}

// TestStockFromFaultToResolve is the provisioned table: auto scaling must be suspended, or it undoes the fault.
func TestStockFromFaultToResolve(t *testing.T) {
	t.Parallel()
	s := start(t, "auto")
	db := dynamodb.NewFromConfig(s.cfg)
	_, err := applicationautoscaling.NewFromConfig(s.cfg).RegisterScalableTarget(t.Context(), &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: aws.String("table/stock"),
		ScalableDimension: scaling.ScalableDimensionDynamoDBTableWriteCapacityUnits,
		SuspendedState: &scaling.SuspendedState{DynamicScalingInSuspended: aws.Bool(true), DynamicScalingOutSuspended: aws.Bool(true),
			ScheduledScalingSuspended: aws.Bool(true)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: aws.String("arn:aws:dynamodb:eu-west-1:111122223333:table/stock"),
		Tags: []dbtypes.Tag{{Key: aws.String("firedrill:run"), Value: aws.String("01run")},
			{Key: aws.String("firedrill:undo"), Value: aws.String("mode=provisioned writes=100 WriteCapacityUnits=000")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("stock"),
		ProvisionedThroughput: &dbtypes.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(100), WriteCapacityUnits: aws.Int64(1)}}); err != nil {
		t.Fatal(err)
	}
	stop := s.load("stock", 20*time.Millisecond)
	defer stop()
	s.until(15*time.Second, "alarm", func() bool { return s.alarms()["stock-throttled"] == "ALARM" })
	s.until(25*time.Second, "resolved", func() bool { is := s.incidents(); return len(is) == 1 && is[0].Status == "resolved" })
	if got := s.incidents()[0].resolver(); got != "PRESP01 by mobile" {
		t.Errorf("resolved by %s", got)
	}
	d, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("stock")})
	if err != nil || *d.Table.ProvisionedThroughput.WriteCapacityUnits != 100 {
		t.Errorf("got %+v, %v", d, err)
	}
}

// TestOurOwnPageIsAnswered pages the other team directly, with no fault and no alarm.
func TestOurOwnPageIsAnswered(t *testing.T) {
	t.Parallel()
	s := start(t, "auto")
	w := s.World()
	pd := pagerduty.NewClient(w.Token, pagerduty.WithAPIEndpoint(w.Pager), pagerduty.WithV2EventsAPIEndpoint(w.Events))
	_, err := pd.ManageEventWithContext(t.Context(), &pagerduty.V2Event{RoutingKey: w.Teams["web"].Key, Action: "trigger", DedupKey: "firedrill/01run",
		Payload: &pagerduty.V2Payload{Summary: "[DRILL] The home page shows an error", Source: "firedrill", Severity: "critical"}})
	if err != nil {
		t.Fatal(err)
	}
	s.until(20*time.Second, "resolved", func() bool { is := s.incidents(); return len(is) == 1 && is[0].Status == "resolved" })
	l, err := pd.ListIncidentsWithContext(t.Context(), pagerduty.ListIncidentsOptions{IncidentKey: "firedrill/01run", ServiceIDs: []string{w.Teams["web"].Service}})
	if err != nil || len(l.Incidents) != 1 || l.Incidents[0].ID != s.incidents()[0].ID {
		t.Errorf("got %+v, %v", l, err)
	}
	notes, err := pd.ListIncidentNotesWithContext(t.Context(), l.Incidents[0].ID)
	if err != nil || len(notes) == 0 || notes[0].User.ID != "PRESP01" {
		t.Errorf("notes %+v, %v", notes, err)
	}
	var first, acked time.Time
	for _, e := range s.incidents()[0].Entries {
		switch {
		case e.Type == "notify_log_entry" && first.IsZero():
			first = e.At
		case e.Type == "acknowledge_log_entry":
			acked = e.At
		}
	}
	if d := acked.Sub(first); d < 3*time.Second || d > 6*time.Second {
		t.Errorf("acknowledged after %v", d)
	}
}

func TestKnobsOfBothSides(t *testing.T) {
	t.Parallel()
	s := start(t, "none")
	var knob struct {
		ID string `json:"id"`
	}
	got, body := s.call("POST", "/_sandbox/knobs", `{"service":"dynamodb","operation":"DescribeTable","by":"other","effect":"deny"}`)
	if err := json.Unmarshal([]byte(body), &knob); got != 201 || err != nil {
		t.Fatalf("got %d %s", got, body)
	}
	describe := func() error {
		_, err := dynamodb.NewFromConfig(s.cfg).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
		return err
	}
	if err := describe(); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("got %v", err)
	}
	if got, body := s.call("DELETE", "/_sandbox/knobs/"+knob.ID, ""); got != 204 {
		t.Errorf("got %d %s", got, body)
	}
	if err := describe(); err != nil {
		t.Error(err)
	}
	got, body = s.call("POST", "/_sandbox/pager/knobs", `{"effect":"401","path":"/pagerduty"}`)
	if err := json.Unmarshal([]byte(body), &knob); got != 201 || err != nil {
		t.Fatalf("got %d %s", got, body)
	}
	if got, body := s.get("/pagerduty/services"); got != 401 || !strings.Contains(body, "2006") {
		t.Errorf("got %d %s", got, body)
	}
	if got, _ := s.call("DELETE", "/_sandbox/pager/knobs/"+knob.ID, ""); got != 204 {
		t.Errorf("got %d", got)
	}
}

func TestAPortThatIsTaken(t *testing.T) {
	t.Parallel()
	s := start(t, "none")
	addr := strings.TrimPrefix(s.World().URL, "http://")
	if second, err := Start(t.Context(), Options{Listen: addr, Now: time.Now}); err == nil {
		_ = second.Close()
		t.Error("two on one port")
	} else if !strings.Contains(err.Error(), "listen on "+addr) {
		t.Errorf("got %v", err)
	}
}
