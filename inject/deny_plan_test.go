package inject

import (
	"strings"
	"testing"
	"time"
)

// What a plan tells of the two faults, without an account.
func TestFaultsThatEndTell(t *testing.T) {
	table := Target{ARN: "arn:aws:dynamodb:eu-west-1:111122223333:table/orders", Account: "111122223333", Region: "eu-west-1"}
	queue := Target{ARN: "arn:aws:sqs:eu-west-1:111122223333:orders", Account: "111122223333", Region: "eu-west-1"}
	for _, row := range []struct {
		kind, params string
		target       Target
		data         any
		moves, needs []string
	}{
		{KindDeny, `{"table":"orders","writes":true,"reads":true}`, table, denyUndo{Table: "orders", Writes: true, Reads: true},
			[]string{"UserErrors rises", "ConsumedWriteCapacityUnits falls", "ConsumedReadCapacityUnits falls"},
			[]string{"dynamodb:PutResourcePolicy", "dynamodb:DeleteResourcePolicy", "dynamodb:UpdateItem", "dynamodb:GetItem"}},
		{KindStall, `{"queue":"orders"}`, queue, stallUndo{Queue: queue.ARN},
			[]string{"ApproximateAgeOfOldestMessage rises", "ApproximateNumberOfMessagesVisible rises", "NumberOfMessagesReceived falls", "NumberOfMessagesDeleted falls", "NumberOfEmptyReceives falls"},
			[]string{"sqs:SetQueueAttributes", "sqs:DeleteMessage"}},
	} {
		k := NewCatalog(nil, CatalogOptions{})[row.kind]
		f, err := k.New([]byte(row.params))
		if err != nil {
			t.Fatal(err)
		}
		u, err := newUndo(row.kind, policyMark(), row.target, row.data)
		if err != nil {
			t.Fatal(err)
		}
		var moves []string
		for _, m := range f.(Mover).Moves(u) {
			moves = append(moves, m.Name+map[bool]string{false: " rises", true: " falls"}[m.Falls])
		}
		if strings.Join(moves, ", ") != strings.Join(row.moves, ", ") {
			t.Errorf("%s moves %v", row.kind, moves)
		}
		can := map[string]string{}
		for _, p := range f.(Permitter).Permissions(row.target) {
			can[p.Action+" "+p.When] = p.Resource
			if strings.Contains(p.Action, "Purge") || strings.Contains(p.Action, "*") || p.When == ForPlan && strings.Contains(p.Action, "Put") {
				t.Errorf("%s may %+v", row.kind, p)
			}
		}
		for _, a := range row.needs {
			if can[a+" "+ForRun] != row.target.ARN || can[a+" "+ForRecover] != row.target.ARN || can[a+" "+ForPlan] != "" {
				t.Errorf("%s: %s is allowed in %v", row.kind, a, can)
			}
		}
		if at, residue := f.(Expirer).Expires(u); !at.Equal(policyMark().Until) || !strings.Contains(residue, sidOf(policyMark())) {
			t.Errorf("%s expires %s, leaves %q", row.kind, at, residue)
		}
		if c := f.(Costed).Costs(u); c.Undo < 15*time.Second || c.Undo > 2*time.Minute || len(c.Notes) < 2 {
			t.Errorf("%s costs %+v", row.kind, c)
		}
		if _, sure := f.(Floored).Floor(u); sure {
			t.Errorf("%s claims to know its floor", row.kind)
		}
		if where, open := f.(Placed).Place(Place{Partition: "aws", Account: "111122223333", Region: "eu-west-1"}); where.ARN != row.target.ARN || len(open) > 0 {
			t.Errorf("%s is placed at %+v %v", row.kind, where, open)
		}
		u.Data = []byte(`{`)
		if c := k.Describe(u); len(c) != 1 || !strings.HasPrefix(c[0].Before, "unknown") || len(f.(Mover).Moves(u)) > 0 {
			t.Errorf("a broken undo: %+v", c)
		}
	}
}
