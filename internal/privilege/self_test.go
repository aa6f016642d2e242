package privilege

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/firedrill/firedrill/internal/killtest"
)

// staging is an environment of the sandbox's account, with a role that firedrill assumes. It has no window: a plan is
// refused before it speaks to a pager.
const staging = `environments:
  staging:
    aws: {account: "111122223333", regions: [eu-west-1], role: "arn:aws:iam::111122223333:role/drills/firedrill", endpoint: "ENDPOINT"}
    tags: {environment: sandbox, firedrill: allowed}
    pagerduty: {token: "TOKEN", from: drills@example.com}
    owner: {key: "env:OWNER_KEY"}
    teams: {orders: {service: PORDERS, key: "env:ORDERS_KEY"}}
    vars: {orders_table: orders, orders_url: "http://127.0.0.1:1"}
`

// A role asks IAM about itself: with the policy of a run nothing is missing, with that of a plan the plan names what is.
// Every call is made in a session of the role that is named after the run, the reading of secrets too.
func TestARoleAsksAboutItself(t *testing.T) {
	for _, token := range []string{"ssm:/firedrill/token", "secretsmanager:firedrill/token"} {
		t.Run(token[:3], func(t *testing.T) {
			t.Parallel()
			roleAsks(t, token)
		})
	}
}

func roleAsks(t *testing.T, token string) {
	t.Helper()
	p := newPlace(t, killtest.Drill{}, "orders-write-throttle", "none")
	w, config := p.box.World(), filepath.Join(t.TempDir(), "firedrill.yaml")
	p.must(os.WriteFile(config, []byte(strings.NewReplacer("ENDPOINT", w.AWS, "TOKEN", token).Replace(staging)), 0o600))
	key := w.Keys["firedrill"]
	p.Env = []string{"FIREDRILL_CONFIG=" + config, "AWS_ACCESS_KEY_ID=" + key.ID, "AWS_SECRET_ACCESS_KEY=" + key.Secret, "AWS_CONFIG_FILE=/nonexistent"}
	p.keep()

	var made struct{ Roles []role }
	out := p.verb([]int{0}, "policy", "orders-write-throttle", "--for", "run,plan", "-o", "json", "--trust", "111122223333")
	p.must(json.Unmarshal([]byte(out.Out.String()), &made))
	name := aws.String("firedrill")
	for i, r := range made.Roles {
		p.roles[r.For] = r
		arns := p.attach(r.For, func(arn *string) error {
			_, err := p.people.AttachRolePolicy(p.ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: arn})
			return err
		})
		p.since = len(p.log())
		plan := p.verb([]int{4}, "plan", "orders-write-throttle", "--check-permissions", "-o", "json")
		var told struct {
			Refusal struct{ Code string }
			Rights  struct {
				Principal, Unchecked string
				Checked              int
				Missing              []struct{ Action string }
			}
		}
		p.must(json.Unmarshal([]byte(plan.Out.String()), &told))
		if told.Rights.Principal != "arn:aws:iam::111122223333:role/drills/firedrill" || i == 0 && told.Rights.Unchecked != "" {
			t.Errorf("%s: %+v", r.For, told.Rights)
		}
		switch r.For {
		case "run":
			if len(told.Rights.Missing) != 0 || told.Refusal.Code != "window" || told.Rights.Checked < 10 {
				t.Errorf("a run's policy: %+v", told)
			}
			p.sessions()
		case "plan": // its own role is another: nobody allows it to ask about this one
			if !strings.Contains(told.Rights.Unchecked, "could not be checked") || told.Refusal.Code != "window" {
				t.Errorf("a plan's policy: %+v", told)
			}
		}
		for _, arn := range arns {
			_, err := p.people.DetachRolePolicy(p.ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: arn})
			p.must(err)
		}
	}
}

// keep puts the pager's token where the environment says that it is.
func (p *place) keep() {
	p.Helper()
	cfg, err := p.stage.AWS(p.ctx)
	p.must(err)
	_, err = ssm.NewFromConfig(cfg).PutParameter(p.ctx, &ssm.PutParameterInput{Name: aws.String("/firedrill/token"), Value: aws.String("t")})
	p.must(err)
	_, err = secretsmanager.NewFromConfig(cfg).CreateSecret(p.ctx, &secretsmanager.CreateSecretInput{Name: aws.String("firedrill/token"), SecretString: aws.String("t")})
	p.must(err)
}

// sessions fails unless every call was made by a session that names a run, and a user agent that names the same one.
func (p *place) sessions() {
	p.Helper()
	asked, secrets := false, 0
	for _, c := range p.log()[p.since:] {
		if c.By != "firedrill" || c.Operation == "AssumeRole" {
			continue
		}
		_, run, ok := strings.Cut(c.Principal, ":assumed-role/firedrill/firedrill-")
		if !ok || len(run) != 26 || !strings.Contains(c.Agent, " run/"+run) {
			p.Errorf("%s by %s with %q", c.Operation, c.Principal, c.Agent)
		}
		if c.Unauthorized {
			p.Errorf("%s is not allowed: %v", c.Operation, c.Needs)
		}
		if c.Operation == "GetParameter" || c.Operation == "GetSecretValue" {
			secrets++
		}
		asked = asked || c.Operation == "SimulatePrincipalPolicy"
	}
	if !asked || secrets != 1 {
		p.Errorf("IAM was asked: %v, and %d secrets were read", asked, secrets)
	}
}
