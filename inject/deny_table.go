package inject

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxTablePolicy is how many bytes a table's policy may have, white space included.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
const maxTablePolicy = 20 << 10

// noTablePolicy is the revision that is none: a policy is put only where there is none yet.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutResourcePolicy.html
const noTablePolicy = "NO_POLICY"

// policyTags lists the names of the tags we may put on what has a policy of ours.
func policyTags() []string { return append(ourTags(), TagSent) }

func isGone(err error) bool { return errors.Is(err, ErrGone) }

func (t table) name() string { return aws.ToString(t.TableName) }
func (t table) arn() string  { return aws.ToString(t.TableArn) }
func (t table) id() string   { return aws.ToString(t.TableId) }

// findTable reads a table whose policy may be changed and put back by us alone.
func (f *deny) findTable(ctx context.Context, name string) (table, error) {
	t, err := f.tables.readTable(ctx, name)
	if isGone(err) {
		return t, Refuse("mend the table's name, or the account and region", "there is no table %s", name)
	}
	if err != nil {
		return t, err
	}
	return t, refuseTable(t)
}

// sameTable says that the table is the one the undo was made of; ErrGone where it is not there, or was made anew.
func (k *denying) sameTable(ctx context.Context, u Undo, d denyUndo) error {
	t, err := k.tables.readTable(ctx, d.Table)
	if err != nil {
		return err
	}
	return throttleUndo{Table: d.Table, ID: d.ID}.sameTable(u, t)
}

// tableHolder is a table with its policy.
type tableHolder struct {
	k *denying
	u Undo
	d denyUndo
}

func (k *denying) holder(u Undo, d denyUndo) policyHolder { return tableHolder{k, u, d} }

func (h tableHolder) what() string { return "table " + h.d.Table }

// readPolicy reads the policy. It may be behind: a write names the revision that it expects, and the service decides.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetResourcePolicy.html
func (h tableHolder) readPolicy(ctx context.Context) (text, revision string, err error) {
	out, err := h.k.policies.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: &h.u.Target.ARN})
	var none *types.PolicyNotFoundException
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &none):
		return "", noTablePolicy, nil
	case errors.As(err, &missing):
		return "", "", fmt.Errorf("read policy of table %s: %w (%w)", h.d.Table, ErrGone, err)
	case err != nil:
		return "", "", fmt.Errorf("read policy of table %s: %w", h.d.Table, err)
	}
	return aws.ToString(out.Policy), aws.ToString(out.RevisionId), nil
}

func (h tableHolder) writePolicy(ctx context.Context, text, revision string) error {
	var err error
	if text == "" {
		_, err = h.k.policies.DeleteResourcePolicy(ctx, &dynamodb.DeleteResourcePolicyInput{ResourceArn: &h.u.Target.ARN, ExpectedRevisionId: &revision}, onceDynamoDB)
	} else {
		_, err = h.k.policies.PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: &h.u.Target.ARN, Policy: &text, ExpectedRevisionId: &revision}, onceDynamoDB)
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("change policy of table %s: %w", h.d.Table, err)
	switch {
	case hasCode(err, "PolicyNotFoundException"): // also the name of another revision
		err = fmt.Errorf("%w: %w", errPolicyMoved, err)
	case hasCode(err, "ResourceInUseException", "LimitExceededException", "ThrottlingException"):
		// Which of them says that the policy was changed less than 15 seconds ago is not documented.
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
		err = fmt.Errorf("%w: %w", errPolicyBusy, err)
	}
	return judged(err)
}

func (h tableHolder) readTags(ctx context.Context) (map[string]string, error) {
	return h.k.tables.readTags(ctx, h.u.Target.ARN)
}

func (h tableHolder) putTags(ctx context.Context, tags map[string]string) error {
	return h.k.tables.putTags(ctx, h.u.Target.ARN, tags)
}

func (h tableHolder) dropTags(ctx context.Context) error {
	if _, err := h.k.tables.tables.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: &h.u.Target.ARN, TagKeys: policyTags()}, onceDynamoDB); err != nil {
		return fmt.Errorf("untag %s: %w", h.u.Target.ARN, err)
	}
	return nil
}

// ask sends a write under a condition that cannot hold, or a read, of a key that is not there, and says by its User-Agent
// that it is our look.
func (h tableHolder) ask(ctx context.Context) Reading {
	last := Reading{Felt: Unknown, Why: "nothing was asked"}
	key := throttleUndo{Keys: h.d.Keys}.absentKey(h.u.Mark, -1)
	as := func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, awsmiddleware.AddUserAgentKeyValue(probeAgent, h.u.Mark.Run))
	}
	if h.d.Writes {
		hash := h.d.Keys[0].Name
		_, err := h.k.items.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &h.d.Table, Key: key,
			ConditionExpression:       aws.String("attribute_exists(#k) AND #k <> :k"), // an item's key is never unlike itself
			ExpressionAttributeNames:  map[string]string{"#k": hash},
			ExpressionAttributeValues: map[string]types.AttributeValue{":k": key[hash]}}, as)
		if last = judgeDenial("a write", err); last.Felt == Yes {
			return last
		}
	}
	if h.d.Reads {
		_, err := h.k.items.GetItem(ctx, &dynamodb.GetItemInput{TableName: &h.d.Table, Key: key}, as)
		if r := judgeDenial("a read", err); r.Felt != No || !h.d.Writes {
			last = r
		}
	}
	return last
}

// judgeDenial reads the answer to a look of ours. What an identity's own policies forbid proves nothing.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func judgeDenial(what string, err error) Reading {
	var refused *types.ConditionalCheckFailedException
	switch {
	case err == nil, errors.As(err, &refused), hasCode(err, "ReceiptHandleIsInvalid"):
		return Reading{Felt: No, Why: what + " of ours was let through"}
	case hasCode(err, "AccessDeniedException", "AccessDenied") && strings.Contains(err.Error(), "explicit deny in a resource-based policy"):
		return Reading{Felt: Yes, Why: what + " of ours met the explicit deny of the resource policy"}
	}
	return Reading{Felt: Unknown, Why: err.Error()}
}
