package journal

import (
	"encoding/json"
	"errors"
	"fmt"
)

// stamped returns the events of b as they stand in the journal at position seq of run.
func stamped(run string, seq int64, gen int, b Batch) []Event {
	events := make([]Event, len(b.Events))
	for n, e := range b.Events {
		e.V, e.Run, e.Seq, e.N, e.Action, e.Gen = Version, run, seq, n, b.Action, gen
		e.At = micros(e.At)
		if e.Seen != nil {
			seen := *e.Seen
			seen.At = micros(seen.At)
			e.Seen = &seen
		}
		e.Fact.LookedAt, e.Fact.Value = microsOf(e.Fact.LookedAt), microsOf(e.Fact.Value)
		events[n] = e
	}
	return events
}

// encodeBatch checks b and returns its events as stored, and as the JSON a store keeps: one array.
func encodeBatch(run string, after int64, gen int, b Batch) ([]Event, []byte, error) {
	switch {
	case run == "":
		return nil, nil, errors.New("a batch needs a run")
	case after < Start:
		return nil, nil, fmt.Errorf("no batch can stand behind position %d", after)
	case b.Action == "":
		return nil, nil, errors.New("a batch needs an action")
	case len(b.Events) == 0:
		return nil, nil, fmt.Errorf("action %s has no events", b.Action)
	}
	events := stamped(run, after+1, gen, b)
	data, err := encode(events)
	if err != nil {
		return nil, nil, fmt.Errorf("encode %s: %w", b.Action, err)
	}
	return events, data, nil
}

func decodeBatch(run string, seq int64, data []byte) ([]Event, error) {
	var events []Event
	if err := json.Unmarshal(data, &events); err != nil {
		return nil, fmt.Errorf("read run %s at %d: %w", run, seq, err)
	}
	return events, nil
}

// summarize folds events into what Runs shows. The last of run.finished and run.reopened decides whether the run is
// over; a run whose plan is missing dates from its first event.
func summarize(s Summary, events []Event) Summary {
	for _, e := range events {
		if s.Run == "" {
			s.Run, s.Planned = e.Run, e.At
		}
		switch e.Kind {
		case RunPlanned:
			s.Planned = e.At
			if e.Fact.Brief != nil {
				s.Drill, s.Environment = e.Fact.Brief.Drill, e.Fact.Brief.Environment
			}
		case RunFinished:
			s.Finished, s.Outcome = true, e.Fact.Outcome
		case RunReopened:
			s.Finished, s.Outcome = false, ""
		}
	}
	return s
}
