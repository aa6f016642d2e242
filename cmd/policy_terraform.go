package cmd

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/drills"
)

// notInLabel is whatever may not stand in the name of a Terraform block.
var notInLabel = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// printTerraform writes the roles and their policies as Terraform takes them, in the form that terraform fmt gives.
func (d *Deps) printTerraform(all policies) error {
	t := &terraform{}
	t.line(0, "# Written by firedrill policy, for %s in %s.", strings.Join(all.Drills, ", "), all.Environment)
	for _, p := range all.Roles {
		if len(p.Documents) > 0 && p.Trust == nil {
			return usage("a role must be trusted by somebody. Try: --trust %s", "arn:aws:iam::123456789012:role/ci")
		}
		t.role(p)
	}
	_, err := fmt.Fprint(d.Out, t.String())
	return err
}

// terraform is a file of it.
type terraform struct{ strings.Builder }

func (t *terraform) line(depth int, format string, args ...any) {
	fmt.Fprintf(t, strings.Repeat("  ", depth)+format+"\n", args...)
}

func (t *terraform) role(p *drills.Policy) {
	label := notInLabel.ReplaceAllString(p.Role, "_")
	t.line(0, "")
	t.line(0, "# %s", p.Role)
	for _, n := range p.Notes {
		t.line(0, "# note: %s", strings.ReplaceAll(n, "\n", " "))
	}
	if len(p.Documents) == 0 {
		return
	}
	t.document(label+"_trust", *p.Trust)
	t.line(0, "")
	t.line(0, "resource \"aws_iam_role\" %s {", quoted(label))
	t.line(1, "name               = %s", quoted(p.Role))
	t.line(1, "assume_role_policy = data.aws_iam_policy_document.%s_trust.json", label)
	t.line(0, "}")
	for i, doc := range p.Documents {
		name, block := p.Role, label
		if len(p.Documents) > 1 {
			name, block = fmt.Sprintf("%s-%d", p.Role, i+1), fmt.Sprintf("%s_%d", label, i+1)
		}
		t.line(0, "")
		t.document(block, doc)
		t.line(0, "")
		t.line(0, "resource \"aws_iam_policy\" %s {", quoted(block))
		t.line(1, "name   = %s", quoted(name))
		t.line(1, "policy = data.aws_iam_policy_document.%s.json", block)
		t.line(0, "}")
		t.line(0, "")
		t.line(0, "resource \"aws_iam_role_policy_attachment\" %s {", quoted(block))
		t.line(1, "role       = aws_iam_role.%s.name", label)
		t.line(1, "policy_arn = aws_iam_policy.%s.arn", block)
		t.line(0, "}")
	}
	if p.Caller != nil {
		t.line(0, "")
		t.line(0, "# for whoever assumes it")
		t.document(label+"_caller", *p.Caller)
	}
}

func (t *terraform) document(label string, doc drills.Document) {
	t.line(0, "data \"aws_iam_policy_document\" %s {", quoted(label))
	for i, s := range doc.Statement {
		if i > 0 {
			t.line(0, "")
		}
		t.statement(s)
	}
	t.line(0, "}")
}

func (t *terraform) statement(s drills.Statement) {
	t.line(1, "statement {")
	width := len("actions")
	if len(s.Resource) > 0 {
		width = len("resources")
	}
	t.line(2, "%-*s = %s", width, "sid", quoted(s.Sid))
	t.line(2, "%-*s = %s", width, "effect", quoted(s.Effect))
	t.list(2, "actions", width, s.Action)
	if len(s.Resource) > 0 {
		t.list(2, "resources", width, s.Resource)
	}
	for _, kind := range sortedKeys(s.Principal) {
		t.line(0, "")
		t.line(2, "principals {")
		t.line(3, "type        = %s", quoted(kind))
		t.list(3, "identifiers", len("identifiers"), s.Principal[kind])
		t.line(2, "}")
	}
	for _, op := range sortedKeys(s.Condition) {
		for _, key := range sortedKeys(s.Condition[op]) {
			t.line(0, "")
			t.line(2, "condition {")
			t.line(3, "test     = %s", quoted(op))
			t.line(3, "variable = %s", quoted(key))
			t.list(3, "values", len("variable"), s.Condition[op][key])
			t.line(2, "}")
		}
	}
	t.line(1, "}")
}

// list writes a list on one line.
func (t *terraform) list(depth int, name string, width int, values []string) {
	var all []string
	for _, v := range values {
		all = append(all, quoted(v))
	}
	t.line(depth, "%-*s = [%s]", width, name, strings.Join(all, ", "))
}

// quoted is a text as Terraform reads it: what would begin a template is doubled.
func quoted(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "${", "$${", "%{", "%%{").Replace(s)
	return `"` + s + `"`
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
