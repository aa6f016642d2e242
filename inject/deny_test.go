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

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/inject/injecttest"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func TestDenyConforms(t *testing.T) {
	for name, policy := range map[string]string{
		"no policy":  "",
		"a list":     "{ \"Version\": \"2012-10-17\",\n  \"Statement\": [ " + theirStatement + " ] }\n",
		"one object": `{"Statement":` + theirStatement + `,"Version":"2012-10-17"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			injecttest.Run(t, injecttest.Case{Kind: inject.KindDeny, World: func(t *testing.T) injecttest.World {
				o := sandbox.Options{PolicyPropagation: 100 * time.Millisecond}
				if policy != "" {
					o.PolicyLock = -1 // for what stands there was put a moment ago
				}
				a := newAccount(t, o)
				a.onDemand("orders", nil)
				if policy != "" {
					a.setPolicy("orders", policy)
				}
				return injecttest.World{
					Catalog: a.catalog, Params: `{"table":"orders","writes":true,"reads":true}`, State: a.config,
					PutBack: func(*testing.T, inject.Undo) { a.setPolicy("orders", policy) },
					Change: func(*testing.T) {
						a.editPolicy("orders", func(list []any) []any { return append(list, statement(theirOther)) })
					},
					Diverge: func(t *testing.T, u inject.Undo) func() bool {
						a.editPolicy("orders", func(list []any) []any {
							s := list[len(list)-2].(map[string]any)
							s["Effect"] = "Allow"
							return list
						})
						return func() bool { return strings.Contains(a.policy("orders"), `"Effect":"Allow","Principal":"*"`) }
					},
				}
			}})
		})
	}
}

const (
	theirStatement = `{"Sid":"Reports","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/reports"},"Action":["dynamodb:Query"]}`
	theirOther     = `{"Sid":"Audit","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/audit"},"Action":"dynamodb:Scan"}`
)

func statement(text string) (s map[string]any) {
	_ = json.Unmarshal([]byte(text), &s)
	return s
}

func (a *account) tableARN(name string) *string {
	return aws.String("arn:aws:dynamodb:eu-west-1:111122223333:table/" + name)
}

// policy is a table's as the responder sees it; empty for none.
func (a *account) policy(name string) string {
	a.Helper()
	out, err := a.responder().DynamoDB.GetResourcePolicy(a.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: a.tableARN(name)})
	var none *types.PolicyNotFoundException
	if errors.As(err, &none) {
		return ""
	}
	return *must(a, out, err).Policy
}

// setPolicy is a responder's change; it waits while the policy is locked.
func (a *account) setPolicy(name, text string) {
	a.Helper()
	for {
		var err error
		if text == "" {
			_, err = a.responder().DynamoDB.DeleteResourcePolicy(a.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: a.tableARN(name)})
		} else {
			_, err = a.responder().DynamoDB.PutResourcePolicy(a.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: a.tableARN(name), Policy: &text})
		}
		var busy *types.ResourceInUseException
		if !errors.As(err, &busy) {
			must(a, 0, err)
			return
		}
		pauseTest(a)
	}
}

// editPolicy changes the statements as a person with an editor would.
func (a *account) editPolicy(name string, edit func([]any) []any) {
	a.Helper()
	a.setPolicy(name, editedPolicy(a, a.policy(name), edit))
}

func editedPolicy(a *account, text string, edit func([]any) []any) string {
	a.Helper()
	doc := map[string]any{"Version": "2012-10-17"}
	if text != "" {
		must(a, 0, json.Unmarshal([]byte(text), &doc))
	}
	list, isList := doc["Statement"].([]any)
	if !isList && doc["Statement"] != nil {
		list = []any{doc["Statement"]}
	}
	doc["Statement"] = edit(list)
	raw, err := json.Marshal(doc)
	return string(must(a, raw, err))
}
