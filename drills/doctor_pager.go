package drills

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/observe"
)

// pagerless says why nothing can be asked of the pager; nil: it can.
func (e *exam) pagerless() []Finding {
	if e.st.World.Pager == nil {
		return unseen("", "nobody may ask PagerDuty: see token")
	}
	return nil
}

// token asks the pager about the first service: whether it takes who asks.
func (e *exam) token(ctx context.Context, st *Steps) []Finding {
	if st.World.Pager == nil {
		ref := st.Env.PagerDuty.Token
		switch {
		case ref != "" && e.awsSecret(ref):
			return unseen(ref, "%s", e.why)
		case e.x.Pager != nil:
			why := e.x.Pager.Error()
			if no := (*Refusal)(nil); errors.As(e.x.Pager, &no) {
				why = no.Why
			}
			return []Finding{wrong(ref, cmp.Or(problemStep(e.x.Pager), st.secretStep(ref, "a REST API key of PagerDuty")), "%s", why)}
		}
		return []Finding{wrong("", `pagerduty: {token: "env:PAGERDUTY_TOKEN", from: …} in environment `+st.Env.Name, "environment %s has no pager: nobody could be paged, or timed", st.Env.Name)}
	}
	if all := e.teams(); len(all) > 0 {
		if _, err := st.World.Pager.Check(ctx, all[0].Service); refused(err) {
			return []Finding{wrong("", stepOf(err), "%v", err)}
		}
	}
	return []Finding{well("", "PagerDuty takes it")}
}

// refused says that PagerDuty took the question, and not who asks.
func refused(err error) bool {
	var p *observe.Problem
	return errors.As(err, &p) && (p.Status == 401 || p.Status == 0)
}

// problemStep is the next step that an error carries; empty where it carries none.
func problemStep(err error) string {
	var p *observe.Problem
	if errors.As(err, &p) {
		return p.Try
	}
	return ""
}

// teams are those of the environment, by name.
func (e *exam) teams() (list []Team) {
	for _, name := range slices.Sorted(maps.Keys(e.st.Env.Teams)) {
		list = append(list, e.st.Env.Teams[name])
	}
	return list
}

// sender asks whether PagerDuty knows the user in whose name notes are written.
func (e *exam) sender(ctx context.Context, _ *Steps) []Finding {
	from := e.st.Env.PagerDuty.From
	if said := e.pagerless(); said != nil {
		return said
	}
	if e.x.Eyes.Sender == nil {
		return unseen(from, "nobody asks")
	}
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	name, err := e.x.Eyes.Sender(ctx)
	var p *observe.Problem
	switch {
	case err == nil:
		return []Finding{well(from, "%s writes the notes", name)}
	case errors.As(err, &p) && p.Status != 404:
		return unseen(from, "%v", err)
	}
	return []Finding{wrong(from, stepOf(err), "%v", err)}
}

// keys are looked at for their form: whether the pager knows one can only be found out by paging somebody.
func (e *exam) keys(ctx context.Context, st *Steps) (list []Finding) {
	look := func(what, ref, hint string) {
		switch {
		case ref != "" && e.awsSecret(ref):
			list = append(list, unseen(what, "%s: %s", ref, e.why)...)
			return
		case ref == "":
			ref = "no key"
		}
		f := well(what, "%s has the form of one", ref)
		if no := st.checkKey(ctx, what, strings.TrimSuffix(ref, "no key")); no != nil {
			f = no.finding(what, hint)
		}
		list = append(list, f)
	}
	for _, name := range slices.Sorted(maps.Keys(st.Env.Teams)) {
		t := st.Env.Teams[name]
		look("the integration key of service "+t.Service, t.Key, st.secretStep(t.Key, "the key of an Events API v2 integration of service "+t.Service))
	}
	if st.Env.Owner == "" {
		return append(list, st.checkKeys(ctx, &Plan{Page: PlannedPage{Key: "-"}}).finding("owner", `owner: {key: "env:OWNER_KEY"} in environment `+st.Env.Name))
	}
	look("the owner's integration key", st.Env.Owner, st.secretStep(st.Env.Owner, "the key of an Events API v2 integration of the owner's service"))
	return list
}

// awsSecret says that a reference leads into an account that cannot be asked.
func (e *exam) awsSecret(ref string) bool {
	return e.why != "" && (strings.HasPrefix(ref, "ssm:") || strings.HasPrefix(ref, "secretsmanager:"))
}

// secretStep is the command that sets what a reference leads to.
func (st *Steps) secretStep(ref, what string) string {
	scheme, name, _ := strings.Cut(ref, ":")
	switch scheme {
	case "env":
		return "export " + name + "=…   # " + what
	case "file":
		return "put it into " + name + ": " + what
	case "ssm":
		return st.aws("ssm put-parameter --overwrite --type SecureString --name "+shellWord(name)+" --value …") + "   # " + what
	case "secretsmanager":
		return st.aws("secretsmanager put-secret-value --secret-id "+shellWord(name)+" --secret-string …") + "   # " + what
	}
	return ""
}

// services asks, team by team, whether a page would be heard: each risk by its verdict.
func (e *exam) services(ctx context.Context, st *Steps) (list []Finding) {
	if said := e.pagerless(); said != nil {
		return said
	}
	seen := map[string]bool{}
	for _, t := range e.teams() {
		if !seen[t.Service] {
			seen[t.Service] = true
			list = append(list, e.pagedBy(t.Service, e.service(ctx, st, t.Service))...)
		}
	}
	return list
}

