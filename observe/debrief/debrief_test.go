package debrief_test

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

func TestMarkdownOfNothing(t *testing.T) {
	var b strings.Builder
	if err := debrief.Markdown(&b, debrief.Of(timeline.Of(nil, time.Time{})), nil); err != nil {
		t.Fatal(err)
	}
	t.Log(b.String())
}
