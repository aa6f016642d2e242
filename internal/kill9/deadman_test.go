package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/firedrill/firedrill/internal/killtest"
)

// announced is what a plan says of a fault's dead-man's switch.
type announced struct {
	Overwrites []string `json:"overwrites"`
	Leaves     []string `json:"leaves"`
}

// announces asks the plan what the switch of a drill's fault would overwrite and leave.
func (p *place) announces(f fault) announced {
	p.Helper()
	pr := p.verb(0, "plan", f.file(p.T), "-o", "json")
	var plan struct {
		Faults []struct {
			Deadman announced `json:"deadman"`
		} `json:"faults"`
	}
	p.must(json.Unmarshal([]byte(pr.Out.String()), &plan))
	if len(plan.Faults) != 1 || len(plan.Faults[0].Deadman.Overwrites) == 0 {
		p.Fatalf("the plan says nothing of a switch: %s", pr.Out)
	}
	return plan.Faults[0].Deadman
}

// advance moves Scheduler's clock and says which calls it made.
func (p *place) advance(by time.Duration) (calls []string) {
	p.Helper()
	body, _ := json.Marshal(map[string]string{"by": by.String()})
	r, err := http.NewRequestWithContext(p.ctx, http.MethodPost, p.stage.URL+"/_sandbox/schedules/advance", bytes.NewReader(body))
	p.must(err)
	a, err := http.DefaultClient.Do(r)
	p.must(err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	p.must(err)
	var made []struct{ Target, Code, Message string }
	if err := json.Unmarshal(text, &made); err != nil {
		p.Fatalf("%s: %s", a.Status, text)
	}
	for _, m := range made {
		if m.Code != "" {
			p.Errorf("%s is refused: %s %s", m.Target, m.Code, m.Message)
		}
		calls = append(calls, m.Target[strings.LastIndex(m.Target, ":")+1:])
	}
	return calls
}

// orphaned is a run whose process was killed with its fault in place. Nobody recovers.
func (p *place) orphaned(f fault) {
	p.Helper()
	run := p.run(f)
	p.says(run, "fault applied")
	p.must(run.Kill())
	calls, err := p.stage.Calls(p.ctx)
	p.must(err)
	armed := -1
	for i, c := range calls {
		switch {
		case c.By == "firedrill" && c.Operation == "CreateSchedule":
			armed = i
		case c.By == "firedrill" && (c.Operation == "UpdateTable" || c.Operation == "ModifyRule") && armed < 0:
			p.Errorf("%s before the switch was armed", c.Operation)
		}
	}
}

// fires lets the calls of the switch be made: each minute first, and the table at rest in between.
func (p *place) fires(want ...string) {
	p.Helper()
	var calls []string
	for range 12 {
		p.rests()
		calls = append(calls, p.advance(time.Minute)...)
	}
	p.rests()
	if strings.Join(calls, " ") != strings.Join(want, " ") {
		p.Errorf("Scheduler made %v, want %v", calls, want)
	}
}

// rests waits until no table is being updated.
func (p *place) rests() {
	p.Helper()
	cfg, err := p.stage.AWS(p.ctx)
	p.must(err)
	db := dynamodb.NewFromConfig(cfg)
	for _, table := range []string{"orders", "stock"} {
		p.must(killtest.Until(p.ctx, func() (bool, error) {
			d, err := db.DescribeTable(p.ctx, &dynamodb.DescribeTableInput{TableName: &table})
			return err == nil && d.Table.TableStatus == types.TableStatusActive, err
		}))
	}
}

// besides is a configuration without our tags: nothing else may differ.
func besides(config string) string {
	var kept strings.Builder
	for line := range strings.Lines(config) {
		if !strings.Contains(line, `"firedrill:`) {
			kept.WriteString(strings.TrimRight(line, ",\n") + "\n")
		}
	}
	return kept.String()
}

// leaves checks that exactly what the plan announced is left: our tags, where it speaks of them, and nothing else.
func (p *place) leaves(plan announced) {
	p.Helper()
	now, err := p.stage.Look(p.ctx)
	p.must(err)
	if besides(now.Config) != besides(p.before.Config) {
		p.Errorf("not as before:\n%s", p.before.Difference(now))
	}
	tags := strings.Count(now.Config, `"firedrill:`)
	told := strings.Contains(strings.Join(plan.Leaves, "\n"), "the tags firedrill:…")
	if told != (tags > 0) || len(plan.Leaves) > 1 || len(now.Ours) != tags {
		p.Errorf("the plan announced %q, and this is left: %q", plan.Leaves, now.Ours)
	}
	if strings.Join(now.Strangers, "\n") != strings.Join(p.before.Strangers, "\n") {
		p.Errorf("messages were %q, are %q", p.before.Strangers, now.Strangers)
	}
}

// The runner is killed and nobody recovers: Scheduler puts back what the last resort promises, and leaves what the plan
// announced. Whoever recovers later finds nothing to do but that.
func TestDeadmanAlone(t *testing.T) {
	t.Parallel()
	calls := map[string][]string{"on-demand": {"updateTable"}, "error": {"deleteRule"},
		"provisioned": {"updateTable", "registerScalableTarget"}}
	for _, f := range faults() {
		want := calls[f.Name]
		if want == nil {
			continue // what poisons a queue cannot be taken out by calls that cannot look
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, f, "none")
			plan := p.announces(f)
			p.orphaned(f)
			p.fires(want...)
			p.leaves(plan)
			p.recovers()
		})
	}
}

