package drills

import "context"

// checkStore: a machine that is thrown away after the run must not have the only journal of what it changed.
func (st *Steps) checkStore(_ context.Context, _ *Plan, f *found) *Refusal {
	switch kind := st.Env.Store.Kind; kind {
	case "dynamodb":
		f.facts["store"] = "dynamodb " + st.Env.Store.Table + " in " + st.Env.Store.Region
		return nil
	case "", "sqlite":
		switch {
		case st.Env.Sandbox != nil:
			return nil
		case st.World.CI:
			return refuse("store", "firedrill init --store dynamodb, then store: {dynamodb: {table: firedrill, region: REGION}} in firedrill.yaml",
				"CI is set, and environment %s keeps its journal in SQLite: when this machine goes, nobody could put things back", st.Env.Name)
		}
		f.warning("journal and leases are in SQLite: they protect against another run on this machine only, and only this machine can put things back")
		return nil
	default:
		return refuse("store", "store: sqlite, or {dynamodb: {table: firedrill, region: REGION}}", "environment %s keeps its journal in %s, which this release does not have", st.Env.Name, kind)
	}
}
