package cmd

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersionCommand(d *Deps) *cobra.Command {
	c := &cobra.Command{
		Use: "version", Short: "Tell the version", Long: "Tell the version, the commit it was built from, and the Go it was built with." + exits(),
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runVersion(d) },
	}
	outputFlag(c, d)
	return c
}

// build is what is known of this program.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"` // empty when it was not built from a checkout
	Go      string `json:"go"`
}

func runVersion(d *Deps) error {
	asJSON, err := d.json()
	if err != nil {
		return err
	}
	b := thisBuild()
	if asJSON {
		return writeJSON(d.Out, b)
	}
	if b.Commit != "" {
		b.Commit = " (" + b.Commit + ")"
	}
	_, err = fmt.Fprintf(d.Out, "firedrill %s%s %s\n", b.Version, b.Commit, b.Go)
	return err
}

func thisBuild() build {
	b := build{Version: Version, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	changed := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Commit = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	if b.Commit != "" {
		b.Commit += changed
	}
	return b
}

// writeJSON is an answer for a machine.
func writeJSON(w interface{ Write([]byte) (int, error) }, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
