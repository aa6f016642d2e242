package inject_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func TestRespondersAreFreeWhileATableDenies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) { newPolicyLife(t, r, inject.KindDeny).live(r) })
}

func TestRespondersAreFreeWhileAQueueIsStalled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) { newPolicyLife(t, r, inject.KindStall).live(r) })
}

// policyLife is the life of a table or queue with a policy.
type policyLife struct {
	*life
	kind     string
	url      string
	fault    inject.Fault
	there    bool     // what the undo was made of
	retagged bool     // somebody took our tags off
	theirs   []string // the statements that are not ours, after the last change
	applied  bool     // a write of ours put ours in
	taken    bool     // a write of ours took them out
	edited   int
}

func newPolicyLife(t *testing.T, r *rapid.T, kind string) *policyLife {
	lock := time.Duration(rapid.SampledFrom([]int{-1, 400}).Draw(r, "lock")) * time.Millisecond
	h := newHouse(t, sandbox.Options{UpdateDelay: 50 * time.Millisecond, PolicyLock: lock})
	l := &policyLife{life: &life{judge: r, house: h, ctx: t.Context(), patience: 1}, kind: kind, there: true}
	l.audit, l.edit = l.watch, l.respond
	l.create()
	if rapid.Bool().Draw(r, "a policy before") {
		l.respond("add", false)
	}
	if kind == inject.KindStall {
		_, err := l.house.theirs.SQS.ReceiveMessage(l.ctx, &sqs.ReceiveMessageInput{QueueUrl: &l.url}) // its consumer
		must(t, 0, err)
	}
	h.life.Store(l.life)
	return l
}

func (l *policyLife) live(r *rapid.T) {
	l.draw(r, []string{"add", "remove one", "put back", "drop", "allow", "exempt", "rename", "reformat", "terraform", "tag", "untag", "delete"}, "prepare", "apply 1", "apply 2")
	applies := rapid.IntRange(1, 2).Draw(r, "applies")
	if !l.prepare() {
		return
	}
	for i := range applies {
		l.step(fmt.Sprintf("apply %d", i+1), func(ctx context.Context) { _ = l.fault.Apply(ctx, l.undo) })
	}
	l.told(l.undone(l.kind))
	l.pass(2 * time.Second)
	if left := marks(l.state()); len(left) > 0 {
		l.Fatalf("left: %v", left)
	}
	if ours, theirs := l.sorted(); len(ours) > 0 || !slices.Equal(theirs, l.theirs) {
		l.Fatalf("ours %v, theirs %v, were %v", ours, theirs, l.theirs)
	}
}

