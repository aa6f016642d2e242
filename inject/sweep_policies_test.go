package inject_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// Our statements are found by the tags of what they stand on, and by their own names where the tags are gone. What others
// have written in the same policy stays, byte for byte.
func TestSweepTakesOurStatementsOut(t *testing.T) {
	t.Parallel()
	const theirs = `{"Version":"2012-10-17", "Statement": [ ` + theirStatement + ` ]}`
	for name, c := range map[string]struct {
		policy string
		untag  bool
		byHand string
	}{
		"no policy before":           {"", false, "delete-resource-policy"},
		"a policy before":            {theirs, false, "put-resource-policy"},
		"no policy and no tags":      {"", true, "delete-resource-policy"},
		"a policy before, tags gone": {theirs, true, `'` + theirs + `'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, sandbox.Options{PolicyPropagation: 50 * time.Millisecond, PolicyLock: -1})
			a.onDemand("orders", nil)
			if c.policy != "" {
				a.setPolicy("orders", c.policy)
			}
			before := a.config()
			a.lost(inject.KindDeny, `{"table":"orders","writes":true}`)
			want := inject.Restored
			if c.untag {
				_, err := a.owner().DynamoDB.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: a.tableARN("orders"),
					TagKeys: []string{inject.TagRun, inject.TagFault, inject.TagUntil, inject.TagUndo, inject.TagState, inject.TagSent}})
				must(t, 0, err)
			}
			l := a.survey().Leftovers
			if len(l) != 1 || !strings.Contains(l[0].Finds, "denies dynamodb:") || !strings.Contains(strings.Join(l[0].ByHand, "\n"), c.byHand) {
				t.Errorf("found %+v", l)
			}
			a.sweep(want)
			if a.config() != before {
				t.Errorf("not as before: %s\n%s", a.config(), before)
			}
		})
	}
}

func TestSweepTakesOurStatementsOutOfQueues(t *testing.T) {
	t.Parallel()
	for name, untag := range map[string]bool{"tagged": false, "tags gone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newAccount(t, sandbox.Options{Tick: 200 * time.Millisecond, PolicyPropagation: 50 * time.Millisecond}).queues()
			q.setPolicy(`{"Version":"2012-10-17","Statement":[` + queueStatement + `]}`)
			q.attended()
			before := q.config()
			q.lost(inject.KindStall, `{"queue":"orders"}`)
			if untag {
				_, err := q.owner().SQS.UntagQueue(t.Context(), &sqs.UntagQueueInput{QueueUrl: &q.url,
					TagKeys: []string{inject.TagRun, inject.TagFault, inject.TagUntil, inject.TagUndo, inject.TagState, inject.TagSent}})
				must(t, 0, err)
			}
			q.sweep(inject.Restored)
			if q.config() != before {
				t.Errorf("not as before: %s\n%s", q.config(), before)
			}
		})
	}
}

// A statement that only has a name like ours, or that somebody made into an Allow, is theirs.
func TestSweepLeavesStatementsOfStrangers(t *testing.T) {
	t.Parallel()
	for name, sid := range map[string]string{
		"no run":     `"Sid":"FiredrillAdministrators","Effect":"Deny"`,
		"short run":  `"Sid":"Firedrill01aFaultx","Effect":"Deny"`,
		"an allow":   `"Sid":"Firedrill` + sweptRun + `Faultbroken","Effect":"Allow"`,
		"in capital": `"Sid":"FIREDRILL` + sweptRun + `Faultbroken","Effect":"Deny"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, sandbox.Options{})
			a.onDemand("orders", nil)
			a.setPolicy("orders", `{"Version":"2012-10-17","Statement":[{`+sid+`,"Principal":{"AWS":"arn:aws:iam::111122223333:user/x"},"Action":"dynamodb:Scan"}]}`)
			if found := a.survey().Leftovers; len(found) > 0 {
				t.Errorf("found %+v", found)
			}
		})
	}
}
