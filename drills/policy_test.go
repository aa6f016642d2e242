package drills_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
)

const policyEnvironment = `
environments:
  staging:
    aws: {account: "123456789012", regions: [eu-west-1], role: "arn:aws:iam::123456789012:role/drills/firedrill"}
    tags: {environment: staging, firedrill: allowed}
    pagerduty: {token: "secretsmanager:firedrill/pagerduty", from: drills@example.com}
    owner: {key: "env:OWNER_KEY"}
    teams: {orders: {service: PORDERS, key: "ssm:/firedrill/orders"}, web: {service: PWEB, key: "ssm:firedrill-web"}}
    store: {dynamodb: {table: firedrill, region: eu-central-1}}
    deadman: {role: "arn:aws:iam::123456789012:role/firedrill-deadman", required: true}
    vars:
      orders_table: staging-orders
      orders_queue: staging-orders
      orders_url: "https://orders.staging.example.com"
      users_url: "https://users.staging.example.com"
      home_url: "https://www.staging.example.com"
      listener: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2"
`

// policyWorld is the environment above and every drill we ship, or those that are named.
func policyWorld(t *testing.T, named ...string) (*drills.Environment, []*drills.Spec, inject.Catalog) {
	t.Helper()
	f, err := drills.ReadEnvironments("firedrill.yaml", []byte(policyEnvironment))
	if err != nil {
		t.Fatal(err)
	}
	env, catalog := f.Environments["staging"], inject.NewCatalog(nil, inject.CatalogOptions{})
	library := drills.NewLibrary(nil, drills.KnownKinds(catalog))
	if len(named) == 0 {
		list, err := library.List()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			named = append(named, l.Name)
		}
	}
	var specs []*drills.Spec
	for _, name := range named {
		s, err := library.Find(name)
		if err == nil {
			s, err = s.Resolve(env.Vars)
		}
		if err != nil {
			t.Fatal(err)
		}
		specs = append(specs, s)
	}
	return &env, specs, catalog
}

