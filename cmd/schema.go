package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
)

const schemaHelp = `Print the JSON Schema of a drill file or of firedrill.yaml, for editors: they then complete keys and mark mistakes.

  firedrill schema drill > drill.schema.json
  # yaml-language-server: $schema=drill.schema.json`

func newSchemaCommand(d *Deps) *cobra.Command {
	which := []string{drills.SchemaDrill, drills.SchemaEnvironment}
	return &cobra.Command{
		Use: "schema drill|environment", Short: "Print JSON Schema for editors", Long: schemaHelp + exits(),
		Args: cobra.ExactArgs(1), ValidArgs: which,
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := drills.Schema(args[0], d.kinds())
			if err != nil {
				return &exitError{exitUsage, err}
			}
			_, err = fmt.Fprintln(d.Out, string(b))
			return err
		},
	}
}