// pagedBy says whose drills findings of a service are about: those of its teams, all where there are none.
func (e *exam) pagedBy(service string, list []Finding) []Finding {
	var names []string
	for _, s := range e.x.Drills {
		if e.st.Env.Teams[s.Team].Service == service {
			names = append(names, s.Drill)
		}
	}
	for i := range list {
		list[i].Drills = names
	}
	return list
}

func (e *exam) service(ctx context.Context, st *Steps, id string) (list []Finding) {
	check, err := st.World.Pager.Check(ctx, id)
	switch {
	case err != nil && refused(err):
		return unseen(id, "%v", err)
	case err != nil:
		return []Finding{wrong(id, stepOf(err), "%v", err)}
	}
	check.Accepted(st.Env.PagerDuty.Accept)
	p := &Plan{Limit: defaultLimit, Settle: st.Env.Settle}
	for _, s := range e.x.Drills {
		p.Limit = max(p.Limit, s.Limit)
	}
	no := p.heard(&check, st.World.Clock.Now(), &found{facts: map[string]string{}})
	if no != nil && len(check.Risks) == 0 {
		return []Finding{no.finding(id, "")}
	}
	for _, r := range check.Risks {
		f := ailing(id, riskStep(r, &check), "%s", RiskText(r))
		if r.Refuses {
			f.Health = Wrong
		}
		list = append(list, f)
	}
	if len(list) == 0 {
		var who []string
		for _, o := range check.OnCall {
			who = append(who, fmt.Sprintf("level %d %s", o.Level, o.Name))
		}
		list = append(list, well(id, "%s is %s, urgency %s, on call: %s", check.Name, check.Status, check.Urgency, strings.Join(who, ", ")))
	}
	return list
}

// riskStep says where a risk is mended: PagerDuty is set up by people, on its own pages.
func riskStep(r observe.Risk, check *observe.ServiceCheck) string {
	where := check.Name
	if check.URL != "" {
		where = check.URL
	}
	accept := ""
	if slices.Contains(AcceptedVerdicts(), string(r.Verdict)) && r.Refuses {
		accept = fmt.Sprintf(", or accept it in firedrill.yaml: pagerduty: {accept: [%s]}", r.Verdict)
	}
	switch r.Verdict {
	case observe.ServiceOff:
		return "enable the service: " + where
	case observe.InMaintenance:
		return "end the maintenance window, or wait: " + where
	case observe.LowUrgency:
		return "set the urgency to high, or by severity: " + where
	case observe.NobodyOnCall:
		return "put somebody on call in its escalation policy: " + where
	case observe.Unread:
		return "give the token what reads it (docs/pagerduty.md): " + where
	case observe.AutomationFires:
		return "take its trigger off for this service" + accept + ": " + where
	}
	return "mend the service" + accept + ": " + where
}

// incidents are open ones that would keep a drill from starting now.
func (e *exam) incidents(ctx context.Context, st *Steps) (list []Finding) {
	if said := e.pagerless(); said != nil {
		return said
	}
	seen := map[string]bool{}
	for _, t := range e.teams() {
		if seen[t.Service] {
			continue
		}
		seen[t.Service] = true
		check, err := st.World.Pager.Check(ctx, t.Service)
		if err != nil {
			list = append(list, unseen(t.Service, "%v", err)...)
			continue
		}
		list = append(list, e.standing(ctx, st, t.Service, &check)...)
	}
	return list
}

// standing asks, as each drill of a service would, whether an open incident stands in its way: what a drill lists does not.
func (e *exam) standing(ctx context.Context, st *Steps, service string, check *observe.ServiceCheck) (list []Finding) {
	ask := func(drill string, p *Plan) {
		f := &found{facts: map[string]string{}, service: check}
		one := well(service, "no incident stands in the way")
		if no := st.checkIncidents(ctx, p, f); no != nil {
			one = no.finding(service, "")
		}
		if drill != "" {
			one.Drills = []string{drill}
		}
		list = append(list, one)
	}
	for _, s := range e.x.Drills {
		if st.Env.Teams[s.Team].Service == service {
			p := newPlan(st.Env, s, st.caller, e.x.Run)
			if st.planPage(s, p) == nil {
				ask(s.Drill, p)
			}
		}
	}
	if len(list) == 0 {
		ask("", &Plan{Run: e.x.Run, Page: PlannedPage{Service: service, When: PageDirect}})
	}
	return gathered(list)
}

// webhooks asks whether the secrets are there with which PagerDuty signs what it sends.
func (e *exam) webhooks(ctx context.Context, st *Steps) (list []Finding) {
	refs := st.Env.PagerDuty.WebhookSecrets
	if len(refs) == 0 {
		return []Finding{well("", "none is named: firedrill asks, and needs none")}
	}
	for _, ref := range refs {
		if e.awsSecret(ref) {
			list = append(list, unseen(ref, "%s", e.why)...)
			continue
		}
		if _, err := st.World.Secret(ctx, ref); err != nil {
			list = append(list, wrong(ref, st.secretStep(ref, "the secret of firedrill's webhook subscription"), "%v", err))
			continue
		}
		list = append(list, well(ref, "it can be read"))
	}
	return list
}
