// Command firedrill injects a real, reversible fault into staging, pages the on-call, times them, puts everything back
// and writes the debrief.
package main

import (
	"os"
	_ "time/tzdata" // a window has a time zone, also where the machine knows none

	"github.com/firedrill/firedrill/cmd"
)

func main() { os.Exit(cmd.Main()) }
