package inject_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/inject"
)

// Whatever a release has recorded, a person can put it back by hand: the commands name the target and the region, and
// do what the fault's own undo does.
func TestByHand(t *testing.T) {
	want := map[string][]string{
		"dynamodb.throttle-on-demand.v1.json": {"aws dynamodb update-table --cli-input-json '{", "aws dynamodb untag-resource --resource-arn "},
		"dynamodb.throttle-provisioned.v1.json": {"aws dynamodb update-table --cli-input-json '{", "aws application-autoscaling register-scalable-target --cli-input-json '{",
			"aws application-autoscaling register-scalable-target --cli-input-json '{", "aws dynamodb untag-resource --resource-arn "},
		"http.error.v1.json":    {"aws elbv2 describe-rules --listener-arn "},
		"sqs.poison.v1.json":    {"aws sqs receive-message --queue-url ", "aws sqs untag-queue --queue-url ", "aws sqs untag-queue --queue-url "},
		"dynamodb.deny.v1.json": {"aws dynamodb get-resource-policy --resource-arn ", "aws dynamodb untag-resource --resource-arn "},
		"sqs.stall.v1.json":     {"aws sqs get-queue-attributes --queue-url ", "aws sqs untag-queue --queue-url "},
	}
	catalog := inject.NewCatalog(nil, inject.CatalogOptions{})
	for file, begins := range want {
		t.Run(file, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join("testdata", "undo", file))
			var u inject.Undo
			must(t, 0, json.Unmarshal(must(t, raw, err), &u))
			lines := catalog[u.Kind].ByHand(u)
			if len(lines) != len(begins) {
				t.Fatalf("%d commands, want %d:\n%s", len(lines), len(begins), strings.Join(lines, "\n"))
			}
			for i, line := range lines {
				if !strings.HasPrefix(line, begins[i]) || !strings.Contains(line, " --region "+u.Target.Region) {
					t.Errorf("command %d is %s", i+1, line)
				}
				_, in, ok := strings.Cut(line, "--cli-input-json '")
				if in, _, _ = strings.Cut(in, "'"); ok && !json.Valid([]byte(in)) {
					t.Errorf("command %d has no JSON: %s", i+1, line)
				}
			}
		})
	}
	for name, kind := range catalog {
		if kind.ByHand == nil {
			t.Errorf("%s cannot be put back by hand", name)
		}
	}
}
