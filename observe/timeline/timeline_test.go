package timeline_test

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

func TestEmpty(t *testing.T) {
	x := timeline.Of(nil, time.Time{})
	if x.Outcome != "" || len(x.Instants) != 7 || len(x.Intervals) != 7 {
		t.Errorf("%+v", x)
	}
	_ = x.Entries()
	if _, err := timeline.StatusJSON(x); err != nil {
		t.Error(err)
	}
	_ = journal.Event{}
}
