// Package hands is what somebody who plays on call can reach: the eyes and hands of a person at a terminal. It has an
// access key of a stranger's for AWS, a phone with the pager's app, and the addresses of the shop; it knows of trouble
// what the pager, the alarms and the account tell everybody, and changes nothing that it has not been told to.
package hands

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Options say what the person can reach, by URL and key.
type Options struct {
	AWS, Region string // endpoint and region
	Key, Secret string // an access key of nobody whom the shop knows

	Pages []Page // what the shop answers its customers
	Logs  string // where the shop's own log is

	Pager string // base of the pager's REST API
	Phone string // base of this user's phone app
	Token string // a REST key of this user's
	User  string // the user's id

	Now func() time.Time
}

// Page is one page of the shop.
type Page struct{ Name, URL string }

// patience is how long any one answer may take.
const patience = 10 * time.Second

// Hands are a person's. Every method makes the calls it names, and no other.
type Hands struct {
	o   Options
	web *http.Client
	db  *dynamodb.Client
	mq  *sqs.Client
	lb  *elb.Client
	cw  *cloudwatch.Client
}

// New gives somebody hands. What AWS refuses is not tried again: the person decides.
func New(o Options) *Hands {
	c := aws.Config{Region: o.Region, BaseEndpoint: &o.AWS, Credentials: credentials.NewStaticCredentialsProvider(o.Key, o.Secret, ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
	return &Hands{
		o: o, web: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 4},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		db: dynamodb.NewFromConfig(c), mq: sqs.NewFromConfig(c), lb: elb.NewFromConfig(c), cw: cloudwatch.NewFromConfig(c),
	}
}

// Close lets go of the connections.
func (h *Hands) Close() { h.web.CloseIdleConnections() }

// Tone is what a cell means.
type Tone int

// The tones.
const (
	Plain Tone = iota
	Dim        // only there to be looked up
	Good
	Bad
)

// Cell is one cell of a table.
type Cell struct {
	Text string
	Tone Tone
}

// Table is a small table that a person reads. What others wrote in it is theirs.
type Table struct {
	Title string
	Head  []string
	Rows  [][]Cell
	Empty string // what to say where there are no rows
}

func cell(format string, args ...any) Cell { return Cell{Text: fmt.Sprintf(format, args...)} }

func dim(text string) Cell { return Cell{text, Dim} }

// tone is a cell that is good or bad.
func tone(good bool, text string) Cell {
	if good {
		return Cell{text, Good}
	}
	return Cell{text, Bad}
}

// Subjects are what there is to look at.
func Subjects() []string { return []string{"alarms", "table", "queue", "rules", "logs", "app"} }

// Look looks at a subject with the calls that anybody would make. Only a look at a dead-letter queue takes anything in
// hand: it receives one message, and lets go of it at once.
func (h *Hands) Look(ctx context.Context, subject string) ([]Table, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	switch subject {
	case "alarms":
		return h.alarms(ctx)
	case "table":
		return h.tables(ctx)
	case "queue":
		return h.queues(ctx)
	case "rules":
		return h.rules(ctx)
	case "logs":
		return h.logs(ctx)
	case "app":
		return h.app(ctx)
	}
	return nil, fmt.Errorf("look at %q: there is no such thing", subject)
}
