// Package orders is the sandbox's customer: a small orders API with a table, and a consumer of a queue. It uses
// AWS as any service would, through the SDK and an access key of its own, and knows nothing of faults.
package orders

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Options say where the orders service works.
type Options struct {
	Endpoint, Region string // of AWS
	KeyID, Secret    string
	Table            string // of orders
	Queue            string // URL of the queue it consumes
	Balancer         string // base URL of the load balancer in front of it, for a little traffic; empty: none
	// Now is its clock; required.
	Now func() time.Time
	// Beat is the time between two writes of its own, and two requests through the balancer: 200 ms.
	Beat time.Duration
	// Publish is the time between two metrics: 1 s.
	Publish time.Duration
	// Ship is the time between two orders that it puts into the queue, for its own consumer to ship: 1 s; negative for
	// none.
	Ship time.Duration
}

// Service is the orders API and the consumer. It retries nothing: a failed call to AWS is a failed request.
type Service struct {
	o    Options
	mux  *http.ServeMux
	db   tableCalls
	mq   *sqs.Client
	tell func(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) // its metrics
	web  *http.Client
	log  journal

	mu       sync.Mutex
	failed   time.Time // the last write that failed
	wrote    time.Time // the last write that succeeded
	errors   int       // failed requests since the last metric
	digested int
}

// tableCalls are what the shop asks of its table, call by call: a field with a client would carry all of it into the program.
type tableCalls struct {
	GetItem func(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem func(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
}

func tablesOf(cfg aws.Config) tableCalls {
	c := dynamodb.NewFromConfig(cfg)
	return tableCalls{GetItem: c.GetItem, PutItem: c.PutItem}
}

// New makes the service. It serves at once, and works by itself in Run.
func New(o Options) *Service {
	if o.Beat == 0 {
		o.Beat = 200 * time.Millisecond
	}
	if o.Publish == 0 {
		o.Publish = time.Second
	}
	if o.Ship == 0 {
		o.Ship = time.Second
	}
	c := aws.Config{
		Region: o.Region, BaseEndpoint: &o.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(o.KeyID, o.Secret, ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
	s := &Service{
		o: o, mux: http.NewServeMux(), db: tablesOf(c), mq: sqs.NewFromConfig(c), tell: cloudwatch.NewFromConfig(c).PutMetricData,
		web: &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2}},
	}
	s.routes()
	return s
}

// Run writes, browses, ships, consumes and tells metrics until ctx ends, and returns when all of that has.
func (s *Service) Run(ctx context.Context) error {
	defer s.web.CloseIdleConnections()
	var wg sync.WaitGroup
	wg.Go(func() { every(ctx, s.o.Beat, func() { _ = s.write(ctx, heartbeat, "") }) })
	wg.Go(func() { every(ctx, s.o.Publish, func() { s.publish(ctx) }) })
	wg.Go(func() { s.consume(ctx) })
	if s.o.Ship > 0 {
		wg.Go(func() { every(ctx, s.o.Ship, func() { s.ship(ctx) }) })
	}
	if s.o.Balancer != "" {
		wg.Go(func() { every(ctx, s.o.Beat, func() { s.browse(ctx) }) })
	}
	wg.Wait()
	return nil
}

// every does something again and again, never two at a time, until ctx ends.
func every(ctx context.Context, d time.Duration, do func()) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			do()
		}
	}
}

// browse is one customer who looks at the users page. What comes back is the load balancer's business.
func (s *Service) browse(ctx context.Context) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.o.Balancer+"/users", nil)
	if err != nil {
		return
	}
	if res, err := s.web.Do(req); err == nil {
		_ = res.Body.Close()
	}
}
