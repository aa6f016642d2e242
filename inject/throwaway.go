package inject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// TagThrowaway is on what a selftest has made for itself, and nothing else: its value is in the name too.
const TagThrowaway = "firedrill:selftest"

// throwawayName is what such things are called: firedrill-selftest-<id>, the DLQ with -dlq behind it.
var throwawayName = regexp.MustCompile(`^firedrill-selftest-([0-7][0-9a-hjkmnp-tv-z]{25})(-dlq)?$`)

// throwawayPrefix begins their names.
const throwawayPrefix = "firedrill-selftest-"

// errNotThrowaway keeps everything alive that a selftest has not made: firedrill deletes nobody's table and nobody's queue.
var errNotThrowaway = errors.New("not deleting: no selftest has made it")

// Throwaway is a table and a pair of queues of a selftest's own. They exist to be broken, and are deleted afterwards.
type Throwaway struct {
	ID       string // a ULID in lower case
	Table    string // name
	QueueURL string
	DLQURL   string

	c *Clients
}

// throwawayWaits is how long each of the queues hides a received message: a failing consumer meets it twice soon.
const throwawayWaits = 2 * time.Second

// NewThrowaway names what a selftest will make; nothing is made yet.
func NewThrowaway(c *Clients, id string) *Throwaway {
	return &Throwaway{ID: id, Table: throwawayPrefix + id, c: c}
}

// name is that of the queue, DLQ that of its dead-letter queue.
func (w *Throwaway) name() string { return throwawayPrefix + w.ID }
func (w *Throwaway) dlq() string  { return w.name() + "-dlq" }

// Allowed says whether these credentials may delete what a selftest makes, before it makes any: things of its name that are
// not there are deleted, which changes nothing.
func (w *Throwaway) Allowed(ctx context.Context) error {
	if !throwawayName.MatchString(w.name()) {
		return fmt.Errorf("%s: %w", w.name(), errNotThrowaway)
	}
	name := w.name()
	if _, err := w.c.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name}); !hasCode(err, "ResourceNotFoundException") {
		return errors.Join(fmt.Errorf("table %s is there before it was made, or cannot be looked for", name), err)
	}
	if _, err := w.c.DynamoDB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}, onceDynamoDB); !hasCode(err, "ResourceNotFoundException") {
		return errors.Join(fmt.Errorf("ask whether table %s could be deleted", name), err)
	}
	if _, err := w.c.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name}); !errors.Is(orGone(err), ErrGone) {
		return errors.Join(fmt.Errorf("queue %s is there before it was made, or cannot be looked for", name), err)
	}
	return nil
}

// Make makes the table and the queues with these tags, so that guards let drills at them, and waits for the table.
func (w *Throwaway) Make(ctx context.Context, tags map[string]string, until time.Time) error {
	all := maps.Clone(tags)
	if all == nil {
		all = map[string]string{}
	}
	all[TagThrowaway], all[TagThrowawayUntil] = w.ID, until.UTC().Format(time.RFC3339)
	in := &dynamodb.CreateTableInput{TableName: &w.Table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}}}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		in.Tags = append(in.Tags, types.Tag{Key: &k, Value: aws.String(all[k])})
	}
	if _, err := w.c.DynamoDB.CreateTable(ctx, in, onceDynamoDB); err != nil {
		return fmt.Errorf("create table %s: %w", w.Table, err)
	}
	var err error
	if w.DLQURL, err = w.makeQueue(ctx, w.dlq(), nil, all); err != nil {
		return err
	}
	dead, err := w.c.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &w.DLQURL, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
	if err != nil {
		return fmt.Errorf("read attributes of queue %s: %w", w.dlq(), err)
	}
	redrive := asJSON(map[string]any{"deadLetterTargetArn": dead.Attributes["QueueArn"], "maxReceiveCount": 2})
	if w.QueueURL, err = w.makeQueue(ctx, w.name(), map[string]string{"RedrivePolicy": string(redrive),
		"VisibilityTimeout": fmt.Sprint(int(throwawayWaits.Seconds()))}, all); err != nil {
		return err
	}
	return w.awaitTable(ctx, true)
}

