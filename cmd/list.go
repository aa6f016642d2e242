package cmd

import (
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
)

const listHelp = `List the drills that run and plan know by name: your own folders (drills: in firedrill.yaml) before those that come
with firedrill. One of yours hides one of ours of the same name, and says so.`

func newListCommand(d *Deps) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List the drills", Long: listHelp + exits(), Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runList(d) },
	}
	outputFlag(c, d)
	return c
}

// listedDrill is one drill of a list, for a machine.
type listedDrill struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	Team   string   `json:"team"`
	Tags   []string `json:"tags"`
	Source string   `json:"source"` // the file; empty for one that comes with firedrill
	Hides  bool     `json:"hides"`
	Broken string   `json:"broken,omitempty"`
}

func runList(d *Deps) error {
	asJSON, err := d.json()
	if err != nil {
		return err
	}
	f, err := d.file()
	if err != nil {
		return err
	}
	list, wrong := d.library(f).List()
	if asJSON {
		out := []listedDrill{}
		for _, l := range list {
			one := listedDrill{Name: l.Name, Title: l.Title, Team: l.Team, Tags: l.Tags, Source: l.Source, Hides: l.Hides}
			if l.Broken != nil {
				one.Broken = l.Broken.Error()
			}
			out = append(out, one)
		}
		err = writeJSON(d.Out, out)
	} else {
		err = d.printDrills(list)
	}
	if err == nil && wrong != nil {
		err = &exitError{exitUsage, wrong}
	}
	return err
}

func (d *Deps) printDrills(list []drills.Listed) error {
	w := tabwriter.NewWriter(d.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DRILL\tWHAT HAPPENS\tTEAM\tTAGS\tFROM")
	for _, l := range list {
		title, from := l.Title, "firedrill"
		if l.Source != "" {
			from = d.short(l.Source)
		}
		if l.Hides {
			from += " (hides firedrill's)"
		}
		if l.Broken != nil {
			title = "cannot be read: firedrill validate " + from
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Name, title, l.Team, strings.Join(l.Tags, ","), from)
	}
	return w.Flush()
}

// short is a path as seen from where the program was started, if that is shorter.
func (d *Deps) short(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(d.Dir, abs); err == nil && len(rel) < len(abs) {
		return rel
	}
	return abs
}
