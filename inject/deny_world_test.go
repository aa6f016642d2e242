package inject_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func codeOf(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

// putOrder writes an order as a caller, putting nothing that is not there already.
func (a *account) putOrder(key string) error {
	a.Helper()
	_, err := dynamodb.NewFromConfig(a.clients(key).Config).PutItem(a.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "1"}}})
	return err
}

func (a *account) getOrder(key string) error {
	a.Helper()
	_, err := dynamodb.NewFromConfig(a.clients(key).Config).GetItem(a.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "1"}}})
	return err
}

// Whom it denies, what, and until when.
func TestDenyIsFeltByOthersOnlyAndEndsByItself(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{PolicyPropagation: -1})
	a.onDemand("orders", nil)
	before := a.config()
	k := a.catalog()[inject.KindDeny]
	f, err := k.New(json.RawMessage(`{"table":"orders","writes":true}`))
	m := testMark()
	m.Until = time.Now().Add(2 * time.Second).Truncate(time.Second).Add(time.Second)
	u, err := must(t, f, err).Prepare(t.Context(), m, time.Now())
	must(t, 0, err)
	must(t, 0, f.Apply(t.Context(), u))
	if got := codeOf(a.putOrder("AKIAORDERS00000000")); got != "AccessDeniedException" {
		t.Errorf("the application writes: %q", got)
	}
	must(t, 0, a.putOrder("AKIAFIREDRILL00000"))
	must(t, 0, a.getOrder("AKIAORDERS00000000"))
	a.maximum("orders", "writes", 500) // the control plane is everybody's
	a.maximum("orders", "writes", -1)
	if at, residue := f.(inject.Expirer).Expires(u); !at.Equal(m.Until) || !strings.Contains(residue, "table/orders") {
		t.Errorf("expires %s, leaves %q", at, residue)
	}
	// Our process is dead, and nobody recovers.
	for a.putOrder("AKIAORDERS00000000") != nil {
		pauseTest(a)
	}
	if now := time.Now(); now.Before(m.Until) {
		t.Errorf("ended %s early", m.Until.Sub(now))
	}
	if r, err := f.(inject.Verifier).Verify(t.Context(), u); must(t, r, err).Felt != inject.No {
		t.Errorf("felt after its end: %+v", r)
	}
	if ok, why, err := k.Settled(t.Context(), u); ok || err != nil || !strings.Contains(why, "2 of our statements") {
		t.Errorf("settled %v (%s) %v", ok, why, err)
	}
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored || a.config() != before {
		t.Errorf("reverted: %s, %s", how, a.config())
	}
}

// An undo right after the fault meets the lock of a table's policy, and waits for it.
func TestDenyUndoneAtOnceWaitsForTheLock(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{PolicyLock: 1500 * time.Millisecond})
	a.onDemand("orders", nil)
	before := a.config()
	k, f, u := a.prepared(inject.KindDeny, `{"table":"orders","writes":true}`)
	must(t, 0, f.Apply(t.Context(), u))
	began := time.Now()
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored || a.config() != before {
		t.Errorf("reverted: %s, %s", how, a.config())
	}
	if took := time.Since(began); took < time.Second || took > 10*time.Second {
		t.Errorf("took %s", took)
	}
	if c := f.(inject.Costed).Costs(u); c.Undo < time.Second || !strings.Contains(strings.Join(c.Notes, " "), "cannot be changed again") {
		t.Errorf("%+v", c)
	}
}

// Between our look and our write a responder edits the policy: the service refuses ours, and theirs is in what we write next.
func TestDenyNeverWritesOverAResponder(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{PolicyLock: -1})
	a.onDemand("orders", nil)
	k, f, u := a.prepared(inject.KindDeny, `{"table":"orders","writes":true}`)
	must(t, 0, f.Apply(t.Context(), u))
	id, err := a.cloud.Turn(sandbox.Knob{Operation: "DeleteResourcePolicy", By: "firedrill", Effect: "hold", When: "before"})
	must(t, id, err)
	done := make(chan inject.Outcome, 1)
	go func() {
		how, err := k.Revert(t.Context(), u)
		if err != nil {
			t.Error(err)
		}
		done <- how
	}()
	for a.cloud.KnobList()[0].State != "holding" {
		pauseTest(a)
	}
	a.editPolicy("orders", func(list []any) []any { return append(list, statement(theirOther)) })
	a.cloud.Release(id)
	if how := <-done; how != inject.Restored {
		t.Errorf("reverted: %s", how)
	}
	if now := a.policy("orders"); now != `{"Statement":[`+canonical(t, theirOther)+`],"Version":"2012-10-17"}` {
		t.Errorf("left %s", now)
	}
}

func canonical(t *testing.T, text string) string {
	raw, err := json.Marshal(statement(text))
	return string(must(t, raw, err))
}