// TagThrowawayUntil says when a selftest will surely have ended: what is there later was left behind.
const TagThrowawayUntil = "firedrill:selftest-until"

func (w *Throwaway) makeQueue(ctx context.Context, name string, attributes, tags map[string]string) (string, error) {
	out, err := w.c.SQS.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes, Tags: tags}, onceSQS)
	if err != nil {
		return "", fmt.Errorf("create queue %s: %w", name, err)
	}
	return aws.ToString(out.QueueUrl), nil
}

// awaitTable waits until the table is ACTIVE, or gone.
func (w *Throwaway) awaitTable(ctx context.Context, there bool) error {
	for {
		out, err := w.c.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &w.Table})
		gone := hasCode(err, "ResourceNotFoundException")
		switch {
		case err == nil && there && out.Table.TableStatus == types.TableStatusActive, gone && !there:
			return nil
		case err != nil && !gone:
			return fmt.Errorf("describe table %s: %w", w.Table, err)
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return fmt.Errorf("wait for table %s: %w", w.Table, err)
		}
	}
}

// Consume receives from the queue and fails at every message, as a consumer with a bug does, until ctx ends.
func (w *Throwaway) Consume(ctx context.Context) {
	for ctx.Err() == nil {
		_, err := w.c.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &w.QueueURL, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			_ = pause(ctx, time.Second)
		}
	}
}

// State is what is configured of table and queues, a line each, and how many messages the DLQ holds: for comparing before,
// during and after.
func (w *Throwaway) State(ctx context.Context) ([]string, error) {
	k := newThrottling(w.c, AWSTiming())
	t, err := k.readTable(ctx, w.Table)
	if err != nil {
		return nil, err
	}
	tags, err := k.readTags(ctx, t.arn())
	if err != nil {
		return nil, err
	}
	policy, _, err := NewSweeper(w.c, CatalogOptions{}).tablePolicy(ctx, t.arn())
	if err != nil {
		return nil, err
	}
	lines := []string{fmt.Sprintf("table: %s, writes %s, reads %s", t.mode(), units(t.units("writes"), t.mode()), units(t.units("reads"), t.mode())), "table policy: " + orNone(policy)}
	lines = append(lines, tagLines("table", tags)...)
	q := newPoisoning(w.c, AWSTiming())
	for what, url := range map[string]string{"queue": w.QueueURL, "DLQ": w.DLQURL} {
		one, err := q.readQueue(ctx, url)
		if err != nil {
			return nil, err
		}
		tags, err := q.readTags(ctx, url)
		if err != nil {
			return nil, err
		}
		lines = append(append(lines, what+" policy: "+orNone(one.attributes["Policy"])), tagLines(what, tags)...)
		if what == "DLQ" {
			lines = append(lines, fmt.Sprintf("DLQ: %d messages", one.depth()))
		}
	}
	slices.Sort(lines)
	return lines, nil
}

func orNone(policy string) string {
	if policy == "" {
		return "none"
	}
	var short json.RawMessage
	if json.Unmarshal([]byte(policy), &short) != nil || len(policy) > 200 {
		return policy[:min(len(policy), 200)] + "…"
	}
	return policy
}

func tagLines(what string, tags map[string]string) (lines []string) {
	for k, v := range tags {
		lines = append(lines, fmt.Sprintf("%s tag %s=%s", what, k, v))
	}
	return lines
}

// Delete deletes the table and the queues, if name and tag both say that this selftest made them, and reads that they are
// gone. What is not there is no error.
func (w *Throwaway) Delete(ctx context.Context) error {
	return errors.Join(w.deleteTable(ctx), w.deleteQueue(ctx, w.name()), w.deleteQueue(ctx, w.dlq()))
}

