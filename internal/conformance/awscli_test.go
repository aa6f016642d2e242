package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/internal/sandbox"
)

const installCLI = "pip install 'awscli==1.46.3'"

var (
	ready     = regexp.MustCompile(`^sandbox ready (\S+) instance \S+`)
	cliNumber = regexp.MustCompile(`aws-cli/(\d+)\.(\d+)`)
)

// TestAWSCLI lets the AWS CLI read the sandbox with nothing but the exports of `firedrill sandbox env`, as somebody
// who looks around in a drill would. The services speak four protocols: Query, JSON 1.0, JSON 1.1 and CBOR.
func TestAWSCLI(t *testing.T) {
	c := &cli{program: part(t, "aws", installCLI), dir: t.TempDir()}
	c.number(t)
	c.firedrill = filepath.Join(c.dir, "firedrill")
	if err := os.Symlink(must(os.Executable())(t), c.firedrill); err != nil {
		t.Fatal(err)
	}
	w := worldOf(t, serve(t, ready, c.firedrill, "sandbox", "--responder", "none", "--state", c.dir)[1])
	for _, look := range []struct {
		args, query string
		want        any
	}{
		{"sts get-caller-identity", "Account", w.Account},
		{"iam list-account-aliases", "AccountAliases[0]", w.Alias},
		{"dynamodb describe-table --table-name stock", "Table.ProvisionedThroughput.WriteCapacityUnits", 100.0},
		{"application-autoscaling describe-scalable-targets --service-namespace dynamodb", "ScalableTargets[0].MaxCapacity", 400.0},
		{"sqs get-queue-attributes --attribute-names All --queue-url " + w.Vars["orders_queue"], "Attributes.VisibilityTimeout", "1"},
		{"elbv2 describe-rules --listener-arn " + w.Vars["listener"], "Rules[?IsDefault==`false`].Priority | join(' ', sort(@))", "10 20"},
		{"cloudwatch describe-alarms --alarm-names orders-write-throttled", "MetricAlarms[0].MetricName", "WriteThrottleEvents"},
		{"dynamodb describe-table --table-name orders", "Table.BillingModeSummary.BillingMode", "PAY_PER_REQUEST"},
		{"cloudwatch describe-alarm-history --alarm-name orders-write-throttled --history-item-type StateUpdate", "AlarmHistoryItems[0].AlarmName", "orders-write-throttled"},
		{"elbv2 describe-target-groups", "TargetGroups[0].TargetGroupName", "orders-api"},
		{"sns list-topics", "Topics[0].TopicArn | ends_with(@, ':oncall')", true},
	} {
		t.Run(strings.Join(strings.Fields(look.args)[:2], " "), func(t *testing.T) {
			t.Parallel()
			if got := c.ask(t, look.query, strings.Fields(look.args)...); got != look.want {
				t.Errorf("aws %s: %s is %v, want %v", look.args, look.query, got, look.want)
			}
		})
	}
}

// cli is the AWS CLI, and the program whose exports it obeys.
type cli struct {
	program, firedrill, dir string
	major, minor            int
}

func (c *cli) number(t *testing.T) {
	t.Helper()
	found := cliNumber.FindStringSubmatch(version(t, c.program))
	if found == nil {
		t.Fatal("it tells no version")
	}
	c.major, c.minor = must(strconv.Atoi(found[1]))(t), must(strconv.Atoi(found[2]))(t)
}

// needsEndpoint says that AWS_ENDPOINT_URL alone does not reach the sandbox, but --endpoint-url does: releases before
// 1.29 and 2.13 do not read the variable, and all of version 1 put an older address of their own in its place for SQS.
func (c *cli) needsEndpoint(service string) bool {
	return c.major == 1 && (c.minor < 29 || service == "sqs") || c.major == 2 && c.minor < 13
}

// speaksQuery says that the CLI asks SQS in the protocol of before 2023, which the sandbox does not answer.
func (c *cli) speaksQuery() bool { return c.major == 1 && c.minor < 30 || c.major == 2 && c.minor < 14 }

// ask runs one command of the CLI as a shell would that has eval'ed the exports. Whatever does not stay on loopback
// goes to a proxy that is not there.
func (c *cli) ask(t *testing.T, query string, args ...string) any {
	t.Helper()
	if args[0] == "sqs" && c.speaksQuery() {
		missing(t, fmt.Sprintf("AWS CLI %d.%d asks SQS in the Query protocol", c.major, c.minor), installCLI)
	}
	script := `eval "$("$1" sandbox env --state "$2")" && shift 2 && exec "$@"`
	if c.needsEndpoint(args[0]) {
		script = strings.Replace(script, `"$@"`, `"$@" --endpoint-url "$AWS_ENDPOINT_URL"`, 1)
	}
	line := append([]string{"-c", script, "sh", c.firedrill, c.dir, c.program}, args...)
	sh := exec.CommandContext(t.Context(), "sh", append(line, "--output", "json", "--query", query)...)
	sh.Env = quiet()
	out, err := sh.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var answer any
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return answer
}

// quiet is an environment in which whatever does not stay on loopback goes to a proxy that is not there.
func quiet() []string {
	return append(os.Environ(), "AWS_PAGER=", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"HTTPS_PROXY=http://127.0.0.1:9", "HTTP_PROXY=http://127.0.0.1:9", "NO_PROXY=127.0.0.1,localhost", "AWS_MAX_ATTEMPTS=1")
}

// worldOf asks a sandbox where its things are.
func worldOf(t *testing.T, url string) (w sandbox.World) {
	t.Helper()
	request := must(http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/_sandbox/world", nil))(t)
	answer := must(http.DefaultClient.Do(request))(t)
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close(), json.Unmarshal(text, &w)); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return w
}
