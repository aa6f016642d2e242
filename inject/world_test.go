package inject_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// account is the sandbox's AWS account, served on loopback, with clients of everybody who acts in it.
type account struct {
	*testing.T
	cloud *sandbox.Cloud
	url   string
}

func newAccount(t *testing.T, o sandbox.Options) *account {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.UpdateDelay == 0 {
		o.UpdateDelay = 50 * time.Millisecond
	}
	if o.PolicyLock == 0 {
		o.PolicyLock = 100 * time.Millisecond
	}
	o.Keys = map[string]string{"AKIAFIREDRILL00000": "firedrill", "AKIAORDERS00000000": "orders", "AKIARESPONDER00000": "responder"}
	c := sandbox.New(o)
	server := httptest.NewServer(c)
	c.SetBase(server.URL + "/aws")
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ran
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return &account{T: t, cloud: c, url: server.URL + "/aws"}
}

// clients are those of one caller, by access key.
func (a *account) clients(key string) *inject.Clients {
	a.Helper()
	c, err := inject.Open(context.Background(), inject.Options{Endpoint: a.url, Region: "eu-west-1", AccessKey: key, Secret: "secret", Now: time.Now})
	if err != nil {
		a.Fatal(err)
	}
	return c
}

func (a *account) responder() *inject.Clients { return a.clients("AKIARESPONDER00000") }
func (a *account) owner() *inject.Clients     { return a.clients("AKIAOTHER000000000") }

// catalog is a fresh one, as a new process would make it.
func (a *account) catalog() inject.Catalog {
	return inject.NewCatalog(a.clients("AKIAFIREDRILL00000"), inject.CatalogOptions{Timing: inject.SandboxTiming()})
}

// config is what people configured.
func (a *account) config() string {
	a.Helper()
	b, err := a.cloud.ConfigJSON()
	if err != nil {
		a.Fatal(err)
	}
	return string(b)
}

// writes counts firedrill's writes so far.
func (a *account) writes() int {
	n := 0
	for _, c := range a.cloud.CallLog() {
		if c.By == "firedrill" && c.Writes {
			n++
		}
	}
	return n
}

// must ends the test on an error.
func must[T any](t testing.TB, out T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pauseTest waits between two looks at a condition, and ends a test that waits too long.
func pauseTest(a *account) {
	a.Helper()
	select {
	case <-a.Context().Done():
		a.Fatal("waited too long")
	case <-time.After(10 * time.Millisecond):
	}
}