func (l *policyLife) create() {
	if l.kind == inject.KindStall {
		out, err := l.house.theirs.SQS.CreateQueue(l.ctx, &sqs.CreateQueueInput{QueueName: aws.String("orders")})
		if err != nil {
			l.Fatal(err)
		}
		l.url = *out.QueueUrl
		return
	}
	_, err := l.house.theirs.DynamoDB.CreateTable(l.ctx, &dynamodb.CreateTableInput{TableName: aws.String("orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}}})
	if err != nil {
		l.Fatal(err)
	}
	l.pass(300 * time.Millisecond)
}

func (l *policyLife) prepare() bool {
	params := map[string]string{inject.KindDeny: `{"table":"orders","writes":true}`, inject.KindStall: `{"queue":"orders"}`}[l.kind]
	f, err := l.process()[l.kind].New(json.RawMessage(params))
	if err != nil {
		l.Fatal(err)
	}
	l.fault = f
	l.step("prepare", func(ctx context.Context) { l.undo, err = f.Prepare(ctx, testMark(), l.now()) })
	return err == nil
}

// statements are those of the policy as it stands, each spelled in one way.
func (l *policyLife) statements() (list []any) {
	raw, err := l.cloud.ConfigJSON()
	if err != nil {
		l.Fatal(err)
	}
	var all struct {
		DynamoDB map[string]struct{ ResourcePolicy string }
		SQS      map[string]struct {
			Attributes struct{ Policy json.RawMessage }
		}
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		l.Fatal(err)
	}
	text := []byte(all.DynamoDB["orders"].ResourcePolicy)
	if l.kind == inject.KindStall {
		text = all.SQS["orders"].Attributes.Policy
	}
	var doc struct{ Statement any }
	if len(text) > 0 && json.Unmarshal(text, &doc) != nil {
		l.Fatalf("no policy: %s", text)
	}
	if one, ok := doc.Statement.(map[string]any); ok {
		return []any{one}
	}
	list, _ = doc.Statement.([]any)
	return list
}

// mine says that a statement has our mark and denies, or says what ours say under another name.
func (l *policyLife) mine(statement any) bool {
	s := statement.(map[string]any)
	sid, _ := s["Sid"].(string)
	if m, marked := inject.MarkOfSid(sid); marked {
		return s["Effect"] == "Deny" && l.undo.Mark.Run == m.Run
	}
	var d struct {
		Policy struct{ Statements []map[string]any }
	}
	if l.undo.Kind == "" || json.Unmarshal(l.undo.Data, &d) != nil {
		return false
	}
	for _, one := range d.Policy.Statements {
		if one["Sid"] = s["Sid"]; one["Sid"] == nil {
			delete(one, "Sid")
		}
		if spell(one) == spell(s) {
			return true
		}
	}
	return false
}

func spell(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

func (l *policyLife) sorted() (ours, theirs []string) {
	for _, s := range l.statements() {
		if l.mine(s) {
			ours = append(ours, spell(s))
		} else {
			theirs = append(theirs, spell(s))
		}
	}
	return ours, theirs
}

// watch is the audit of our writes: tags of ours, and in the policy our statements, all of them and no other.
func (l *policyLife) watch(operation string, was, is map[string]string) {
	for _, p := range changed(was, is) {
		if !strings.Contains(p, "ags/firedrill:") && !strings.Contains(p, "Policy") {
			l.Fatalf("our %s changed %s from %q to %q", operation, p, was[p], is[p])
		}
	}
	if operation != "PutResourcePolicy" && operation != "DeleteResourcePolicy" && operation != "SetQueueAttributes" || len(changed(was, is)) == 0 {
		return
	}
	ours, theirs := l.sorted()
	if !slices.Equal(theirs, l.theirs) {
		l.Fatalf("our %s made of theirs %v: %v", operation, l.theirs, theirs)
	}
	switch {
	case l.back && len(ours) == 0:
		l.taken = true
	case !l.back && len(ours) == 2:
		l.applied = true
	default:
		l.Fatalf("our %s (on the way out: %v) left ours %v", operation, l.back, ours)
	}
}

// respond is one edit. A policy that has just been changed cannot be changed at once: people wait.
func (l *policyLife) respond(what string, _ bool) {
	l.pass(500 * time.Millisecond)
	first := func(list []any, mine bool) int {
		return slices.IndexFunc(list, func(s any) bool { return l.mine(s) == mine })
	}
	list := l.statements()
	ours := first(list, true)
	switch what {
	case "add":
		l.edited++
		list = append(list, statement(strings.Replace(theirOther, "Audit", fmt.Sprintf("Audit%d", l.edited), 1)))
	case "remove one":
		if i := first(list, false); i >= 0 {
			list = slices.Delete(list, i, i+1)
		}
	case "put back":
		list = slices.DeleteFunc(list, l.mine)
	case "drop":
		list = nil
	case "terraform":
		l.retag()
		list = []any{statement(theirStatement)}
	case "allow", "exempt", "rename":
		if ours >= 0 {
			s := list[ours].(map[string]any)
			switch what {
			case "allow":
				s["Effect"] = "Allow"
			case "exempt":
				s["Condition"] = map[string]any{"ArnNotEquals": map[string]any{"aws:PrincipalArn": []any{"*"}}}
			default:
				s["Sid"] = "Closed"
			}
		}
	case "tag", "untag", "delete":
		l.other(what)
		list = l.statements()
	}
	l.put(list, what == "reformat")
	_, l.theirs = l.sorted()
}

// put writes the whole policy as a person does.
func (l *policyLife) put(list []any, indent bool) {
	text := ""
	if len(list) > 0 {
		doc := map[string]any{"Version": "2012-10-17", "Statement": list}
		raw, _ := json.Marshal(doc)
		if indent {
			raw, _ = json.MarshalIndent(doc, "", "\t")
		}
		text = string(raw)
	}
	switch {
	case l.kind == inject.KindStall:
		_, _ = l.house.theirs.SQS.SetQueueAttributes(l.ctx, &sqs.SetQueueAttributesInput{QueueUrl: &l.url, Attributes: map[string]string{"Policy": text}})
	case text == "":
		_, _ = l.house.theirs.DynamoDB.DeleteResourcePolicy(l.ctx, &dynamodb.DeleteResourcePolicyInput{ResourceArn: l.arn()})
	default:
		_, _ = l.house.theirs.DynamoDB.PutResourcePolicy(l.ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: l.arn(), Policy: &text})
	}
}

func (*policyLife) arn() *string {
	return aws.String("arn:aws:dynamodb:eu-west-1:111122223333:table/orders")
}

// other is an edit of something else than the policy.
func (l *policyLife) other(what string) {
	switch {
	case what == "untag":
		l.retag()
	case what == "tag" && l.kind == inject.KindStall:
		_, _ = l.house.theirs.SQS.TagQueue(l.ctx, &sqs.TagQueueInput{QueueUrl: &l.url, Tags: map[string]string{"owner": "them"}})
	case what == "tag":
		_, _ = l.house.theirs.DynamoDB.TagResource(l.ctx, &dynamodb.TagResourceInput{ResourceArn: l.arn(), Tags: []types.Tag{{Key: aws.String("owner"), Value: aws.String("them")}}})
	case l.undo.Kind == "":
	case l.kind == inject.KindStall:
		_, _ = l.house.theirs.SQS.DeleteQueue(l.ctx, &sqs.DeleteQueueInput{QueueUrl: &l.url})
		l.there = false
	default:
		_, _ = l.house.theirs.DynamoDB.DeleteTable(l.ctx, &dynamodb.DeleteTableInput{TableName: aws.String("orders")})
		l.pass(300 * time.Millisecond)
		l.there = false
	}
}

func (l *policyLife) retag() {
	l.retagged = true
	keys := []string{inject.TagRun, inject.TagFault, inject.TagUntil, inject.TagUndo, inject.TagState, inject.TagSent}
	if l.kind == inject.KindStall {
		_, _ = l.house.theirs.SQS.UntagQueue(l.ctx, &sqs.UntagQueueInput{QueueUrl: &l.url, TagKeys: keys})
		return
	}
	_, _ = l.house.theirs.DynamoDB.UntagResource(l.ctx, &dynamodb.UntagResourceInput{ResourceArn: l.arn(), TagKeys: keys})
}

// told compares the outcome with what was really done.
func (l *policyLife) told(u undoing) {
	diverged := !l.there
	for _, s := range l.statements() {
		sid, _ := s.(map[string]any)["Sid"].(string)
		m, marked := inject.MarkOfSid(sid)
		diverged = diverged || marked && m.Run == l.undo.Mark.Run
	}
	if diverged != (u.how == inject.Diverged) || diverged != (u.why != "") {
		l.Fatalf("outcome %s, settled says %q, and somebody's change stands: %v", u.how, u.why, diverged)
	}
	if diverged || !u.first || l.killed || l.retagged {
		return
	}
	want := inject.NeverApplied
	switch {
	case l.taken:
		want = inject.Restored
	case l.applied:
		want = inject.AlreadyRestored
	}
	if u.how != want {
		l.Fatalf("outcome %s, want %s", u.how, want)
	}
}
