package conformance

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/journal/journaltest"
)

// TestMotoStore holds the shared store against moto's DynamoDB, and its table to what was asked for.
func TestMotoStore(t *testing.T) {
	program := part(t, "moto_server", installMoto)
	tables := storeTables{client: storeClient(serve(t, serving, program, "-H", "127.0.0.1", "-p", "0")[1], &oneAtATime{next: http.DefaultTransport})}
	made := tables.make(t, "told")
	if !made.Made || len(made.Unset) > 0 {
		t.Errorf("%+v", made)
	}
	if again := tables.make(t, "told"); again.Made || len(again.Set)+len(again.Unset) > 0 {
		t.Errorf("made again: %+v", again)
	}
	out := must(tables.client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("told")}))(t)
	if !aws.ToBool(out.Table.DeletionProtectionEnabled) || out.Table.BillingModeSummary.BillingMode != "PAY_PER_REQUEST" {
		t.Errorf("the table is not as asked for: %+v", out.Table)
	}
	journaltest.RunSlow(t, tables.fresh())
}

// storeTables makes tables for the store in a DynamoDB that others wrote.
type storeTables struct{ client *dynamodb.Client }

// oneAtATime sends one write after the other. moto looks at an item's condition and writes it in two steps, between
// which another thread of it may do the same: of two hundred appenders some would lose what was answered as written.
type oneAtATime struct {
	mu   sync.Mutex
	next http.RoundTripper
}

func (o *oneAtATime) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Target") != "DynamoDB_20120810.Query" {
		o.mu.Lock()
		defer o.mu.Unlock()
	}
	return o.next.RoundTrip(r)
}

func storeClient(url string, transport http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{Region: "eu-west-1", BaseEndpoint: &url, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("AKIAFIREDRILL00000", "secret", "")})
}

func (s storeTables) make(t *testing.T, name string) journal.Table {
	t.Helper()
	return must(journal.CreateDynamoDB(t.Context(), journal.TableOptions{Client: s.client, Table: name}))(t)
}

func (s storeTables) open(t *testing.T, name string) journal.Store {
	t.Helper()
	return must(journal.OpenDynamoDB(journal.DynamoDBOptions{Client: s.client, Table: name, Patience: patience}))(t)
}

// fresh opens the store on a new table each time. A handle on a table keeps nothing, so that two of them are no other
// than one.
func (s storeTables) fresh() func(t *testing.T) journal.Store {
	made := new(atomic.Int64)
	return func(t *testing.T) journal.Store {
		name := fmt.Sprintf("journal-%d", made.Add(1))
		s.make(t, name)
		return s.open(t, name)
	}
}
