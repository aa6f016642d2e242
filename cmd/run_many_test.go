package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
)

func TestTheWorstOfSeveralRunsIsTheExit(t *testing.T) {
	exit := func(code int) error { return &exitError{code, nil} }
	for _, c := range []struct {
		wrong []error
		want  int
	}{
		{[]error{nil, nil}, 0},
		{[]error{nil, exit(exitMissed)}, exitMissed},
		{[]error{exit(exitLater), exit(exitMissed), exit(exitInvalid)}, exitLater},
		{[]error{exit(exitAborted), exit(exitLater), errors.New("journal")}, exitAborted},
		{[]error{errors.New("journal"), &drills.Refusal{Code: "window", Later: true}}, exitFailed},
		{[]error{exit(exitInterrupted), exit(exitDirty), exit(exitFailed)}, exitDirty},
		{[]error{exit(exitInterrupted), exit(exitAborted)}, exitInterrupted},
	} {
		s := &sideBySide{wrong: c.wrong}
		if got := codeOf(s.worst(t.Context())); got != c.want {
			t.Errorf("%v ends with %d, want %d", c.wrong, got, c.want)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&interruption{"interrupt"})
	if got := codeOf((&sideBySide{wrong: []error{context.Canceled}}).worst(ctx)); got != exitInterrupted {
		t.Errorf("a signal before anything was changed: %d", got)
	}
}

func TestARefusalOfOneOfSeveralNamesIt(t *testing.T) {
	err := inDrill("orders", &drills.Refusal{Code: "window", Why: "it is night", Try: "wait", Later: true})
	if err.Error() != "not injecting: orders: it is night; next: when that has passed" || codeOf(err) != exitLater || tryOf(err) != "wait" {
		t.Errorf("%v", err)
	}
	if err := inDrill("orders", errors.New("no network")); err.Error() != "orders: no network" {
		t.Errorf("%v", err)
	}
}

// For machines the runs are one stream: an event a line, each with its run.
func TestSeveralRunsAreOneStream(t *testing.T) {
	if testing.Short() {
		t.Skip("runs two drills")
	}
	d := newDesk(t)
	if code := d.run(t, "run", "orders-write-throttle", "web-page-errors-no-alarm", "--env", "sandbox", "-o", "json"); code != exitMet {
		t.Fatalf("exit %d\n%s", code, d.err.String())
	}
	ended := map[string]int{}
	for line := range strings.Lines(d.out.String()) {
		var e struct {
			Run  string
			Kind string
			Fact struct{ Outcome string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Run == "" {
			t.Fatalf("%v: %s", err, line)
		}
		if e.Kind == "run.finished" && e.Fact.Outcome == "met" {
			ended[e.Run]++
		}
	}
	if len(ended) != 2 {
		t.Errorf("ended: %v", ended)
	}
}
