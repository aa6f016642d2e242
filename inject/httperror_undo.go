package inject

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// stageHeader is the header that a staged rule asks for besides its real conditions: nobody sends it.
const stageHeader = "X-Firedrill"

// replyUndo is the data of an http.error undo, version 1. The rule is ours alone: to undo is to delete it.
type replyUndo struct {
	Listener string            `json:"listener"`
	Rule     string            `json:"rule,omitempty"` // its ARN, known once staged
	Priority int32             `json:"priority"`
	Balancer string            `json:"load_balancer"` // app/name/id, as CloudWatch names it
	Base     string            `json:"base"`          // scheme://host:port of the listener
	Path     string            `json:"path,omitempty"`
	Host     string            `json:"host,omitempty"`
	Header   map[string]string `json:"header,omitempty"`
	Status   int               `json:"status"`
	Body     string            `json:"body"`
	Load     float64           `json:"load_per_s,omitempty"`
	Warnings []string          `json:"warnings,omitempty"`
	Witness  string            `json:"witness,omitempty"`  // byRequest, byMetric; an undo without is verified by a request
	Metric   string            `json:"metric,omitempty"`   // byMetric: which, of the load balancer
	Since    time.Time         `json:"since,omitzero"`     // byMetric: until then it was 0
	Traffic  *float64          `json:"requests,omitempty"` // of the load balancer in the window before, where they could be counted
}

// readReplyUndo decodes an undo of any version ever written.
func readReplyUndo(u Undo) (replyUndo, error) {
	var d replyUndo
	if u.Kind != KindError || u.V != 1 {
		return d, fmt.Errorf("undo of kind %s version %d is not one of ours", u.Kind, u.V)
	}
	if err := json.Unmarshal(u.Data, &d); err != nil {
		return d, fmt.Errorf("read undo of %s: %w", u.Kind, err)
	}
	return d, nil
}

// scope is what the fault hits, for people.
func (d replyUndo) scope() string {
	var words []string
	if d.Host != "" {
		words = append(words, "host "+d.Host)
	}
	if d.Path != "" {
		words = append(words, "path "+d.Path)
	}
	for _, name := range d.headers() {
		words = append(words, "header "+name+": "+d.Header[name])
	}
	return strings.Join(words, ", ")
}

// headers lists the header names in order.
func (d replyUndo) headers() []string {
	var names []string
	for name := range d.Header {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// conditions are those of the rule: of the fault itself, or of the inert stage, which also asks for our header.
func (d replyUndo) conditions(stage string) []types.RuleCondition {
	var all []types.RuleCondition
	if d.Path != "" {
		all = append(all, types.RuleCondition{Field: aws.String("path-pattern"),
			PathPatternConfig: &types.PathPatternConditionConfig{Values: []string{d.Path}}})
	}
	if d.Host != "" {
		all = append(all, types.RuleCondition{Field: aws.String("host-header"),
			HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{d.Host}}})
	}
	header := func(name, value string) {
		all = append(all, types.RuleCondition{Field: aws.String("http-header"),
			HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String(name), Values: []string{value}}})
	}
	for _, name := range d.headers() {
		header(name, d.Header[name])
	}
	if stage != "" {
		header(stageHeader, stage)
	}
	return all
}

// inert says whether a rule still asks for our header: then nobody feels it.
func inert(r types.Rule, run string) bool {
	return slices.ContainsFunc(r.Conditions, func(c types.RuleCondition) bool {
		return c.HttpHeaderConfig != nil && strings.EqualFold(aws.ToString(c.HttpHeaderConfig.HttpHeaderName), stageHeader) &&
			slices.Contains(c.HttpHeaderConfig.Values, run)
	})
}

// untouched says whether a rule is the one we made, by its ARN, and still as we made it: staged or felt. Tags do not count.
// Where its making was never recorded it must name the run.
func (d replyUndo) untouched(r types.Rule, run string) bool {
	if d.Rule != "" && aws.ToString(r.RuleArn) != d.Rule || aws.ToString(r.Priority) != strconv.Itoa(int(d.Priority)) || len(r.Actions) != 1 {
		return false
	}
	a := r.Actions[0].FixedResponseConfig
	if a == nil || aws.ToString(a.StatusCode) != strconv.Itoa(d.Status) || aws.ToString(a.MessageBody) != d.Body {
		return false
	}
	if d.Rule == "" && !inert(r, run) && !strings.Contains(d.Body, run) {
		return false
	}
	now := spelled(r.Conditions)
	return slices.Equal(now, spelled(d.conditions(""))) || slices.Equal(now, spelled(d.conditions(run)))
}

// spelled is conditions as words in order, for comparing; host and header names are told in any case.
func spelled(conditions []types.RuleCondition) []string {
	var all []string
	for _, c := range conditions {
		what, values := aws.ToString(c.Field), valuesOf(c)
		switch {
		case c.HttpHeaderConfig != nil:
			what, values = what+" "+strings.ToLower(aws.ToString(c.HttpHeaderConfig.HttpHeaderName)), c.HttpHeaderConfig.Values
		case what == "host-header":
			values = lower(values)
		}
		for _, v := range append(slices.Clone(values), c.RegexValues...) {
			all = append(all, what+" "+v)
		}
	}
	sort.Strings(all)
	return all
}

// contentType guesses what a body is; a fixed response knows five types.
func contentType(body string) string {
	trimmed := strings.TrimSpace(body)
	switch {
	case strings.HasPrefix(trimmed, "<"):
		return "text/html"
	case strings.HasPrefix(trimmed, "{") && json.Valid([]byte(trimmed)):
		return "application/json"
	default:
		return "text/plain"
	}
}
