package drills_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
)

// Whoever changes something must still hold credentials when it is put back. The drill's limit is an hour, its undo takes
// five minutes.
func TestGuardCredentials(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name  string
		creds drills.Credentials
		err   error
		fact  string
		no    []string
	}{
		{name: "a key without an end", creds: drills.Credentials{Source: "AWS_ACCESS_KEY_ID"}, fact: "AWS_ACCESS_KEY_ID, without an end"},
		{name: "GitHub's", creds: drills.Credentials{Source: "GitHub's OIDC", Renews: true}, fact: "GitHub's OIDC, renewed"},
		{name: "renewed, and the session at hand ends soon", creds: drills.Credentials{Source: "SSOProvider", Renews: true, Expires: now.Add(time.Minute)},
			fact: "SSOProvider, renewed"},
		{name: "long enough", creds: drills.Credentials{Source: "ID_TOKEN", Expires: now.Add(67 * time.Minute)}, fact: "ID_TOKEN until 11:07 UTC on 2 March"},
		{name: "the limit, but not the undo", creds: drills.Credentials{Source: "ID_TOKEN", Expires: now.Add(64 * time.Minute)},
			no: []string{"ID_TOKEN end at 11:04", "until 11:06", "oidc: github"}},
		{name: "an hour's session", creds: drills.Credentials{Source: "AWS_ACCESS_KEY_ID", Expires: now.Add(50 * time.Minute)}, no: []string{"10:50", "do not renew"}},
		{name: "a session of unknown end", creds: drills.Credentials{Source: "AWS_ACCESS_KEY_ID", Unknown: true}, no: []string{"nobody can tell", "AWS_CREDENTIAL_EXPIRATION"}},
		{name: "none", err: errors.New("no EC2 IMDS role found"), no: []string{"no EC2 IMDS role found", "aws sts get-caller-identity"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			steps := s.steps()
			steps.World.Credentials = func(context.Context) (drills.Credentials, error) { return row.creds, row.err }
			v, err := steps.Make(t.Context(), &s.spec, runID)
			if row.no == nil {
				if err != nil || v.Facts["credentials"] != row.fact {
					t.Errorf("it says %q and %v, want %q", v.Facts["credentials"], err, row.fact)
				}
				return
			}
			var r *drills.Refusal
			if !errors.As(err, &r) || r.Code != "credentials" || r.Later {
				t.Fatalf("it says %v", err)
			}
			for _, word := range row.no {
				if !strings.Contains(r.Why+r.Try, word) {
					t.Errorf("%q does not say %q (Try: %s)", r.Why, word, r.Try)
				}
			}
		})
	}
}
