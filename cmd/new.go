package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
)

const newHelp = `Write a new drill into your first folder of drills, or here where there is none: a commented skeleton, or with --from
one that exists, under its new name and with your own tables and queues in place of its variables.

  firedrill new cart-throttle --from orders-write-throttle --var orders_table=cart`

func newNewCommand(d *Deps) *cobra.Command {
	var from string
	var vars []string
	c := &cobra.Command{
		Use: "new NAME", Short: "Write a new drill", Long: newHelp + exits(), Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runNew(d, args[0], from, vars) },
	}
	c.Flags().StringVar(&from, "from", "", "the drill to start from, by name or path")
	c.Flags().StringArrayVar(&vars, "var", nil, "variable=value: what stands in place of ${variable}; may be repeated")
	return c
}

func runNew(d *Deps, name, from string, vars []string) error {
	values, err := pairs(vars)
	if err != nil {
		return err
	}
	if from == "" && len(values) > 0 {
		return usage("--var needs a drill to put values into. Try: --from DRILL")
	}
	f, err := d.file()
	if err != nil {
		return err
	}
	src, err := d.newDrill(f, name, from, values)
	if err != nil {
		return err
	}
	dir := d.Dir
	if len(f.Drills) > 0 {
		dir = f.Drills[0]
	}
	path := filepath.Join(dir, name+".yaml")
	if err := writeNew(path, src); err != nil {
		return err
	}
	fmt.Fprintln(d.Out, d.short(path))
	fmt.Fprintf(d.Err, "Try next: firedrill validate %s · firedrill plan %[1]s\n", d.asDrill(f, path, name))
	return nil
}

// newDrill makes the file's content. All that can be wrong with it is a mistake of who asked.
func (d *Deps) newDrill(f *drills.File, name, from string, vars map[string]string) ([]byte, error) {
	src := drills.Skeleton(name)
	if from != "" {
		base, _, err := d.library(f).Source(from)
		if err == nil {
			src, err = drills.NewFrom(base, name, vars)
		}
		if err != nil {
			return nil, badInput(err)
		}
	}
	spec, err := drills.ReadDrill(name+".yaml", src, d.kinds())
	if err != nil && from != "" {
		return nil, badInput(err)
	}
	if err != nil || spec.Drill != name {
		return nil, usage("%q is not the name of a drill. Try: lower-case letters, digits and dashes", name)
	}
	return src, nil
}

// asDrill is how the other verbs call a drill: by its name where they find it, else by its path.
func (d *Deps) asDrill(f *drills.File, path, name string) string {
	if len(f.Drills) > 0 {
		return name
	}
	return "./" + d.short(path)
}

// badInput makes an error of what somebody asked for exit as such.
func badInput(err error) error {
	var mistakes *drills.Mistakes
	var exit *exitError
	if err == nil || errors.As(err, &mistakes) || errors.As(err, &exit) {
		return err
	}
	return &exitError{exitUsage, err}
}

// pairs reads name=value.
func pairs(list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, kv := range list {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" || v == "" {
			return nil, usage("--var %q. Try: --var name=value", kv)
		}
		if _, twice := out[k]; twice {
			return nil, usage("--var %s stands twice", k)
		}
		out[k] = v
	}
	return out, nil
}

// writeNew writes a file that is not there yet. It never overwrites one.
func writeNew(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usage("%s exists, and is not overwritten. Try: another name, or move it away", path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(path))
	}
	return nil
}
