package debrief_test

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

func table(t *testing.T, runs ...timeline.Timeline) ([]map[string]string, string) {
	t.Helper()
	var b strings.Builder
	if err := debrief.CSV(&b, runs); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows, b.String()
}

func TestCSV(t *testing.T) {
	rows, raw := table(t, later(t, "undetected", 2), later(t, "met", 1), later(t, "refused", 3))
	golden(t, "report.csv", raw)
	if len(rows) != 3 || strings.Count(raw, "\r\n") != 4 || strings.Count(raw, "\n") != 4 {
		t.Fatalf("%q", raw)
	}
	met, not, refused := rows[0], rows[1], rows[2]
	if met["detect_s"] == "" || met["detect_reason"] != "" || met["outcome"] != "met" || met["incidents"] == "" {
		t.Error(met)
	}
	if not["detect_s"] != "" || not["detect_reason"] != "censored_at" || not["detect_censored_s"] == "" {
		t.Error(not)
	}
	if refused["outcome"] != "refused" || refused["incidents"] != "" || refused["acknowledge_censored_s"] != "" {
		t.Error(refused)
	}
}

// Every incident that a drill caused is told, and no other: whoever leaves these out has the real ones.
func TestIncidentsOfADrill(t *testing.T) {
	at := load(t, "met")[0].At
	opened := func(id string, role journal.Role) journal.Event {
		return journal.Event{Run: "r", Kind: journal.IncidentOpened, At: at, Fact: journal.Fact{Incident: id, Role: role}}
	}
	x := timeline.Of([]journal.Event{opened("P1", journal.RoleOurs), opened("P2", journal.RoleWatch), opened("P3", journal.RoleRipple),
		opened("PREAL", journal.RoleOther), opened("P1", journal.RoleOurs), opened("", journal.RoleOurs)}, at)
	if got := debrief.Incidents(x); !slices.Equal(got, []string{"P1", "P2", "P3"}) {
		t.Error(got)
	}
}

// What others named is never a formula, breaks out of no cell, and is still there to read.
func TestSpreadsheetsTakeNothingForAFormula(t *testing.T) {
	for _, hostile := range []string{`=HYPERLINK("http://x","y")`, "+1", "-1+1|cmd", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "\u00a0=1",
		"\ufeff=1", "%0A", "'=1", "=1\",\"=2", "|x", "\x00=1", "\xff\xfe"} {
		x := later(t, "met", 1)
		x.Brief.Drill, x.Brief.Team, x.Brief.Environment = hostile, hostile, hostile
		rows, raw := table(t, x)
		for _, name := range []string{"drill", "team", "environment"} {
			if cell := rows[0][name]; strings.ContainsAny(strings.TrimLeft(cell, " \u00a0\ufeff")[:1], "=+-@|%") || strings.HasPrefix(cell, "＝") || cell == "" {
				t.Errorf("%q became %q", hostile, cell)
			}
		}
		if len(rows) != 1 || strings.Count(raw, "\n") != 2 {
			t.Errorf("%q broke the table:\n%s", hostile, raw)
		}
	}
	if x := later(t, "met", 1); true {
		x.Brief.Drill, x.Brief.Team = "a-b, \"c\"", "ö=ä"
		if rows, _ := table(t, x); rows[0]["drill"] != "a-b, \"c\"" || rows[0]["team"] != "ö=ä" {
			t.Error(rows[0])
		}
	}
}
