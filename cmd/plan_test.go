package cmd

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/observe"
)

// on makes Deps that speak into buffers, on a sandbox at url.
func on(t *testing.T, url string) (d *Deps, out, errs *bytes.Buffer) {
	t.Helper()
	dir := t.TempDir()
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	vars := map[string]string{"FIREDRILL_SANDBOX": url, "FIREDRILL_STATE": filepath.Join(dir, "state"), "HOME": dir}
	return &Deps{In: strings.NewReader(""), Out: out, Err: errs, Now: time.Now, Dir: dir, Width: func() int { return 0 },
		Getenv:   func(k string) string { return vars[k] },
		Terminal: func() bool { return false }, Color: func() bool { return false }}, out, errs
}

func fetch(t *testing.T, url string) []byte {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Planning every drill we ship changes nothing, anywhere.
func TestPlanWritesNothing(t *testing.T) {
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	url := box.World().URL
	before := fetch(t, url+"/_sandbox/config")
	for _, format := range []string{"text", "json"} {
		for _, drill := range []string{"orders-write-throttle", "orders-dead-letters", "user-api-500s", "web-page-errors-no-alarm", "orders-writes-denied", "orders-queue-stalled"} {
			d, out, errs := on(t, url)
			if code := Run(t.Context(), d, []string{"plan", drill, "--env", "sandbox", "-o", format}); code != 0 {
				t.Errorf("plan %s: exit %d: %s", drill, code, errs)
			}
			if out.Len() == 0 || errs.Len() > 0 {
				t.Errorf("plan %s: %d bytes of answer; notices: %s", drill, out.Len(), errs)
			}
			if format == "json" && !json.Valid(out.Bytes()) {
				t.Errorf("plan %s: not JSON:\n%s", drill, out)
			}
			if left, err := os.ReadDir(d.Dir); err != nil || len(left) > 0 {
				t.Errorf("plan %s wrote %v (%v)", drill, left, err)
			}
		}
	}
	var calls []struct {
		By, Operation string
		Writes        bool
	}
	if err := json.Unmarshal(fetch(t, url+"/_sandbox/calls"), &calls); err != nil {
		t.Fatal(err)
	}
	ours := 0
	for _, c := range calls {
		if c.By == "firedrill" {
			ours++
			if c.Writes {
				t.Errorf("plan writes: %s", c.Operation)
			}
		}
	}
	if ours == 0 {
		t.Error("no call of ours: the log would not show a write either")
	}
	if after := fetch(t, url+"/_sandbox/config"); !bytes.Equal(before, after) {
		t.Errorf("configuration changed:\n%s\n%s", before, after)
	}
}

// preview is a plan with everything in it.
func preview() *drills.Preview {
	arn := "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
	return &drills.Preview{
		Plan: &drills.Plan{Drill: "d", Environment: "staging", Account: "123456789012", Region: "eu-west-1", Limit: time.Hour, Patience: 15 * time.Minute,
			Faults: []drills.PlannedFault{{ID: "throttle", After: 2 * time.Minute}}, Page: drills.PlannedPage{When: drills.PageAlarm, Fallback: 12 * time.Minute, Service: "PORDERS"}},
		Faults: []drills.PreviewFault{{ID: "throttle", Kind: "dynamodb.throttle", Undo: inject.Undo{Target: inject.Target{ARN: arn}},
			Changes: []inject.Change{{What: "writes", Before: "100 units/s", During: "1", After: "100 units/s"}},
			Costs:   inject.Costs{Undo: 90 * time.Second, Quotas: []string{"3 of 4 decreases left"}, Notes: []string{strings.Repeat("word ", 40)}},
			Permissions: []inject.Permission{{Action: "dynamodb:UpdateTable", Resource: arn, When: "run"}, {Action: "dynamodb:TagResource", Resource: arn, When: "run"},
				{Action: "dynamodb:GetItem", Resource: arn, When: "run", Condition: map[string]string{"dynamodb:LeadingKeys": "firedrill/*"}}}}},
		Facts: map[string]string{"account": "123456789012", "incidents_before": "Q1 Q2"},
		Check: &observe.ServiceCheck{Name: "Orders", Urgency: "high", OnCall: []observe.OnCall{{User: "P1", Name: "Ada", Level: 1}},
			Risks: []observe.Risk{{Verdict: observe.Suppressed, Why: "rule mute drops events", Refuses: true}, {Verdict: observe.Delayed, Why: "by a minute"}}},
		Warn: []string{"delayed: by a minute", "mind this"}, Reaching: "Alarms that share a topic",
		Alarms: []drills.AlarmVerdict{{Name: "throttled", Verdict: drills.VerdictWatch, Why: "sees it"},
			{Name: "hurt", Verdict: drills.VerdictAbort, Why: "moves", Moved: "X"}},
		Floors: []drills.Floor{{Name: "expect.detect", Given: 12 * time.Minute, Least: 3 * time.Minute, Sure: true, Why: "an alarm"},
			{Name: "expect.effective", Why: "who knows"}},
	}
}

func TestPlanText(t *testing.T) {
	d, out, _ := on(t, "")
	if err := d.printPlan(preview(), nil); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{
		"\nFault throttle (dynamodb.throttle, 2m after the first)\n  on arn:aws:dynamodb",
		"\n          before       during  after\n  writes  100 units/s  1       100 units/s\n",
		"  quota    3 of 4 decreases left\n", "  undo     within 1m30s as a rule\n",
		"  when     their own alarm fires; after 12m without one we page",
		"  on call  level 1: Ada (P1)\n  risk     suppressed: rule mute drops events\n  risk     delayed: by a minute\n",
		"\nAlarms that share a topic\n  throttled  watch                   sees it\n  hurt       would abort this drill  moves\n",
		"\n  expect.detect     12m    3m       an alarm\n  expect.effective  none   unknown  who knows\n",
		"tried for 15m, then the owner is paged for real",
		"  run      dynamodb: UpdateTable, TagResource on arn:aws:dynamodb:eu-west-1:123456789012:table/orders\n",
		"if dynamodb:LeadingKeys", "is firedrill/*\n", "\nMind\n  ! mind this\n", "nobody was told. Try: firedrill run d --env staging\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "Q1") || strings.Contains(text, "\x1b") {
		t.Errorf("what is not for people stands there:\n%s", text)
	}
	for _, line := range strings.Split(text, "\n") {
		if visible(line) > pageWidth {
			t.Errorf("line of %d columns: %s", visible(line), line)
		}
	}
}

// On a terminal that is narrower nothing is broken in the middle of a word; where nothing is in the way of a page, that is said;
// and of faults that nobody has looked at no time is claimed.
func TestPlanTextOnATerminal(t *testing.T) {
	d, out, _ := on(t, "")
	d.Terminal, d.Width = func() bool { return true }, func() int { return 80 }
	v := preview()
	v.Check.Risks = nil
	if err := d.printPlan(v, nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "  heard    nothing was found that would keep the page from people\n") {
		t.Errorf("whether the page is heard stands nowhere in\n%s", out)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if visible(line) > 80 {
			t.Errorf("line of %d columns: %s", visible(line), line)
		}
	}
	out.Reset()
	v.Faults, v.Plan.Faults, v.Check = nil, nil, nil
	if err := d.printPlan(v, nil); err != nil || strings.Contains(out.String(), "within 0s") || strings.Contains(out.String(), "nothing was found") {
		t.Errorf("%v: claims what nobody has looked at:\n%s", err, out)
	}
}

// Colour is for terminals, and moves nothing.
func TestPlanColour(t *testing.T) {
	d, plain, _ := on(t, "")
	if err := d.printPlan(preview(), nil); err != nil {
		t.Fatal(err)
	}
	c, coloured, _ := on(t, "")
	c.Terminal, c.Color = func() bool { return true }, func() bool { return true }
	if err := c.printPlan(preview(), nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(coloured.String(), "\x1b[") {
		t.Error("no colour on a terminal")
	}
	bare := coloured.String()
	for {
		from := strings.Index(bare, "\x1b[")
		if from < 0 {
			break
		}
		to := strings.IndexByte(bare[from:], 'm')
		bare = bare[:from] + bare[from+to+1:]
	}
	if bare != plain.String() {
		t.Errorf("colour moves things:\n%s\n%s", bare, plain)
	}
}

// A closed stdout is an error, not a plan.
func TestPlanToAClosedPipe(t *testing.T) {
	d, _, _ := on(t, "")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.Close()
	d.Out = w
	if err := d.printPlan(preview(), nil); err == nil {
		t.Error("nobody noticed that nothing was written")
	}
}

// The verdicts stand in the plan for machines too, by the names that the debrief gives them.
func TestPlanJSONNamesEveryVerdict(t *testing.T) {
	raw, err := json.Marshal(planView(preview(), nil).Page.Risks)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"verdict":"suppressed","why":"rule mute drops events","refuses":true},{"verdict":"delayed","why":"by a minute","refuses":false}]`
	if string(raw) != want {
		t.Errorf("%s, want %s", raw, want)
	}
}

// Machines never meet a null where a list is meant, however little is known.
func TestPlanJSONIsWhole(t *testing.T) {
	for name, v := range map[string]*drills.Preview{"full": preview(), "nothing known": {}} {
		no := &drills.Refusal{Code: "account", Why: "wrong", Try: "mend it", Later: true}
		raw, err := json.Marshal(planView(v, no))
		if err != nil {
			t.Fatal(err)
		}
		said := strings.Replace(string(raw), `"next":null,"waits":`, `"waits":`, 1) // a time, which nobody knows here
		if strings.Contains(said, "null") {
			t.Errorf("%s: null in %s", name, raw)
		}
		if !strings.Contains(said, `"refusal":{"code":"account","why":"wrong","try":"mend it","later":true,"exit":75,"waits":""}`) {
			t.Errorf("%s: refusal in %s", name, raw)
		}
	}
}
