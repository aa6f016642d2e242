// Package responder is the person on call in the sandbox. It has a phone with the pager's app, an access key of
// its own for AWS, and nothing else: it knows of trouble what the pager, the alarms and the account tell everybody.
package responder

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Options say who is on call and what they can reach.
type Options struct {
	Pager string // base of the pager's REST API
	Phone string // base of the phone app
	Token string // a REST key of this user's
	User  string // the user's id

	AWS, Region string // endpoint and region
	Key, Secret string // an access key of the responder's own

	// Checks are pages that a healthy staging answers with less than 400.
	Checks []string
	// Redrive sends dead letters back to their queue, instead of leaving them for the owners.
	Redrive bool
	Pace    Pace
}

// Pace is how quick the person is.
type Pace struct {
	Acknowledge time.Duration // from the notification to the tap on the phone
	Look        time.Duration // from there to the first note
	Fix         time.Duration // from there to the fix
	Watch       time.Duration // how long things must look well before the incident is resolved
	Patience    time.Duration // how long to wait for that at most
	Poll        time.Duration // between two looks at the phone
}

// Auto is somebody at the desk: acknowledges after 3 s, fixes some 5 s later.
func Auto() Pace {
	return Pace{Acknowledge: 3 * time.Second, Look: time.Second, Fix: 4 * time.Second, Watch: 1500 * time.Millisecond,
		Patience: 20 * time.Second, Poll: 250 * time.Millisecond}
}

// Slow is somebody who has to find the laptop first: acknowledges after 12 s.
func Slow() Pace {
	return Pace{Acknowledge: 12 * time.Second, Look: 3 * time.Second, Fix: 8 * time.Second, Watch: 3 * time.Second,
		Patience: 40 * time.Second, Poll: 500 * time.Millisecond}
}

// Responder answers pages. It works in Run.
type Responder struct {
	o    Options
	web  *http.Client
	db   *dynamodb.Client
	mq   *sqs.Client
	lb   *elb.Client
	cw   *cloudwatch.Client
	mu   sync.Mutex
	busy map[string]bool // incidents in hand
}

// New makes somebody who is on call; the zero Pace is Auto.
func New(o Options) *Responder {
	if o.Pace == (Pace{}) {
		o.Pace = Auto()
	}
	c := aws.Config{Region: o.Region, BaseEndpoint: &o.AWS,
		Credentials: credentials.NewStaticCredentialsProvider(o.Key, o.Secret, "")}
	return &Responder{
		o: o, web: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}},
		db: dynamodb.NewFromConfig(c), mq: sqs.NewFromConfig(c), lb: elb.NewFromConfig(c), cw: cloudwatch.NewFromConfig(c),
		busy: map[string]bool{},
	}
}

// Run answers every page until ctx ends, and returns when all work in hand has stopped. A pager that does not
// answer is asked again.
func (r *Responder) Run(ctx context.Context) error {
	defer r.web.CloseIdleConnections()
	var wg sync.WaitGroup
	defer wg.Wait()
	for ctx.Err() == nil {
		ids, err := r.mine(ctx)
		if err == nil {
			for _, id := range ids {
				if r.take(id) {
					wg.Go(func() {
						defer r.leave(id)
						r.answer(ctx, id)
					})
				}
			}
		}
		wait(ctx, r.o.Pace.Poll)
	}
	return nil
}

func (r *Responder) take(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[id] {
		return false
	}
	r.busy[id] = true
	return true
}

func (r *Responder) leave(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, id)
}

// wait waits d, or until ctx ends; it says whether ctx still goes on.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}
