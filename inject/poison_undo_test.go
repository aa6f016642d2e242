package inject

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestPoisonIsOursByAttributeOrBody(t *testing.T) {
	m := Mark{Run: "01jd", Fault: "poison"}
	d := poisonUndo{Count: 5, Body: "x {mark}"}
	with := func(run, fault, seq string) map[string]types.MessageAttributeValue {
		text := func(s string) types.MessageAttributeValue {
			return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &s}
		}
		return map[string]types.MessageAttributeValue{attrRun: text(run), attrFault: text(fault), attrSeq: text(seq)}
	}
	for _, row := range []struct {
		name string
		body string
		attr map[string]types.MessageAttributeValue
		want int
	}{
		{"both", "x [firedrill 01jd/poison/3]", with("01jd", "poison", "3"), 3},
		{"attributes alone", "x", with("01jd", "poison", "2"), 2},
		{"the body alone", "x [firedrill 01jd/poison/4]", nil, 4},
		{"a stranger who quotes ours", "wrapped: {\"was\": \"x [firedrill 01jd/poison/4]\"}", nil, 0},
		{"the body of a number never sent", "x [firedrill 01jd/poison/6]", nil, 0},
		{"the attributes of a number never sent", "x", with("01jd", "poison", "6"), 0},
		{"another run", "x [firedrill 01je/poison/1]", with("01je", "poison", "1"), 0},
		{"another fault of the run", "x [firedrill 01jd/second/1]", with("01jd", "second", "1"), 0},
		{"a stranger", "an order", nil, 0},
		{"a stranger who speaks of firedrill", "firedrill 01jd/poison/1", nil, 0},
		{"a broken number, and the body", "x [firedrill 01jd/poison/1]", with("01jd", "poison", "x"), 1},
		{"two marks", "[firedrill 01je/poison/9] [firedrill 01jd/poison/5]", nil, 0},
	} {
		if got := d.seqOf(m, types.Message{Body: &row.body, MessageAttributes: row.attr}); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
}

func TestPoisonCarriesItsMark(t *testing.T) {
	m := Mark{Run: "01jd", Fault: "poison", Until: time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC)}
	for body, want := range map[string]string{
		poisonBody:             "not an order, but poison [firedrill 01jd/poison/1]",
		`{"order": "{mark}"}`:  `{"order": "[firedrill 01jd/poison/1]"}`,
		`{"order": "no mark"}`: "{\"order\": \"no mark\"}\n[firedrill 01jd/poison/1]",
	} {
		d := poisonUndo{Count: 2, Body: body}
		e := d.entries(m)
		if len(e) != 2 || aws.ToString(e[0].MessageBody) != want || len(e[0].MessageAttributes) != 4 {
			t.Errorf("%s", aws.ToString(e[0].MessageBody))
		}
		for i, one := range e {
			if d.seqOf(m, types.Message{Body: one.MessageBody}) != i+1 {
				t.Errorf("%s is not found again", aws.ToString(one.MessageBody))
			}
		}
	}
}

func TestPoisonTimes(t *testing.T) {
	d := poisonUndo{MaxReceive: 3, Visibility: 30}
	if d.drained() != 2*time.Minute {
		t.Errorf("drained after %s: three receives, and the one that moves it away", d.drained())
	}
	if later := (poisonUndo{MaxReceive: 3, Visibility: 30, Delay: 20}); later.drained() != 140*time.Second {
		t.Errorf("drained after %s: the queue's delay comes first", later.drained())
	}
	if d.apart(AWSTiming()) != time.Minute || (poisonUndo{Visibility: 300}).apart(AWSTiming()) != 5*time.Minute {
		t.Error("looks must be a visibility timeout apart, and on AWS a minute")
	}
	f := &poison{poisoning: newPoisoning(&Clients{}, AWSTiming())}
	u, err := newUndo(KindPoison, Mark{Run: "r", Fault: "f"}, Target{ARN: "arn:aws:sqs:eu-west-1:111122223333:orders"},
		poisonUndo{Queue: "a:orders", DLQ: "a:orders-dlq", MaxReceive: 3, Visibility: 30, Count: 2, Depth: 4})
	if err != nil {
		t.Fatal(err)
	}
	if floor, sure := f.Floor(u); floor != 90*time.Second || !sure {
		t.Errorf("floor %s %v", floor, sure)
	}
	if m := f.Moves(u); len(m) != 1 || m[0].Name != "ApproximateNumberOfMessagesVisible" || m[0].Dimensions["QueueName"] != "orders-dlq" {
		t.Errorf("%+v", m)
	}
	if c := f.Costs(u); c.Undo < d.drained() || !strings.Contains(strings.Join(c.Notes, " "), "raises their receive counts") {
		t.Errorf("%+v", c)
	}
	for _, p := range f.Permissions(Target{ARN: "q", Also: []string{"d"}}) {
		if strings.Contains(p.Action, "Purge") || strings.Contains(p.Action, "SetQueueAttributes") || p.Action == "sqs:ReceiveMessage" && p.Resource != "d" {
			t.Errorf("asks for %s on %s", p.Action, p.Resource)
		}
	}
}

func TestQueueReadsBothSpellingsOfARedrivePolicy(t *testing.T) {
	for _, policy := range []string{`{"deadLetterTargetArn":"d","maxReceiveCount":5}`, `{"maxReceiveCount":"5","deadLetterTargetArn":"d"}`} {
		if dlq, most, ok := (queue{attributes: map[string]string{"RedrivePolicy": policy}}).redrive(); dlq != "d" || most != 5 || !ok {
			t.Errorf("%s: %s %d %v", policy, dlq, most, ok)
		}
	}
	for _, policy := range []string{"", "{}", `{"deadLetterTargetArn":"d","maxReceiveCount":"many"}`} {
		if _, _, ok := (queue{attributes: map[string]string{"RedrivePolicy": policy}}).redrive(); ok {
			t.Errorf("%q is a policy", policy)
		}
	}
}