func (w *Throwaway) deleteTable(ctx context.Context) error {
	k := newThrottling(w.c, AWSTiming())
	t, err := k.readTable(ctx, w.Table)
	if errors.Is(err, ErrGone) {
		return nil
	}
	var tags map[string]string
	if err == nil {
		tags, err = k.readTags(ctx, t.arn())
	}
	if err == nil {
		err = w.made(t.name(), tags)
	}
	if err != nil {
		return fmt.Errorf("delete table %s: %w", w.Table, err)
	}
	for t.TableStatus != types.TableStatusDeleting {
		_, err := w.c.DynamoDB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &w.Table}, onceDynamoDB)
		if err == nil || hasCode(err, "ResourceNotFoundException") {
			break
		}
		if !hasCode(err, "ResourceInUseException") {
			return fmt.Errorf("delete table %s: %w", w.Table, err)
		}
		if err := pause(ctx, time.Second); err != nil {
			return fmt.Errorf("delete table %s: %w", w.Table, err)
		}
	}
	return w.awaitTable(ctx, false)
}

func (w *Throwaway) deleteQueue(ctx context.Context, name string) error {
	k := newPoisoning(w.c, AWSTiming())
	url, err := k.queueURL(ctx, name)
	var tags map[string]string
	if err == nil {
		tags, err = k.readTags(ctx, url)
	}
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err == nil {
		err = w.made(lastPart(url, "/"), tags)
	}
	if err == nil {
		_, err = w.c.SQS.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &url}, onceSQS)
	}
	if err != nil && !errors.Is(orGone(err), ErrGone) {
		return fmt.Errorf("delete queue %s: %w", name, err)
	}
	return nil
}

// made says no for everything whose name and tag do not both say that this selftest made it.
func (w *Throwaway) made(name string, tags map[string]string) error {
	id := throwawayName.FindStringSubmatch(name)
	if id == nil || id[1] != w.ID || tags[TagThrowaway] != w.ID {
		return fmt.Errorf("%w (name %s, tag %s=%s)", errNotThrowaway, name, TagThrowaway, tags[TagThrowaway])
	}
	return nil
}

// findThrowaway says whether a thing is a selftest's own, and lists it: what was broken of it goes with it.
func (f *finding) findThrowaway(l Leftover, name string, tags map[string]string, byHand string) bool {
	id := throwawayName.FindStringSubmatch(name)
	if id == nil || tags[TagThrowaway] != id[1] {
		return false
	}
	l.Selftest, l.Mark.Run, l.ByHand, l.Finds = id[1], id[1], []string{byHand}, "a selftest has made it for itself, and died"
	var err error
	if l.Mark.Until, err = time.Parse(time.RFC3339, tags[TagThrowawayUntil]); err != nil {
		l.Selftest, l.Why = "", fmt.Sprintf("%s is %q, no time", TagThrowawayUntil, tags[TagThrowawayUntil])
	}
	f.found(l)
	return true
}

// Forgotten lists what selftests have left behind, whose time is over by now.
func Forgotten(ctx context.Context, c *Clients, now time.Time) ([]*Throwaway, error) {
	s := NewSweeper(c, CatalogOptions{})
	ids := map[string]bool{}
	see := func(name string, tags map[string]string) {
		id := throwawayName.FindStringSubmatch(name)
		until, err := time.Parse(time.RFC3339, tags[TagThrowawayUntil])
		if id != nil && tags[TagThrowaway] == id[1] && err == nil && now.After(until) {
			ids[id[1]] = true
		}
	}
	tables, err := s.tableNames(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range tables {
		if !strings.HasPrefix(name, throwawayPrefix) {
			continue
		}
		t, err := s.tables.readTable(ctx, name)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		tags, err := s.tagsOfTable(ctx, t.arn())
		if err != nil {
			return nil, err
		}
		see(name, tags)
	}
	queues, err := c.SQS.ListQueues(ctx, &sqs.ListQueuesInput{QueueNamePrefix: aws.String(throwawayPrefix), MaxResults: aws.Int32(1000)})
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	for _, url := range queues.QueueUrls {
		tags, err := s.queues.readTags(ctx, url)
		if err != nil && !errors.Is(err, ErrGone) {
			return nil, err
		}
		see(lastPart(url, "/"), tags)
	}
	var all []*Throwaway
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		all = append(all, NewThrowaway(c, id))
	}
	return all, nil
}
