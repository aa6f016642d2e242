package drills

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// ApprovedVersion is the newest plan file that this program reads.
const ApprovedVersion = 1

// Approved is a plan in a file: what one person has made, another approves, and a third runs, or nobody does. Whoever runs
// it reads the world again.
type Approved struct {
	V           int             `json:"firedrill_plan"`
	Drill       string          `json:"drill"`
	Environment string          `json:"environment"`
	PlannedAt   time.Time       `json:"planned_at"`
	PlannedBy   string          `json:"planned_by,omitempty"` // as the system knows them
	NotNow      string          `json:"not_now,omitempty"`    // what stood in the way when it was made, and passes by itself
	Hash        string          `json:"hash"`                 // sha256 of the subject, as it stands here
	Subject     json.RawMessage `json:"subject"`
}

// subject is what is approved, and must be found again: all that the drill is, what it changes and into what, what puts it
// back when nobody is left to, what is known of alarms and of the page, and the guards that it runs behind. Who is on call, what time it is and how busy a
// target is may change.
type subject struct {
	Plan     *Plan                   `json:"plan"`
	Faults   map[string]subjectFault `json:"faults"` // by their ids
	Alarms   map[string]string       `json:"alarms"` // what each means to the drill
	Unlisted []string                `json:"unlisted"`
	Risks    map[string]bool         `json:"risks"` // of the page, by their words: whether it refuses
	Guards   subjectGuards           `json:"guards"`
}

// subjectGuards are what the environment file says of when and where a drill may run at all, and is in no plan: whoever
// approves a drill approves it behind these.
type subjectGuards struct {
	Tags          map[string]string `json:"tags"`
	Window        string            `json:"window,omitempty"`
	Holidays      []string          `json:"holidays,omitempty"`
	Freezes       []Freeze          `json:"freezes,omitempty"`
	Rest          string            `json:"rest,omitempty"`
	OpenIncidents string            `json:"open_incidents,omitempty"`
	Deadman       bool              `json:"deadman_required"`
}

func guardsOf(env *Environment) subjectGuards {
	g := subjectGuards{Tags: env.Tags, Freezes: env.Freezes, OpenIncidents: env.OpenIncidents, Deadman: env.Deadman.Required}
	if env.Window != nil {
		g.Window = env.Window.Text
	}
	if env.Rest.For > 0 {
		g.Rest = env.Rest.Night + ", " + env.Rest.For.String()
	}
	for _, source := range env.Holidays {
		if remote(source) { // a private calendar's address is told to nobody
			sum := sha256.Sum256([]byte(source))
			source = sourceName(source) + " " + hex.EncodeToString(sum[:6])
		}
		g.Holidays = append(g.Holidays, source)
	}
	return g
}

// subjectFault is what one fault does, and what undoes it when nobody is left to.
type subjectFault struct {
	Changes []journal.Change `json:"changes"`
	Deadman []subjectCall    `json:"deadman"`
	Without string           `json:"without_deadman,omitempty"` // why there is none
}

type subjectCall struct {
	Target string          `json:"target"`
	Input  json.RawMessage `json:"input"`
}

// Approve makes the file of a plan. not is what stands in its way now and passes by itself; nil for nothing.
func (v *Preview) Approve(not *Refusal, by string, now time.Time) (*Approved, error) {
	if len(v.Plan.Faults) == 0 {
		return nil, fmt.Errorf("write plan of %s: it was not made to its end", v.Plan.Drill)
	}
	raw, err := v.subject()
	if err != nil {
		return nil, err
	}
	a := &Approved{V: ApprovedVersion, Drill: v.Plan.Drill, Environment: v.Plan.Environment, PlannedAt: now.UTC().Truncate(time.Second), PlannedBy: by, Subject: raw}
	if a.Hash, err = hashSubject(raw); err != nil {
		return nil, err
	}
	if not != nil {
		a.NotNow = not.Why
	}
	return a, nil
}

// subject is what is approved of a preview. Its run is another each time, and so is its end: they are called so.
func (v *Preview) subject() (json.RawMessage, error) {
	p := *v.Plan
	run := p.Run
	p.Run, p.Approved = "", ""
	s := subject{Plan: &p, Faults: map[string]subjectFault{}, Alarms: map[string]string{}, Unlisted: slices.Sorted(slices.Values(v.Unlisted)), Risks: map[string]bool{}}
	for _, a := range v.Alarms {
		s.Alarms[a.Name] = a.Verdict
	}
	for _, f := range v.Faults {
		of := subjectFault{Without: f.Switch.Why}
		for _, c := range f.Changes {
			of.Changes = append(of.Changes, journal.Change(c))
		}
		for _, c := range f.Switch.Schedules {
			of.Deadman = append(of.Deadman, subjectCall{Target: c.Call.Service + ":" + c.Call.Action, Input: c.Call.Input})
		}
		s.Faults[f.ID] = of
	}
	if v.env != nil {
		s.Guards = guardsOf(v.env)
	}
	if v.Check != nil {
		for _, r := range v.Check.Risks {
			s.Risks[string(r.Verdict)] = r.Refuses
		}
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write plan of %s: %w", p.Drill, err)
	}
	for _, form := range []string{run, strings.ToUpper(run)} {
		raw = bytes.ReplaceAll(raw, []byte(form), []byte("RUN"))
	}
	for _, f := range v.Faults { // what ends by itself ends the drill's limit after it began, and the limit is in the plan
		raw = bytes.ReplaceAll(raw, []byte(f.Undo.Mark.Until.UTC().Format(time.RFC3339)), []byte("UNTIL"))
	}
	return raw, nil
}

