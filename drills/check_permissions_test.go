package drills_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
)

// checkedAs asks what credentials may do whose every call is allowed but those that deny names.
func checkedAs(t *testing.T, arn string, answer error, deny ...string) (*drills.PermissionCheck, string, []inject.Permission, map[string]string) {
	t.Helper()
	env, specs, catalog := policyWorld(t, "orders-write-throttle")
	asked, lines, facts := "", []inject.Permission(nil), map[string]string(nil)
	st := &drills.Steps{Env: env, World: drills.World{Catalog: catalog, Clock: realClock{},
		Caller: func(context.Context) (drills.Caller, error) {
			return drills.Caller{Account: "123456789012", ARN: arn, Region: "eu-west-1"}, nil
		},
		Simulate: func(_ context.Context, who string, list []inject.Permission, f map[string]string) (missing []inject.Permission, err error) {
			asked, lines, facts = who, list, f
			for _, p := range list {
				for _, d := range deny {
					if p.Action == d {
						missing = append(missing, p)
					}
				}
			}
			return missing, answer
		}}}
	c, err := st.CheckPermissions(t.Context(), specs[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, asked, lines, facts
}

func TestCheckPermissionsNamesWhatIsMissing(t *testing.T) {
	c, _, lines, facts := checkedAs(t, "arn:aws:iam::123456789012:user/ci", nil, "dynamodb:UpdateTable")
	if c.Checked != len(lines) || len(lines) < 10 || len(c.Missing) != 1 || c.Unchecked != "" {
		t.Errorf("%+v of %d", c, len(lines))
	}
	no := c.Refusal()
	if no == nil || no.Code != "permissions" || no.Later || no.Why != "arn:aws:iam::123456789012:user/ci may not dynamodb:UpdateTable on arn:aws:dynamodb:eu-west-1:123456789012:table/staging-orders" {
		t.Errorf("%+v", no)
	}
	for k, v := range map[string]string{"aws:RequestedRegion": "eu-west-1", "aws:ResourceTag/environment": "staging", "aws:ResourceTag/firedrill:run": "run"} {
		if facts[k] != v {
			t.Errorf("%s is %q", k, facts[k])
		}
	}
	for i, p := range lines {
		for _, q := range lines[:i] {
			if p.Action == q.Action && p.Resource == q.Resource && fmt.Sprint(p.Condition) == fmt.Sprint(q.Condition) {
				t.Errorf("%s on %s is asked twice", p.Action, p.Resource)
			}
		}
	}
	if c, _, _, _ := checkedAs(t, "arn:aws:iam::123456789012:user/ci", nil); c.Refusal() != nil {
		t.Errorf("nothing is missing: %v", c.Refusal())
	}
}

// The ARN that STS tells of a session is no principal that IAM simulates.
func TestCheckPermissionsAsksAboutTheRoleOfASession(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:iam::123456789012:user/people/ada":               "arn:aws:iam::123456789012:user/people/ada",
		"arn:aws:sts::123456789012:assumed-role/ci/firedrill-01k": "arn:aws:iam::123456789012:role/ci",
		"arn:aws:sts::123456789012:assumed-role/firedrill/x":      "arn:aws:iam::123456789012:role/drills/firedrill", // the environment knows its path
		"arn:aws-us-gov:sts::123456789012:assumed-role/ci/x":      "arn:aws-us-gov:iam::123456789012:role/ci",
		"arn:aws:iam::123456789012:root":                          "",
		"arn:aws:sts::123456789012:federated-user/ada":            "",
		"nonsense": "",
	} {
		c, asked, _, _ := checkedAs(t, arn, nil)
		if asked != want || (c.Unchecked == "") != (want != "") {
			t.Errorf("%s: asked about %q, want %q: %+v", arn, asked, want, c)
		}
	}
}

func TestCheckPermissionsWhereIAMMayNotBeAsked(t *testing.T) {
	c, _, _, _ := checkedAs(t, "arn:aws:iam::123456789012:user/ci", fmt.Errorf("%w: iam:SimulatePrincipalPolicy is not allowed", inject.ErrUnchecked), "dynamodb:UpdateTable")
	if !strings.Contains(c.Unchecked, "could not be checked") || len(c.Missing) != 0 || c.Refusal() != nil {
		t.Errorf("%+v", c)
	}
	if errors.Is(errors.New("x"), inject.ErrUnchecked) {
		t.Error("everything is unchecked")
	}
}
