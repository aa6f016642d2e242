package cmd

import (
	"encoding/json"
	"time"

	"github.com/firedrill/firedrill/drills"
)

// planJSON is a plan for machines. Its names are API; durations are seconds.
type planJSON struct {
	OK          bool              `json:"ok"`
	Refusal     *refusalJSON      `json:"refusal"`
	Drill       string            `json:"drill"`
	Title       string            `json:"title"`
	Environment string            `json:"environment"`
	Account     string            `json:"account"`
	Region      string            `json:"region"`
	Hash        string            `json:"hash"`
	Faults      []faultJSON       `json:"faults"`
	Page        pageJSON          `json:"page"`
	Alarms      []alarmJSON       `json:"alarms"`
	Unlisted    []string          `json:"unlisted"` // alarms that move with the drill and are not under ripples
	Floors      []floorJSON       `json:"floors"`
	Steady      []string          `json:"steady_state"`
	Watch       []string          `json:"watch"`
	Stop        []string          `json:"stop_conditions"`
	Ripples     []string          `json:"ripples"`
	LimitS      float64           `json:"limit_s"`
	UndoS       float64           `json:"undo_s"`
	PatienceS   float64           `json:"undo_patience_s"`
	SettleS     float64           `json:"settle_s"`
	Guards      map[string]string `json:"guards"`
	Permissions []permissionJSON  `json:"permissions"`
	Rights      *rightsJSON       `json:"rights,omitempty"` // with --check-permissions
	Warnings    []string          `json:"warnings"`
}

type refusalJSON struct {
	Code  string     `json:"code"`
	Why   string     `json:"why"`
	Try   string     `json:"try"`
	Later bool       `json:"later"`
	Exit  int        `json:"exit"`
	Next  *time.Time `json:"next"`  // the next time it could be; null where nobody knows, and where time mends nothing
	Waits string     `json:"waits"` // what it waits for, where nobody knows when that will be
}

type faultJSON struct {
	ID        string       `json:"id"`
	Kind      string       `json:"kind"`
	Target    string       `json:"target"`
	Also      []string     `json:"also"`
	AfterS    float64      `json:"after_s"`
	Changes   []changeJSON `json:"changes"`
	Moves     []metricJSON `json:"moves"`
	FloorS    float64      `json:"floor_s"`
	FloorSure bool         `json:"floor_sure"`
	UndoS     float64      `json:"undo_s"`
	Quotas    []string     `json:"quotas"`
	Cost      string       `json:"cost"`
	Notes     []string     `json:"notes"`
	Verified  string       `json:"verified,omitempty"` // how it will be known that it is felt
	Deadman   deadmanJSON  `json:"deadman"`
}

type deadmanJSON struct {
	Schedules  []scheduleJSON `json:"schedules"`
	Staged     bool           `json:"staged"` // it names objects that are made when the drill runs
	Overwrites []string       `json:"overwrites"`
	Leaves     []string       `json:"leaves"`
	Expires    string         `json:"expires"` // when the fault ends by itself, RFC 3339; empty where it does not
	Why        string         `json:"why"`     // why there is none
}

type scheduleJSON struct {
	Name   string          `json:"name"`
	At     time.Time       `json:"at"`
	Target string          `json:"target"`
	Input  json.RawMessage `json:"input"`
}

type changeJSON struct {
	What   string `json:"what"`
	Before string `json:"before"`
	During string `json:"during"`
	After  string `json:"after"`
}

type metricJSON struct {
	Namespace  string            `json:"namespace"`
	Name       string            `json:"name"`
	Dimensions map[string]string `json:"dimensions"`
	DelayS     float64           `json:"delay_s"`
}

type pageJSON struct {
	When        string       `json:"when"`
	FallbackS   float64      `json:"fallback_s"`
	Title       string       `json:"title"`
	Service     string       `json:"service"`
	Name        string       `json:"name"`
	URL         string       `json:"url"`
	Urgency     string       `json:"urgency"`
	OnCall      []onCallJSON `json:"on_call"`
	Maintenance []string     `json:"maintenance"`
	NotLooked   []string     `json:"not_looked_at"`
	Risks       []riskJSON   `json:"risks"`
}

// riskJSON is a reason why the page may not be heard; the debrief uses the same verdicts.
type riskJSON struct {
	Verdict string `json:"verdict"`
	Why     string `json:"why"`
	Refuses bool   `json:"refuses"` // a drill does not page into it
}

type onCallJSON struct {
	User  string `json:"user"`
	Name  string `json:"name"`
	Level int    `json:"level"`
}

type alarmJSON struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"` // watch, ripple, would abort this drill, not listed
	Why     string `json:"why"`
	Moved   string `json:"moved"`
}

type floorJSON struct {
	Name   string  `json:"name"`
	GivenS float64 `json:"given_s"`
	FloorS float64 `json:"floor_s"`
	Sure   bool    `json:"sure"`
	Why    string  `json:"why"`
}

type permissionJSON struct {
	Action    string            `json:"action"`
	Resource  string            `json:"resource"`
	When      string            `json:"when"`
	Condition map[string]string `json:"condition,omitempty"`
}

// rightsJSON is what IAM says of the credentials.
type rightsJSON struct {
	Principal string           `json:"principal"`
	Checked   int              `json:"checked"`
	Missing   []permissionJSON `json:"missing"`
	Unchecked string           `json:"unchecked,omitempty"`
}

