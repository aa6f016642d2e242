package drills

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResolveFillsInVariables(t *testing.T) {
	src := strings.Replace(small, "title: A title", "title: Writes to ${orders_table} ($${orders_table})\nrunbook: ${wiki}/orders", 1)
	read := mustDrill(t, src)
	if !strings.Contains(read.Title, "${orders_table}") || read.Runbook != "${wiki}/orders" {
		t.Errorf("before: %q %q", read.Title, read.Runbook)
	}
	s, err := read.Resolve(map[string]string{"orders_table": `staging "orders"`, "wiki": "https://wiki.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Title != `Writes to staging "orders" (${orders_table})` || s.Runbook != "https://wiki.example.com/orders" {
		t.Errorf("after: %q %q", s.Title, s.Runbook)
	}
	if got := string(s.Faults[0].Params); got != `{"table":"staging \"orders\"","writes":1}` {
		t.Errorf("params %s", got)
	}
	if again, err := s.Resolve(nil); err != nil || again.Title != s.Title {
		t.Errorf("a resolved drill resolves to itself: %v", err)
	}
	if !strings.Contains(read.Title, "${orders_table}") {
		t.Error("Resolve changed the drill it was given")
	}
}

func TestResolveTellsUndefinedVariablesWithTheirLines(t *testing.T) {
	s := mustDrill(t, strings.Replace(small, "title: A title", "title: ${nothing}", 1))
	_, err := s.Resolve(map[string]string{"order_table": "x"})
	want := `d.yaml:2:8: the environment defines no variable "nothing". Try: add it under vars: of the environment
d.yaml:5:38: the environment defines no variable "orders_table". Try: did you mean ${order_table}?`
	if err == nil || err.Error() != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
}

func TestResolveJudgesWhatOnlyValuesShow(t *testing.T) {
	src := strings.Replace(small, "limit: 5m", "limit: 5m\nrunbook: ${wiki}\nwatch: [{alarm: \"${alarm}\"}]\nstop_conditions: [{alarm: customers-hurt}]\nsteady_state: [{http: {url: \"${wiki}\", timeout: \"${t}\"}}]", 1)
	s := mustDrill(t, src)
	_, err := s.Resolve(map[string]string{"orders_table": "x", "wiki": "our wiki", "alarm": "customers-hurt", "t": "soon"})
	if err == nil {
		t.Fatal("resolved")
	}
	for _, want := range []string{"d.yaml:8:10: runbook must be an address", `d.yaml:10:27: alarm customers-hurt is watched`, "d.yaml:11:49: timeout"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %s", err, want)
		}
	}
	if _, err := s.Resolve(map[string]string{"orders_table": "x", "wiki": "https://w.example.com", "alarm": "a", "t": "2s"}); err != nil {
		t.Error(err)
	}
}

func TestResolveOfASpecMadeByHand(t *testing.T) {
	s := &Spec{Drill: "by-hand", Title: "${x}"}
	if got, err := s.Resolve(nil); err != nil || got.Title != "${x}" {
		t.Errorf("%v %v", got, err)
	}
	if v := s.Variables(); len(v) != 0 {
		t.Errorf("variables %v", v)
	}
}

func TestVariablesListsWhatADrillUses(t *testing.T) {
	s := mustDrill(t, strings.Replace(small, "title: A title", "title: ${b} ${a} $${c} ${b}", 1))
	if diff := cmp.Diff([]string{"a", "b", "orders_table"}, s.Variables()); diff != "" {
		t.Error(diff)
	}
}
