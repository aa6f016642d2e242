package pager

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"strings"
	"testing"
)

// behaviours are what a pager that pretends to be PagerDuty must be able to do, each with the tests that show it here.
// What is the client's to refuse (an empty key, hosts of two regions) is shown where the client is.
func behaviours() map[string][]string {
	return map[string][]string{
		"a 202, and the incident later":                      {"TestA202ComesBeforeTheIncident"},
		"it never appears: suppressed, dropped, off":         {"TestWhatSwallowsAnEvent", "TestWhatMutesAPage"},
		"it appears in an older incident":                    {"TestKnobsMergeLowMute", "TestAlertGroupingJoinsWhatIsOpen"},
		"it appears with low urgency":                        {"TestWhatMutesAPage", "TestSupportHoursLowerAndRaise"},
		"it appears late: suspend, auto-pause":               {"TestWhatMutesAPage", "TestWhatIsHeldBackMayResolveOrRepeat"},
		"assigned, and nobody notified, or late":             {"TestWhatMutesAPage", "TestKnobsMergeLowMute"},
		"a notification that did not succeed":                {"TestANotificationMayFail"},
		"acknowledged by user and website, by user and api":  {"TestAcknowledgedByEveryMeans"},
		"acknowledged by a machine":                          {"TestAcknowledgedByEveryMeans", "TestMachinesActByKnob"},
		"an agent that is null":                              {"TestKnobsOfTheLog", "TestForgedEntriesAreToldAsWritten"},
		"an acknowledgement that runs out, and another":      {"TestAnAcknowledgementRunsOut"},
		"escalated, and acknowledged by level two":           {"TestNotifiesThenEscalatesByLevel", "TestAnalyticsAgreeWithTheTruth"},
		"resolved by the integration before anybody did":     {"TestAResolveByTheSourceIsAMachines", "TestMachinesActByKnob"},
		"merged into another":                                {"TestMergeMovesTheAlert", "TestMergedNamesTheOther"},
		"reassigned, delegated, snoozed, reopened":           {"TestReassignedIsSomebodyElses", "TestDelegatedEscalatedAndLowered", "TestSnoozedComesBack", "TestReopenedPagesAnew"},
		"a note added, edited, deleted":                      {"TestNotes", "TestNotesAreEditedAndDeletedByPhone"},
		"a bot's note, and two thousand":                     {"TestABotsNoteAndTwoThousand"},
		"log entries without order, of one second, on pages": {"TestLogEntriesAreUnorderedWholeSecondsInPages", "TestForgedEntriesAreToldAsWritten"},
		"a type that nobody documents":                       {"TestOddEntries", "TestForgedEntriesAreToldAsWritten"},
		"a channel, or its type, that is null":               {"TestOddEntries", "TestKnobsOfTheLog", "TestForgedEntriesAreToldAsWritten"},
		"event details that are no text":                     {"TestOddEntries", "TestForgedEntriesAreToldAsWritten"},
		"429 with headers, without, as text":                 {"TestRESTIsLimitedByKey", "TestKnobsTroubleRequests", "TestAnOperationMayHaveItsOwnLimit"},
		"500 and 502 in HTML":                                {"TestKnobsTroubleRequests", "TestErrorsInTheApisOwnWords"},
		"400, 401, 402, 403, 404 in JSON":                    {"TestErrorsInTheApisOwnWords", "TestFeaturesThatAnAccountLacks"},
		"an answer later than anybody waits":                 {"TestSlowAnswersLate"},
		"a connection that breaks after it took effect":      {"TestDownBreaksTheConnectionLostBreaksItAfterwards"},
		"a resolve by the wrong key: a 202, and nothing":     {"TestDedup", "TestWhatSwallowsAnEvent"},
		"maintenance, in which a resolve is ignored":         {"TestAResolveDuringMaintenanceIsIgnored"},
		"an empty incident_key finds whatever is open":       {"TestIncidentFilters"},
		"a key of another region: 401, or a 202 and nothing": {"TestTokens", "TestWhatSwallowsAnEvent"},
		"a clock that is off by ninety seconds":              {"TestSkewShiftsEveryTimeItTells", "TestAWebhookIsMoreExactThanTheLog"},
		"a webhook twice, out of order, cut":                 {"TestKnobsOfWebhooks"},
		"a webhook signed wrongly, or with two secrets":      {"TestKnobsOfWebhooks"},
		"a webhook replayed":                                 {"TestKnobsOfWebhooks"},
		"a webhook tried again, in order, and dropped":       {"TestDeliveriesAreTriedAgainInOrder", "TestThreeDropsDisableASubscriptionForADay", "TestASilentServerIsTriedAgain"},
		"incident types and priorities":                      {"TestIncidentTypesAndPriorities", "TestAnIncidentsTypeIsAllThatChanges"},
		"automation and workflows that fire":                 {"TestWhatMutesAPage"},
		"all of it where somebody who looks before sees it":  {"TestPreflightSeesWhatSwallows", "TestKnobsShowInTheService", "TestMaintenanceWindows"},
		"analytics, bought or not":                           {"TestAnalyticsMustBeBought", "TestAnalyticsAgreeWithTheTruth", "TestAnalyticsOfLongAgo"},
		"the whole account's log":                            {"TestTheAccountsLogHoldsEveryIncidents", "TestTheAccountsLogBetweenTwoTimes", "TestTheAccountsLogIncludesWholes"},
	}
}

// TestEveryBehaviourIsShown holds the table: no test that it names may be missing.
func TestEveryBehaviourIsShown(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(gotoken.NewFileSet(), f.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				there[fn.Name.Name] = true
			}
		}
	}
	for what, by := range behaviours() {
		if len(by) == 0 {
			t.Errorf("%s: shown nowhere", what)
		}
		for _, name := range by {
			if !there[name] {
				t.Errorf("%s: there is no %s", what, name)
			}
		}
	}
}

func TestErrorsInTheApisOwnWords(t *testing.T) {
	for effect, want := range map[string]struct{ contentType, words string }{
		"400": {"application/json", `"code":2000`},
		"401": {"application/json", `"code":2006`},
		"402": {"application/json", `"code":2014`},
		"403": {"application/json", `"code":2010`},
		"404": {"application/json", `"code":2100`},
		"429": {"application/json", `"code":2020`},
		"500": {"text/html; charset=utf-8", "<html>"},
		"502": {"text/html; charset=utf-8", "<html>"},
	} {
		d := newDesk(t)
		d.knob(`{"effect":"` + effect + `"}`)
		res, b := d.raw("GET", "/pagerduty/abilities", "")
		if res.Header.Get("Content-Type") != want.contentType || !strings.Contains(string(b), want.words) {
			t.Errorf("%s: %s %s", effect, res.Header.Get("Content-Type"), b)
		}
	}
}
