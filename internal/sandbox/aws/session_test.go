package aws

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const ourRole = "arn:aws:iam::111122223333:role/path/firedrill"

// assumed is the account as somebody who has assumed the role.
func assumed(t *testing.T, url string) awssdk.Config {
	t.Helper()
	out, err := sts.NewFromConfig(testConfig(url, "firedrill")).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: awssdk.String(ourRole), RoleSessionName: awssdk.String("firedrill-01run")})
	if err != nil {
		t.Fatal(err)
	}
	cfg, c := testConfig(url, "firedrill"), out.Credentials
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	return cfg
}

func codeOfCall(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// A session acts under the role's name for its hour, is refused afterwards in the words of each protocol, and a new one
// may be had. The log knows whose it is.
func TestSessionOfARole(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	c, url := testCloud(t, Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	cfg := assumed(t, url)
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Arn != "arn:aws:sts::111122223333:assumed-role/firedrill/firedrill-01run" {
		t.Fatalf("who: %+v, %v", who, err)
	}
	if _, err := dynamodb.NewFromConfig(cfg).ListTables(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	_, err = dynamodb.NewFromConfig(cfg).ListTables(t.Context(), nil)
	if code := codeOfCall(err); code != "ExpiredTokenException" {
		t.Errorf("after an hour: %q, %v", code, err)
	}
	_, err = sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if code := codeOfCall(err); code != "ExpiredToken" {
		t.Errorf("after an hour STS says %q, %v", code, err)
	}
	if _, err := dynamodb.NewFromConfig(assumed(t, url)).ListTables(t.Context(), nil); err != nil {
		t.Errorf("assumed anew: %v", err)
	}
	for _, call := range c.CallLog() {
		if call.By != "firedrill" {
			t.Errorf("%s is said to be by %s", call.Operation, call.By)
		}
	}
}

// A session that is ended early is refused, and one's key goes with its own token only.
func TestSessionEndedEarly(t *testing.T) {
	c, url := testCloud(t, Options{})
	cfg := assumed(t, url)
	if n := c.EndSessions(); n != 1 {
		t.Errorf("%d sessions ended", n)
	}
	_, err := dynamodb.NewFromConfig(cfg).ListTables(t.Context(), nil)
	if code := codeOfCall(err); code != "ExpiredTokenException" {
		t.Errorf("ended: %q, %v", code, err)
	}
	cfg = assumed(t, url)
	mine, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Credentials = credentials.NewStaticCredentialsProvider(mine.AccessKeyID, mine.SecretAccessKey, "another token")
	_, err = dynamodb.NewFromConfig(cfg).ListTables(t.Context(), nil)
	if code := codeOfCall(err); code != "UnrecognizedClientException" {
		t.Errorf("another token: %q, %v", code, err)
	}
}

func TestAssumeRoleRefuses(t *testing.T) {
	_, url := testCloud(t, Options{})
	client := sts.NewFromConfig(testConfig(url, "firedrill"))
	for _, row := range []struct {
		role, name string
		seconds    int32
		want       string
	}{
		{"firedrill", "run", 0, "ValidationError"},
		{ourRole, "a run", 0, "ValidationError"},
		{ourRole, "run", 60, "ValidationError"},
		{strings.Replace(ourRole, "111122223333", "999999999999", 1), "run", 0, "AccessDenied"},
	} {
		in := &sts.AssumeRoleInput{RoleArn: &row.role, RoleSessionName: &row.name}
		if row.seconds > 0 {
			in.DurationSeconds = &row.seconds
		}
		_, err := client.AssumeRole(t.Context(), in)
		if code := codeOfCall(err); code != row.want {
			t.Errorf("%+v: %q, %v", row, code, err)
		}
	}
}

func TestSessionsPage(t *testing.T) {
	c, url := testCloud(t, Options{})
	assumed(t, url)
	for method, want := range map[string]int{http.MethodGet: http.StatusMethodNotAllowed, http.MethodDelete: http.StatusOK} {
		w := &recorder{header: http.Header{}}
		req, _ := http.NewRequestWithContext(t.Context(), method, "/_sandbox/sessions", nil)
		c.Sessions(w, req)
		if w.status != want {
			t.Errorf("%s: %d", method, w.status)
		}
	}
}

type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header    { return r.header }
func (r *recorder) WriteHeader(status int) { r.status = status }
func (r *recorder) Write(b []byte) (int, error) {
	r.status = max(r.status, http.StatusOK)
	return len(b), nil
}
