package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

var _ Marker = (*PagerDuty)(nil)

// HasType says whether the account has an enabled incident type of this name, as its address has it ("drill"), not as
// people read it ("Drill"). An account whose plan has no incident types has none.
// https://developer.pagerduty.com/api-reference/f8e0a8ce2ee9d-list-incident-types
func (p *PagerDuty) HasType(ctx context.Context, name string) (bool, error) {
	const op = "look for an incident type"
	if err := checkType(op, name); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	var got struct {
		Types []struct {
			Name    string `json:"name"`
			Enabled *bool  `json:"enabled"`
		} `json:"incident_types"`
	}
	err := p.wire.get(ctx, op, p.api+"/incidents/types?"+url.Values{"filter": {"enabled"}}.Encode(), &got)
	var no *Problem
	if errors.As(err, &no) && (no.Status == http.StatusPaymentRequired || no.Status == http.StatusNotFound) {
		return false, nil
	}
	for _, t := range got.Types {
		if t.Name == name && (t.Enabled == nil || *t.Enabled) {
			return true, nil
		}
	}
	return false, err
}

// Mark gives an incident a type, as our bot user, so that the account's numbers can leave drills out. It sends nothing
// else of the incident, its status least of all, and says no unless the answer carries the type. It is not repeated after
// a broken connection.
// https://developer.pagerduty.com/api-reference/8a0e1aa2ec666-update-an-incident
func (p *PagerDuty) Mark(ctx context.Context, incident, name string) error {
	const op = "give an incident its type"
	if err := checkID(op, "incident", incident); err != nil {
		return err
	}
	if err := checkType(op, name); err != nil {
		return err
	}
	if p.from == "" {
		return &Problem{Op: op, Why: "nobody to do it as", Try: "set pagerduty.from to the e-mail address of a bot user who is never on call"}
	}
	type order struct {
		Type string `json:"type"`
		Name named  `json:"incident_type"`
	}
	raw, err := json.Marshal(map[string]order{"incident": {"incident_reference", named{name}}})
	if err != nil {
		return &Problem{Op: op, Why: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	a, err := p.wire.do(ctx, call{op: op, method: http.MethodPut, url: p.api + "/incidents/" + incident, body: raw, from: p.from})
	if err != nil {
		return err
	}
	var got struct {
		Incident incidentJSON `json:"incident"`
	}
	switch err := json.Unmarshal(a.body, &got); {
	case err != nil:
		return &Problem{Op: op, Why: "the answer is not what PagerDuty documents: " + p.wire.redact(plain(err.Error())), Status: a.status}
	case got.Incident.ID != incident:
		return &Problem{Op: op, Why: "the answer is about another incident", Status: a.status}
	case got.Incident.Type.Name != name:
		return &Problem{Op: op, Why: fmt.Sprintf("the incident is of type %q all the same", plain(got.Incident.Type.Name)), Status: a.status,
			Try: "give the account an incident type of that name, or name the one it has"}
	}
	return nil
}

// checkType refuses what cannot be the name of an incident type.
func checkType(op, name string) error {
	if name == "" || len(name) > 50 || strings.ContainsFunc(name, notOfType) {
		return &Problem{Op: op, Why: fmt.Sprintf("%q is no name of an incident type", plain(name)), Try: "names are small letters, digits and _"}
	}
	return nil
}

func notOfType(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
}
