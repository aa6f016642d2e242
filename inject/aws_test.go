package inject_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func TestIdentityNamesAccountAndAlias(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	who, err := a.clients("AKIAFIREDRILL00000").Identity(t.Context())
	if must(t, who, err); who.Account != "111122223333" || who.Alias != "firedrill-sandbox" || !strings.HasSuffix(who.ARN, ":user/firedrill") {
		t.Errorf("%+v", who)
	}
}

func TestIdentityRefusesAnotherAccount(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	c, err := inject.Open(t.Context(), inject.Options{Endpoint: a.url, Region: "eu-west-1", AccessKey: "AKIAFIREDRILL00000", Secret: "x", ExpectAccount: "999988887777", Now: time.Now})
	who, err := must(t, c, err).Identity(t.Context())
	var no *inject.Refusal
	if !errors.As(err, &no) || who.Account != "111122223333" || !strings.Contains(no.Why, "111122223333, not 999988887777") {
		t.Errorf("%+v: %v", who, err)
	}
}

func TestIdentityWithoutTheRightToReadTheAlias(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	id, err := a.cloud.Turn(sandbox.Knob{Service: "iam", Operation: "ListAccountAliases", Effect: "deny", Code: "AccessDenied", Status: 403})
	must(t, id, err)
	who, err := a.clients("AKIAFIREDRILL00000").Identity(t.Context())
	if must(t, who, err); who.Account != "111122223333" || who.Alias != "" {
		t.Errorf("%+v", who)
	}
}

// Only Options.Endpoint counts: an endpoint left in the environment must not lead a drill astray.
func TestOpenIgnoresEndpointsOfTheEnvironment(t *testing.T) {
	stray := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("a stray endpoint was asked: %s", r.Header.Get("X-Amz-Target"))
		w.WriteHeader(http.StatusTeapot)
	}))
	defer stray.Close()
	t.Setenv("AWS_ENDPOINT_URL", stray.URL)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", stray.URL)
	t.Setenv("AWS_ENDPOINT_URL_STS", stray.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAFIREDRILL00000")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	a := newAccount(t, sandbox.Options{})
	c, err := inject.Open(t.Context(), inject.Options{Endpoint: a.url, Region: "eu-west-1", Now: time.Now})
	who, err := must(t, c, err).Identity(t.Context())
	if must(t, who, err); who.Account != "111122223333" {
		t.Errorf("%+v", who)
	}
	_, err = c.DynamoDB.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	must(t, 0, err)

	real, err := inject.Open(t.Context(), inject.Options{Region: "eu-west-1", Now: time.Now})
	if e := dynamodb.NewFromConfig(must(t, real, err).Config).Options().BaseEndpoint; e != nil {
		t.Errorf("without an endpoint of ours it would ask %s", *e)
	}
}

func TestOpenWantsARegionAndAClock(t *testing.T) {
	t.Parallel()
	for _, o := range []inject.Options{{Region: "eu-west-1"}, {Now: time.Now}} {
		if _, err := inject.Open(t.Context(), o); err == nil {
			t.Errorf("opened with %+v", o)
		}
	}
}

// counting answers every call with a status and an AWS error code, and counts the attempts.
func counting(t *testing.T, status int, code string) (url string, attempts *int, agent *string) {
	attempts, agent = new(int), new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*attempts++
		*agent = r.Header.Get("User-Agent")
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		if code == "" { // a proxy's page
			_, _ = w.Write([]byte("{}"))
			return
		}
		_, _ = w.Write([]byte(`{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `","message":"no"}`))
	}))
	t.Cleanup(server.Close)
	return server.URL, attempts, agent
}

// A write is issued once, whatever the environment says about retries; a read may be asked again.
func TestAWriteIsOneAttempt(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "7")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAFIREDRILL00000")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	url, attempts, agent := counting(t, http.StatusInternalServerError, "InternalServerError")
	c, err := inject.Open(t.Context(), inject.Options{Endpoint: url, Region: "eu-west-1", Now: time.Now})
	must(t, c, err)
	_, err = c.DynamoDB.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("orders")}, inject.OnceDynamoDB)
	if err == nil || *attempts != 1 {
		t.Errorf("a write: %d attempts, %v", *attempts, err)
	}
	*attempts = 0
	_, err = c.Items.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"),
		Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "1"}}})
	if err == nil || *attempts != 1 {
		t.Errorf("a piece of load: %d attempts, %v", *attempts, err)
	}
	*attempts = 0
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err = c.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("orders")}); err == nil || *attempts != 3 {
		t.Errorf("a read: %d attempts, %v", *attempts, err)
	}
	if !strings.Contains(*agent, "firedrill") {
		t.Errorf("user agent %q", *agent)
	}
}

func TestDefiniteIsOnlyWhatTheServiceRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		status int
		code   string
		want   bool
	}{
		{400, "ValidationException", true}, {400, "ResourceInUseException", true}, {403, "AccessDeniedException", true},
		{400, "LimitExceededException", true}, {408, "RequestTimeout", false}, {500, "InternalServerError", false}, {503, "ServiceUnavailable", false},
		{400, "", false}, {413, "", false},
	} {
		url, _, _ := counting(t, row.status, row.code)
		c, err := inject.Open(t.Context(), inject.Options{Endpoint: url, Region: "eu-west-1", AccessKey: "x", Secret: "x", Now: time.Now})
		_, err = must(t, c, err).DynamoDB.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("orders")}, inject.OnceDynamoDB)
		var definite *inject.Definite
		if got := errors.As(inject.Judged(err), &definite); got != row.want {
			t.Errorf("%d %s: definite %v, want %v", row.status, row.code, got, row.want)
		}
	}
	c, err := inject.Open(t.Context(), inject.Options{Endpoint: "http://127.0.0.1:1", Region: "eu-west-1", AccessKey: "x", Secret: "x", Now: time.Now})
	_, err = must(t, c, err).DynamoDB.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("orders")}, inject.OnceDynamoDB)
	var definite *inject.Definite
	if err == nil || errors.As(inject.Judged(err), &definite) {
		t.Errorf("nobody there: %v", err)
	}
}
