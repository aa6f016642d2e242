package aws

import (
	"strings"
	"testing"
	"time"
)

func TestEvaluate(t *testing.T) {
	const orders, firedrill = "arn:aws:iam::111122223333:user/orders", "arn:aws:iam::111122223333:user/firedrill"
	const queue = "arn:aws:sqs:eu-west-1:111122223333:orders"
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	st := func(effect, principal, action, rest string) string {
		return `{"Sid":"s","Effect":"` + effect + `","Principal":` + principal + `,"Action":` + action + rest + `}`
	}
	all := func(condition string) string {
		return st("Deny", `"*"`, `"*"`, `,"Resource":"*","Condition":`+condition)
	}
	for name, c := range map[string]struct {
		statements string
		principal  string
		want       verdict
	}{
		"everybody":                {st("Deny", `"*"`, `"sqs:ReceiveMessage"`, ``), orders, denied},
		"action in any case":       {st("Deny", `"*"`, `"SQS:receivemessage"`, ``), orders, denied},
		"action with a star":       {st("Deny", `"*"`, `["sqs:Send*","sqs:Receive*"]`, ``), orders, denied},
		"another action":           {st("Deny", `"*"`, `"sqs:SendMessage"`, ``), orders, silent},
		"its principal":            {st("Deny", `{"AWS":"`+orders+`"}`, `"*"`, ``), orders, denied},
		"one of its principals":    {st("Deny", `{"AWS":["`+firedrill+`","`+orders+`"]}`, `"*"`, ``), orders, denied},
		"another principal":        {st("Deny", `{"AWS":"`+firedrill+`"}`, `"*"`, ``), orders, silent},
		"the account's root":       {st("Deny", `{"AWS":"arn:aws:iam::111122223333:root"}`, `"*"`, ``), orders, denied},
		"the account":              {st("Deny", `{"AWS":"111122223333"}`, `"*"`, ``), orders, denied},
		"another account":          {st("Deny", `{"AWS":"999999999999"}`, `"*"`, ``), orders, silent},
		"a service is nobody here": {st("Deny", `{"Service":"sns.amazonaws.com"}`, `"*"`, ``), orders, silent},
		"its resource":             {st("Deny", `"*"`, `"*"`, `,"Resource":"`+queue+`"`), orders, denied},
		"a resource with ?":        {st("Deny", `"*"`, `"*"`, `,"Resource":"arn:aws:sqs:*:order?"`), orders, denied},
		"another resource":         {st("Deny", `"*"`, `"*"`, `,"Resource":"`+queue+`-dlq"`), orders, silent},
		"allowed":                  {st("Allow", `"*"`, `"*"`, ``), orders, allowed},
		"deny wins":                {st("Deny", `"*"`, `"*"`, ``) + "," + st("Allow", `"*"`, `"*"`, ``), orders, denied},
		"deny wins when last":      {st("Allow", `"*"`, `"*"`, ``) + "," + st("Deny", `"*"`, `"*"`, ``), orders, denied},
		"before the deadline":      {all(`{"DateLessThan":{"aws:CurrentTime":"2026-03-04T05:06:08Z"}}`), orders, denied},
		"at the deadline":          {all(`{"DateLessThan":{"aws:CurrentTime":"2026-03-04T05:06:07Z"}}`), orders, silent},
		"after a date":             {all(`{"DateGreaterThan":{"aws:CurrentTime":"2026-03-04T05:06:06Z"}}`), orders, denied},
		"not yet":                  {all(`{"DateGreaterThan":{"aws:CurrentTime":"2026-03-04T06:00:00Z"}}`), orders, silent},
		"exempted":                 {all(`{"ArnNotEquals":{"aws:PrincipalArn":["` + firedrill + `","` + orders + `"]}}`), orders, silent},
		"not exempted":             {all(`{"ArnNotEquals":{"aws:PrincipalArn":"` + firedrill + `"}}`), orders, denied},
		"ArnEquals":                {all(`{"ArnEquals":{"aws:PrincipalArn":"` + orders + `"}}`), orders, denied},
		"ArnLike":                  {all(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/o*"}}`), orders, denied},
		"StringEquals":             {all(`{"StringEquals":{"aws:username":["x","orders"]}}`), orders, denied},
		"StringEquals has no star": {all(`{"StringEquals":{"aws:username":"o*"}}`), orders, silent},
		"StringLike":               {all(`{"StringLike":{"aws:username":"o*"}}`), orders, denied},
		"Bool":                     {all(`{"Bool":{"aws:SecureTransport":false}}`), orders, denied},
		"all conditions must hold": {all(`{"Bool":{"aws:SecureTransport":"false"},"StringEquals":{"aws:username":"x"}}`), orders, silent},
		"its user agent":           {all(`{"StringLike":{"aws:UserAgent":"*app/orders*"}}`), orders, denied},
		"another user agent":       {all(`{"StringLike":{"aws:UserAgent":"*probe*"}}`), orders, silent},
		"a key the request lacks":  {all(`{"ArnEquals":{"aws:SourceArn":"*"}}`), orders, silent},
		"lacking it, not equal":    {all(`{"ArnNotEquals":{"aws:SourceArn":"arn:x"}}`), orders, denied},
	} {
		p, err := parsePolicy(`{"Version":"2012-10-17","Id":"p","Statement":[` + c.statements + `]}`)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := evaluate(p, caller{ARN: c.principal, Agent: "aws-sdk-go-v2/1.47 app/orders"}, "sqs:ReceiveMessage", queue, now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if evaluate(nil, caller{ARN: orders}, "sqs:ReceiveMessage", queue, now) != silent {
		t.Error("no policy is not silent")
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	for doc, want := range map[string]string{
		`{`:                "read policy",
		`{"Statement":[]}`: "no statement",
		`{"Statement":[{"Sid":"a","Effect":"Maybe","Principal":"*","Action":"*"}]}`:                                                                       "effect",
		`{"Statement":[{"Effect":"Deny","Action":"*"}]}`:                                                                                                  "needs Principal",
		`{"Statement":[{"Effect":"Deny","Principal":"*"}]}`:                                                                                               "needs Principal and Action",
		`{"Statement":[{"Effect":"Deny","Principal":"me","Action":"*"}]}`:                                                                                 "principal",
		`{"Statement":[{"Effect":"Deny","Principal":{"Robot":"x"},"Action":"*"}]}`:                                                                        "Robot",
		`{"Statement":[{"Effect":"Deny","NotPrincipal":"*","Action":"*"}]}`:                                                                               "NotPrincipal",
		`{"Statement":[{"Effect":"Deny","Principal":"*","NotAction":"*"}]}`:                                                                               "NotAction",
		`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"1"}}}]}`:                   "NumericLessThan",
		`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}}]}`:                      "tomorrow",
		`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"StringEquals":{"aws:ResourceTag/x":"1"}}}]}`:                           "aws:ResourceTag/x",
		`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"ForAnyValue:StringEquals":{"aws:username":"1"}}}]}`:                    "ForAnyValue",
		`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"DateLessThan":{"aws:CurrentTime":["2026-01-01T00:00:00Z","soon"]}}}]}`: "soon",
	} {
		if _, err := parsePolicy(doc); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a word about %s", doc, err, want)
		}
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true}, {"a*c", "abbc", true}, {"a*c", "abcd", false},
		{"?", "a", true}, {"?", "", false}, {"a?c", "abc", true}, {"*b*", "abc", true}, {"a**", "a", true}, {"*ab", "aab", true}, {"abc", "abc", true}, {"abc", "ab", false},
	} {
		if got := like(c.pattern, c.text); got != c.want {
			t.Errorf("like(%q, %q) = %t", c.pattern, c.text, got)
		}
	}
}
