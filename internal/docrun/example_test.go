package docrun_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/firedrill/firedrill/cmd"
	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
)

var update = flag.Bool("update", false, "write what is generated: the example's roles, and the recorded walk")

// run is the program in this process.
func run(t *testing.T, dir string, args ...string) (out string, code int) {
	t.Helper()
	var text bytes.Buffer
	home := t.TempDir()
	deps := &cmd.Deps{In: strings.NewReader(""), Out: &text, Err: &text, Now: time.Now, Dir: dir,
		Getenv:   func(k string) string { return map[string]string{"HOME": home}[k] },
		Terminal: func() bool { return false }, Color: func() bool { return false }, Width: func() int { return 100 }}
	code = cmd.Run(t.Context(), deps, args)
	return text.String(), code
}

// The role policies of the example's Terraform are what firedrill policy writes for the example's drills, byte for byte, by
// the command line that the page shows.
func TestTheExamplesRolesAreThoseOfPolicy(t *testing.T) {
	path := filepath.Join(example, "terraform", "roles.tf")
	var args []string
	for _, c := range commandsOf(t, "docs/first-real-drill.md") {
		if !c.Inline && c.Args[0] == "policy" {
			args = c.Args
		}
	}
	if args == nil {
		t.Fatal("docs/first-real-drill.md writes no policy")
	}
	out, code := run(t, example, args...)
	if code != 0 {
		t.Fatalf("firedrill %s: %d\n%s", strings.Join(args, " "), code, out)
	}
	if *update {
		if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out != slurp(t, path) {
		t.Errorf("%s is not what firedrill %s writes. Try: go test ./internal/docrun -run Roles -update", path, strings.Join(args, " "))
	}
}

// All drills of the example are among those for which the roles are made.
func TestTheExamplesDrillsAreRead(t *testing.T) {
	file, err := drills.ReadEnvironments("firedrill.yaml", []byte(slurp(t, filepath.Join(example, "firedrill.yaml"))))
	if err != nil {
		t.Fatal(err)
	}
	alarms, roles := slurp(t, filepath.Join(example, "terraform", "alarms.tf")), slurp(t, filepath.Join(example, "terraform", "roles.tf"))
	found, err := filepath.Glob(filepath.Join(example, "drills", "*.yaml"))
	if err != nil || len(found) != 3 {
		t.Fatalf("%v %v", found, err)
	}
	for _, path := range found {
		spec, err := drills.ReadDrill(path, []byte(slurp(t, path)), drills.KnownKinds(inject.NewCatalog(nil, inject.CatalogOptions{})))
		if err == nil {
			spec, err = spec.Resolve(file.Environments["staging"].Vars)
		}
		if err != nil {
			t.Fatal(err)
		}
		if name := spec.Drill + ".yaml"; name != filepath.Base(path) || !strings.Contains(roles, spec.Drill) {
			t.Errorf("%s is drill %s, and the roles are made for others", path, spec.Drill)
		}
		for _, w := range spec.Watch {
			if !strings.Contains(alarms, `= "`+string(*w.Alarm)+`"`) {
				t.Errorf("%s watches %s, which the Terraform does not make", path, *w.Alarm)
			}
		}
	}
}

// The journal's table is the one that firedrill makes itself.
func TestTheExamplesJournalIsTheStores(t *testing.T) {
	t.Parallel()
	d := sit(t)
	out, err := d.dynamodb().DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("firedrill")})
	if err != nil {
		t.Fatal(err)
	}
	made := fmt.Sprintf("billing_mode=%q deletion_protection_enabled=%t", out.Table.BillingModeSummary.BillingMode, *out.Table.DeletionProtectionEnabled)
	for i, k := range out.Table.KeySchema {
		made += fmt.Sprintf(" %s=%q", []string{"hash_key", "range_key"}[i], *k.AttributeName)
	}
	for _, a := range out.Table.AttributeDefinitions {
		made += fmt.Sprintf(" name=%q type=%q", *a.AttributeName, a.AttributeType)
	}
	text := strings.Join(strings.Fields(regexp.MustCompile(`\s*=\s*`).ReplaceAllString(slurp(t, filepath.Join(example, "terraform", "journal.tf")), "=")), " ")
	for _, word := range append(strings.Fields(made), "point_in_time_recovery { enabled=true }", `tags={ firedrill="journal" }`) {
		if !strings.Contains(text, word) {
			t.Errorf("journal.tf has no %s", word)
		}
	}
	if said := d.say(t.Context(), t, "init", "--store", "dynamodb", "--env", "staging"); said.code != 0 || !strings.Contains(said.out, "nothing was changed") {
		t.Errorf("firedrill makes another table: %d\n%s", said.code, said.out)
	}
}

