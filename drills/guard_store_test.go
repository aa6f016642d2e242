package drills_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
)

// A machine that is thrown away must not have the only journal of what it changed.
func TestGuardStore(t *testing.T) {
	for _, row := range []struct {
		name    string
		store   drills.StoreSpec
		ci, box bool
		no      string
		warned  bool
	}{
		{"SQLite at home", drills.StoreSpec{Kind: "sqlite"}, false, false, "", true},
		{"SQLite in CI", drills.StoreSpec{Kind: "sqlite"}, true, false, "init --store dynamodb", false},
		{"no store in CI", drills.StoreSpec{}, true, false, "init --store dynamodb", false},
		{"SQLite in CI on the sandbox", drills.StoreSpec{Kind: "sqlite"}, true, true, "", false},
		{"DynamoDB in CI", drills.StoreSpec{Kind: "dynamodb", Table: "firedrill", Region: "eu-west-1"}, true, false, "", false},
		{"a store of a later release", drills.StoreSpec{Kind: "etcd"}, false, false, "etcd", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			s.env.Store = row.store
			if row.box {
				s.env.Sandbox = &drills.SandboxRef{Instance: "i"}
			}
			steps := s.steps()
			steps.World.CI = row.ci
			v, err := steps.Make(t.Context(), &s.spec, runID)
			if row.no != "" {
				var r *drills.Refusal
				if !errors.As(err, &r) || !strings.Contains(r.Why+r.Try, row.no) || r.Code != "store" {
					t.Errorf("refused with %v, want one about %s", err, row.no)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if warned := strings.Contains(strings.Join(v.Warn, "\n"), "this machine only"); warned != row.warned {
				t.Errorf("warnings %q", v.Warn)
			}
		})
	}
}
