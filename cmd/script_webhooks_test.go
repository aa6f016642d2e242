package cmd_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/firedrill/firedrill/internal/journal"
)

// cmdKnob makes something go wrong with the sandbox's pager.
func cmdKnob(ts *testscript.TestScript, _ bool, args []string) {
	res, err := http.Post(ts.Getenv("FIREDRILL_SANDBOX")+"/_sandbox/pager/knobs", "application/json", strings.NewReader(args[0]))
	ts.Check(err)
	ts.Check(res.Body.Close())
	if res.StatusCode != http.StatusCreated {
		ts.Fatalf("knob %s: %s", args[0], res.Status)
	}
}

// cmdPushed holds what webhooks told of a run against what polling told: each event once, in milliseconds, within a
// moment of when it happened, and the same to within polling's second. Nothing that people did is told by one of them
// alone, but for what the pager sends no webhook of (a notification) and what came after the last look.
func cmdPushed(ts *testscript.TestScript, _ bool, args []string) {
	var pushes, polls []journal.Event
	seen := map[string]bool{}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var e journal.Event
		ts.Check(json.Unmarshal([]byte(line), &e))
		push := strings.HasPrefix(e.Action, "webhook/")
		switch {
		case push && (e.Gen != 0 || e.Fact.Entry != e.Action || e.Seen == nil || e.Seen.ErrorS != 0.0005):
			ts.Fatalf("%s is not as a webhook tells it: %+v", e.Action, e.Fact)
		case push && seen[e.Action+string(e.Kind)]:
			ts.Fatalf("%s is told twice", e.Action)
		case push:
			pushes, seen[e.Action+string(e.Kind)] = append(pushes, e), true
			if late := e.At.Sub(e.Seen.At); late < 0 || late > 2*time.Second {
				ts.Fatalf("%s stood in the journal after %s", e.Kind, late)
			}
		case e.Kind == journal.IncidentAcknowledged, e.Kind == journal.IncidentNoteDeleted:
			polls = append(polls, e)
		}
	}
	if len(pushes) < 3 {
		ts.Fatalf("%d events came by webhook", len(pushes))
	}
	for _, p := range polls {
		if err := twin(p, pushes); err != nil {
			ts.Fatalf("%v: %+v", err, p.Fact)
		}
	}
}

// twin finds what a webhook told of the same thing.
func twin(p journal.Event, pushes []journal.Event) error {
	if p.Kind == journal.IncidentNoteDeleted {
		return errors.New("nobody has deleted a note")
	}
	for _, e := range pushes {
		if e.Kind == p.Kind && e.Fact.Incident == p.Fact.Incident && e.Fact.User == p.Fact.User && e.Seen.At.Sub(p.Seen.At).Abs() <= time.Second {
			return nil
		}
	}
	return errors.New("no webhook told of it")
}
