package inject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// policyWord begins the undo of what has a policy of ours; see policyMerger.merge.
const policyWord = "policy="

// denials of ours in a policy, by whose they are.
type foundDenial struct {
	mark    Mark // Until as the condition tells it; zero where somebody changed that
	actions map[string]bool
	sids    []string
}

// denialsIn finds the statements of ours in a policy. One of our name that allows is somebody's own.
func denialsIn(doc policyDoc) []*foundDenial {
	byMark := map[string]*foundDenial{}
	for _, s := range doc.statements {
		m, ours := MarkOfSid(s.sid)
		if !ours || s.effect != "Deny" || !runID.MatchString(m.Run) {
			continue
		}
		d := byMark[m.name()]
		if d == nil {
			d = &foundDenial{mark: m, actions: map[string]bool{}}
			byMark[m.name()] = d
		}
		d.sids = append(d.sids, s.sid)
		var said struct {
			Action    oneOrMany
			Condition map[string]map[string]any
		}
		if json.Unmarshal([]byte(s.raw), &said) != nil {
			continue
		}
		for _, a := range said.Action {
			d.actions[a] = true
		}
		text, _ := said.Condition["DateLessThan"]["aws:CurrentTime"].(string)
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			d.mark.Until = at
		}
	}
	var all []*foundDenial
	for _, name := range slices.Sorted(maps.Keys(byMark)) {
		all = append(all, byMark[name])
	}
	return all
}

// oneOrMany is a word of a policy that may be a list.
type oneOrMany []string

// UnmarshalJSON reads either.
func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// says is the denial for people.
func (d *foundDenial) says(now time.Time) string {
	if len(d.actions) == 0 {
		return "no statement of ours is in its policy any more"
	}
	actions := slices.Sorted(maps.Keys(d.actions))
	text := "its policy denies " + strings.Join(actions[:min(3, len(actions))], ", ")
	if len(actions) > 3 {
		text += ", …"
	}
	switch {
	case d.mark.Until.IsZero():
		return text + ", for good"
	case now.After(d.mark.Until):
		return text + ", and has expired"
	}
	return text + " until " + d.mark.Until.UTC().Format(time.RFC3339)
}

// tablePolicy reads a table's policy; a table without one, or that went meanwhile, has none.
func (s *Sweeper) tablePolicy(ctx context.Context, own string) (text, revision string, err error) {
	out, err := s.c.DynamoDB.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: &own}, patiently)
	var none *types.PolicyNotFoundException
	if errors.As(err, &none) || hasCode(err, "ResourceNotFoundException") {
		return "", noTablePolicy, nil
	}
	if err != nil {
		return "", "", fmt.Errorf("read policy of %s: %w", own, err)
	}
	return aws.ToString(out.Policy), aws.ToString(out.RevisionId), nil
}

// formOf is the form of a policy before ours: as the tag tells it, or as it most likely was.
func formOf(tags map[string]string) string {
	switch was := strings.TrimPrefix(tags[TagUndo], policyWord); was {
	case policyNone, policySingle, policyList:
		return was
	}
	return policyList
}

// findDenials finds what carries our statements, by its tags (m, where they say so) and by the policy itself. undoOf makes
// the undo of one.
func (f *finding) findDenials(l Leftover, m *Mark, policy string, now time.Time, undoOf func(d *foundDenial, doc policyDoc) (Undo, []string, error)) {
	doc, err := parsePolicyDoc(policy)
	if err != nil {
		if m != nil {
			l.Mark, l.Why = *m, "its policy cannot be read: "+err.Error()
			f.found(l)
		}
		return // without tags of ours it is nobody's business
	}
	all := denialsIn(doc)
	if m != nil && !slices.ContainsFunc(all, func(d *foundDenial) bool { return d.mark.name() == m.name() }) {
		all = append(all, &foundDenial{mark: *m})
	}
	for _, d := range all {
		one := l
		one.Finds = d.says(now)
		if m != nil && m.name() == d.mark.name() {
			d.mark.Until = m.Until
		}
		one.Mark = d.mark
		u, byHand, err := undoOf(d, doc)
		if one.Undo, one.ByHand = &u, append(byHand, l.ByHand...); err != nil {
			one.Undo, one.Why = nil, err.Error()
		}
		f.found(one)
	}
}

// tableDenial makes the undo of a denial in a table's policy.
func (h home) tableDenial(d *foundDenial, doc policyDoc, t table, was, revision string) (Undo, []string, error) {
	u, err := newUndo(KindDeny, d.mark, h.target(t.arn()), denyUndo{Table: t.name(), Keys: t.keys(), Policy: policyUndo{Was: was, Revision: revision},
		Writes: d.actions["dynamodb:UpdateItem"], Reads: d.actions["dynamodb:GetItem"]})
	if len(d.sids) == 0 {
		return u, nil, err
	}
	line := h.command("dynamodb", "delete-resource-policy", "--resource-arn", t.arn(), "--expected-revision-id", revision)
	if rest := doc.without(func(s policyStatement) bool { return slices.Contains(d.sids, s.sid) }, was); rest != "" {
		line = h.command("dynamodb", "put-resource-policy", "--resource-arn", t.arn(), "--expected-revision-id", revision, "--policy", rest)
	}
	return u, []string{line}, err
}

// queueDenial makes the undo of a denial in a queue's policy.
func (h home) queueDenial(d *foundDenial, doc policyDoc, q queue, was string) (Undo, []string, error) {
	u, err := newUndo(KindStall, d.mark, h.target(q.arn()), stallUndo{Queue: q.arn(), QueueURL: q.url,
		Policy: policyUndo{Was: was, Revision: policyDigest(doc.text)}})
	if len(d.sids) == 0 {
		return u, nil, err
	}
	rest := doc.without(func(s policyStatement) bool { return slices.Contains(d.sids, s.sid) }, was)
	return u, []string{h.command("sqs", "set-queue-attributes", "--queue-url", q.url, "--attributes", string(asJSON(map[string]string{"Policy": rest})))}, err
}
