package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var ready = regexp.MustCompile(`^sandbox ready (\S+) instance \S+$`)

// The AWS CLI reads the sandbox with nothing but the exports that `firedrill sandbox env` prints.
func TestAWSCommandLineReadsTheSandbox(t *testing.T) {
	aws := part(t, "aws", "pip install awscli")
	dir := t.TempDir()
	firedrill := filepath.Join(dir, "firedrill")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", firedrill, "../../cmd/firedrill").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	serve(t, ready, firedrill, "sandbox", "--responder", "none", "--state", dir)
	ask := func(query string, args ...string) any {
		t.Helper()
		script := `eval "$("$1" sandbox env --state "$2")" && shift 2 && exec "$@"`
		args = append([]string{"-c", script, "sh", firedrill, dir, aws}, append(args, "--output", "json", "--query", query)...)
		cmd := exec.CommandContext(t.Context(), "sh", args...)
		cmd.Env = append(os.Environ(), "HOME="+dir, "AWS_PAGER=")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args[6:], " "), err, err.(*exec.ExitError).Stderr) //nolint:errorlint // Output's own error
		}
		var answer any
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return answer
	}
	for _, c := range []struct {
		query string
		args  string
		want  any
	}{
		{"Account", "sts get-caller-identity", "111122223333"},
		{"Table.ProvisionedThroughput.WriteCapacityUnits", "dynamodb describe-table --table-name stock", 100.0},
		{"ScalableTargets[0].MaxCapacity", "application-autoscaling describe-scalable-targets --service-namespace dynamodb", 400.0},
		{"length(QueueUrls)", "sqs list-queues", 2.0},
		{"LoadBalancers[0].LoadBalancerName", "elbv2 describe-load-balancers", "orders"},
		{"MetricAlarms[0].StateValue", "cloudwatch describe-alarms --alarm-names orders-write-throttled", "OK"},
	} {
		if got := ask(c.query, strings.Fields(c.args)...); got != c.want {
			t.Errorf("aws %s: %s is %v, want %v", c.args, c.query, got, c.want)
		}
	}
	listener, ok := ask("LoadBalancers[0].LoadBalancerArn", "elbv2", "describe-load-balancers").(string)
	if !ok {
		t.Fatal("no load balancer")
	}
	listener, _ = ask("Listeners[0].ListenerArn", "elbv2", "describe-listeners", "--load-balancer-arn", listener).(string)
	if n := ask("length(Rules)", "elbv2", "describe-rules", "--listener-arn", listener); n != 3.0 {
		t.Errorf("%v rules, want 3", n)
	}
}
