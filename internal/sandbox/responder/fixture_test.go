package responder

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/firedrill/firedrill/internal/sandbox/aws"
	"github.com/firedrill/firedrill/internal/sandbox/pager"
)

const key = "0123456789abcdef0123456789abcdef"

// ward is an account, a pager and a page to check, on loopback.
type ward struct {
	t     *testing.T
	url   string
	cloud *aws.Cloud
	cfg   awssdk.Config // of somebody else
	ill   atomic.Bool   // the page to check answers 503
	o     Options
}

// quick is somebody without patience.
func quick() Pace {
	return Pace{Acknowledge: 50 * time.Millisecond, Look: 10 * time.Millisecond, Fix: 20 * time.Millisecond,
		Watch: 20 * time.Millisecond, Patience: 3 * time.Second, Poll: 10 * time.Millisecond}
}

func newWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{t: t}
	w.cloud = aws.New(aws.Options{Now: time.Now, Keys: map[string]string{"AKIARESPONDER00000": "responder"}, UpdateDelay: 50 * time.Millisecond,
		RulePropagation: -1})
	p := pager.New(pager.Options{Now: time.Now, MinDelay: time.Millisecond, MaxDelay: 2 * time.Millisecond, NotifyAfter: 20 * time.Millisecond,
		RequestsPerMinute: 100_000, Account: pager.Account{
			Users:    []pager.User{{ID: "PRESP01", Name: "First Responder", Email: "first@x.invalid", Contacts: []pager.Contact{{Type: "push"}}}},
			Policies: []pager.Policy{{ID: "PEP", Levels: [][]string{{"PRESP01"}}}},
			Services: []pager.Service{{ID: "PS", Name: "Orders", Policy: "PEP",
				Integrations: []pager.Integration{{ID: "PI", Type: pager.EventsV2, Key: key}}}},
			Tokens: []pager.Token{{Value: "t", User: "PRESP01"}},
		}})
	mux := http.NewServeMux()
	mux.Handle("/aws", w.cloud)
	mux.Handle("/aws/", w.cloud)
	mux.HandleFunc("/check", func(rw http.ResponseWriter, _ *http.Request) {
		if w.ill.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.Handle("/back/", http.StripPrefix("/back", p.Backstage()))
	mux.Handle("/", p)
	srv := httptest.NewServer(mux)
	w.url = srv.URL
	w.cloud.SetBase(srv.URL + "/aws")
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Run(ctx) })
	wg.Go(func() { _ = w.cloud.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		_ = w.cloud.Close()
		srv.Close()
	})
	w.cfg = awssdk.Config{Region: "eu-west-1", BaseEndpoint: awssdk.String(srv.URL + "/aws"),
		Credentials: credentials.NewStaticCredentialsProvider("AKIAOTHER000000000", "x", "")}
	w.o = Options{Pager: srv.URL + "/pagerduty", Phone: srv.URL + "/app", Token: "t", User: "PRESP01", AWS: srv.URL + "/aws",
		Region: "eu-west-1", Key: "AKIARESPONDER00000", Secret: "x", Checks: []string{srv.URL + "/check"}, Pace: quick()}
	return w
}

// work puts somebody on call until the test ends, or until the returned function is called.
func (w *ward) work() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = New(w.o).Run(ctx) })
	stop = func() { cancel(); wg.Wait() }
	w.t.Cleanup(stop)
	return stop
}

func (w *ward) post(path, body string) int {
	w.t.Helper()
	res, err := http.Post(w.url+path, "application/json", strings.NewReader(body)) //nolint:noctx // a test
	if err != nil {
		w.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func (w *ward) page() {
	w.t.Helper()
	if got := w.post("/events/v2/enqueue", `{"routing_key":"`+key+`","event_action":"trigger","dedup_key":"k",
		"payload":{"summary":"[DRILL] trouble","source":"x","severity":"critical"}}`); got != 202 {
		w.t.Fatalf("page: %d", got)
	}
}

type told struct {
	Status  string
	Entries []struct {
		Type, Channel, Agent, User, Text string
		At                               time.Time
	}
}

// incident is the only incident there is, as the truth tells it.
func (w *ward) incident() told {
	w.t.Helper()
	res, err := http.Get(w.url + "/back/truth") //nolint:noctx // a test
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out struct{ Incidents []told }
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		w.t.Fatal(err)
	}
	if len(out.Incidents) == 0 {
		return told{}
	}
	return out.Incidents[0]
}

// until polls a condition for ten seconds.
func (w *ward) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	w.t.Fatalf("never: %s; %+v", what, w.incident())
}

func (w *ward) resolved() told {
	w.t.Helper()
	w.until("resolved", func() bool { return w.incident().Status == "resolved" })
	return w.incident()
}

// notes are what the person wrote, in one.
func (i told) notes() string {
	var all []string
	for _, e := range i.Entries {
		if e.Type == "annotate_log_entry" {
			all = append(all, e.Text)
		}
	}
	return strings.Join(all, "\n")
}

// table makes a table and waits until it can be changed.
func (w *ward) table(name string, onDemand bool) string {
	w.t.Helper()
	db := dynamodb.NewFromConfig(w.cfg)
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: awssdk.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: awssdk.String("id"), KeyType: types.KeyTypeHash}}}
	if !onDemand {
		in.BillingMode = types.BillingModeProvisioned
		in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: awssdk.Int64(100), WriteCapacityUnits: awssdk.Int64(100)}
	}
	out, err := db.CreateTable(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	w.until("active", func() bool { return w.described(name).TableStatus == types.TableStatusActive })
	return *out.TableDescription.TableArn
}

func (w *ward) described(name string) *types.TableDescription {
	w.t.Helper()
	d, err := dynamodb.NewFromConfig(w.cfg).DescribeTable(w.t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	return d.Table
}

func (w *ward) update(in *dynamodb.UpdateTableInput) {
	w.t.Helper()
	if _, err := dynamodb.NewFromConfig(w.cfg).UpdateTable(w.t.Context(), in); err != nil {
		w.t.Fatal(err)
	}
	w.until("updated", func() bool { return w.described(*in.TableName).TableStatus == types.TableStatusActive })
}

func (w *ward) mark(arn, undo string) {
	w.t.Helper()
	tags := []types.Tag{{Key: awssdk.String(runTag), Value: awssdk.String("01run")}}
	if undo != "" {
		tags = append(tags, types.Tag{Key: awssdk.String(undoTag), Value: &undo})
	}
	_, err := dynamodb.NewFromConfig(w.cfg).TagResource(w.t.Context(), &dynamodb.TagResourceInput{ResourceArn: &arn, Tags: tags})
	if err != nil {
		w.t.Fatal(err)
	}
}
