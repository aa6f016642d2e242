package timeline_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// say tells one event.
func say(e journal.Event) (lines []string) {
	for _, x := range timeline.Of([]journal.Event{e}, time.Time{}).Entries() {
		lines = append(lines, x.Text)
	}
	return lines
}

func TestSentences(t *testing.T) {
	yes, no := journal.Bool(true), journal.Bool(false)
	at := time.Date(2026, 3, 2, 10, 1, 20, 0, time.UTC)
	for want, e := range map[string]journal.Event{
		"fault applied: throttle":                                        {Kind: journal.FaultApplied, Fact: journal.Fact{Fault: "throttle"}},
		"effective: ThrottlingReasons names our table":                   {Kind: journal.FaultEffective, Fact: journal.Fact{Fault: "throttle", Why: "ThrottlingReasons names our table"}},
		"effective: throttle":                                            {Kind: journal.FaultEffective, Fact: journal.Fact{Fault: "throttle"}},
		"fault not applied: throttle: AccessDenied":                      {Kind: journal.FaultApplyFailed, Fact: journal.Fact{Fault: "throttle", Err: "AccessDenied"}},
		"fault staged, inert: error":                                     {Kind: journal.FaultStaged, Fact: journal.Fact{Fault: "error"}},
		"not felt any more: throttle":                                    {Kind: journal.FaultCeased, Fact: journal.Fact{Fault: "throttle"}},
		"put back: throttle (already restored)":                          {Kind: journal.FaultReverted, Fact: journal.Fact{Fault: "throttle", How: "already_restored"}},
		"could not put back throttle: throttled":                         {Kind: journal.FaultRevertFailed, Fact: journal.Fact{Fault: "throttle", Err: "throttled"}},
		"reads back as before: poison: 3 swept":                          {Kind: journal.FaultSettled, Fact: journal.Fact{Fault: "poison", Why: "3 swept"}},
		"alarm orders fired":                                             {Kind: journal.AlarmFired, Fact: journal.Fact{Alarm: "orders", Role: journal.RoleWatch}},
		"alarm orders fired (a ripple)":                                  {Kind: journal.AlarmFired, Fact: journal.Fact{Alarm: "orders", Role: journal.RoleRipple}},
		"alarm orders is OK again":                                       {Kind: journal.AlarmCleared, Fact: journal.Fact{Alarm: "orders"}},
		"First Responder acknowledged (mobile)":                          {Kind: journal.IncidentAcknowledged, Fact: journal.Fact{By: "First Responder", Channel: "mobile", Human: yes}},
		"acknowledged by a machine (api)":                                {Kind: journal.IncidentAcknowledged, Fact: journal.Fact{Channel: "api", Human: no}},
		"resolved by somebody, person or tool unknown":                   {Kind: journal.IncidentResolved},
		"PANNA was notified (sms)":                                       {Kind: journal.IncidentNotified, Fact: journal.Fact{User: "PANNA", Channel: "sms"}},
		"incident escalated to level 2":                                  {Kind: journal.IncidentEscalated, Fact: journal.Fact{Level: 2}},
		"incident escalated":                                             {Kind: journal.IncidentEscalated},
		"acknowledgement timed out or was taken back":                    {Kind: journal.IncidentUnacknowledged},
		"Anna noted: checked the DLQ":                                    {Kind: journal.IncidentNoted, Fact: journal.Fact{By: "Anna", Text: "checked the DLQ"}},
		"ben noted: restarted it":                                        {Kind: journal.NoteWritten, Fact: journal.Fact{By: "ben", Text: "restarted it"}},
		"our page was handed to the pager: [DRILL] orders":               {Kind: journal.PageSent, Fact: journal.Fact{Title: "[DRILL] orders"}},
		"our page was not taken in: 401":                                 {Kind: journal.PageSent, Fact: journal.Fact{Err: "401"}},
		"the owner could not be paged: 401":                              {Kind: journal.PageSent, Fact: journal.Fact{Err: "401", Role: "owner"}},
		"our page is resolved":                                           {Kind: journal.PageResolved},
		"Anna asked by a note: drill stop":                               {Kind: journal.CommandHeard, Fact: journal.Fact{By: "Anna", Text: "stop"}},
		"Anna asked by a note: drill hint (it is hint 2)":                {Kind: journal.CommandHeard, Fact: journal.Fact{By: "Anna", Text: "hint", Hint: 2}},
		"somebody asked by a note: drill hint (none is left)":            {Kind: journal.CommandHeard, Fact: journal.Fact{Text: "hint"}},
		"what a note asked is answered on the incident: No hint is left": {Kind: journal.NoteSent, Fact: journal.Fact{Reason: journal.AboutReply, Text: "[DRILL] No hint is left"}},
		"our page could not be resolved: 401":                            {Kind: journal.PageResolved, Fact: journal.Fact{Err: "401"}},
		"our note could not be written: 401":                             {Kind: journal.NoteSent, Fact: journal.Fact{Err: "401"}},
		"refused: outside the window":                                    {Kind: journal.GuardRefused, Fact: journal.Fact{Reason: "window", Why: "outside the window"}},
		"to be ended early (abort): ben wants it":                        {Kind: journal.AbortRequested, Fact: journal.Fact{Reason: "abort", Why: "ben wants it"}},
		"taken over by another process: pid 7 on ci":                     {Kind: journal.RunTaken, Gen: 2, Fact: journal.Fact{Holder: "pid 7 on ci"}},
		"reopened: what is left is put back":                             {Kind: journal.RunReopened},
		"clock of aws: +0.31 s ± 0.20 s from ours":                       {Kind: journal.ClockRead, Fact: journal.Fact{Source: "aws", OffsetS: 0.31, ErrorS: 0.2}},
		"the clock of aws cannot be read: timeout":                       {Kind: journal.ClockRead, Fact: journal.Fact{Source: "aws", Err: "timeout"}},
		"somebody corrected paged to 10:01:20Z":                          {Kind: journal.Correction, Fact: journal.Fact{Instant: "paged", Value: &at}},
		"steady state: http x is ok":                                     {Kind: journal.SteadyRead, Fact: journal.Fact{Probe: "http x", Reading: "ok"}},
		"http x is bad: 503":                                             {Kind: journal.ProbeRead, Fact: journal.Fact{Probe: "http x", Reading: "bad", Why: "503"}},
		"moon.rose: it is late":                                          {Kind: "moon.rose", Fact: journal.Fact{Why: "it is late"}}, // of a newer version: shown as it is
		"finished: dirty: a is in place; b is in place":                  {Kind: journal.RunFinished, Fact: journal.Fact{Left: []string{"a is in place", "b is in place"}}},
	} {
		if got := say(e); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", e.Kind, got, want)
		}
	}
	for name, e := range map[string]journal.Event{
		"first engine":  {Kind: journal.RunTaken, Gen: 1},
		"effect":        {Kind: journal.EffectRead, Fact: journal.Fact{Fault: "a", Reading: "yes"}},
		"load":          {Kind: journal.LoadRead, Fact: journal.Fact{Fault: "a", Sent: 7}},
		"local clock":   {Kind: journal.ClockRead, Fact: journal.Fact{Source: "local"}},
		"first good":    {Kind: journal.ProbeRead, Fact: journal.Fact{Probe: "http x", Reading: "ok"}},
		"empty correct": {Kind: journal.Correction},
	} {
		if got := say(e); len(got) != 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestSentencesOfPeople(t *testing.T) {
	yes, no := journal.Bool(true), journal.Bool(false)
	anna := func(f journal.Fact) journal.Fact { f.Incident, f.By, f.Human = "Q1", "Anna", yes; return f }
	for want, e := range map[string]journal.Event{
		"Anna reopened it": {Kind: journal.IncidentReopened, Fact: anna(journal.Fact{})},
		"Anna gave it to somebody else (website): Reassigned to Ben":                     {Kind: journal.IncidentReassigned, Fact: anna(journal.Fact{Channel: "website", Text: "Reassigned to Ben"})},
		"Anna snoozed it for 1h0m":                                                       {Kind: journal.IncidentSnoozed, Fact: anna(journal.Fact{DurationS: 3600})},
		"merged into Q9: it goes on there":                                               {Kind: journal.IncidentMerged, Fact: journal.Fact{Incident: "Q1", Into: "Q9"}},
		`Anna's note was edited: now "it is the DLQ", before "it is the queue"`:          {Kind: journal.IncidentNoteEdited, Fact: anna(journal.Fact{Text: "it is the DLQ", Was: "it is the queue"})},
		`Anna's note was deleted: it said "damn"`:                                        {Kind: journal.IncidentNoteDeleted, Fact: anna(journal.Fact{Was: "damn"})},
		"the incident is of type drill now: it stays out of the statistics":              {Kind: journal.IncidentTyped, Fact: journal.Fact{Incident: "Q1", Text: "drill"}},
		"the incident could not be given its type: 403":                                  {Kind: journal.IncidentTyped, Fact: journal.Fact{Incident: "Q1", Err: "403"}},
		"the pager's log tells of priority change: P1":                                   {Kind: journal.IncidentLogged, Fact: journal.Fact{Incident: "Q1", Type: "priority_change_log_entry", Text: "P1"}},
		"incident opened by firedrill with low urgency: orders":                          {Kind: journal.IncidentOpened, Fact: journal.Fact{Incident: "Q1", By: "firedrill", Urgency: "low", Title: "orders", Role: journal.RoleOurs}},
		"anna: UpdateTable of orders (by hand)":                                          {Kind: journal.ChangeSeen, Fact: journal.Fact{By: "anna", How: "person", Text: "UpdateTable", Target: "arn:aws:dynamodb:eu-west-1:1:table/orders"}},
		"ci: UpdateTable (terraform)":                                                    {Kind: journal.ChangeSeen, Fact: journal.Fact{By: "ci", How: "terraform", Text: "UpdateTable"}},
		"somebody: a change (by whom or what is not known)":                              {Kind: journal.ChangeSeen, Fact: journal.Fact{How: "unknown"}},
		"Ben answered: crappy: the runbook":                                              {Kind: journal.AnswerGiven, Fact: journal.Fact{By: "Ben", Text: "crappy: the runbook"}},
		"the start of the drill is told in the team's channel #orders":                   {Kind: journal.MessageSent, Fact: journal.Fact{Reason: journal.AboutStart, Channel: "#orders"}},
		"evidence is shown in the team's channel: log: 503":                              {Kind: journal.MessageSent, Fact: journal.Fact{Reason: journal.AboutEvidence, Text: "[DRILL] log: 503"}},
		"evidence is shown in the team's channel":                                        {Kind: journal.MessageSent, Fact: journal.Fact{Reason: journal.AboutEvidence}},
		"hint 2 is told on the incident: look at the DLQ":                                {Kind: journal.NoteSent, Fact: journal.Fact{Reason: journal.AboutHint, Hint: 2, Text: "look at the DLQ"}},
		"that the drill was ended early is told on the incident":                         {Kind: journal.NoteSent, Fact: journal.Fact{Reason: journal.AboutAbort}},
		"how it ended is told on the incident, with two questions":                       {Kind: journal.NoteSent, Fact: journal.Fact{Reason: journal.AboutEnd}},
		"handed over on the incident: what of the drill was on, and that it is put back": {Kind: journal.NoteSent, Fact: journal.Fact{Reason: journal.AboutHandOver}},
		"that this is a drill is told in the team's channel":                             {Kind: journal.MessageSent, Fact: journal.Fact{Reason: journal.AboutDrill}},
		"our note stands on their incident: this is a drill":                             {Kind: journal.NoteSent, Fact: journal.Fact{Reason: journal.AboutDrill}},
		"our message could not be written: timeout":                                      {Kind: journal.MessageSent, Fact: journal.Fact{Err: "timeout"}},
		"resolved by a machine (api)":                                                    {Kind: journal.IncidentResolved, Fact: journal.Fact{Incident: "Q1", Human: no, Channel: "api"}},
	} {
		if got := say(e); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", e.Kind, got, want)
		}
	}
	if got := say(journal.Event{Kind: journal.IncidentLogged, Fact: journal.Fact{Incident: "Q1", Type: "assign_log_entry"}}); len(got) != 0 {
		t.Errorf("an assignment tells nothing new: %q", got)
	}
}

