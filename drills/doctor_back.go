package drills

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/firedrill/firedrill/inject"
)

// store asks where the journal lives: of the right kind for this place, there, and safe.
func (e *exam) store(ctx context.Context, st *Steps) []Finding {
	f := &found{facts: map[string]string{}}
	if no := st.checkStore(ctx, nil, f); no != nil {
		return []Finding{no.finding("", initStore(st))}
	}
	s := st.Env.Store
	if s.Kind == "dynamodb" && e.why != "" {
		return unseen(s.Table, "%s", e.why)
	}
	if err := st.unread(ctx); err != nil {
		try := "look at the store"
		if s.Kind == "dynamodb" {
			try = initStore(st)
		}
		return []Finding{wrong(s.Table, try, "%v", err)}
	}
	if s.Kind != "dynamodb" {
		if said := f.told("", initStore(st)); said != nil {
			return said
		}
		return []Finding{well("", "SQLite on this machine")}
	}
	return e.table(ctx, st)
}

// unread is why the journal cannot be read; nil where it can, or nobody has one here.
func (st *Steps) unread(ctx context.Context) error {
	if st.Lever == nil {
		return nil
	}
	_, err := st.Lever(ctx)
	return err
}

func initStore(st *Steps) string {
	if st.Env.Store.Kind == "dynamodb" {
		return "firedrill init --store dynamodb --env " + st.Env.Name
	}
	region := "REGION"
	if len(st.Env.AWS.Regions) > 0 {
		region = st.Env.AWS.Regions[0]
	}
	return fmt.Sprintf("firedrill init --store dynamodb --env %s   # then store: {dynamodb: {table: firedrill, region: %s}} in firedrill.yaml", st.Env.Name, region)
}

// table looks at the shared journal itself. What may not be looked at is no reason to think ill of it: the journal reads.
func (e *exam) table(ctx context.Context, st *Steps) (list []Finding) {
	s := st.Env.Store
	if e.x.Eyes.Table == nil {
		return []Finding{well(s.Table, "it can be read")}
	}
	look, err := e.x.Eyes.Table(ctx)
	switch {
	case err != nil:
		return []Finding{well(s.Table, "it can be read; whether it is protected cannot be told: %v", err)}
	case look.Other != "":
		return []Finding{wrong(s.Table, "firedrill init --store dynamodb --table NAME --env "+st.Env.Name, "%s", look.Other)}
	}
	if !look.Protected {
		list = append(list, ailing(s.Table, st.awsIn(s.Region, "dynamodb update-table --table-name "+s.Table+" --deletion-protection-enabled"), "it is not protected against deletion: whoever deletes it deletes what puts things back"))
	}
	if !look.Recoverable {
		list = append(list, ailing(s.Table, st.awsIn(s.Region, "dynamodb update-continuous-backups --table-name "+s.Table+" --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"), "it has no point-in-time recovery"))
	}
	if len(list) == 0 {
		list = append(list, well(s.Table, "in DynamoDB in %s: read, protected, recoverable", s.Region))
	}
	return list
}

// deadman asks for everything that the dead-man's switch hangs on: the role and what it may do, its queue, and that every
// fault has one where one is required.
func (e *exam) deadman(ctx context.Context, st *Steps) (list []Finding) {
	d := st.Env.Deadman
	if no := st.checkDeadman(ctx, &Plan{}, &found{facts: map[string]string{}}); no != nil {
		return []Finding{no.finding("", "")}
	}
	for _, r := range e.readings(ctx) {
		if no := r.switchless; no != nil {
			list = append(list, of(r.spec.Drill, []Finding{no.finding(r.spec.Drill, "")})...)
		}
	}
	if d.Role == "" {
		return append(list, ailing("", "firedrill policy --for deadman --env "+st.Env.Name+" -o terraform   # then deadman: {role: …} in the file",
			"none is named: nothing puts faults back when nobody is left to do it"))
	}
	list = append(list, e.deadRole(ctx, st)...)
	if d.DLQ == "" {
		return append(list, ailing("", st.aws("sqs create-queue --queue-name firedrill-deadman")+"   # then deadman: {dlq: "+newNeeds(st.Env).place.ARN("sqs", "firedrill-deadman")+"}",
			"the dead-man's switch has no dead-letter queue: a call of it that fails is noticed by nobody"))
	}
	return append(list, e.deadQueue(ctx, st)...)
}