// hashSubject is the same for the same content, however the file is laid out.
func hashSubject(raw json.RawMessage) (string, error) {
	var content any
	if err := json.Unmarshal(raw, &content); err != nil {
		return "", fmt.Errorf("read subject: %w", err)
	}
	flat, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(flat)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// ReadApproved reads the file of a plan. One that was written on since, by hand or by a merge, is none.
func ReadApproved(src []byte) (*Approved, error) {
	var a Approved
	if err := json.Unmarshal(src, &a); err != nil {
		return nil, fmt.Errorf("it is no plan file: %w", err)
	}
	switch hash, err := hashSubject(a.Subject); {
	case a.V == 0 || a.Drill == "" || a.Environment == "" || err != nil:
		return nil, errors.New("it is no plan file: firedrill plan DRILL --out FILE makes one")
	case a.V > ApprovedVersion:
		return nil, fmt.Errorf("it is of a later release (version %d; this one reads up to %d)", a.V, ApprovedVersion)
	case hash != a.Hash:
		return nil, fmt.Errorf("its subject is not the one that its hash is of (%s): somebody has changed it", short12(a.Hash))
	}
	return &a, nil
}

// short12 is enough of a hash to tell it from others.
func short12(hash string) string {
	return strings.TrimPrefix(hash, "sha256:")[:min(12, max(len(hash)-7, 0))]
}

// Words tell which plan it is, by whom and of when.
func (a *Approved) Words() string {
	by := ""
	if a.PlannedBy != "" {
		by = " by " + a.PlannedBy
	}
	return fmt.Sprintf("approved plan %s, made%s at %s", short12(a.Hash), by, a.PlannedAt.UTC().Format("2006-01-02 15:04 MST"))
}

// Same says no where the world, or the drill, is not what was approved. What differs is named.
func (a *Approved) Same(v *Preview) *Refusal {
	raw, err := v.subject()
	if err != nil {
		return refuse("approved", "firedrill plan "+a.Drill+" --out FILE", "%v", err)
	}
	var was, is any
	if err := errors.Join(json.Unmarshal(a.Subject, &was), json.Unmarshal(raw, &is)); err != nil {
		return refuse("approved", "firedrill plan "+a.Drill+" --out FILE", "read what was approved: %v", err)
	}
	found := differences("", was, is)
	if len(found) == 0 {
		return nil
	}
	const most = 4
	more := ""
	if len(found) > most {
		more = fmt.Sprintf("; and %d more", len(found)-most)
		found = found[:most]
	}
	return refuse("approved", "look at firedrill plan "+a.Drill+", and have it approved anew", "it is not what was approved: %s%s", strings.Join(found, "; "), more)
}

// differences lists where two values of JSON differ, by their paths.
func differences(path string, was, is any) (found []string) {
	switch a := was.(type) {
	case map[string]any:
		b, ok := is.(map[string]any)
		if !ok {
			break
		}
		keys := slices.Sorted(slices.Values(append(sortedKeys(a), sortedKeys(b)...)))
		for _, k := range slices.Compact(keys) {
			found = append(found, differences(strings.TrimPrefix(path+"."+k, "."), a[k], b[k])...)
		}
		return found
	case []any:
		b, ok := is.([]any)
		if !ok || len(a) != len(b) {
			break
		}
		for i := range a {
			found = append(found, differences(fmt.Sprintf("%s[%d]", path, i), a[i], b[i])...)
		}
		return found
	}
	if reflect.DeepEqual(was, is) {
		return nil
	}
	return []string{fmt.Sprintf("%s was %s and is %s", path, brief(was), brief(is))}
}

// brief is a value as short as it can be told.
func brief(v any) string {
	if v == nil {
		return "nothing"
	}
	if n, ok := v.(float64); ok && n >= float64(time.Millisecond) {
		return time.Duration(n).String() // nothing else in a plan is that large
	}
	raw, _ := json.Marshal(v) // it was read from JSON
	const most = 80
	if text := []rune(string(raw)); len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(raw)
}
