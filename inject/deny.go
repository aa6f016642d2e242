package inject

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// DenyParams are the parameters of dynamodb.deny: a table's policy denies its items to everybody but firedrill.
type DenyParams struct {
	Table  string `json:"table" jsonschema:"description=Name of the table"`
	Writes bool   `json:"writes,omitempty" jsonschema:"description=Deny writes of items"`
	Reads  bool   `json:"reads,omitempty" jsonschema:"description=Deny reads of items"`
}

// denying is the kind dynamodb.deny.
type denying struct {
	policyMerger
	policies Tables
	caller   Identity
	items    Items
	tables   *throttling // how tables and their tags are read and written
	roles    []string    // further ARNs of ours that nothing may lock out
}

func newDenying(c *Clients, o CatalogOptions) *denying {
	return &denying{policyMerger: policyMerger{now: c.now, timing: o.Timing, late: o.Timing.Lock}, policies: c.DynamoDB, caller: c.STS,
		items: c.Items, tables: newThrottling(c, o.Timing), roles: o.Roles}
}

func (k *denying) kind() Kind {
	return Kind{New: k.new, Revert: k.revert, Settled: k.settledTable, Describe: k.describe, ByHand: k.byHand, Identity: k.tables.identity}
}

// deny is one denial, about to be made.
type deny struct {
	*denying
	params DenyParams
}

var (
	_ Fault     = (*deny)(nil)
	_ Verifier  = (*deny)(nil)
	_ Expirer   = (*deny)(nil)
	_ Permitter = (*deny)(nil)
	_ Placed    = (*deny)(nil)
	_ Mover     = (*deny)(nil)
	_ Floored   = (*deny)(nil)
	_ Costed    = (*deny)(nil)
)

func (k *denying) new(raw json.RawMessage) (Fault, error) {
	f := &deny{denying: k}
	if err := decodeParams(KindDeny, raw, &f.params); err != nil {
		return nil, err
	}
	switch {
	case f.params.Table == "":
		return nil, Refuse("write table: NAME", "%s names no table", KindDeny)
	case !f.params.Writes && !f.params.Reads:
		return nil, Refuse("write writes: true or reads: true", "%s of table %s denies neither writes nor reads", KindDeny, f.params.Table)
	}
	return f, nil
}

// The actions on a table's items, as its policy may name them. Those of the control plane are in neither: whoever must put
// things right can. A transaction is allowed by the actions of its parts; ConditionCheckItem is left alone, for a denial of
// reads would break transactions that write.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-iam-actions.html
func denyActions(writes, reads bool) (actions, probes []string) {
	if writes {
		actions = append(actions, "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
			"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete")
		probes = append(probes, "dynamodb:UpdateItem")
	}
	if reads {
		actions = append(actions, "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQLSelect")
		probes = append(probes, "dynamodb:GetItem")
	}
	return actions, probes
}

// denyUndo is the data of a dynamodb.deny undo, version 1.
type denyUndo struct {
	Table  string         `json:"table"`
	ID     string         `json:"table_id,omitempty"` // tells a table from a later one of the same name
	Writes bool           `json:"writes,omitempty"`
	Reads  bool           `json:"reads,omitempty"`
	Keys   []keyAttribute `json:"keys"`
	Policy policyUndo     `json:"policy"`
}

// readDenyUndo decodes an undo of any version ever written.
func readDenyUndo(u Undo) (denyUndo, error) {
	var d denyUndo
	if u.Kind != KindDeny || u.V != 1 {
		return d, fmt.Errorf("undo of kind %s version %d is not one of ours", u.Kind, u.V)
	}
	if err := json.Unmarshal(u.Data, &d); err != nil {
		return d, fmt.Errorf("read undo of %s: %w", u.Kind, err)
	}
	return d, nil
}

// words say what is denied.
func (d denyUndo) words() string {
	switch {
	case d.Writes && d.Reads:
		return "writes and reads"
	case d.Reads:
		return "reads"
	}
	return "writes"
}

// ourselves lists the ARNs of ours, as policies see them.
func ourselves(ctx context.Context, api Identity, roles []string) ([]string, error) {
	who, err := api.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("ask STS who we are: %w", err)
	}
	ours := principals(*who.Arn)
	if len(ours) == 0 {
		return nil, fmt.Errorf("ask STS who we are: %q is no ARN", *who.Arn)
	}
	for _, role := range roles {
		ours = append(ours, principals(role)...)
	}
	return ours, nil
}

// Prepare reads the table, its policy and its tags.
func (f *deny) Prepare(ctx context.Context, m Mark, _ time.Time) (Undo, error) {
	if err := m.check(); err != nil {
		return Undo{}, err
	}
	t, err := f.findTable(ctx, f.params.Table)
	if err != nil {
		return Undo{}, err
	}
	target, err := targetOf(t.arn())
	if err != nil {
		return Undo{}, err
	}
	d := denyUndo{Table: t.name(), ID: t.id(), Writes: f.params.Writes, Reads: f.params.Reads, Keys: t.keys()}
	h := f.holder(Undo{Mark: m, Target: target}, d)
	doc, policy, err := preparePolicy(ctx, h)
	if err != nil {
		return Undo{}, err
	}
	ours, err := ourselves(ctx, f.caller, f.roles)
	if err != nil {
		return Undo{}, err
	}
	resources := []string{target.ARN}
	if d.Reads {
		resources = append(resources, target.ARN+"/index/*")
	}
	actions, probes := denyActions(d.Writes, d.Reads)
	policy.Statements = denials(m, resources, actions, probes, ours)
	if err := refuseLong(h, doc, policy, maxTablePolicy); err != nil {
		return Undo{}, err
	}
	tags, err := h.readTags(ctx)
	if err != nil {
		return Undo{}, err
	}
	if err := refuseMarked(h.what(), tags); err != nil {
		return Undo{}, err
	}
	if err := refuseFull(h.what(), tags, len(policyTags())); err != nil {
		return Undo{}, err
	}
	d.Policy = policy
	return newUndo(KindDeny, m, target, d)
}

// Apply merges our statements into the table's policy, under the condition that it is still the one that was read.
func (f *deny) Apply(ctx context.Context, u Undo) error {
	d, err := readDenyUndo(u)
	if err != nil {
		return &Definite{Err: err}
	}
	if err := f.sameTable(ctx, u, d); err != nil {
		return &Definite{Err: err}
	}
	return f.merge(ctx, u, d.Policy, f.holder(u, d))
}

// revert takes our statements out of the policy as it stands.
func (k *denying) revert(ctx context.Context, u Undo) (Outcome, error) {
	d, err := readDenyUndo(u)
	if err != nil {
		return "", err
	}
	if err := k.sameTable(ctx, u, d); isGone(err) {
		return Diverged, nil // its policy went with it
	} else if err != nil {
		return "", err
	}
	return k.take(ctx, u, d.Policy, k.holder(u, d), k.timing.Patience)
}

// settledTable reads the table back.
func (k *denying) settledTable(ctx context.Context, u Undo) (bool, string, error) {
	d, err := readDenyUndo(u)
	if err != nil {
		return false, "", err
	}
	if err := k.sameTable(ctx, u, d); isGone(err) {
		return true, "table " + d.Table + " is gone: somebody deleted it", nil
	} else if err != nil {
		return false, "", err
	}
	return k.settled(ctx, u, d.Policy, k.holder(u, d))
}
