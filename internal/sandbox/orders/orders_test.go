package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/internal/sandbox/aws"
)

// shop is the service on an account of its own.
type shop struct {
	t     *testing.T
	cloud *aws.Cloud
	url   string // of the API
	cfg   awssdk.Config
	s     *Service
	queue string
}

func newShop(t *testing.T, change ...func(o *Options)) *shop {
	t.Helper()
	cloud := aws.New(aws.Options{Now: time.Now, Keys: map[string]string{"AKIAORDERS00000000": "orders"}, UpdateDelay: -1})
	t.Cleanup(func() { _ = cloud.Close() })
	back := httptest.NewServer(cloud)
	t.Cleanup(back.Close)
	cloud.SetBase(back.URL + "/aws")
	h := &shop{t: t, cloud: cloud, cfg: awssdk.Config{Region: "eu-west-1", BaseEndpoint: awssdk.String(back.URL + "/aws"),
		Credentials: credentials.NewStaticCredentialsProvider("AKIAOTHER000000000", "x", "")}}
	_, err := dynamodb.NewFromConfig(h.cfg).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: awssdk.String("orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: awssdk.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: awssdk.String("id"), KeyType: types.KeyTypeHash}}})
	if err != nil {
		t.Fatal(err)
	}
	q, err := sqs.NewFromConfig(h.cfg).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: awssdk.String("orders"),
		Attributes: map[string]string{"VisibilityTimeout": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	h.queue = *q.QueueUrl
	o := Options{Endpoint: back.URL + "/aws", Region: "eu-west-1", KeyID: "AKIAORDERS00000000", Secret: "x", Table: "orders",
		Queue: h.queue, Now: time.Now, Beat: 20 * time.Millisecond, Publish: 50 * time.Millisecond}
	for _, f := range change {
		f(&o)
	}
	h.s = New(o)
	front := httptest.NewServer(h.s)
	t.Cleanup(front.Close)
	h.url = front.URL
	return h
}

// run lets the service work by itself until the test ends.
func (h *shop) run() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = h.s.Run(ctx) })
	h.t.Cleanup(func() { cancel(); wg.Wait() })
}

func (h *shop) do(method, path, body string) (int, string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

// until polls a condition for ten seconds.
func (h *shop) until(what string, ok func() bool) {
	h.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	h.t.Fatal("never: " + what)
}

func (h *shop) cap(writes int64) {
	h.t.Helper()
	_, err := dynamodb.NewFromConfig(h.cfg).UpdateTable(h.t.Context(), &dynamodb.UpdateTableInput{TableName: awssdk.String("orders"),
		OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: awssdk.Int64(writes)}})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestPlaceAndLook(t *testing.T) {
	h := newShop(t)
	if got, body := h.do("POST", "/orders", `{"id":"7","item":"tea"}`); got != 201 {
		t.Fatalf("got %d %s", got, body)
	}
	for path, want := range map[string]string{
		"/orders/7": `200 {"id":"7","item":"tea"}`,
		"/orders/8": `404 {"error":"no such order"}`,
		"/health":   `200 {"status":"ok"}`,
		"/nothing":  `404 404 page not found`,
	} {
		got, body := h.do("GET", path, "")
		if s := fmt.Sprintf("%d %s", got, strings.TrimSpace(body)); s != want {
			t.Errorf("%s: got %s, want %s", path, s, want)
		}
	}
	if got, body := h.do("GET", "/users", ""); got != 200 || !json.Valid([]byte(body)) {
		t.Errorf("/users: %d %s", got, body)
	}
	if got, body := h.do("GET", "/", ""); got != 200 || !strings.Contains(body, "<h1>Orders</h1>") {
		t.Errorf("/: %d %s", got, body)
	}
	for _, bad := range []string{`{`, `{"item":"no id"}`} {
		if got, _ := h.do("POST", "/orders", bad); got != 400 {
			t.Errorf("%s: %d", bad, got)
		}
	}
}

func TestHealthFollowsItsOwnWrites(t *testing.T) {
	h := newShop(t)
	h.run()
	h.until("healthy", func() bool { got, _ := h.do("GET", "/health", ""); return got == 200 })
	h.cap(1)
	h.until("ill without traffic from outside", func() bool { got, _ := h.do("GET", "/health", ""); return got == 503 })
	h.cap(-1)
	h.until("healthy again", func() bool { got, _ := h.do("GET", "/health", ""); return got == 200 })
}

func TestAWriteIsNotRetried(t *testing.T) {
	h := newShop(t)
	h.cap(1)
	h.until("throttled", func() bool {
		got, body := h.do("POST", "/orders", `{"id":"7"}`)
		return got == 503 && strings.Contains(body, "ThrottlingException")
	})
	if got, _ := h.do("GET", "/health", ""); got != 503 {
		t.Errorf("health: %d", got)
	}
	for _, c := range h.cloud.CallLog() {
		if c.Operation == "PutItem" && c.By != "orders" {
			t.Errorf("write by %s", c.By)
		}
	}
}

func TestErrorsAreCounted(t *testing.T) {
	h := newShop(t)
	h.cap(1)
	h.run()
	h.until("a sum of errors", func() bool {
		out, err := cloudwatch.NewFromConfig(h.cfg).GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: awssdk.String("Orders"), MetricName: awssdk.String("Errors"), Period: awssdk.Int32(60),
			Dimensions: []cwtypes.Dimension{{Name: awssdk.String("Service"), Value: awssdk.String("orders")}},
			StartTime:  awssdk.Time(time.Now().Add(-time.Hour)), EndTime: awssdk.Time(time.Now().Add(time.Minute)),
			Statistics: []cwtypes.Statistic{cwtypes.StatisticSum}})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Datapoints) > 0 && *out.Datapoints[0].Sum > 3
	})
}

