package journal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// DynamoDB is the shared store: one table that every machine reads and writes, so that one of them can put back what
// another has changed. Every read is strongly consistent, every write conditional. It is safe for use by many
// goroutines.
type DynamoDB struct {
	// Alive proves whether a lease's holder lives, as far as this machine can; tests replace it.
	Alive func(Holder) Liveness

	client   tableCalls
	table    string
	readOnly bool
	patience time.Duration
}

var _ Store = (*DynamoDB)(nil)

// DynamoDBOptions say where the table is. CreateDynamoDB makes one.
type DynamoDBOptions struct {
	Client   *dynamodb.Client // of the table's account and region; its own retries are not used
	Table    string
	ReadOnly bool          // refuse every write here, and heal nothing by the way
	Patience time.Duration // how long one call is tried before it has failed; 0 means 9 s, less than the engine waits
}

// tableCalls are the calls that a store makes, one by one: a field with their client would carry all of it into the program.
type tableCalls struct {
	GetItem    func(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem    func(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	Query      func(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	UpdateItem func(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

func callsOf(c *dynamodb.Client) tableCalls {
	return tableCalls{GetItem: c.GetItem, PutItem: c.PutItem, Query: c.Query, UpdateItem: c.UpdateItem}
}

// OpenDynamoDB makes a store of a table. Nothing is asked of it yet.
func OpenDynamoDB(o DynamoDBOptions) (*DynamoDB, error) {
	if o.Client == nil || o.Table == "" {
		return nil, errors.New("open journal: a store in DynamoDB needs a client and the name of a table")
	}
	if o.Patience <= 0 {
		o.Patience = callPatience
	}
	own := o.Client.Options()
	own.Retryer = aws.NopRetryer{}
	return &DynamoDB{Alive: aliveHere(), client: callsOf(dynamodb.New(own)), table: o.Table, readOnly: o.ReadOnly, patience: o.Patience}, nil
}

// Close is Store's; there is nothing to let go.
func (*DynamoDB) Close() error { return nil }

// How one call is tried: the engine gives the journal ten seconds in all.
const (
	callPatience = 9 * time.Second
	attempts     = 3 // of the whole patience: then an answer counts as lost
	firstPause   = 30 * time.Millisecond
	longestPause = time.Second
)

// try makes one call until it is answered. All our calls may be repeated: a write has a condition, and who meets their
// own earlier attempt recognises it.
func (s *DynamoDB) try(ctx context.Context, call func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		attempt, end := context.WithTimeout(ctx, s.patience/attempts)
		err := call(attempt)
		unanswered := attempt.Err() != nil
		end()
		if err == nil || ctx.Err() != nil || !unanswered && !passes(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // to spread the writers, not to hide anything
		}
	}
}

// passes says whether an error may be gone a moment later: throttling, the service's own trouble, a lost connection.
func passes(err error) bool { return retry.NewStandard().IsErrorRetryable(err) }

// write is try for a change. taken: its condition did not hold.
func (s *DynamoDB) write(ctx context.Context, call func(ctx context.Context) error) (taken bool, err error) {
	if s.readOnly {
		return false, errReadOnly
	}
	err = s.try(ctx, call)
	var no *types.ConditionalCheckFailedException
	if errors.As(err, &no) {
		return true, nil
	}
	return false, err
}

// all reads every item of a query, page by page, in the order of their names.
func (s *DynamoDB) all(ctx context.Context, q *dynamodb.QueryInput) ([]fields, error) {
	q.TableName, q.ConsistentRead = &s.table, aws.Bool(true)
	var out []fields
	for {
		var page *dynamodb.QueryOutput
		err := s.try(ctx, func(ctx context.Context) (err error) {
			page, err = s.client.Query(ctx, q)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			out = append(out, it)
		}
		if len(page.LastEvaluatedKey) == 0 {
			return out, nil
		}
		q.ExclusiveStartKey = page.LastEvaluatedKey
	}
}

// fail makes an *Error of err with the advice that belongs to it. The store's own answers pass as they are.
func (s *DynamoDB) fail(op string, err error) error {
	if err == nil || answers(err) {
		return err
	}
	return &Error{Op: op, Path: "in DynamoDB table " + s.table, Err: err, Try: adviceDynamoDB(err)}
}

func adviceDynamoDB(err error) string {
	var api interface{ ErrorCode() string }
	code := ""
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	switch code {
	case "ResourceNotFoundException":
		return "firedrill init --store dynamodb, or name the right table and region under store:"
	case "AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException":
		return "check the credentials, and that they may use the table"
	case "ValidationException":
		return "name a table that firedrill init --store dynamodb has made"
	}
	if passes(err) || errors.Is(err, context.DeadlineExceeded) {
		return "again; the table does not answer"
	}
	return ""
}

// errTooBig: DynamoDB keeps no item of more than 400 KB.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
func errTooBig(n int) error {
	return fmt.Errorf("the batch is %d KB even when packed, and DynamoDB keeps no item of more than 400 KB", n>>10)
}
