package debrief

import (
	"fmt"
	"io"
	"strings"
)

// Annotations writes what went wrong in a run as workflow commands of GitHub Actions, one a line: an error where the drill
// itself did or something is left, a warning where an expectation was missed, a notice where it is not the time for it.
// https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
func Annotations(w io.Writer, s Suite) error {
	for _, c := range s.Cases {
		kind, title := "", s.Drill
		switch {
		case c.Result == Error:
			kind = "error"
		case c.Result == Failure:
			kind = "warning"
		case c.Result == Skipped && c.Name == CaseDrill:
			kind = "notice"
		default:
			continue
		}
		if c.Name != CaseDrill {
			title += ": " + c.Name
		}
		if _, err := fmt.Fprintf(w, "::%s title=%s::%s\n", kind, commandProperty(title), commandText(c.Says)); err != nil {
			return err
		}
	}
	return nil
}

// commandText is the text of a workflow command, whatever it holds.
func commandText(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// commandProperty is the value of one of its properties.
func commandProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(commandText(s))
}
