package drills_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// letters is a dead-letter queue that holds some of a stranger's, and more while setting a is broken.
type letters struct {
	w       *world
	strange int
	gone    error
}

func (l *letters) GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("https://sqs/1/dlq")}, nil
}

func (l *letters) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	n := l.strange
	if l.w.get("a") != "before-a" {
		n += 20
	}
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{"ApproximateNumberOfMessages": strconv.Itoa(n)}}, l.gone
}

// lettered is a stage whose steady state and watch compare with that queue.
func lettered(t *testing.T) (*stage, *letters) {
	s := newStage(t)
	dlq := &letters{w: s.w, strange: 7}
	probeOf := func(visible string) drills.PlannedProbe {
		spec := observe.ProbeSpec{SQS: &observe.SQSProbe{Queue: "dlq", Visible: visible}}
		return drills.PlannedProbe{Label: spec.Label(), Spec: spec}
	}
	s.plan.Steady = []drills.PlannedProbe{probeOf("<= baseline + 5")}
	s.plan.Watch = []drills.PlannedProbe{probeOf("<= baseline")}
	return s, dlq
}

func (s *stage) reading(e *drills.Engine, dlq *letters) *drills.Engine {
	e.Steps.World.Probe = func(spec observe.ProbeSpec) (observe.Probe, error) {
		return observe.NewProbe(spec, observe.Clients{SQS: dlq, Now: s.clock.Now})
	}
	return e
}

// queueStory is what was read of the queue: the baselines as they were measured, the last look at the steady state, and
// whether any look was bad.
func queueStory(events []journal.Event) (steady, last string, bad bool) {
	for _, e := range events {
		if !strings.HasPrefix(e.Fact.Probe, "sqs dlq") {
			continue
		}
		line := fmt.Sprintf("%s %s %s", e.Fact.Role, e.Fact.Reading, e.Fact.Facts["baseline"])
		if e.Kind == journal.SteadyRead {
			if e.Fact.Facts["baseline"] != "" {
				steady += line + "; "
			}
			last = line
		}
		bad = bad || e.Kind == journal.ProbeRead && e.Fact.Reading == "bad"
	}
	return steady, last, bad
}

// Real dead-letter queues are not empty: what a run compares with is read right before the first fault, stands in the
// journal, and holds to the end.
func TestARunComparesWithItsBaseline(t *testing.T) {
	s, dlq := lettered(t)
	st, err := s.start(context.Background(), s.reading(s.engine(1), dlq))
	s.check(t, st, err)
	if measured, last, bad := queueStory(s.events(t)); measured != "steady ok 7; watch ok 7; " || !bad || last != "steady ok " {
		t.Errorf("measured %q, bad %v, at the end %q", measured, bad, last)
	}
	if len(st.Baselines) != 2 || st.Baselines["sqs dlq visible <= baseline"] != 7 {
		t.Errorf("%v", st.Baselines)
	}
}

// Whoever goes on with a run that died, from any point of it, compares with the baseline of its journal: not with a queue
// into which the drill's own messages have gone.
func TestABaselineSurvivesItsEngine(t *testing.T) {
	first, dlq := lettered(t)
	if _, err := first.start(context.Background(), first.reading(first.engine(1), dlq)); err != nil {
		t.Fatal(err)
	}
	events := first.events(t)
	var applied, measured int64 = -1, -1
	for _, e := range events {
		if e.Kind == journal.FaultApplied && applied < 0 {
			applied = e.Seq
		}
		if e.Fact.Facts["baseline"] != "" {
			measured = e.Seq
		}
	}
	for _, resume := range []bool{true, false} {
		s, dlq := lettered(t)
		replay(t, s, events, applied)
		s.clock.t = first.clock.t
		dlq.strange = 12 // five more of a stranger's: within what the steady state allows
		e := s.reading(s.engine(2), dlq)
		var st *drills.State
		var err error
		if resume {
			st, err = e.Resume(context.Background(), runID)
		} else {
			st, err = e.Recover(context.Background(), runID, drills.ReasonRecover, "test")
		}
		s.check(t, st, err)
		if all, last, _ := queueStory(s.events(t)); resume && last != "steady ok " || st.Unsteady || all != "steady ok 7; watch ok 7; " {
			t.Errorf("resume %v: %q, then %q, unsteady %v", resume, all, last, st.Unsteady)
		}
	}
	if measured < 0 || applied < measured {
		t.Errorf("measured in batch %d, applied in batch %d", measured, applied)
	}
}

// One more than allowed, and the steady state is not back; without a baseline in its journal nobody can say.
func TestABaselineThatDoesNotHold(t *testing.T) {
	s, dlq := lettered(t)
	s.w.onWrite = func(int, string) error { dlq.strange = 13; return nil }
	st, err := s.start(context.Background(), s.reading(s.engine(1), dlq))
	if err != nil || !st.Unsteady {
		t.Errorf("unsteady %v, %v", st.Unsteady, err)
	}
	s.w.onWrite, dlq.strange = nil, 12
	st, err = s.reading(s.engine(2), dlq).Recover(context.Background(), runID, drills.ReasonRecover, "test") // which looks again
	if _, last, _ := queueStory(s.events(t)); err != nil || st.Unsteady || last != "steady ok " {
		t.Errorf("a recover says %q, unsteady %v, %v", last, st.Unsteady, err)
	}

	s, dlq = lettered(t)
	dlq.gone = fmt.Errorf("throttled")
	st, err = s.start(context.Background(), s.reading(s.engine(1), dlq))
	if err != nil || st.Outcome != "refused" || len(s.w.writes) > 0 {
		t.Errorf("a baseline that cannot be read: %s, %v, %v", st.Outcome, s.w.writes, err)
	}

	s, dlq = lettered(t)
	s.plan.Steady = nil
	if st, err = s.start(context.Background(), s.reading(s.engine(1), dlq)); err != nil || len(st.Baselines) != 1 {
		t.Errorf("without a steady state: %v, %v", st.Baselines, err)
	}
}

// A journal that tells no baseline, though a fault is in: what is read later is none, and nobody can say that all is well.
func TestABaselineThatIsLostIsUnknown(t *testing.T) {
	first, dlq := lettered(t)
	if _, err := first.start(context.Background(), first.reading(first.engine(1), dlq)); err != nil {
		t.Fatal(err)
	}
	events, applied := first.events(t), int64(-1)
	for i, e := range events {
		events[i].Fact.Facts = nil
		if e.Kind == journal.FaultApplied && applied < 0 {
			applied = e.Seq
		}
	}
	s, dlq := lettered(t)
	replay(t, s, events, applied)
	s.clock.t = first.clock.t
	st, err := s.reading(s.engine(2), dlq).Resume(context.Background(), runID)
	if _, last, _ := queueStory(s.events(t)); err != nil || last != "steady unknown " || !st.Unsteady || len(st.Baselines) != 0 {
		t.Errorf("it says %q, unsteady %v, %v", last, st.Unsteady, err)
	}
}
