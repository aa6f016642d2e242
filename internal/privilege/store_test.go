package privilege

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/killtest"
	"github.com/firedrill/firedrill/internal/sandbox"
)

const journalTable = "firedrill-journal"

// journalPlace is a sandbox with a journal's table, and what is asked of it under a role's policy.
type journalPlace struct {
	*testing.T
	box   *sandbox.Sandbox
	stage killtest.Stage
}

// A journal in the account is read and written with the rights of the role alone; who only reads may not write.
func TestTheJournalTakesWhatThePolicySays(t *testing.T) {
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &journalPlace{T: t, box: box, stage: killtest.Stage{URL: box.World().URL}}
	cfg, err := p.stage.AWS(t.Context())
	p.must(err)
	_, err = journal.CreateDynamoDB(t.Context(), journal.TableOptions{Client: dynamodb.NewFromConfig(cfg), Table: journalTable})
	p.must(err)
	for _, role := range []string{inject.ForRun, inject.ForRecover, inject.ForPlan, inject.ForReport} {
		allowed := p.as(role)
		before := len(p.needs())
		if err := p.writes(role); (err == nil) != slices.Contains(allowed, "dynamodb:PutItem") {
			t.Errorf("%s may %v: %v", role, allowed, err)
		}
		if slices.Contains(allowed, "dynamodb:PutItem") {
			p.must(p.writes(role)) // again: what stands is met
		}
		p.must(p.reads())
		used := p.needs()[before:]
		for _, action := range allowed {
			if !slices.Contains(used, action+" on arn:aws:dynamodb:eu-west-1:111122223333:table/"+journalTable) {
				t.Errorf("%s may %s, and nothing calls it", role, action)
			}
		}
	}
}

// as holds firedrill to the journal's lines of a role's policy, and says which actions these are.
func (p *journalPlace) as(role string) (allowed []string) {
	p.Helper()
	env := &drills.Environment{Name: "sandbox", AWS: drills.AWSSpec{Account: "111122223333", Regions: []string{"eu-west-1"}},
		Store: drills.StoreSpec{Kind: "dynamodb", Table: journalTable, Region: "eu-west-1"}}
	policy, err := drills.MakePolicy(env, nil, inject.NewCatalog(nil, inject.CatalogOptions{}), drills.PolicyOptions{For: role})
	p.must(err)
	cfg, err := p.stage.AWS(p.Context())
	p.must(err)
	people, us := iam.NewFromConfig(cfg), aws.String("firedrill")
	for _, other := range drills.Roles() {
		_, err := people.DetachUserPolicy(p.Context(), &iam.DetachUserPolicyInput{UserName: us, PolicyArn: aws.String("arn:aws:iam::111122223333:policy/" + other)})
		p.must(err)
	}
	if len(policy.Documents) != 1 {
		p.Fatalf("%s: %d documents", role, len(policy.Documents))
	}
	doc, err := json.Marshal(policy.Documents[0])
	p.must(err)
	_, err = people.CreatePolicy(p.Context(), &iam.CreatePolicyInput{PolicyName: &role, PolicyDocument: aws.String(string(doc))})
	p.must(err)
	_, err = people.AttachUserPolicy(p.Context(), &iam.AttachUserPolicyInput{UserName: us, PolicyArn: aws.String("arn:aws:iam::111122223333:policy/" + role)})
	p.must(err)
	for _, n := range policy.Needs {
		allowed = append(allowed, n.Action)
	}
	return allowed
}

// store is the journal as firedrill has it.
func (p *journalPlace) store() *journal.DynamoDB {
	p.Helper()
	w := p.box.World()
	k := w.Keys["firedrill"]
	s, err := journal.OpenDynamoDB(journal.DynamoDBOptions{Table: journalTable, Patience: time.Second, Client: dynamodb.NewFromConfig(aws.Config{Region: w.Region,
		BaseEndpoint: &w.AWS, Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, "")})})
	p.must(err)
	return s
}

// writes does what an engine does: it takes the run, records, ends it and lets it go.
func (p *journalPlace) writes(role string) error {
	ctx, s, run, now := p.Context(), p.store(), "01k0000000000000000000"+fmt.Sprintf("%04d", len(role)), time.Now()
	l, err := s.Take(ctx, journal.RunLease(run), run, journal.Holder{Host: "h", Boot: "b", PID: 1}, time.Nanosecond, now)
	if err != nil {
		return err
	}
	plan, _ := json.Marshal(map[string]string{"drill": "d"})
	begins := journal.Batch{Action: "plan", Events: []journal.Event{{Kind: journal.RunPlanned, At: now, Fact: journal.Fact{Plan: plan}}}}
	if err := s.Append(ctx, run, journal.Start, l.Gen, begins); err != nil && !errors.Is(err, journal.ErrConflict) {
		return err
	}
	ends := journal.Batch{Action: "finish", Events: []journal.Event{{Kind: journal.RunFinished, At: now}}}
	if err := s.Append(ctx, run, 0, l.Gen, ends); err != nil && !errors.Is(err, journal.ErrConflict) {
		return err
	}
	if l, err = s.Renew(ctx, l, time.Nanosecond, now); err != nil {
		return err
	}
	return s.Release(ctx, l)
}

// reads does what status, report and a plan do.
func (p *journalPlace) reads() error {
	s := p.store()
	_, err := s.Load(p.Context(), "01k00000000000000000000003", journal.Start)
	_, list := s.Runs(p.Context(), journal.Filter{})
	_, held := s.Held(p.Context(), "")
	return errors.Join(err, list, held)
}

// needs is what firedrill has asked IAM for so far.
func (p *journalPlace) needs() (all []string) {
	p.Helper()
	for _, c := range (&place{T: p.T, stage: p.stage, ctx: context.WithoutCancel(p.Context())}).log() {
		if c.By == "firedrill" {
			all = append(all, c.Needs...)
		}
	}
	return all
}

func (p *journalPlace) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}
