package drills

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/firedrill/firedrill/inject"
)

// place finds out first whether these credentials stand in the environment's account: in another one nothing is looked at.
func (e *exam) place(ctx context.Context) {
	e.found.facts = map[string]string{}
	if e.why = e.x.Shut; e.why != "" {
		return
	}
	for _, f := range e.x.Known {
		if f.Check == "endpoint" && f.Health == Wrong {
			e.why = "the endpoint has strayed"
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if _, e.caller = e.st.whoami(ctx); e.caller != nil {
		var no *inject.NoAnswer
		if e.why = "nobody knows whose these credentials are"; errors.As(e.caller, &no) {
			e.why = no.Short
		}
		return
	}
	if e.no = e.st.checkAccount(ctx, nil, &e.found); e.no != nil {
		e.why = "these credentials do not stand where the environment is"
		if e.no.Code == "production" {
			e.why = "this is called production"
		}
	}
}

// known has nothing to add to what was found before.
func (e *exam) known(context.Context, *Steps) []Finding {
	if len(e.before("endpoint")) > 0 {
		return nil
	}
	return []Finding{well("", "%s", cmp.Or(e.st.Env.AWS.Endpoint, "AWS's own"))}
}

// longest is the drill that lasts longest, its undo included.
func (e *exam) longest(ctx context.Context) *Plan {
	longest := &Plan{Limit: defaultLimit}
	for i, r := range e.readings(ctx) {
		if p := r.v.Plan; i == 0 || p.Limit+p.undoTime() > longest.Limit+longest.undoTime() {
			longest = p
		}
	}
	return longest
}

// defaultLimit stands for the limit of drills where there is none yet.
const defaultLimit = time.Hour

func (e *exam) credentials(ctx context.Context, st *Steps) []Finding {
	switch {
	case len(e.before("credentials")) > 0:
		return nil
	case e.x.Shut != "", e.caller == nil && st.callerRead.IsZero():
		return unseen("", "%s", e.why)
	case e.caller != nil:
		var no *inject.NoAnswer
		if errors.As(e.caller, &no) {
			return []Finding{wrong("", no.Try, "%v", e.caller)}
		}
		return []Finding{wrong("", st.aws("sts get-caller-identity"), "%v", e.caller)}
	}
	who := cmp.Or(st.caller.ARN, "account "+st.caller.Account)
	if e.why != "" {
		return []Finding{well("", "%s", who)}
	}
	if st.World.Credentials == nil {
		return []Finding{well("", "%s; how long they last nobody can tell", who)}
	}
	f, p := &found{facts: map[string]string{}}, e.longest(ctx)
	if r := st.checkCredentials(ctx, p, f); r != nil {
		return []Finding{r.finding("", "")}
	}
	return []Finding{well("", "%s, by %s: enough for %s and %s to put it back", who, cmp.Or(f.facts["credentials"], "the environment's own"), short(p.Limit), short(p.undoTime()))}
}

func (e *exam) account(context.Context, *Steps) []Finding {
	env := e.st.Env
	if e.no != nil {
		try := ""
		switch {
		case e.no.Code == "account" && env.AWS.Role == "":
			try = "aws sts get-caller-identity   # shows whose they are; AWS_PROFILE names others"
		case e.no.Code == "region":
			try = "aws: {regions: [" + e.st.caller.Region + "]} in " + env.Source + ", or a drill in " + strings.Join(env.AWS.Regions, ", ")
		}
		return []Finding{e.no.finding("", try)}
	}
	if e.why != "" {
		return unseen("", "%s", e.why)
	}
	if list := e.found.told("", "aws iam create-account-alias --account-alias NAME-staging   # and allow iam:ListAccountAliases"); list != nil {
		return list
	}
	return []Finding{well("", "%s (%s) in %s", e.found.facts["account"], e.st.caller.Alias, e.found.facts["region"])}
}

// clock compares ours with AWS's, by the guard, and with PagerDuty's, whose times are corrected: there it is only told.
func (e *exam) clock(ctx context.Context, st *Steps) []Finding {
	f := &found{facts: map[string]string{}}
	if r := st.checkClock(ctx, nil, f); r != nil {
		return []Finding{r.finding("aws", "")}
	}
	list := f.told("aws", "firedrill doctor, again")
	if len(list) == 0 {
		list = []Finding{well("aws", "less than %s from that of AWS", short(clockApart))}
	}
	if e.x.Eyes.Date == nil {
		return list
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	at, err := e.x.Eyes.Date(ctx)
	switch off := at.Sub(st.World.Clock.Now()).Abs().Round(time.Second); {
	case err != nil:
		return append(list, unseen("pagerduty", "%v", err)...)
	case off > clockApart:
		return append(list, ailing("pagerduty", "timedatectl set-ntp true", "%s from that of PagerDuty", off))
	}
	return append(list, well("pagerduty", "less than %s from that of PagerDuty", short(clockApart)))
}

// window tells when drills may run. That they may not now is no fault of the set-up, as long as the next time is known.
func (e *exam) window(ctx context.Context, st *Steps) []Finding {
	f := &found{facts: map[string]string{}}
	r := st.checkWindow(ctx, &Plan{}, f)
	list := f.told("", "mend holidays: in environment "+st.Env.Name)
	switch {
	case r != nil && !r.Next.IsZero():
		return append(list, well("", "%s; next: %s", r.Why, r.When()))
	case r != nil:
		return append(list, r.finding("", ""))
	case f.facts["window"] == "always":
		return append(list, well("", "always"))
	}
	c, err := st.Allowed(ctx)
	if err != nil {
		return append(list, wrong("", "check holidays and freezes in environment "+st.Env.Name, "%v", err))
	}
	now := "open"
	if _, until := c.Open(st.World.Clock.Now()); !until.IsZero() {
		now += " until " + clockText(until.In(c.Zone()))
	}
	return append(list, well("", "%s (%s)", now, st.Env.Window.Text))
}

// lever looks at ours, and at that of AWS FIS.
func (e *exam) lever(ctx context.Context, st *Steps) []Finding {
	if e.why != "" {
		st.World.Lever = nil
	}
	if err := st.unread(ctx); err != nil { // the store's finding, and told there
		if e.why != "" {
			return unseen("", "%s", e.why)
		}
		return unseen("", "%v", err)
	}
	f := &found{facts: map[string]string{}}
	if r := st.checkLever(ctx, &Plan{Account: st.Env.AWS.Account}, f); r != nil {
		return []Finding{r.finding("", "")}
	}
	if f.facts["fis_lever"] == "unread" { // most accounts have none: who wants it honoured allows it
		return []Finding{well("", "not pulled (AWS FIS's may not be read, and is not honoured: allow fis:GetSafetyLever)")}
	}
	return []Finding{well("", "not pulled")}
}
