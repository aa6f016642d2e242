package drills_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
)

const examinedDrill = `drill: NAME
title: Something is wrong
scenario: Something is wrong.
team: TEAM
faults: [{dynamodb.throttle: {table: "${TABLE}", writes: 1}}]
page: {when: direct}
limit: 30m
`

// examined writes drill files and says which can run in an environment.
func examined(t *testing.T, env *drills.Environment, files map[string]string) (names []string, found []drills.Finding) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lib := drills.NewLibrary([]string{dir}, drills.KnownKinds(inject.NewCatalog(nil, inject.CatalogOptions{})))
	specs, found := lib.Examined(env)
	for _, s := range specs {
		names = append(names, s.Drill)
	}
	return names, found
}

func drillFile(name, team, table string) string {
	return strings.NewReplacer("NAME", name, "TEAM", team, "TABLE", table).Replace(examinedDrill)
}

// A team's own drills are all looked at, and what keeps one from running is told; of those that come with firedrill only
// what the environment is made for.
func TestExaminedDrills(t *testing.T) {
	env := &drills.Environment{Name: "staging", Teams: map[string]drills.Team{"orders": {}}, Vars: map[string]string{"table": "orders"}}
	names, found := examined(t, env, map[string]string{
		"fine.yaml": drillFile("fine", "orders", "table"), "other.yaml": drillFile("other", "web", "table"),
		"unset.yaml": drillFile("unset", "orders", "tabel"), "broken.yaml": "drill: broken\n", "twice.yaml": drillFile("fine", "orders", "table"),
	})
	if !slices.Equal(names, []string{"fine"}) {
		t.Errorf("can run: %q", names)
	}
	want := map[string]string{"other.yaml": "warn has no team web", "unset.yaml": "warn does not set tabel", "broken.yaml": "wrong title", "twice.yaml": "wrong stands in"}
	for _, f := range found {
		name := filepath.Base(f.On)
		health, word, _ := strings.Cut(want[name], " ")
		if string(f.Health) != health || !strings.Contains(f.Found, word) || f.Try == "" || f.Check != "drill" {
			t.Errorf("%s: %+v, want %s", name, f, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("not told: %v", want)
	}
}

func TestExaminedLibrary(t *testing.T) {
	env := &drills.Environment{Name: "staging", Teams: map[string]drills.Team{"orders": {}},
		Vars: map[string]string{"orders_table": "orders", "orders_url": "https://orders.example.com"}}
	names, found := examined(t, env, nil)
	if !slices.Equal(names, []string{"orders-write-throttle", "orders-writes-denied"}) || len(found) > 0 {
		t.Errorf("can run: %q, told %+v", names, found)
	}
	names, _ = examined(t, env, map[string]string{"a.yaml": drillFile("orders-writes-denied", "orders", "orders_table")})
	if !slices.Equal(names, []string{"orders-writes-denied", "orders-write-throttle"}) {
		t.Errorf("one of ours that is hidden is not looked at twice: %q", names)
	}
	lib := drills.NewLibrary([]string{filepath.Join(t.TempDir(), "none")}, nil)
	if _, found := lib.Examined(env); len(found) != 1 || found[0].Health != drills.Wrong || found[0].Try == "" {
		t.Errorf("a folder that is not there: %+v", found)
	}
}
