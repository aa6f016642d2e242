package aws

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// testKeys are the access keys of the sandbox's callers.
func testKeys() map[string]string {
	return map[string]string{"AKIAFIREDRILL00000": "firedrill", "AKIAORDERS00000000": "orders",
		"AKIARESPONDER00000": "responder", "AKIAALARM000000000": "alarm"}
}

// testCloud serves an account on loopback. Unless the options say otherwise its clock is the real one.
func testCloud(t *testing.T, o Options) (*Cloud, string) {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Keys == nil {
		o.Keys = testKeys()
	}
	c := New(o)
	srv := httptest.NewServer(c)
	c.SetBase(srv.URL + "/aws")
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ran
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		srv.Close()
	})
	return c, srv.URL + "/aws"
}

// testConfig is an SDK configuration for one of the callers, without retries.
func testConfig(url, by string) awssdk.Config {
	id := "AKIAOTHER000000000"
	for k, v := range testKeys() {
		if v == by {
			id = k
		}
	}
	return awssdk.Config{Region: "eu-west-1", BaseEndpoint: awssdk.String(url),
		Credentials: credentials.NewStaticCredentialsProvider(id, "secret", ""),
		Retryer:     func() awssdk.Retryer { return awssdk.NopRetryer{} }}
}

// testClock is a clock that stands still until it is moved.
type testClock struct {
	mu sync.Mutex
	at time.Time
}

func newTestClock() *testClock {
	return &testClock{at: time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)}
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *testClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// until polls a condition, at most five seconds.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("%s: not within five seconds", what)
}
