package debrief_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Whatever people and pagers write, wherever they write it, the debrief stands, breaks no table and holds no markup.
func TestHostilePeople(t *testing.T) {
	base := load(t, "met")
	kinds := []journal.Kind{journal.IncidentOpened, journal.IncidentNotified, journal.IncidentAcknowledged, journal.IncidentUnacknowledged,
		journal.IncidentEscalated, journal.IncidentReassigned, journal.IncidentSnoozed, journal.IncidentNoted, journal.IncidentNoteEdited,
		journal.IncidentNoteDeleted, journal.IncidentMerged, journal.IncidentReopened, journal.IncidentResolved, journal.IncidentTyped,
		journal.IncidentLogged, journal.ChangeSeen, journal.AnswerGiven, journal.NoteSent, journal.MessageSent, journal.AbortRequested}
	rapid.Check(t, func(t *rapid.T) {
		events := base
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			text := rapid.SampledFrom([]string{"", hostile, "awesome: <script>", "crappy | x", "\x00\xff", "a\nb"})
			e := at(base, float64(rapid.IntRange(0, 240).Draw(t, "sec")), rapid.SampledFrom(kinds).Draw(t, "kind"), journal.Fact{
				Incident: rapid.SampledFrom([]string{"Q1", "Q2", "<b>"}).Draw(t, "incident"), By: text.Draw(t, "by"), User: text.Draw(t, "user"),
				Text: text.Draw(t, "text"), Was: text.Draw(t, "was"), Title: text.Draw(t, "title"), Channel: text.Draw(t, "channel"), Type: text.Draw(t, "type"),
				Into: text.Draw(t, "into"), Target: text.Draw(t, "target"), Hint: rapid.IntRange(-1, 200).Draw(t, "hint"), Reason: rapid.SampledFrom([]string{"hint", "foreign_incident", "end"}).Draw(t, "reason"),
				How: rapid.SampledFrom([]string{"person", "terraform", ""}).Draw(t, "how"), Role: rapid.SampledFrom([]journal.Role{"ours", "watch", "other"}).Draw(t, "role"),
				Human: rapid.SampledFrom([]*bool{nil, journal.Bool(true), journal.Bool(false)}).Draw(t, "human"), Level: rapid.IntRange(0, 3).Draw(t, "level")})
			events = with(events, e)
		}
		var b strings.Builder
		if err := debrief.Markdown(&b, debrief.Of(timeline.Of(events, events[len(events)-1].At.Add(time.Hour))), nil); err != nil {
			t.Fatal(err)
		}
		text := regexp.MustCompile(`(?m)^    ripples: .*$`).ReplaceAllStringFunc(b.String(), func(line string) string {
			if strings.Contains(line, "<") {
				t.Fatalf("markup: %s", line)
			}
			return "" // code, which nothing reads as anything else
		})
		for _, bad := range []string{"<script", "![x](", "\x1b", "\x00", "\u202e", "@everyone", "\n# heading", "**bold**", "<b>"} {
			if strings.Contains(text, bad) {
				t.Fatalf("%q stands in the debrief:\n%s", bad, text)
			}
		}
		for _, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "| ") && strings.Count(line, "|")-strings.Count(line, `\|`) != strings.Count(tableHead(text, line), "|") {
				t.Fatalf("table broken: %s", line)
			}
		}
	})
}
