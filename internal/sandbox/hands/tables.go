package hands

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// table is a table as its owner sees it.
type table struct {
	name, arn, status string
	onDemand          bool
	reads, writes     int64 // a second; -1 is no maximum
	policy            string
}

func (h *Hands) describeTables(ctx context.Context) ([]table, error) {
	names, err := h.db.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	var all []table
	for _, name := range names.TableNames {
		d, err := h.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return nil, fmt.Errorf("describe table %s: %w", name, err)
		}
		t := capacityOf(d.Table)
		p, err := h.db.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: &t.arn})
		var none *types.PolicyNotFoundException
		switch {
		case err == nil:
			t.policy = aws.ToString(p.Policy)
		case !errors.As(err, &none):
			return nil, fmt.Errorf("get policy of %s: %w", name, err)
		}
		all = append(all, t)
	}
	return all, nil
}

func capacityOf(d *types.TableDescription) table {
	t := table{name: *d.TableName, arn: *d.TableArn, status: string(d.TableStatus)}
	if s := d.BillingModeSummary; s != nil && s.BillingMode == types.BillingModePayPerRequest {
		t.onDemand, t.reads, t.writes = true, -1, -1
		if o := d.OnDemandThroughput; o != nil && o.MaxReadRequestUnits != nil {
			t.reads = *o.MaxReadRequestUnits
		}
		if o := d.OnDemandThroughput; o != nil && o.MaxWriteRequestUnits != nil {
			t.writes = *o.MaxWriteRequestUnits
		}
		return t
	}
	if p := d.ProvisionedThroughput; p != nil {
		t.reads, t.writes = aws.ToInt64(p.ReadCapacityUnits), aws.ToInt64(p.WriteCapacityUnits)
	}
	return t
}

func (t table) mode() string {
	if t.onDemand {
		return "on demand"
	}
	return "provisioned"
}

// allowed is what a table allows a second.
func (t table) allowed(n int64) string {
	switch {
	case n < 0:
		return "no maximum"
	case t.onDemand:
		return fmt.Sprintf("maximum %d a second", n)
	}
	return fmt.Sprintf("%d a second", n)
}

func (h *Hands) tables(ctx context.Context) ([]Table, error) {
	all, err := h.describeTables(ctx)
	if err != nil {
		return nil, err
	}
	out := Table{Title: "aws dynamodb describe-table, get-resource-policy; cloudwatch get-metric-statistics", Empty: "no tables"}
	for _, t := range all {
		written, err := h.sum(ctx, "AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", t.name)
		if err != nil {
			return nil, err
		}
		throttled, err := h.sum(ctx, "AWS/DynamoDB", "WriteThrottleEvents", "TableName", t.name)
		if err != nil {
			return nil, err
		}
		row := func(name, what string, c Cell) { out.Rows = append(out.Rows, []Cell{{Text: name}, dim(what), c}) }
		row(t.name, "capacity", cell("%s, %s", t.mode(), t.status))
		row("", "reads", cell("%s", t.allowed(t.reads)))
		row("", "writes", cell("%s", t.allowed(t.writes)))
		row("", "last minute", tone(throttled == 0, fmt.Sprintf("%.0f writes taken, %.0f throttled", written, throttled)))
		out.policyRows(t.policy)
	}
	refused, err := h.sum(ctx, "AWS/DynamoDB", "UserErrors", "", "")
	if err != nil {
		return nil, err
	}
	out.Rows = append(out.Rows, []Cell{{Text: "the region"}, dim("last minute"), tone(refused == 0, fmt.Sprintf("%.0f requests refused for another reason", refused))})
	return []Table{out}, nil
}

// What to do about tables. A few are provisioned for a table of another size.
const (
	cautious = 10  // of an on-demand maximum
	generous = 200 // of provisioned capacity
)

func (h *Hands) tableFixes(ctx context.Context) ([]Fix, error) {
	all, err := h.describeTables(ctx)
	if err != nil {
		return nil, err
	}
	var out []Fix
	for _, t := range all {
		if t.onDemand {
			if t.reads >= 0 || t.writes >= 0 {
				out = append(out, h.maximum(t, "off", "take the on-demand maximum away", -1))
			}
			if t.writes != cautious {
				out = append(out, h.maximum(t, strconv.Itoa(cautious), fmt.Sprintf("allow %d writes a second", cautious), cautious))
			}
		} else {
			out = append(out, h.capacity(t))
		}
		denied, err := h.tableDenials(t)
		if err != nil {
			return nil, err
		}
		out = append(out, denied...)
	}
	return out, nil
}

// maximum bounds the writes of an on-demand table, and leaves its reads alone unless it takes the bound away.
func (h *Hands) maximum(t table, word, says string, n int64) Fix {
	in := &dynamodb.UpdateTableInput{TableName: &t.name, OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: &n}}
	arg := fmt.Sprintf("MaxWriteRequestUnits=%d", n)
	if n < 0 {
		in.OnDemandThroughput.MaxReadRequestUnits = &n
		arg += fmt.Sprintf(",MaxReadRequestUnits=%d", n)
	}
	return Fix{Words: "table " + t.name + " on-demand-maximum " + word, Says: says, Call: h.updateTable(in, "--on-demand-throughput", arg)}
}

// capacity gives a provisioned table more writes.
func (h *Hands) capacity(t table) Fix {
	writes := max(generous, 2*t.writes)
	in := &dynamodb.UpdateTableInput{TableName: &t.name,
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: &t.reads, WriteCapacityUnits: &writes}}
	return Fix{Words: fmt.Sprintf("table %s write-capacity %d", t.name, writes), Says: fmt.Sprintf("provision %d writes a second", writes),
		Call: h.updateTable(in, "--provisioned-throughput", fmt.Sprintf("ReadCapacityUnits=%d,WriteCapacityUnits=%d", t.reads, writes))}
}

func (h *Hands) updateTable(in *dynamodb.UpdateTableInput, args ...string) Call {
	return Call{CLI: append([]string{"dynamodb", "update-table", "--table-name", *in.TableName}, args...),
		Do: func(ctx context.Context) (string, *Call, error) {
			out, err := h.db.UpdateTable(ctx, in)
			if err != nil || out.TableDescription == nil {
				return "", nil, err
			}
			return fmt.Sprintf("table %s is %s", *in.TableName, out.TableDescription.TableStatus), nil, nil
		}}
}
