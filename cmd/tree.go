package cmd

import "github.com/spf13/cobra"

// Tree is every verb with its flags and help, for who writes manuals and completions of them. It is not to be run: Run is.
func Tree(d *Deps) *cobra.Command { return newRoot(d) }