// deadRole asks IAM whether the role may make the calls that it is there for.
func (e *exam) deadRole(ctx context.Context, st *Steps) []Finding {
	role := st.Env.Deadman.Role
	n := newNeeds(st.Env)
	for _, r := range e.readings(ctx) {
		for _, f := range r.v.Faults {
			n.all = append(n.all, f.Permissions...)
		}
		n.deadman(r.v.armed())
	}
	if st.World.Simulate == nil {
		return unseen(role, "this process cannot ask IAM")
	}
	facts := map[string]string{"aws:RequestedRegion": n.place.Region, "aws:ResourceTag/" + inject.TagRun: "run"}
	for k, tag := range st.Env.Tags {
		facts["aws:ResourceTag/"+k] = tag
	}
	missing, err := st.World.Simulate(ctx, role, n.of(inject.ForDeadman), facts)
	policy := "firedrill policy --for deadman --env " + st.Env.Name + " -o terraform   # writes it"
	var api interface{ ErrorCode() string }
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "NoSuchEntity":
		return []Finding{wrong(role, policy, "there is no such role")}
	case err != nil:
		return unseen(role, "%v", err)
	case len(missing) > 0:
		no := (&PermissionCheck{Principal: role, Missing: missing}).Refusal()
		return []Finding{no.finding(role, policy)}
	}
	return []Finding{well(role, "it may make the calls it is there for")}
}

func (e *exam) deadQueue(ctx context.Context, st *Steps) []Finding {
	dlq := st.Env.Deadman.DLQ
	if e.x.Eyes.Queue == nil {
		return unseen(dlq, "nobody asks")
	}
	err := e.x.Eyes.Queue(ctx, dlq)
	switch {
	case errors.Is(err, inject.ErrGone):
		return []Finding{wrong(dlq, st.aws("sqs create-queue --queue-name "+dlq[strings.LastIndex(dlq, ":")+1:]), "there is no such queue")}
	case err != nil:
		return unseen(dlq, "%v", err)
	}
	return []Finding{well(dlq, "it takes the calls that fail")}
}

// leftovers looks through the journal and the account for what earlier runs have not put back.
func (e *exam) leftovers(ctx context.Context, st *Steps) (list []Finding) {
	if st.unread(ctx) != nil { // the store's finding, and told there
		return unseen("", "the journal cannot be read: see store")
	}
	w := &Sweep{Steps: st, Store: e.x.Eyes.Store, Holder: e.x.Eyes.Holder}
	dead := "" // what puts back a run that has died, told once
	bounded, cancel := context.WithTimeout(ctx, firstLook)
	warn, no := w.firstRuns(bounded)
	cancel()
	if no != nil {
		dead = no.Try
		list = append(list, wrong("", no.Try, "%s", no.Why))
	}
	for _, text := range warn {
		list = append(list, warnFinding("", text))
	}
	if st.World.Leftovers == nil {
		return append(list, unseen("", "nobody asks")...)
	}
	all, survey, err := w.Look(ctx)
	if err != nil {
		return append(list, unseen("", "%v", err)...)
	}
	sweep := "firedrill recover --sweep --env " + st.Env.Name
	for _, s := range all {
		f := wrong(s.Thing, sweep, "left by run %s: %s", s.Mark.Run, s.Finds)
		switch s.By {
		case KeeperRun:
			f.Health, f.Try = Ailing, s.Try
		case KeeperJournal:
			if f.Try = s.Try; s.Try == dead {
				continue
			}
		case KeeperPerson:
			if f.Try = strings.Join(s.ByHand, " && "); f.Try == "" {
				f.Try = sweep
			}
		}
		list = append(list, f)
	}
	for _, u := range survey.Unread {
		list = append(list, unseen(u.What, "%v", u.Err)...)
	}
	if len(list) == 0 {
		list = append(list, well("", "nothing of an earlier run"))
	}
	return list
}
