package inject_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// Whoever prints knows every secret before the first call that carries it is answered: also those of an assumed role.
func TestCredentialsTellTheirSecrets(t *testing.T) {
	a := newAccount(t, sandbox.Options{})
	for _, name := range []string{"AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER000000000")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary-secret-key")
	t.Setenv("AWS_SESSION_TOKEN", "canary-session-token")
	var mu sync.Mutex
	var known []string
	learned := func(secrets ...string) {
		mu.Lock()
		defer mu.Unlock()
		known = append(known, secrets...)
	}
	for role, least := range map[string]int{"": 2, "arn:aws:iam::111122223333:role/firedrill": 4} {
		known = nil
		c, err := inject.Open(t.Context(), inject.Options{Endpoint: a.url, Region: "eu-west-1", Role: role, Session: "firedrill-run", Now: time.Now, Learned: learned})
		must(t, 0, err)
		_, err = c.STS.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		must(t, 0, err)
		slices.Sort(known)
		if all := slices.Compact(known); len(all) < least || !slices.Contains(all, "canary-secret-key") || !slices.Contains(all, "canary-session-token") {
			t.Errorf("role %q: told of %d secrets, want %d", role, len(all), least)
		}
	}
}