// terraform runs it in a folder of its own, without a provider and without a network.
func terraform(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed: what it says of the example is not asked")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, path, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0", "TF_CLI_ARGS=-no-color", "TF_VAR_pagerduty_cloudwatch_key=0123456789abcdef0123456789abcdef")
	out, err := c.CombinedOutput()
	return string(out), err
}

func TestTheExamplesTerraformIsFormatted(t *testing.T) {
	if out, err := terraform(t, example, "fmt", "-check", "-diff", "terraform"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// plain is the part of the example's Terraform that needs no provider: variables, names, and the file that they make.
func plain(t *testing.T, more map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"terraform.tfvars": slurp(t, filepath.Join(example, "terraform", "terraform.tfvars.example"))}
	for _, name := range []string{"variables.tf", "names.tf", "firedrill.yaml.tftpl"} {
		files[name] = slurp(t, filepath.Join(example, "terraform", name))
	}
	for name, text := range more {
		files[name] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What the Terraform puts out is the environment file of the example.
func TestTheExamplesTerraformWritesItsEnvironment(t *testing.T) {
	want := slurp(t, filepath.Join(example, "firedrill.yaml"))
	listener := regexp.MustCompile(`arn:aws:elasticloadbalancing:\S+`).FindString(want)
	output := slurp(t, filepath.Join(example, "terraform", "outputs.tf"))
	output, _, _ = strings.Cut(output, "\noutput \"journal\"")
	output = strings.ReplaceAll(output, "data.aws_lb_listener.target.arn", `"`+listener+`"`)
	dir := plain(t, map[string]string{"outputs.tf": output})
	for _, args := range [][]string{{"init", "-backend=false"}, {"apply", "-auto-approve"}} {
		if out, err := terraform(t, dir, args...); err != nil {
			t.Fatalf("terraform %v: %v\n%s", args, err, out)
		}
	}
	got, err := terraform(t, dir, "output", "-raw", "firedrill_yaml")
	if err != nil || !strings.Contains(got, want) { // it may warn beside
		t.Errorf("%v\n%s", err, got)
	}
}

// Names that say production are refused by Terraform as firedrill refuses them.
func TestTheExamplesTerraformRefusesProduction(t *testing.T) {
	names := []string{"staging", "prod", "eu-prod-1", "live-orders", "delivery", "reproduction", "prd", "production", "prod2", "olive"}
	var tests strings.Builder
	for i, name := range names {
		_, production := drills.NamesProduction(name)
		expect := ""
		if production {
			expect = "\n  expect_failures = [var.environment, var.tags]"
		}
		fmt.Fprintf(&tests, "run \"name_%d\" {\n  command = plan\n  variables {\n    environment = %q\n    tags = { environment = \"the %s of ours\" }\n  }%s\n}\n", i, name, name, expect)
	}
	dir := plain(t, map[string]string{"names.tftest.hcl": tests.String()})
	for _, args := range [][]string{{"init", "-backend=false"}, {"test"}} {
		out, err := terraform(t, dir, args...)
		if err != nil {
			t.Fatalf("terraform %v: %v\n%s", args, err, out)
		}
		if args[0] == "test" && !strings.Contains(out, fmt.Sprintf("%d passed, 0 failed", len(names))) {
			t.Errorf("%s", out)
		}
	}
}
