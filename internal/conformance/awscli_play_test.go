package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/internal/sandbox/hands"
)

// TestAWSCLIMendsAsPlayDoes types every line that `firedrill play` can print into a shell that has eval'ed the exports of
// `firedrill sandbox env`: what the player's own AWS CLI does there is what the game did.
func TestAWSCLIMendsAsPlayDoes(t *testing.T) {
	t.Parallel()
	c := &cli{program: part(t, "aws", installCLI), dir: t.TempDir()}
	if !required() {
		t.Skip("twenty calls of the AWS CLI take half a minute. Try: FIREDRILL_CONFORMANCE=required")
	}
	if c.number(t); c.speaksQuery() {
		missing(t, "this AWS CLI asks SQS in the Query protocol", installCLI)
	}
	c.firedrill = filepath.Join(c.dir, "firedrill")
	if err := os.Symlink(must(os.Executable())(t), c.firedrill); err != nil {
		t.Fatal(err)
	}
	w := worldOf(t, serve(t, ready, c.firedrill, "sandbox", "--responder", "none", "--state", c.dir)[1])
	for _, line := range trouble(w) {
		c.typed(t, line)
	}
	k := w.Keys["other"]
	h := hands.New(hands.Options{AWS: w.AWS, Region: w.Region, Key: k.ID, Secret: k.Secret, Now: time.Now})
	t.Cleanup(h.Close)
	var fixes []hands.Fix
	eventually(t.Context(), t, "the dead letters ring", func() bool { // then everything that can be printed is
		fixes = must(h.Fixes(t.Context()))(t)
		return strings.HasPrefix(fixes[len(fixes)-1].Words, "alarm silence ")
	})
	var kinds []string
	for _, f := range fixes {
		words := strings.Fields(f.Words)
		kinds = append(kinds, words[0]+" "+words[len(words)-2])
	}
	for _, kind := range []string{"table on-demand-maximum", "table write-capacity", "policy table", "policy queue", "policy remove",
		"queue redrive", "queue take", "rule delete", "alarm silence"} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("no %s among %q: this test no longer types every line", kind, kinds)
		}
	}
	for _, f := range fixes {
		words := strings.Fields(f.Words)
		kinds = append(kinds, words[0]+" "+words[len(words)-2])
	}
	for _, kind := range []string{"table on-demand-maximum", "table write-capacity", "policy table", "policy queue", "policy remove",
		"queue redrive", "queue take", "rule delete", "alarm silence"} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("no %s among %q: this test no longer types every line", kind, kinds)
		}
	}
	for _, f := range fixes {
		t.Logf("fix %s: %s", f.Words, f.Call.Line())
		if strings.HasPrefix(f.Words, "queue take") { // what it prints then names what it received
			_, next, err := f.Call.Do(t.Context())
			if err != nil || next == nil {
				t.Fatalf("got %v, %v", next, err)
			}
			c.typed(t, next.Line())
		}
		c.typed(t, f.Call.Line())
	}
	if left := must(h.Fixes(t.Context()))(t); slices.ContainsFunc(left, func(f hands.Fix) bool {
		return strings.HasPrefix(f.Words, "rule ") || strings.HasPrefix(f.Words, "policy ") || strings.HasPrefix(f.Words, "alarm ")
	}) {
		t.Errorf("the lines were typed, and this can still be done: %+v", left)
	}
}

// trouble is how somebody with the AWS CLI breaks a sandbox in every way that play can mend.
func trouble(w sandbox.World) []string {
	table, queue, dlq := "arn:aws:dynamodb:"+w.Region+":"+w.Account+":table/orders", "arn:aws:sqs:"+w.Region+":"+w.Account+":orders", w.Vars["orders_dlq"]
	deny := func(sid, action, of string) string {
		return `{"Sid":"` + sid + `","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::` + w.Account + `:user/nobody"},"Action":"` + action + `","Resource":"` + of + `"}`
	}
	policy := func(statements ...string) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	}
	return []string{
		"aws dynamodb update-table --table-name orders --on-demand-throughput MaxWriteRequestUnits=1000",
		"aws dynamodb put-resource-policy --resource-arn " + table + " --policy '" + policy(deny("One", "dynamodb:PutItem", table), deny("Two", "dynamodb:DeleteItem", table)) + "'",
		"aws sqs set-queue-attributes --queue-url " + w.Vars["orders_queue"] + " --attributes '{\"Policy\":\"" +
			strings.ReplaceAll(policy(deny("Three", "sqs:ReceiveMessage", queue)), `"`, `\"`) + "\"}'",
		"aws sqs send-message --queue-url " + dlq + " --message-body 'it'\\''s no order'",
		"aws sqs send-message --queue-url " + dlq + " --message-body second",
		"aws elbv2 create-rule --listener-arn " + w.Vars["listener"] + " --priority 5 --conditions Field=path-pattern,Values=/nowhere" +
			" --actions 'Type=fixed-response,FixedResponseConfig={StatusCode=503}'",
	}
}

// typed types a line of the AWS CLI into a shell, again while what it changes is busy with another change.
func (c *cli) typed(t *testing.T, line string) {
	t.Helper()
	script := `eval "$("$1" sandbox env --state "$2")"; ` + line
	eventually(t.Context(), t, line, func() bool {
		sh := exec.CommandContext(t.Context(), "sh", "-c", script, "sh", c.firedrill, c.dir)
		sh.Env = quiet()
		out, err := sh.CombinedOutput()
		if busy := strings.Contains(string(out), "ResourceInUse"); err != nil && !busy {
			t.Fatalf("$ %s\n%v: %s", line, err, out)
		}
		return err == nil
	})
}

// TestSandboxEnvGoesBack: what the exports made, --unset takes away, in a shell that keeps what it had before.
func TestSandboxEnvGoesBack(t *testing.T) {
	dir := t.TempDir()
	firedrill := filepath.Join(dir, "firedrill")
	if err := os.Symlink(must(os.Executable())(t), firedrill); err != nil {
		t.Fatal(err)
	}
	serve(t, ready, firedrill, "sandbox", "--responder", "none", "--state", dir)
	script := `set -eu
		env | grep ^AWS_ | sort > "$2/before" || :
		eval "$("$1" sandbox env --state "$2")"
		test -n "$AWS_ENDPOINT_URL" && test -n "$FIREDRILL_SANDBOX"
		type aws
		eval "$("$1" sandbox env --state "$2" --unset)"
		env | grep ^AWS_ | sort > "$2/after" || :
		cmp "$2/before" "$2/after"
		test -z "${FIREDRILL_SANDBOX-}"`
	sh := exec.CommandContext(t.Context(), "sh", "-c", script, "sh", firedrill, dir)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "AWS_") && !strings.HasPrefix(kv, "FIREDRILL_") {
			sh.Env = append(sh.Env, kv)
		}
	}
	sh.Env = append(sh.Env, "AWS_PAGER=")
	out, err := sh.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "function") {
		t.Errorf("%v\n%s", err, out)
	}
}