// The policy changes between the plan and the fault: nothing is written, and the service's no is a definite one.
func TestDenyOfAPolicyThatChangedIsADefiniteNo(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		a := newAccount(t, sandbox.Options{PolicyLock: -1})
		a.onDemand("orders", nil)
		k, f, u := a.prepared(inject.KindDeny, `{"table":"orders","writes":true}`)
		failed := make(chan error, 1)
		if late { // after our last look
			id, err := a.cloud.Turn(sandbox.Knob{Operation: "PutResourcePolicy", By: "firedrill", Effect: "hold", When: "before"})
			must(t, id, err)
			go func() { failed <- f.Apply(t.Context(), u) }()
			for a.cloud.KnobList()[0].State != "holding" {
				pauseTest(a)
			}
			a.setPolicy("orders", `{"Statement":`+theirStatement+`}`)
			a.cloud.Release(id)
		} else {
			a.setPolicy("orders", `{"Statement":`+theirStatement+`}`)
			failed <- f.Apply(t.Context(), u)
		}
		var no *inject.Definite
		if err := <-failed; !errors.As(err, &no) {
			t.Errorf("late %v: applied, or no definite no: %v", late, err)
		}
		how, err := k.Revert(t.Context(), u)
		if must(t, how, err) != inject.NeverApplied || a.policy("orders") != `{"Statement":`+theirStatement+`}` || strings.Contains(a.config(), "firedrill:") {
			t.Errorf("late %v: reverted: %s, %s", late, how, a.config())
		}
	}
}

func TestDenyTellsNoFromNoAnswer(t *testing.T) {
	t.Parallel()
	for effect, want := range map[string]bool{"deny": true, "throttle": true, "5xx": false, "partial": false} {
		a := newAccount(t, sandbox.Options{})
		a.onDemand("orders", nil)
		before := a.config()
		k, f, u := a.prepared(inject.KindDeny, `{"table":"orders","writes":true}`)
		id, err := a.cloud.Turn(sandbox.Knob{Operation: "PutResourcePolicy", By: "firedrill", Effect: effect})
		must(t, id, err)
		start := a.lastCall()
		err = f.Apply(t.Context(), u)
		var no *inject.Definite
		if err == nil || errors.As(err, &no) != want {
			t.Errorf("%s: definite %v, want %v: %v", effect, !want, want, err)
		}
		if got := strings.Join(a.order(start), " "); got != "TagResource PutResourcePolicy" {
			t.Errorf("%s: issued %s", effect, got)
		}
		a.cloud.Release(id)
		how, err := k.Revert(t.Context(), u)
		if must(t, how, err); a.config() != before {
			t.Errorf("%s: not as before after %s: %s", effect, how, a.config())
		}
	}
}

func TestDenyOfATableThatVanished(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.onDemand("orders", nil)
	k, f, u := a.prepared(inject.KindDeny, `{"table":"orders","writes":true}`)
	must(t, 0, f.Apply(t.Context(), u))
	_, err := a.responder().DynamoDB.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("orders")})
	must(t, 0, err)
	for _, _, err = k.Identity(t.Context(), u.Target); !errors.Is(err, inject.ErrGone); _, _, err = k.Identity(t.Context(), u.Target) {
		pauseTest(a)
	}
	for _, anew := range []bool{false, true} {
		if anew {
			a.onDemand("orders", nil)
		}
		how, err := k.Revert(t.Context(), u)
		if must(t, how, err) != inject.Diverged {
			t.Errorf("made anew %v: reverted: %s", anew, how)
		}
		ok, why, err := k.Settled(t.Context(), u)
		if !must(t, ok, err) || !strings.Contains(why, "gone") {
			t.Errorf("made anew %v: settled %v: %q", anew, ok, why)
		}
		var no *inject.Definite
		if err := f.Apply(t.Context(), u); !errors.As(err, &no) {
			t.Errorf("made anew %v: applied to it: %v", anew, err)
		}
	}
	u.Target.ARN = strings.Replace(u.Target.ARN, "111122223333", "999988887777", 1)
	if how, err := k.Revert(t.Context(), u); err == nil {
		t.Errorf("another account's: %s", how)
	}
}

func TestDenyRefuses(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{PolicyLock: -1})
	a.onDemand("orders", nil)
	writes := `{"table":"orders","writes":true}`
	a.refused(inject.KindDeny, `{"writes":true}`, "names no table", false)
	a.refused(inject.KindDeny, `{"table":"orders"}`, "neither writes nor reads", false)
	a.refused(inject.KindDeny, `{"table":"nowhere","writes":true}`, "there is no table nowhere", false)
	for text, why := range map[string]string{
		`{"Statement":` + theirStatement + `,"Statement":[` + theirStatement + `]}`:                    "cannot be read",
		`{"Statement":` + strings.Replace(theirStatement, "Reports", "Firedrill01jdFaultone", 1) + `}`: "still holds a statement of run 01jd (fault one)",
		`{"Statement":` + theirStatement + strings.Repeat(" ", 20<<10-len(theirStatement)-300) + `}`:   "more than 20480",
	} {
		a.setPolicy("orders", text)
		a.refused(inject.KindDeny, writes, why, false)
	}
	a.setPolicy("orders", "")
	for n := range 44 {
		must(t, 0, tagTable(a, "orders", "k"+string(rune('A'+n)), "v"))
	}
	a.refused(inject.KindDeny, writes, "no room for 6 of ours", false)
}