// Whoever answers an incident and its ripple does it twice: the second is told apart, unless the first went on there.
func TestWhatIsDoneAboutARippleSaysSo(t *testing.T) {
	of := func(kind journal.Kind, seq int64, f journal.Fact) journal.Event {
		f.By, f.Human = "Anna", journal.Bool(true)
		return journal.Event{Kind: kind, Seq: seq, Fact: f}
	}
	events := []journal.Event{
		of(journal.IncidentOpened, 0, journal.Fact{Incident: "Q1", Role: journal.RoleWatch}),
		of(journal.IncidentOpened, 1, journal.Fact{Incident: "Q2", Role: journal.RoleRipple}),
		of(journal.IncidentAcknowledged, 2, journal.Fact{Incident: "Q1"}),
		of(journal.IncidentAcknowledged, 3, journal.Fact{Incident: "Q2"}),
		of(journal.IncidentMerged, 4, journal.Fact{Incident: "Q1", Into: "Q2"}),
		of(journal.IncidentResolved, 5, journal.Fact{Incident: "Q2"}),
	}
	want := []string{"incident opened by Anna", "incident opened by Anna (a ripple)", "Anna acknowledged", "Anna acknowledged (a ripple)",
		"merged into Q2: it goes on there", "Anna resolved"}
	var got []string
	for _, x := range timeline.Of(events, time.Time{}).Entries() {
		got = append(got, x.Text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// What became of a note is told when it was seen, by the name of whoever wrote it.
func TestADeletedNoteIsToldWhenItWasGone(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	seen := &journal.Seen{At: at, By: "pagerduty", ErrorS: 0.5} // which note it was
	entries := timeline.Of([]journal.Event{
		{Kind: journal.IncidentNoted, At: at, Seen: seen, Fact: journal.Fact{Incident: "Q1", User: "PANNA", By: "Anna", Text: "the queue"}},
		{Kind: journal.IncidentNoteDeleted, Seq: 1, At: at.Add(20 * time.Second), Seen: seen, Fact: journal.Fact{Incident: "Q1", User: "PANNA", Was: "the queue"}},
	}, time.Time{}).Entries()
	if len(entries) != 2 || !entries[1].At.Equal(at.Add(20*time.Second)) || entries[1].Text != `Anna's note was deleted: it said "the queue"` {
		t.Errorf("%+v", entries)
	}
}

// A probe that reads the same again is told once.
func TestReadingsAreTakenTogether(t *testing.T) {
	s := begin(brief("direct"), 0, 0)
	for i, r := range []string{"ok", "bad", "bad", "bad", "unknown", "unknown", "ok", "ok"} {
		s.steady(float64(10+i), r)
	}
	var told []string
	for _, e := range s.of().Entries() {
		if e.Kind == journal.ProbeRead {
			told = append(told, strings.TrimPrefix(e.Text, "http https://orders/health is "))
		}
	}
	if got := strings.Join(told, " "); got != "bad unknown ok" {
		t.Error(got)
	}
}

// What others write cannot move the cursor, colour the terminal or turn the line around.
func TestLinesAreLines(t *testing.T) {
	got := say(journal.Event{Kind: journal.NoteWritten, Fact: journal.Fact{By: "a\x1b[2J", Text: "one\ntwo\r\t\u202eeerht"}})
	if len(got) != 1 || strings.ContainsAny(got[0], "\n\r\t\x1b\u202e") {
		t.Errorf("%q", got)
	}
}

// Our own note comes back as an entry of the pager's: it is told once.
func TestOwnNote(t *testing.T) {
	s := felt(brief("alarm"), 0, 0)
	s.add(9, journal.NoteSent, journal.Fact{Incident: "Q1", Text: "[DRILL] this is a drill"})
	n := len(s.of().Entries())
	s.pager(9, 10, journal.IncidentNoted, journal.Fact{Text: "[DRILL] this is a drill"})
	if m := len(s.of().Entries()); m != n {
		t.Errorf("%d lines, then %d", n, m)
	}
	s.pager(11, 12, journal.IncidentNoted, journal.Fact{Text: "is this a drill?"})
	if m := len(s.of().Entries()); m != n+1 {
		t.Errorf("%d lines, then %d", n, m)
	}
}

// The status has every key, whatever happened, and nothing but null for what did not.
func TestStatusOfNothing(t *testing.T) {
	b, err := timeline.StatusJSON(timeline.Of([]journal.Event{{Kind: journal.RunPlanned, Run: "01run", Fact: journal.Fact{Brief: brief("alarm")}}}, time.Time{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"outcome": null`, `"effective": null`, `"restored": null`, `"detect": null`, `"restore": null`,
		`"detected": "not_yet"`, `"acknowledge": "not_yet"`, `"state": "idle"`, `"how": null`, `"left": null`, `"actual_s": null`,
		`"error_s": null`, `"verdict": "unknown"`, `"limit_s": 300`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is missing in %s", want, b)
		}
	}
}
