package observe

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// A log as PagerDuty's own people recorded one: newest first, with entries of the same second, an agent without a
// type, and addresses in two places. The story is told in the order it happened in, and without the addresses.
func TestTheRecordedLogIsToldRightly(t *testing.T) {
	raw, err := os.ReadFile("testdata/log_entries_sample.json")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, e := range logOf(t, string(raw)) {
		who := "machine"
		if e.Human {
			who = "person"
		}
		fmt.Fprintf(&out, "%s ±%.1fs %s %s %s %q %s -> %q: %s\n", e.At.Format(time.RFC3339), e.ErrorS, e.Kind, who, e.User, e.Name, e.Channel, e.To, e.Text)
	}
	const golden = "testdata/log_entries_sample.golden"
	if *updateGolden {
		if err := os.WriteFile(golden, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

const (
	byUser    = `"agent":{"id":"PANN","type":"user_reference","summary":"Ann"}`
	byService = `"agent":{"id":"PS","type":"service_reference","summary":"Orders"}`
)

func TestEntriesOfEveryKind(t *testing.T) {
	for name, c := range map[string]struct {
		entry string
		want  Entry
	}{
		"assigned by the policy": {`"type":"assign_log_entry",` + byService + `,"channel":{"type":"auto"},"assignees":[{"id":"PANN"},{"id":"PBOB"}]`,
			Entry{Kind: EntryAssigned, Channel: "auto", To: "PANN PBOB"}},
		"assigned by nobody": {`"type":"assign_log_entry","agent":null,"assignees":[{"id":"PANN"},null,7,{"id":null},{"id":"PANN"}]`,
			Entry{Kind: EntryAssigned, To: "PANN"}},
		"given to somebody": {`"type":"assign_log_entry",` + byUser + `,"channel":{"type":"mobile"},"assignees":[{"id":"PBOB"}]`,
			Entry{Kind: EntryReassigned, User: "PANN", Name: "Ann", Human: true, Channel: "mobile", To: "PBOB"}},
		"given by a tool": {`"type":"assign_log_entry",` + byUser + `,"channel":{"type":"api"},"assignees":[{"id":"PBOB"}]`,
			Entry{Kind: EntryReassigned, User: "PANN", Name: "Ann", Channel: "api", To: "PBOB"}},
		"reassigned": {`"type":"reassign_log_entry",` + byUser + `,"assigned_user":{"id":"PBOB"}`,
			Entry{Kind: EntryReassigned, User: "PANN", Name: "Ann", Human: true, To: "PBOB"}},
		"delegated": {`"type":"delegate_log_entry",` + byUser + `,"assignees":[{"id":"PBOB"}]`,
			Entry{Kind: EntryReassigned, User: "PANN", Name: "Ann", Human: true, To: "PBOB"}},
		"escalated": {`"type":"escalate_log_entry",` + byService + `,"channel":{"type":"timeout"},"escalation_level":2,"assignees":[{"id":"PBOB"}]`,
			Entry{Kind: EntryEscalated, Channel: "timeout", Level: 2, To: "PBOB"}},
		"escalated by a person": {`"type":"escalate_log_entry",` + byUser + `,"channel":{"type":"website"},"assignees":[{"id":"PBOB"}]`,
			Entry{Kind: EntryEscalated, User: "PANN", Name: "Ann", Human: true, Channel: "website", To: "PBOB"}},
		"snoozed": {`"type":"snooze_log_entry",` + byUser + `,"channel":{"type":"mobile","duration":3600}`,
			Entry{Kind: EntrySnoozed, User: "PANN", Name: "Ann", Human: true, Channel: "mobile", For: time.Hour}},
		"snoozed for a text": {`"type":"snooze_log_entry",` + byUser + `,"channel":{"type":"mobile","duration":"3600"}`,
			Entry{Kind: EntrySnoozed, User: "PANN", Name: "Ann", Human: true, Channel: "mobile"}},
		"snoozed for ever": {`"type":"snooze_log_entry",` + byUser + `,"channel":{"duration":1e300}`,
			Entry{Kind: EntrySnoozed, User: "PANN", Name: "Ann", Human: true, For: longest * time.Second}},
		"snoozed backwards": {`"type":"snooze_log_entry",` + byUser + `,"channel":{"duration":-5}`,
			Entry{Kind: EntrySnoozed, User: "PANN", Name: "Ann", Human: true}},
		"reopened": {`"type":"reopen_log_entry",` + byUser, Entry{Kind: EntryReopened, User: "PANN", Name: "Ann", Human: true}},
		"resolved by being merged": {`"type":"resolve_log_entry",` + byUser + `,"channel":{"type":"website"},"incident":{"id":"PINC"},"resolve_reason":{"type":"merge_resolve_reason","incident":{"id":"PBIG"}}`,
			Entry{Kind: EntryResolved, User: "PANN", Name: "Ann", Human: true, Channel: "website", Into: "PBIG"}},
		"merged, in words": {`"type":"merge_log_entry",` + byUser + `,"incident":{"id":"PINC"},"channel":{"type":"website","summary":"Merged into [#7] t","incident":{"id":"PBIG"}}`,
			Entry{Kind: EntryMerged, User: "PANN", Name: "Ann", Human: true, Channel: "website", Into: "PBIG", Text: "Merged into [#7] t"}},
		"took another in, in words": {`"type":"merge_log_entry",` + byUser + `,"incident":{"id":"PBIG"},"channel":{"type":"website","summary":"Merged with [#8] u","incident":{"id":"PINC"}}`,
			Entry{Kind: EntryOther, User: "PANN", Name: "Ann", Human: true, Channel: "website", Text: "Merged with [#8] u"}},
		"merged, by its channel": {`"type":"merge_log_entry",` + byUser + `,"incident":{"id":"PINC"},"channel":{"type":"website","merged_into":{"id":"PBIG"}}`,
			Entry{Kind: EntryMerged, User: "PANN", Name: "Ann", Human: true, Channel: "website", Into: "PBIG"}},
		"took another in": {`"type":"merge_log_entry",` + byUser + `,"incident":{"id":"PBIG"},"channel":{"merged_into":{"id":"PBIG"}}`,
			Entry{Kind: EntryOther, User: "PANN", Name: "Ann", Human: true}},
		"resolved for no reason": {`"type":"resolve_log_entry",` + byService + `,"channel":{"type":"api"},"resolve_reason":null`,
			Entry{Kind: EntryResolved, Channel: "api"}},
		"non-string details": {`"type":"trigger_log_entry","channel":{"type":"api","summary":"x","details":{"n":5}},"event_details":{"n":5,"deep":{"a":[1]}},"frequency":0.5`,
			Entry{Kind: EntryTriggered, Channel: "api", Text: "x"}},
		"the end of the path": {`"type":"exhaust_escalation_path_log_entry","summary":"nobody is left"`, Entry{Kind: EntryOther, Text: "nobody is left"}},
		"an address as a name": {`"type":"acknowledge_log_entry","agent":{"id":"PANN","type":"user_reference","summary":"ann@example.com"},"channel":{"type":"+353 1 555 0101"}`,
			Entry{Kind: EntryAcknowledged, User: "PANN", Name: redacted, Human: true, Channel: redacted}},
		"no id of a user": {`"type":"acknowledge_log_entry","agent":{"id":"ann@example.com","type":"user_reference"}`, Entry{Kind: EntryAcknowledged}},
	} {
		t.Run(name, func(t *testing.T) {
			got := logOf(t, `[{"id":"R1","created_at":"2026-11-22T10:00:00Z",`+c.entry+`}]`)
			if len(got) != 1 {
				t.Fatalf("%d entries", len(got))
			}
			c.want.ID, c.want.Type, c.want.At, c.want.ErrorS = "R1", got[0].Type, time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), 0.5
			if diff := cmp.Diff(c.want, got[0]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestWhatOpensAResolvedIncidentReopensIt(t *testing.T) {
	entry := func(kind, second string) string {
		return `{"id":"R` + kind + second + `","type":"` + kind + `_log_entry","created_at":"2026-11-22T10:00:` + second + `Z","agent":null}`
	}
	var kinds []string
	for _, e := range logOf(t, "["+strings.Join([]string{
		entry("resolve", "40"), entry("unacknowledge", "20"), entry("trigger", "00"), entry("unacknowledge", "50"), entry("resolve", "30"),
		entry("acknowledge", "35"), entry("unacknowledge", "37"), entry("unacknowledge", "40"), entry("trigger", "55"),
	}, ",")+"]") {
		kinds = append(kinds, e.At.Format("05 ")+string(e.Kind))
	}
	want := []string{
		"00 triggered", "20 unacknowledged", "30 resolved", "35 acknowledged", "37 unacknowledged", "40 unacknowledged", "40 resolved",
		"50 reopened", "55 triggered",
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// seedEntries are entries to begin fuzzing with.
func seedEntries(f *testing.F) {
	f.Helper()
	for _, name := range []string{"testdata/log_entries.json", "testdata/log_entries_sample.json"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			f.Fatal(err)
		}
		for _, one := range list {
			f.Add([]byte(one))
		}
	}
	f.Add([]byte(`{"type":"notify_log_entry","channel":{"type":null,"notification":[]},"user":null}`))
	f.Add([]byte(`{"type":"snooze_log_entry","created_at":"2026-11-22T10:00:00.5Z","channel":{"duration":1e99},"agent":{"id":"P","self":"/users/P","summary":"a@b.example"}}`))
	f.Add([]byte(`{"type":"merge_log_entry","created_at":"2026-11-22T10:00:00Z","event_details":{"merged_into":{"id":"PBIG"}},"note":"+353 1 555 0101"}`))
}

// Nothing that a pager may say panics, makes a person of nobody, or lets an address in. Notes alone are kept as people
// wrote them.
func FuzzLogEntry(f *testing.F) {
	seedEntries(f)
	p, err := NewPagerDuty(PagerOptions{Region: "us", Bots: []string{"PBOT"}, Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, ok := p.entry(raw)
		if !ok {
			return
		}
		if e.Human && (e.User == "" || e.User == "PBOT") {
			t.Errorf("nobody is human: %+v", e)
		}
		if e.Kind == "" || e.Kind != EntryOther && e.At.IsZero() || e.For < 0 || e.Level < 0 {
			t.Errorf("claims %+v", e)
		}
		told := []string{e.Type, e.Channel, e.Name}
		if e.Kind != EntryNoted && bare(e.Type) != "annotate" {
			told = append(told, e.Text)
		}
		for _, text := range told {
			if strings.ContainsAny(text, "\x1b\n\r") || address.MatchString(text) {
				t.Errorf("%q in %+v", text, e)
			}
		}
		for _, id := range append(strings.Fields(e.To), e.ID, e.User, e.Into) {
			if id != "" && !idForm.MatchString(id) {
				t.Errorf("%q is no id: %+v", id, e)
			}
		}
	})
}