// planView is a preview for machines; no list in it is null.
func planView(v *drills.Preview, no *drills.Refusal) planJSON {
	p := v.Plan
	if p == nil {
		p = &drills.Plan{}
	}
	out := planJSON{OK: no == nil, Drill: p.Drill, Title: v.Brief.Title, Environment: p.Environment, Account: p.Account, Region: p.Region,
		Faults: []faultJSON{}, Alarms: []alarmJSON{}, Floors: []floorJSON{}, Unlisted: list(v.Unlisted), Page: pageView(v, p),
		Steady: list(v.Brief.Steady), Watch: list(v.Brief.Watch), Stop: list(v.Brief.Stop), Ripples: list(p.Ripples),
		LimitS: p.Limit.Seconds(), UndoS: v.Undo().Seconds(), PatienceS: p.Patience.Seconds(), SettleS: p.Settle.Seconds(),
		Guards: map[string]string{}, Permissions: []permissionJSON{}, Warnings: list(v.Warn)}
	if no != nil {
		out.Refusal = refusalView(no)
	}
	if hash, err := p.Hash(); err == nil && no == nil {
		out.Hash = hash
	}
	for k, fact := range v.Facts {
		if k != "incidents_before" && fact != "" {
			out.Guards[k] = fact
		}
	}
	for i := range v.Faults {
		out.Faults = append(out.Faults, faultView(&v.Faults[i], p.Faults[i].After))
	}
	for _, a := range v.Alarms {
		out.Alarms = append(out.Alarms, alarmJSON(a))
	}
	for _, f := range v.Floors {
		out.Floors = append(out.Floors, floorJSON{f.Name, f.Given.Seconds(), f.Least.Seconds(), f.Sure, f.Why})
	}
	for _, x := range v.Permissions() {
		out.Permissions = append(out.Permissions, permissionJSON(x))
	}
	if c := v.Rights; c != nil {
		out.Rights = &rightsJSON{Principal: c.Principal, Checked: c.Checked, Missing: []permissionJSON{}, Unchecked: c.Unchecked}
		for _, x := range c.Missing {
			out.Rights.Missing = append(out.Rights.Missing, permissionJSON(x))
		}
	}
	return out
}

func faultView(f *drills.PreviewFault, after time.Duration) faultJSON {
	out := faultJSON{ID: f.ID, Kind: f.Kind, Target: f.Undo.Target.ARN, Also: list(f.Undo.Target.Also), AfterS: after.Seconds(),
		Changes: []changeJSON{}, Moves: []metricJSON{}, FloorS: f.Floor.Seconds(), FloorSure: f.FloorSure,
		UndoS: f.Costs.Undo.Seconds(), Quotas: list(f.Costs.Quotas), Cost: f.Costs.Money, Notes: list(f.Costs.Notes), Verified: f.Witness}
	for _, c := range f.Changes {
		out.Changes = append(out.Changes, changeJSON(c))
	}
	for _, m := range f.Moves {
		out.Moves = append(out.Moves, metricJSON{m.Namespace, m.Name, m.Dimensions, m.Delay.Seconds()})
	}
	out.Deadman = deadmanView(f.Switch)
	return out
}

func deadmanView(s drills.PreviewSwitch) deadmanJSON {
	out := deadmanJSON{Schedules: []scheduleJSON{}, Staged: s.Staged, Overwrites: list(s.Overwrites), Leaves: list(s.Leaves), Why: s.Why}
	if !s.Expires.IsZero() {
		out.Expires = s.Expires.UTC().Format(time.RFC3339)
	}
	for _, x := range s.Schedules {
		out.Schedules = append(out.Schedules, scheduleJSON{x.Name, x.At, x.Call.Service + ":" + x.Call.Action, x.Call.Input})
	}
	return out
}

func pageView(v *drills.Preview, p *drills.Plan) pageJSON {
	out := pageJSON{When: p.Page.When, FallbackS: p.Page.Fallback.Seconds(), Title: p.Page.Title, Service: p.Page.Service,
		OnCall: []onCallJSON{}, Maintenance: []string{}, NotLooked: []string{}, Risks: []riskJSON{}}
	if c := v.Check; c != nil {
		out.Name, out.URL, out.Urgency = c.Name, c.URL, c.Urgency
		out.Maintenance, out.NotLooked = list(c.Maintenance), list(c.Unknown)
		for _, o := range c.OnCall {
			out.OnCall = append(out.OnCall, onCallJSON(o))
		}
		for _, r := range c.Risks {
			out.Risks = append(out.Risks, riskJSON{string(r.Verdict), r.Why, r.Refuses})
		}
	}
	return out
}

// list is never null.
func list(in []string) []string {
	if in == nil {
		return []string{}
	}
	return in
}

// refusalView is a refusal for machines.
func refusalView(no *drills.Refusal) *refusalJSON {
	out := &refusalJSON{Code: no.Code, Why: no.Why, Try: no.Try, Later: no.Later, Exit: codeOf(no)}
	if no.Later {
		out.Waits = no.Waits
	}
	if no.Later && !no.Next.IsZero() {
		next := no.Next.UTC()
		out.Next, out.Waits = &next, ""
	}
	return out
}
