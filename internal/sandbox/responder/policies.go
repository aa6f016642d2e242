package responder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// sidPrefix begins the name of a drill's statement in a resource policy.
const sidPrefix = "Firedrill"

// document is a resource policy as a person reads it: what else it says stays as it is.
type document map[string]json.RawMessage

// denials splits a policy's statements into those of a drill that deny something, by what they deny, and all others.
func denials(text string) (doc document, rest []json.RawMessage, denied []string) {
	if json.Unmarshal([]byte(text), &doc) != nil {
		return nil, nil, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(doc["Statement"], &list) != nil {
		list = []json.RawMessage{doc["Statement"]}
	}
	for _, raw := range list {
		var s struct {
			Sid, Effect string
			Action      []string
		}
		if json.Unmarshal(raw, &s) == nil && s.Effect == "Deny" && strings.HasPrefix(s.Sid, sidPrefix) {
			denied = append(denied, strings.Join(s.Action, ", "))
			continue
		}
		rest = append(rest, raw)
	}
	return doc, rest, denied
}

// without is the policy without a drill's denials; empty where nothing else is in it.
func (d document) without(rest []json.RawMessage) (string, error) {
	if len(rest) == 0 {
		return "", nil
	}
	list, err := json.Marshal(rest)
	if err != nil {
		return "", err
	}
	d["Statement"] = list
	text, err := json.Marshal(d)
	return string(text), err
}

// tablePolicies finds tables whose own policy denies requests by a drill's statement.
func (r *Responder) tablePolicies(ctx context.Context) ([]finding, error) {
	names, err := r.db.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	var found []finding
	for _, name := range names.TableNames {
		d, err := r.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return found, fmt.Errorf("describe table %s: %w", name, err)
		}
		arn := d.Table.TableArn
		out, err := r.db.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: arn})
		if err != nil {
			continue // as a rule there is none
		}
		_, _, denied := denials(*out.Policy)
		if len(denied) == 0 {
			continue
		}
		found = append(found, finding{
			said: fmt.Sprintf("the resource policy of table %s denies %s: nobody of ours wrote that", name, denied[0]),
			fix:  func(ctx context.Context) error { return r.allowTable(ctx, arn) },
			done: fmt.Sprintf("took the denial out of the resource policy of table %s", name),
		})
	}
	return found, nil
}

// allowTable takes the denials out of a table's policy. A policy that somebody has just changed is tried again.
func (r *Responder) allowTable(ctx context.Context, arn *string) error {
	for try := 1; ; try++ {
		out, err := r.db.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: arn})
		if err != nil {
			return fmt.Errorf("get policy of %s: %w", *arn, err)
		}
		doc, rest, denied := denials(*out.Policy)
		if len(denied) == 0 {
			return nil
		}
		text, err := doc.without(rest)
		if err != nil {
			return fmt.Errorf("write policy of %s: %w", *arn, err)
		}
		if text == "" {
			_, err = r.db.DeleteResourcePolicy(ctx, &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn, ExpectedRevisionId: out.RevisionId})
		} else {
			_, err = r.db.PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: &text, ExpectedRevisionId: out.RevisionId})
		}
		if err == nil {
			return nil
		}
		var busy *dbtypes.ResourceInUseException
		var moved *dbtypes.PolicyNotFoundException
		if try == updateTries || !errors.As(err, &busy) && !errors.As(err, &moved) || !wait(ctx, updateRest) {
			return fmt.Errorf("change policy of %s: %w", *arn, err)
		}
	}
}

// queuePolicies finds queues whose policy denies requests by a drill's statement.
func (r *Responder) queuePolicies(ctx context.Context) ([]finding, error) {
	qs, err := r.mq.ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	var found []finding
	for _, u := range qs.QueueUrls {
		_, _, denied := denials(r.queuePolicy(ctx, u))
		if len(denied) == 0 {
			continue
		}
		name := u[strings.LastIndexByte(u, '/')+1:]
		found = append(found, finding{
			said: fmt.Sprintf("the policy of queue %s denies %s: its consumer gets nothing", name, denied[0]),
			fix:  func(ctx context.Context) error { return r.allowQueue(ctx, u) },
			done: fmt.Sprintf("took the denial out of the policy of queue %s", name),
		})
	}
	return found, nil
}

// queuePolicy is a queue's policy, empty where there is none or where it cannot be seen.
func (r *Responder) queuePolicy(ctx context.Context, url string) string {
	a, err := r.mq.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url,
		AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNamePolicy}})
	if err != nil {
		return ""
	}
	return a.Attributes["Policy"]
}

func (r *Responder) allowQueue(ctx context.Context, url string) error {
	doc, rest, denied := denials(r.queuePolicy(ctx, url))
	if len(denied) == 0 {
		return nil
	}
	text, err := doc.without(rest)
	if err != nil {
		return fmt.Errorf("write policy of %s: %w", url, err)
	}
	_, err = r.mq.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: aws.String(url), Attributes: map[string]string{"Policy": text}})
	if err != nil {
		return fmt.Errorf("change policy of %s: %w", url, err)
	}
	return nil
}
