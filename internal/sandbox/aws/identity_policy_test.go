package aws

import (
	"strings"
	"testing"
)

func TestIdentityPoliciesAreJudged(t *testing.T) {
	const table = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
	request := func(kv ...string) map[string][]string {
		m := map[string][]string{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = append(m[kv[i]], kv[i+1])
		}
		return m
	}
	allow := func(condition string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*Item","Resource":"` + table + `","Condition":` + condition + `}}`
	}
	for name, c := range map[string]struct {
		document string
		demand   demand
		want     verdict
	}{
		"what it names":                   {allow(`{}`), demand{action: "dynamodb:GetItem", resource: table}, allowed},
		"in any case":                     {allow(`{}`), demand{action: "DynamoDB:getitem", resource: table}, allowed},
		"another action":                  {allow(`{}`), demand{action: "dynamodb:Query", resource: table}, silent},
		"another resource":                {allow(`{}`), demand{action: "dynamodb:GetItem", resource: table + "2"}, silent},
		"a value":                         {allow(`{"StringEquals":{"aws:RequestedRegion":["a","b"]}}`), demand{"dynamodb:GetItem", table, request("aws:requestedregion", "b")}, allowed},
		"another value":                   {allow(`{"StringEquals":{"aws:RequestedRegion":"a"}}`), demand{"dynamodb:GetItem", table, request("aws:requestedregion", "b")}, silent},
		"a value that is not there":       {allow(`{"StringLike":{"aws:ResourceTag/x":"*"}}`), demand{action: "dynamodb:GetItem", resource: table}, silent},
		"not a value that is not there":   {allow(`{"StringNotLike":{"aws:ResourceTag/x":"*"}}`), demand{action: "dynamodb:GetItem", resource: table}, allowed},
		"all of them":                     {allow(`{"ForAllValues:StringLike":{"aws:TagKeys":"f:*"}}`), demand{"dynamodb:GetItem", table, request("aws:tagkeys", "f:a", "aws:tagkeys", "f:b")}, allowed},
		"all but one":                     {allow(`{"ForAllValues:StringLike":{"aws:TagKeys":"f:*"}}`), demand{"dynamodb:GetItem", table, request("aws:tagkeys", "f:a", "aws:tagkeys", "b")}, silent},
		"all of none":                     {allow(`{"ForAllValues:StringLike":{"aws:TagKeys":"f:*"}}`), demand{action: "dynamodb:GetItem", resource: table}, allowed},
		"one that is not":                 {allow(`{"ForAnyValue:StringNotLike":{"aws:TagKeys":"f:*"}}`), demand{"dynamodb:GetItem", table, request("aws:tagkeys", "f:a", "aws:tagkeys", "b")}, allowed},
		"none that is not":                {allow(`{"ForAnyValue:StringNotLike":{"aws:TagKeys":"f:*"}}`), demand{"dynamodb:GetItem", table, request("aws:tagkeys", "f:a")}, silent},
		"any of none":                     {allow(`{"ForAnyValue:StringNotLike":{"aws:TagKeys":"f:*"}}`), demand{action: "dynamodb:GetItem", resource: table}, silent},
		"a key that must not be there":    {allow(`{"Null":{"aws:ResourceTag/x":"true"}}`), demand{action: "dynamodb:GetItem", resource: table}, allowed},
		"a key that must be there":        {allow(`{"Null":{"aws:ResourceTag/x":"false"}}`), demand{action: "dynamodb:GetItem", resource: table}, silent},
		"one of two conditions":           {allow(`{"Null":{"a":"true"},"StringLike":{"b":"*"}}`), demand{action: "dynamodb:GetItem", resource: table}, silent},
		"a Deny, after an Allow":          {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"dynamodb:DeleteTable","Resource":"*"}]}`, demand{action: "dynamodb:DeleteTable", resource: table}, denied},
		"beside a Deny of something else": {`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"dynamodb:DeleteTable","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}`, demand{action: "dynamodb:GetItem", resource: table}, allowed},
	} {
		p, err := parseIdentityPolicy(c.document)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, _ := judged([]*identityPolicy{p}, c.demand); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestIdentityPoliciesThatIAMRefuses(t *testing.T) {
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":[` + s + `]}` }
	for name, document := range map[string]string{
		"no JSON":             `{`,
		"no version":          `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"no statement":        statement(``),
		"a principal":         statement(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`),
		"no effect":           statement(`{"Action":"*","Resource":"*"}`),
		"no resource":         statement(`{"Effect":"Allow","Action":"*"}`),
		"an action of nobody": statement(`{"Effect":"Allow","Action":"DeleteTable","Resource":"*"}`),
		"a resource by name":  statement(`{"Effect":"Allow","Action":"*","Resource":"orders"}`),
		"a Sid with a dash":   statement(`{"Sid":"a-b","Effect":"Allow","Action":"*","Resource":"*"}`),
		"a Sid twice":         statement(`{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}`),
		"an unknown operator": statement(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringIs":{"a":"b"}}}`),
		"an unknown set":      statement(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForSome:StringLike":{"a":"b"}}}`),
		"too much":            statement(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:sqs:::` + strings.Repeat("a", 6200) + `"}`),
	} {
		if _, err := parseIdentityPolicy(document); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
