package drills

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// checkPager: nobody is paged who would not hear it, and no drill runs on top of a real incident.
func (st *Steps) checkPager(ctx context.Context, p *Plan, f *found) *Refusal {
	if p.Page.Service == "" {
		return nil // a plan is made only for a team that has one
	}
	if st.World.Pager == nil {
		return refuse("pager", `add pagerduty: {token: "env:PAGERDUTY_TOKEN", from: …}`, "environment %s has no pager: nobody could be paged, or timed", st.Env.Name)
	}
	if r := st.checkKeys(ctx, p); r != nil {
		return r
	}
	check, err := st.World.Pager.Check(ctx, p.Page.Service)
	if err != nil {
		return refuse("pager", stepOf(err), "read service %s: %v", p.Page.Service, err)
	}
	f.service = &check
	check.Accepted(st.Env.PagerDuty.Accept)
	if r := p.heard(&check, st.World.Clock.Now(), f); r != nil {
		return r
	}
	return st.checkIncidents(ctx, p, f)
}

// heard: a page that surely is swallowed, comes too late, goes to somebody else, or sets something off is not sent. The
// other risks are told.
func (p *Plan) heard(check *observe.ServiceCheck, now time.Time, f *found) *Refusal {
	if end := now.Add(p.Limit + p.Settle); !check.Window.IsZero() && check.Window.Before(end) {
		check.Risks = append(check.Risks, observe.Risk{Verdict: observe.InMaintenance, Refuses: true,
			Why: fmt.Sprintf("a maintenance window begins at %s, and the drill may last until %s", check.Window.UTC().Format("15:04 MST"), end.UTC().Format("15:04 MST"))})
	}
	var no []string
	fate, accept := "", ""
	for _, r := range check.Risks {
		if r.Refuses {
			no = append(no, RiskText(r))
			fate = fateOf(r.Verdict)
			if slices.Contains(AcceptedVerdicts(), string(r.Verdict)) {
				accept = fmt.Sprintf(", or accept it in firedrill.yaml: pagerduty: {accept: [%s]}", r.Verdict)
			}
		} else {
			f.warning("%s", RiskText(r))
		}
	}
	if len(check.Risks) == 0 {
		no = check.Problems // of a pager that tells no verdicts
	}
	if len(no) > 1 {
		fate, accept = "", "" // the worst of several is that nobody hears it, and to accept one is not enough
	}
	if len(no) > 0 {
		return refuse("pager", "mend the service"+cmp.Or(accept, ", or wait"), "a page to %s %s: %s", check.Name, cmp.Or(fate, "would not be heard"), strings.Join(no, "; "))
	}
	return nil
}

// fateOf is what a verdict does to a page, where that is something else than not to be heard.
func fateOf(v observe.Verdict) string {
	switch v {
	case observe.AutomationFires:
		return "would set something off"
	case observe.Delayed:
		return "would come late"
	}
	return ""
}

// RiskText is a risk as plans, refusals and warnings tell it: its verdict, as the debrief would name it, and why.
func RiskText(r observe.Risk) string { return string(r.Verdict) + ": " + r.Why }

// risks is what may keep the page from being heard, as readers of the journal need it.
func (f *found) risks() []journal.Risk {
	if f.service == nil {
		return nil
	}
	var out []journal.Risk
	for _, r := range f.service.Risks {
		out = append(out, journal.Risk{Verdict: string(r.Verdict), Why: r.Why})
	}
	return out
}

// stepOf is the next step that an error of the pager carries.
func stepOf(err error) string {
	var p *observe.Problem
	if errors.As(err, &p) && p.Try != "" {
		return p.Try
	}
	return "check token, region and service id under pagerduty and teams"
}

// checkKeys reads the integration keys before they are needed. Whether the pager knows a key can only be found out by
// sending an event, which pages somebody: so only their form is checked.
func (st *Steps) checkKeys(ctx context.Context, p *Plan) *Refusal {
	if r := st.checkKey(ctx, "the integration key of service "+p.Page.Service, p.Page.Key); r != nil {
		return r
	}
	if p.Owner == "" {
		return refuse("key", `add owner: {key: "env:OWNER_KEY"}`, "environment %s has no owner to page when something is left in place", st.Env.Name)
	}
	return st.checkKey(ctx, "the owner's integration key", p.Owner)
}

// keyLength is the length of an Events API v2 integration key:
// https://developer.pagerduty.com/api-reference/368ae3d938c9e-send-an-event-to-pager-duty
const keyLength = 32

func (st *Steps) checkKey(ctx context.Context, what, ref string) *Refusal {
	if ref == "" || st.World.Secret == nil {
		return refuse("key", "name it as env:NAME, file:PATH, ssm:NAME or secretsmanager:ID", "%s is not named", what)
	}
	key, err := st.World.Secret(ctx, ref)
	switch {
	case err != nil:
		return refuse("key", "set it, and check that it may be read", "read %s: %v", what, err)
	case len(key) != keyLength || strings.ContainsFunc(key, notOfKey):
		return refuse("key", "use the key of an Events API v2 integration on the service", "%s is not %d letters and digits", what, keyLength)
	case key[0] == 'R':
		return refuse("key", "use the key of an Events API v2 integration on the service", "%s belongs to an event orchestration, which may send the page to any service", what)
	}
	return nil
}

func notOfKey(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}
