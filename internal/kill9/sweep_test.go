package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// swept is a drill whose runner dies and whose journal is lost with it.
type swept struct {
	fault
	drill string // a file, or a name of the library
	found string // what the sweep says of it
}

func sweeps(t *testing.T) (all []swept) {
	words := map[string]string{"on-demand": "before no maximum", "provisioned": "auto scaling of WriteCapacityUnits suspended", "error": "it answers 500",
		"poison": "messages of ours"}
	for _, f := range faults() {
		if words[f.Name] != "" {
			all = append(all, swept{f, f.file(t), words[f.Name]})
		}
	}
	own := func(name string) fault {
		var f fault
		f.Name = name
		return f
	}
	return append(all, swept{own("deny"), "orders-writes-denied", "its policy denies dynamodb:"},
		swept{own("stall"), "orders-queue-stalled", "its policy denies sqs:"})
}

// TestSweepWithoutJournal: the runner is killed with its fault in place, and its journal is deleted. The marks in the account
// suffice: what people configured is as before, nothing of ours is left, strangers' messages are there.
func TestSweepWithoutJournal(t *testing.T) {
	t.Parallel()
	for _, s := range sweeps(t) {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, s.fault, "none")
			p.must(p.stage.Consumed(p.ctx))
			pr, err := p.Start(p.ctx, "run", s.drill)
			p.must(err)
			p.says(pr, "fault applied")
			living := p.verb(75, "recover", "--sweep")
			if !strings.Contains(living.Out.String(), "its run lives") {
				p.Errorf("of a living run the sweep says %q", living.Out)
			}
			p.must(pr.Kill())
			p.forget()

			// Nobody knows this run, and its limit has not passed: it may be on somewhere else.
			before, err := p.stage.Writes(p.ctx)
			p.must(err)
			perhaps := p.verb(75, "recover", "--sweep")
			if !strings.Contains(perhaps.Out.String(), "may be on somewhere else") || !strings.Contains(perhaps.Out.String(), "--force") {
				p.Errorf("of an unknown run the sweep says %q", perhaps.Out)
			}
			list := p.verb(5, "recover", "--sweep", "--force", "--dry-run")
			if !strings.Contains(list.Out.String(), s.found) {
				p.Errorf("the list says %q, want %q", list.Out, s.found)
			}
			refused := p.verb(4, "plan", s.drill)
			if !strings.Contains(refused.Err.String(), "Try: firedrill recover --sweep --env sandbox") {
				p.Errorf("a drill on top says %q", refused.Err)
			}
			if n, err := p.stage.Writes(p.ctx); err != nil || n != before {
				p.Errorf("%d writes by who only looks (%v)", n-before, err)
			}

			p.verb(0, "recover", "--sweep", "--force")
			p.asTheWorldWas()
			again := p.verb(0, "recover", "--sweep")
			if !strings.Contains(again.Out.String(), "nothing of ours is left") {
				p.Errorf("a second sweep says %q", again.Out)
			}
		})
	}
}

// forget deletes the journal.
func (p *place) forget() {
	p.Helper()
	files, err := filepath.Glob(filepath.Join(p.State, "firedrill.db*"))
	p.must(err)
	if len(files) == 0 {
		p.Fatal("there is no journal to lose")
	}
	for _, f := range files {
		p.must(os.Remove(f))
	}
}

// asTheWorldWas is asBefore but for the page: without a journal nobody knows whether there was one.
func (p *place) asTheWorldWas() {
	p.Helper()
	now, err := p.stage.Look(p.ctx)
	p.must(err)
	if left := p.before.Difference(now); left != "" {
		p.Errorf("the world is not as before:\n%s", left)
	}
}

// TestSweepByJournal: where the record of a run is there, the sweep leaves the work to it.
func TestSweepByJournal(t *testing.T) {
	t.Parallel()
	f := faults()[0]
	p := newPlace(t, f, "none")
	pr := p.run(f)
	p.says(pr, "fault applied")
	p.must(pr.Kill())

	// Every run looks first.
	no := p.verb(75, "run", "user-api-500s")
	if !strings.Contains(no.Err.String(), "not injecting: run ") || !strings.Contains(no.Err.String(), "Try: firedrill recover ") {
		p.Errorf("a run on top says %q", no.Err)
	}
	p.verb(0, "recover", "--sweep")
	p.asBefore()
	p.verb(0, "status")
	p.verb(0, "recover", "--expired")
}

// TestExpired: a cron job takes over what nobody works on, once, and is silent about the living.
func TestExpired(t *testing.T) {
	t.Parallel()
	f := faults()[0]
	p := newPlace(t, f, "none")
	pr := p.run(f)
	p.says(pr, "fault applied")
	if out := p.verb(0, "recover", "--expired").Out.String(); out != "nothing has expired\n" {
		p.Errorf("of a living run it says %q", out)
	}
	p.must(pr.Kill())
	one, err := p.Start(p.ctx, "recover", "--expired")
	p.must(err)
	two, err := p.Start(p.ctx, "recover", "--expired")
	p.must(err)
	p.ends(one, 0)
	p.ends(two, 0)
	p.asBefore()
	if calls, err := p.stage.Calls(p.ctx); err != nil || calls == nil {
		p.Error(err)
	}
	if out := p.verb(0, "recover", "--expired").Out.String(); out != "nothing has expired\n" {
		p.Errorf("afterwards it says %q", out)
	}
}

// TestSweepTouchesNoStranger: tags that only look like ours are told or passed over; not one call writes.
func TestSweepTouchesNoStranger(t *testing.T) {
	t.Parallel()
	p := newPlace(t, faults()[0], "none")
	cfg, err := p.stage.AWS(p.ctx)
	p.must(err)
	db := dynamodb.NewFromConfig(cfg)
	table, err := db.DescribeTable(p.ctx, &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	p.must(err)
	for _, tags := range [][]string{{"firedrill:allowed", "yes"}, {"firedrill:undo", "mode=on-demand writes=5 writes-during=1"}, {"firedrill:run", "nightly"}} {
		_, err = db.TagResource(p.ctx, &dynamodb.TagResourceInput{ResourceArn: table.Table.TableArn, Tags: []types.Tag{{Key: &tags[0], Value: &tags[1]}}})
		p.must(err)
	}
	before, err := p.stage.Look(p.ctx)
	p.must(err)
	writes, err := p.stage.Writes(p.ctx)
	p.must(err)
	said := p.verb(5, "recover", "--sweep", "--force")
	if !strings.Contains(said.Out.String(), "not a mark of firedrill's") || !strings.Contains(said.Out.String(), "aws dynamodb untag-resource") {
		p.Errorf("it says %q", said.Out)
	}
	now, err := p.stage.Look(p.ctx)
	p.must(err)
	if now.Config != before.Config {
		p.Error("the configuration changed")
	}
	if n, err := p.stage.Writes(p.ctx); err != nil || n != writes {
		p.Errorf("%d writes (%v)", n-writes, err)
	}
}
