package inject_test

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// However a responder's edits fall between our calls: what is ours goes, what is theirs stays, and no mark is left.
func TestThrottleUndoNeverOverwritesAResponder(t *testing.T) {
	t.Parallel()
	var days atomic.Int64 // each step is a day later, so that decreases never run out
	clock := func() time.Time { return time.Now().Add(time.Duration(days.Load()) * 24 * time.Hour) }
	a := newAccount(t, sandbox.Options{Now: clock, UpdateDelay: -1, Tick: time.Hour})
	var tables int
	rapid.Check(t, func(r *rapid.T) {
		tables++
		m := &edited{account: a, r: r, name: fmt.Sprintf("table-%d", tables), onDemand: rapid.Bool().Draw(r, "on-demand"), days: &days}
		m.begin()
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"apply", "revert", "writes", "reads"}), 1, 7).Draw(r, "steps")
		for _, s := range steps {
			switch s {
			case "apply":
				m.apply()
			case "revert":
				m.revert()
			default:
				m.edit(s)
			}
			m.check(s)
		}
		m.revert()
		m.check("the last revert")
		m.clean()
	})
}

// catalog is at a pace at which nothing waits: here no read is ever behind.
func (m *edited) catalog() inject.Catalog {
	pace := inject.SandboxTiming()
	pace.Again = time.Millisecond
	return inject.NewCatalog(m.clients("AKIAFIREDRILL00000"), inject.CatalogOptions{Timing: pace})
}

// edited is a table, and what it should be.
type edited struct {
	*account
	r        *rapid.T
	name     string
	onDemand bool
	days     *atomic.Int64
	fault    inject.Fault
	undo     inject.Undo
	before   map[string]int64
	during   map[string]int64
	now      map[string]int64
}

func (m *edited) begin() {
	m.before = map[string]int64{"writes": 100, "reads": 100}
	if m.onDemand && rapid.Bool().Draw(m.r, "unbounded") {
		m.before = map[string]int64{"writes": -1, "reads": -1}
	}
	m.now = map[string]int64{"writes": m.before["writes"], "reads": m.before["reads"]}
	if m.onDemand {
		m.account.onDemand(m.name, &types.OnDemandThroughput{MaxWriteRequestUnits: aws.Int64(m.before["writes"]), MaxReadRequestUnits: aws.Int64(m.before["reads"])})
	} else {
		m.provisioned(m.name, 100, 100)
	}
	m.during = map[string]int64{"writes": 1}
	params := fmt.Sprintf(`{"table":%q,"writes":1}`, m.name)
	if rapid.Bool().Draw(m.r, "both") {
		m.during["reads"] = 2
		params = fmt.Sprintf(`{"table":%q,"writes":1,"reads":2}`, m.name)
	}
	f, err := m.catalog()[inject.KindThrottle].New(json.RawMessage(params))
	if err != nil {
		m.r.Fatal(err)
	}
	m.fault = f
	if m.undo, err = f.Prepare(m.Context(), testMark(), time.Now()); err != nil {
		m.r.Fatal(err)
	}
}

// apply changes nothing unless every dimension is as it was read, or as we made it.
func (m *edited) apply() {
	m.days.Add(1)
	if m.fault.Apply(m.Context(), m.undo) != nil {
		return
	}
	for side, n := range m.during {
		if m.now[side] != m.before[side] && m.now[side] != n {
			m.r.Fatalf("applied over a responder's %s %d", side, m.now[side])
		}
		m.now[side] = n
	}
}

func (m *edited) revert() {
	m.days.Add(1)
	how, err := m.catalog()[inject.KindThrottle].Revert(m.Context(), m.undo)
	if err != nil {
		m.r.Fatal(err)
	}
	theirs := false
	for side, n := range m.during {
		if m.now[side] == n {
			m.now[side] = m.before[side]
		}
		theirs = theirs || m.now[side] != m.before[side]
	}
	if theirs != (how == inject.Diverged) {
		m.r.Fatalf("reverted: %s, and a responder's change stands: %v", how, theirs)
	}
}

// edit is a responder's change to a value that may be any: before, ours, or another.
func (m *edited) edit(side string) {
	m.days.Add(1)
	n := rapid.SampledFrom([]int64{m.before[side], 1, 2, 50, 700}).Draw(m.r, side)
	if n == m.now[side] {
		return
	}
	m.now[side] = n
	in := &dynamodb.UpdateTableInput{TableName: &m.name}
	if m.onDemand {
		in.OnDemandThroughput = &types.OnDemandThroughput{MaxWriteRequestUnits: aws.Int64(m.now["writes"]), MaxReadRequestUnits: aws.Int64(m.now["reads"])}
	} else {
		in.ProvisionedThroughput = &types.ProvisionedThroughput{WriteCapacityUnits: aws.Int64(m.now["writes"]), ReadCapacityUnits: aws.Int64(m.now["reads"])}
	}
	if _, err := m.responder().DynamoDB.UpdateTable(m.Context(), in); err != nil {
		m.r.Fatal(err)
	}
}

// check compares the table with the model.
func (m *edited) check(after string) {
	t := m.table(m.name)
	got := map[string]int64{"writes": -1, "reads": -1}
	if o := t.OnDemandThroughput; m.onDemand && o != nil {
		got["writes"], got["reads"] = orNone(o.MaxWriteRequestUnits), orNone(o.MaxReadRequestUnits)
	} else if !m.onDemand {
		got["writes"], got["reads"] = *t.ProvisionedThroughput.WriteCapacityUnits, *t.ProvisionedThroughput.ReadCapacityUnits
	}
	if got["writes"] != m.now["writes"] || got["reads"] != m.now["reads"] {
		m.r.Fatalf("after %s the table has %v, want %v", after, got, m.now)
	}
}

func orNone(n *int64) int64 {
	if n == nil {
		return -1
	}
	return *n
}

// clean wants no mark left, and the undo settled.
func (m *edited) clean() {
	out, err := m.owner().DynamoDB.ListTagsOfResource(m.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: &m.undo.Target.ARN})
	if err != nil {
		m.r.Fatal(err)
	}
	if len(out.Tags) != 2 {
		m.r.Fatalf("tags left: %v", out.Tags)
	}
	if ok, why, err := m.catalog()[inject.KindThrottle].Settled(m.Context(), m.undo); !ok || err != nil {
		m.r.Fatalf("not settled: %s %v", why, err)
	}
}