func TestConsumerLeavesWhatItCannotDigest(t *testing.T) {
	h := newShop(t)
	mq := sqs.NewFromConfig(h.cfg)
	for _, body := range []string{`{"order":"7"}`, `poison`, `{"order":""}`, `[]`} {
		if _, err := mq.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &h.queue, MessageBody: &body}); err != nil {
			t.Fatal(err)
		}
	}
	h.run()
	h.until("the good one digested, the others tried", func() bool {
		left := h.cloud.Messages()
		for _, m := range left {
			if m.Receives == 0 {
				return false
			}
		}
		return len(left) == 3
	})
	for _, m := range h.cloud.Messages() {
		if m.Body == `{"order":"7"}` {
			t.Error("the good one is still there")
		}
	}
}

func TestBrowsesThroughTheBalancer(t *testing.T) {
	var mu sync.Mutex
	paths := map[string]int{}
	lb := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths[r.URL.Path]++
	}))
	defer lb.Close()
	h := newShop(t, func(o *Options) { o.Balancer = lb.URL })
	h.run()
	h.until("some visits", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return paths["/users"] > 2
	})
}

// The shop puts orders into its own queue and takes them out again; while it may not, they wait and none is lost.
func TestShipsWhatItSells(t *testing.T) {
	h := newShop(t, func(o *Options) { o.Ship = 20 * time.Millisecond })
	h.run()
	shipped := func() int {
		h.s.mu.Lock()
		defer h.s.mu.Unlock()
		return h.s.digested
	}
	h.until("five are shipped", func() bool { return shipped() >= 5 })
	mq := sqs.NewFromConfig(h.cfg)
	policy := func(text string) {
		if _, err := mq.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &h.queue, Attributes: map[string]string{"Policy": text}}); err != nil {
			t.Fatal(err)
		}
	}
	policy(`{"Statement":{"Effect":"Deny","Principal":"*","Action":["sqs:ReceiveMessage","sqs:DeleteMessage"]}}`)
	h.until("they wait", func() bool { return len(h.cloud.Messages()) > 20 })
	before := shipped()
	policy("")
	h.until("they are shipped after all", func() bool { return shipped() > before+20 && len(h.cloud.Messages()) < 5 })
}
