package cmd

import (
	"strings"
	"testing"
)

// Who is named for one role is trusted by no other; who is named for none, by all.
func TestTrustOf(t *testing.T) {
	list := []string{"plan:arn:aws:iam::1:oidc-provider/ci=repo:acme/x:environment:staging", "run:123456789012", "arn:aws:iam::1:role/people", "ec2.amazonaws.com", "nobody:123456789012"}
	for role, want := range map[string]string{
		"plan":    "arn:aws:iam::1:oidc-provider/ci=repo:acme/x:environment:staging arn:aws:iam::1:role/people ec2.amazonaws.com nobody:123456789012",
		"run":     "123456789012 arn:aws:iam::1:role/people ec2.amazonaws.com nobody:123456789012",
		"recover": "arn:aws:iam::1:role/people ec2.amazonaws.com nobody:123456789012", // what is no role is no principal either, and is told
	} {
		if got := strings.Join(trustOf(list, role), " "); got != want {
			t.Errorf("%s: %s", role, got)
		}
	}
}