func policyOf(t *testing.T, role string, named ...string) *drills.Policy {
	t.Helper()
	env, specs, catalog := policyWorld(t, named...)
	p, err := drills.MakePolicy(env, specs, catalog, drills.PolicyOptions{For: role})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lines are a policy's statements as text, one for each action on each resource.
func lines(p *drills.Policy) (list []string) {
	for _, d := range p.Documents {
		for _, s := range d.Statement {
			for _, a := range s.Action {
				for _, r := range s.Resource {
					condition, _ := json.Marshal(s.Condition)
					list = append(list, strings.Join([]string{s.Effect, a, r, string(condition)}, " "))
				}
			}
		}
	}
	return list
}

// IAM takes every document: its version, Sids of letters and digits that stand once, ARNs, a size that counts.
func TestPoliciesAreWhatIAMTakes(t *testing.T) {
	for _, role := range drills.Roles() {
		for i, d := range policyOf(t, role).Documents {
			sids := map[string]bool{}
			if d.Version != "2012-10-17" || len(d.Statement) == 0 || d.Size() > drills.PolicySize {
				t.Errorf("%s, document %d: version %s, %d statements, %d characters", role, i, d.Version, len(d.Statement), d.Size())
			}
			for _, s := range d.Statement {
				if !regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(s.Sid) || sids[s.Sid] || len(s.Action) == 0 || len(s.Resource) == 0 {
					t.Errorf("%s: %+v", role, s)
				}
				sids[s.Sid] = true
				for _, r := range s.Resource {
					if r != "*" && strings.Count(r, ":") < 5 {
						t.Errorf("%s: resource %q", role, r)
					}
				}
			}
		}
	}
}

// What nothing of ours ever calls is denied, whoever else grants it, and nothing is both allowed and denied outright.
func TestPoliciesDenyWhatMustNeverBe(t *testing.T) {
	for _, role := range drills.Roles() {
		all := lines(policyOf(t, role))
		for _, action := range []string{"sqs:PurgeQueue", "sqs:DeleteQueue", "dynamodb:DeleteTable", "sns:Unsubscribe", "logs:PutRetentionPolicy", "cloudwatch:DisableAlarmActions", "cloudtrail:StopLogging"} {
			if !slices.Contains(all, "Deny "+action+" * null") {
				t.Errorf("%s does not deny %s", role, action)
			}
		}
		for _, l := range all {
			if action, ok := strings.CutPrefix(l, "Deny "); ok && strings.HasSuffix(l, " * null") {
				action, _, _ = strings.Cut(action, " ")
				if slices.ContainsFunc(all, func(l string) bool { return strings.HasPrefix(l, "Allow "+action+" ") }) {
					t.Errorf("%s allows and denies %s", role, action)
				}
			}
		}
	}
	stalls := func(l string) bool { return strings.Contains(l, "sqs:SetQueueAttributes") }
	if all := lines(policyOf(t, "run", "orders-write-throttle")); !slices.Contains(all, "Deny sqs:SetQueueAttributes * null") {
		t.Errorf("a throttle may change a queue's retention: %v", slices.DeleteFunc(all, func(l string) bool { return !stalls(l) }))
	}
}

func TestPoliciesAreAsNarrowAsTheFilesAllow(t *testing.T) {
	run := lines(policyOf(t, "run", "orders-write-throttle", "orders-dead-letters", "user-api-500s"))
	const table, rules = "arn:aws:dynamodb:eu-west-1:123456789012:table/staging-orders", "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2/*"
	for _, want := range []string{
		"Allow dynamodb:UpdateTable " + table + " null",
		"Allow dynamodb:TagResource " + table + ` {"ForAllValues:StringLike":{"aws:TagKeys":["firedrill:*"]}}`,
		"Allow dynamodb:UpdateItem " + table + ` {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["firedrill/*","-735560*","ZmlyZWRyaWxsL*"]}}`,
		"Deny dynamodb:UpdateItem " + table + ` {"ForAnyValue:StringNotLike":{"dynamodb:LeadingKeys":["firedrill/*","-735560*","ZmlyZWRyaWxsL*"]}}`,
		"Deny dynamodb:DeleteItem " + table + " null",
		"Allow elasticloadbalancing:DeleteRule " + rules + ` {"StringLike":{"aws:ResourceTag/firedrill:run":["*"]}}`,
		`Deny elasticloadbalancing:DeleteRule * {"Null":{"aws:ResourceTag/firedrill:run":["true"]}}`,
		"Allow elasticloadbalancing:AddTags " + rules + ` {"StringEquals":{"elasticloadbalancing:CreateAction":["CreateRule"]}}`,
		`Allow sqs:DeleteMessage arn:aws:sqs:eu-west-1:123456789012:* {"StringEquals":{"aws:ResourceTag/environment":["staging"],"aws:ResourceTag/firedrill":["allowed"]}}`,
		`Allow cloudwatch:DescribeAlarms * {"StringEquals":{"aws:RequestedRegion":["eu-west-1"]}}`,
		"Allow sts:GetCallerIdentity * null",
		"Allow ssm:GetParameter arn:aws:ssm:eu-west-1:123456789012:parameter/firedrill/orders null",
		"Allow secretsmanager:GetSecretValue arn:aws:secretsmanager:eu-west-1:123456789012:secret:firedrill/pagerduty-?????? null",
		"Allow dynamodb:PutItem arn:aws:dynamodb:eu-central-1:123456789012:table/firedrill null",
		`Allow iam:PassRole arn:aws:iam::123456789012:role/firedrill-deadman {"StringEquals":{"iam:PassedToService":["scheduler.amazonaws.com"]}}`,
	} {
		if !slices.Contains(run, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, l := range run {
		if strings.HasPrefix(l, "Allow") && (strings.Contains(l, "firedrill-web") || strings.Contains(l, "dynamodb:GetItem "+table) || strings.Contains(l, "env:")) {
			t.Errorf("too much: %s", l)
		}
	}
	for role, never := range map[string]string{"plan": "Update|Put|Create|Delete|Send|Receive|Tag[RQ]|AddTags|Modify|Register|PassRole", "deadman": "Get|Describe|List|Query|Receive",
		"report": "sts:|iam:|sqs:|elastic|PutItem|ssm:|secretsmanager:", "recover": "Create|PassRole|SendMessage |ModifyRule|UpdateItem arn:aws:dynamodb:eu-west"} {
		for _, l := range lines(policyOf(t, role, "orders-write-throttle", "orders-dead-letters", "user-api-500s")) {
			if strings.HasPrefix(l, "Allow") && regexp.MustCompile(never).MatchString(strings.ReplaceAll(l, "ListQueueTags", "")) {
				t.Errorf("%s may %s", role, l)
			}
		}
	}
}

// The notes tell every * that is left; what must not be split is in one document.
func TestPoliciesTellWhatTheyCouldNotKnow(t *testing.T) {
	p := policyOf(t, "run", "orders-dead-letters")
	notes := strings.Join(p.Notes, "\n")
	for _, want := range []string{"which queue takes the dead letters of staging-orders", "lambda:ListEventSourceMappings", "who takes them away"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in %s", want, notes)
		}
	}
	if notes := strings.Join(policyOf(t, "deadman", "user-api-500s").Notes, ""); notes != "" {
		t.Errorf("nothing is open: %s", notes)
	}
	if p := policyOf(t, "report"); len(p.Documents) != 1 {
		t.Errorf("%+v", p.Documents)
	}
	env, _, catalog := policyWorld(t)
	env.Store = drills.StoreSpec{Kind: "sqlite"}
	if p, err := drills.MakePolicy(env, nil, catalog, drills.PolicyOptions{For: "report"}); err != nil || len(p.Documents) != 0 || len(p.Notes) != 1 {
		t.Errorf("%+v %v", p, err)
	}
}

// Policies grow by drills, and are cut where IAM's limit is: no statement is lost.
func TestPoliciesAreCutIntoPieces(t *testing.T) {
	env, specs, catalog := policyWorld(t, "orders-write-throttle")
	base := *specs[0]
	for i := range 60 {
		s := base
		s.Faults = []drills.FaultSpec{{ID: "t", Kind: inject.KindThrottle, Params: json.RawMessage(fmt.Sprintf(`{"table":"a-table-with-quite-a-long-name-%03d","writes":1}`, i))}}
		specs = append(specs, &s)
	}
	p, err := drills.MakePolicy(env, specs, catalog, drills.PolicyOptions{For: "run"})
	if err != nil {
		t.Fatal(err)
	}
	all := lines(p)
	for i := range 60 {
		if want := fmt.Sprintf("Allow dynamodb:UpdateTable arn:aws:dynamodb:eu-west-1:123456789012:table/a-table-with-quite-a-long-name-%03d null", i); !slices.Contains(all, want) {
			t.Errorf("lost: %s", want)
		}
	}
	if len(p.Documents) < 3 || slices.ContainsFunc(p.Documents, func(d drills.Document) bool { return d.Size() > drills.PolicySize }) {
		t.Errorf("%d documents", len(p.Documents))
	}
	for i := range 400 {
		s := base
		s.Faults = []drills.FaultSpec{{ID: "t", Kind: inject.KindThrottle, Params: json.RawMessage(fmt.Sprintf(`{"table":"another-table-with-quite-a-long-name-%03d","writes":1}`, i))}}
		specs = append(specs, &s)
	}
	if _, err := drills.MakePolicy(env, specs, catalog, drills.PolicyOptions{For: "run"}); err == nil || !strings.Contains(err.Error(), "fewer drills") {
		t.Errorf("a role carries no more than %d: %v", drills.PoliciesOfRole, err)
	}
}

func TestTrust(t *testing.T) {
	const provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
	for name, c := range map[string]struct {
		role  string
		trust []string
		want  string // of the trust document, or of the mistake
	}{
		"nobody yet":  {"run", nil, "null"},
		"a role":      {"plan", []string{"arn:aws:iam::123456789012:role/ci"}, `{"Sid":"Trust","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:role/ci"]},"Action":["sts:AssumeRole"]}`},
		"firedrill's": {"run", []string{"210987654321"}, `{"AWS":["arn:aws:iam::210987654321:root"]},"Action":["sts:AssumeRole"],"Condition":{"StringLike":{"sts:RoleSessionName":["firedrill-*"]}}`},
		"a service":   {"report", []string{"lambda.amazonaws.com"}, `"Principal":{"Service":["lambda.amazonaws.com"]}`},
		"a pipeline": {"run", []string{provider + "=repo:acme/staging:*"}, `"Principal":{"Federated":["` + provider + `"]},"Action":["sts:AssumeRoleWithWebIdentity"],` +
			`"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":["sts.amazonaws.com"]},"StringLike":{"token.actions.githubusercontent.com:sub":["repo:acme/staging:*"]}}`},
		"the scheduler": {"deadman", nil, `"Principal":{"Service":["scheduler.amazonaws.com"]},"Action":["sts:AssumeRole"],"Condition":{"StringEquals":{"aws:SourceAccount":["123456789012"],` +
			`"aws:SourceArn":["arn:aws:scheduler:eu-west-1:123456789012:schedule-group/default"]}}`},
		"everybody":                   {"run", []string{"*"}, "is no principal"},
		"every pipeline of the world": {"run", []string{provider}, "trusts everybody"},
		"a deadman of their own":      {"deadman", []string{"123456789012"}, "nobody but EventBridge Scheduler"},
	} {
		env, specs, catalog := policyWorld(t, "orders-write-throttle")
		p, err := drills.MakePolicy(env, specs, catalog, drills.PolicyOptions{For: c.role, Trust: c.trust})
		got := fmt.Sprint(err)
		if err == nil {
			b, _ := json.Marshal(p.Trust)
			got = string(b)
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
	env, specs, catalog := policyWorld(t, "orders-write-throttle")
	p, err := drills.MakePolicy(env, specs, catalog, drills.PolicyOptions{For: "run", Trust: []string{"123456789012"}})
	if err != nil || p.Role != "firedrill" || len(p.Caller.Statement) != 1 || p.Caller.Statement[0].Resource[0] != "arn:aws:iam::123456789012:role/drills/firedrill" {
		t.Errorf("%+v %v", p, err)
	}
}
