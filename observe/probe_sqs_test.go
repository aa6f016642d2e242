package observe

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// deep is a queue of so many messages.
func deep(depth string) *cloud {
	return &cloud{queue: func(context.Context, string) (map[string]string, error) {
		if depth == "error" {
			return nil, errors.New("throttled")
		}
		return map[string]string{"ApproximateNumberOfMessages": depth}, nil
	}}
}

// A queue that is never empty is compared with what it held when the run began.
func TestABaselineIsMeasuredAndComparedWith(t *testing.T) {
	for _, x := range []struct {
		visible, depth string
		base           float64 // below zero: none yet
		want           Value
		why            string
	}{
		{"<= baseline", "7", -1, OK, "visible is 7, which is the baseline"},
		{"<= baseline", "error", -1, Unknown, "throttled"},
		{"<= baseline", "7", 7, OK, "visible is 7 (baseline 7)"},
		{"<= baseline", "8", 7, Bad, "visible is 8, want <= 7 (baseline 7)"},
		{"<=baseline+5", "12", 7, OK, "visible is 12 (baseline 7)"},
		{" <= baseline + 5", "13", 7, Bad, "want <= 12 (baseline 7)"},
		{"> baseline - 3", "4", 7, Bad, "want > 4 (baseline 7)"},
		{"<= baseline", "0", math.NaN(), Unknown, "no baseline was read before the fault"},
	} {
		spec := ProbeSpec{SQS: &SQSProbe{Queue: "https://sqs/1/orders-dlq", Visible: x.visible}}
		if found := spec.Problems(); len(found) > 0 {
			t.Errorf("%s: %v", x.visible, found)
		}
		if of, yes := spec.Baseline(); !yes || of != "orders-dlq" {
			t.Errorf("%s: of %q, %v", x.visible, of, yes)
		}
		asked := spec
		if x.base >= 0 || math.IsNaN(x.base) {
			asked = spec.From(x.base)
		}
		p, err := NewProbe(asked, Clients{SQS: deep(x.depth), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		r := p.Read(t.Context())
		if r.Value != x.want || !strings.Contains(r.Why, x.why) || p.Label() != spec.Label() {
			t.Errorf("%s at %s: %+v", x.visible, x.depth, r)
		}
		if measured := r.Baseline != nil && *r.Baseline == 7; measured != (x.base < 0 && x.want == OK) {
			t.Errorf("%s at %s measured %v", x.visible, x.depth, r.Baseline)
		}
		if spec.SQS.base != nil {
			t.Error("the drill's own probe was changed")
		}
	}
}

// What is no comparison with the baseline is one clear mistake; what compares with a number has none.
func TestBaselinesThatCannotBeRead(t *testing.T) {
	for _, text := range []string{"baseline", "<= baseline * 2", "<= baseline +", "<= baseline + x", "<= baseline + 1.5", "=< baseline", "<= baseline 5"} {
		spec := ProbeSpec{SQS: &SQSProbe{Queue: "q", Visible: text}}
		if found := spec.Problems(); len(found) != 1 || !strings.Contains(found[0], `Try: "<= baseline" or "<= baseline + 5"`) {
			t.Errorf("%q: %q", text, found)
		}
	}
	for _, spec := range []ProbeSpec{{SQS: &SQSProbe{Queue: "q", Visible: "<= 5"}}, {}} {
		if _, yes := spec.Baseline(); yes || spec.From(3).SQS != spec.SQS {
			t.Errorf("%+v has a baseline", spec)
		}
	}
}
