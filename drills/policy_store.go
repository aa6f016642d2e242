package drills

import "github.com/firedrill/firedrill/inject"

// store is what the journal takes, where it stands in the account: whoever only reads queries. Nothing of it is ever deleted.
func (n *needs) store() {
	s := n.env.Store
	if s.Kind != "dynamodb" {
		return
	}
	place := n.place
	if s.Region != "" {
		place.Region = s.Region
	}
	table := place.ARN("dynamodb", "table/"+s.Table)
	n.add([]string{inject.ForPlan, inject.ForRun, inject.ForRecover, inject.ForReport, inject.ForSweep}, table, "dynamodb:Query")
	n.add(undoers(), table, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
}