// It cannot look: a responder's own value is overwritten, as the plan said.
func TestDeadmanOverwritesWhatThePlanSays(t *testing.T) {
	t.Parallel()
	f := named(t, "on-demand")
	p := newPlace(t, f, "none")
	plan := p.announces(f)
	if want := "on-demand maximum of writes of table orders: set to no maximum, whatever it is then"; len(plan.Overwrites) != 1 || plan.Overwrites[0] != want {
		t.Errorf("the plan says %q", plan.Overwrites)
	}
	p.orphaned(f)
	p.rests()
	cfg, err := p.stage.AWS(p.ctx)
	p.must(err)
	_, err = dynamodb.NewFromConfig(cfg).UpdateTable(p.ctx, &dynamodb.UpdateTableInput{TableName: aws.String("orders"),
		OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: aws.Int64(77)}})
	p.must(err)
	p.rests()
	p.fires("updateTable")
	p.leaves(plan)
	p.recovers()
}

// Whoever recovers when the switch is halfway puts back the rest, and takes the rest of its calls away.
func TestDeadmanHalfway(t *testing.T) {
	t.Parallel()
	f := named(t, "provisioned")
	p := newPlace(t, f, "none")
	p.orphaned(f)
	p.rests()
	for calls := 0; calls == 0; {
		calls += len(p.advance(30 * time.Second))
	}
	p.rests()
	now, err := p.stage.Look(p.ctx)
	p.must(err)
	if !strings.Contains(now.Config, "registerScalableTarget") || !strings.Contains(p.before.Difference(now), "InSuspended") {
		t.Errorf("not halfway:\n%s", p.before.Difference(now))
	}
	p.recovers()
	if calls := p.advance(24 * time.Hour); len(calls) != 0 {
		t.Errorf("fired after the end: %v", calls)
	}
	p.asBefore()
}

// A run that ends leaves no schedule that could fire later.
func TestDeadmanIsGoneAfterARun(t *testing.T) {
	t.Parallel()
	f := named(t, "error")
	p := newPlace(t, f, "none")
	p.ends(p.run(f), 3)
	p.asBefore()
	if calls := p.advance(24 * time.Hour); len(calls) != 0 {
		t.Errorf("fired after the end: %v", calls)
	}
	p.asBefore()
}

func named(t *testing.T, name string) fault {
	t.Helper()
	for _, f := range faults() {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no drill %s", name)
	return fault{}
}
