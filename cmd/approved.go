package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/firedrill/firedrill/drills"
)

// writeApproval writes the file of a plan for somebody else to approve. A plan that must be mended has none; what only
// passes with time keeps nobody from approving it.
func (d *Deps) writeApproval(path string, v *drills.Preview, no *drills.Refusal) error {
	if no != nil && !no.Later {
		return nil
	}
	a, err := v.Approve(no, d.operator(), d.Now())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(a); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := d.replace(path, b.String()); err != nil {
		return err
	}
	fmt.Fprintf(d.Err, "Try next: have %s approved, then: firedrill run --plan %s --env %s\n", path, path, a.Environment)
	return nil
}

// approval reads the plan file that a run is made of, where there is one; drill and environment are the file's.
func (d *Deps) approval(path string, names []string) ([]string, error) {
	if path == "" && len(names) == 0 {
		return nil, usage("run: something is missing. Try: firedrill run DRILL, or firedrill list")
	}
	if path == "" {
		return names, nil
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("read plan: %v. Try: firedrill plan DRILL --out %s", err, path)
	}
	a, err := drills.ReadApproved(src)
	if err != nil {
		return nil, &drills.Refusal{Code: "approved", Why: fmt.Sprintf("read plan %s: %v", path, err), Try: "firedrill plan DRILL --out " + path}
	}
	if d.env != "" && d.env != a.Environment {
		return nil, usage("%s is a plan for environment %s, not %s. Try: without --env", path, a.Environment, d.env)
	}
	d.env, d.approved = a.Environment, a
	switch len(names) {
	case 0:
		return []string{a.Drill}, nil
	case 1:
		return names, nil // by its path, perhaps: what it says must be what was approved
	}
	return nil, usage("%s is the plan of one drill. Try: firedrill run --plan %s", path, path)
}

// asApproved says no where a plan is not the one that was approved; nothing was approved where no file was named.
func (d *Deps) asApproved(v *drills.Preview) error {
	if d.approved == nil {
		return nil
	}
	if no := d.approved.Same(v); no != nil {
		return no
	}
	v.Plan.Approved, v.Brief.Approved = d.approved.Hash, d.approved.Words()
	return nil
}
