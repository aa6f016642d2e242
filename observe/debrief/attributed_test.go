package debrief

import (
	"strings"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// An incident that the run knew for one entry of watch is that entry ringing; what stands beside it stayed silent.
func TestAnIncidentRingsForItsOwnEntry(t *testing.T) {
	brief := journal.Brief{Watch: []string{"alarm orders", "incident of PMON"}}
	opened := journal.Event{Kind: journal.IncidentOpened, Fact: journal.Fact{Role: journal.RoleWatch, Title: "Orders fail", Incident: "Q1"}}
	tell := func(e journal.Event) (string, string) {
		rang, silent := heard(timeline.Timeline{Brief: brief, Events: []journal.Event{e}})
		return strings.Join(rang, ","), strings.Join(silent, ",")
	}
	if rang, silent := tell(opened); rang != "alarm orders,incident of PMON" || silent != "" {
		t.Errorf("of nobody knows what: %q rang, %q silent", rang, silent)
	}
	opened.Fact.Probe = "incident of PMON"
	if rang, silent := tell(opened); rang != "incident of PMON" || silent != "alarm orders" {
		t.Errorf("%q rang, %q silent", rang, silent)
	}
	if got := ringing(brief, opened.Kind, opened.Fact); got != "incident of PMON" {
		t.Errorf("the matrix has %q", got)
	}
}
