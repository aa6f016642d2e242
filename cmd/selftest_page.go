package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// writePage prints the page of proof, and keeps it beside the selftest's own journal.
func (s *selftest) writePage(broke error) (string, error) {
	page := s.page(broke)
	path := filepath.Join(s.dir, "proof.md")
	_, err := fmt.Fprint(s.Out, page)
	if e := os.WriteFile(path, []byte(page), 0o600); e != nil {
		return path, fmt.Errorf("write page of proof: %w", e)
	}
	return path, err
}

// page is the proof in Markdown.
func (s *selftest) page(broke error) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# firedrill selftest in %s\n", s.env.Name)
	line("%s, firedrill %s, account %s. Everything below happened to a table and two queues that were made for it.\n",
		s.began.UTC().Format(time.RFC3339), Version, s.env.AWS.Account)
	if s.sandbox {
		line("This is a sandbox: it shows how the proof looks, not that your account behaves so.\n")
	}
	line("Made: table `%s`, queue `%[1]s` and its dead-letter queue `%[1]s-dlq`.\n", s.things.Table)
	line("| broken by | felt | killed | put back by | as before after | |\n|---|---|---|---|---|---|")
	for _, p := range s.proofs {
		by := "another process, from the journal"
		if p.Part.Switch {
			by = "the dead-man's switch; nobody recovered"
		}
		verdict, took := "**proven**", "–"
		if !p.proven() {
			verdict = "**not proven**"
		}
		if !p.Killed.IsZero() && !p.Back.IsZero() {
			took = p.Back.Sub(p.Killed).Round(100 * time.Millisecond).String()
		}
		line("| %s | %s | %s | %s | %s | %s |", p.Part.Kind, hour(p.Broken), hour(p.Killed), by, took, verdict)
	}
	for _, p := range s.proofs {
		line("\n## %s\n\nRun `%s`, process killed with SIGKILL. While it was broken:\n\n```diff", p.Part.Kind, p.Run)
		for _, l := range p.Changed {
			line("%s", l)
		}
		line("```\n")
		if p.proven() {
			if p.Part.Switch {
				line("Its calls put the values back; its tags stayed, as the plan says, until another process ended the run.\n")
			}
			line("Afterwards: no difference to before.")
			continue
		}
		line("Afterwards: %s", p.why())
	}
	line("")
	switch {
	case s.deleted != nil:
		line("**Left behind:** %v", s.deleted)
	default:
		line("Table and queues are deleted again.")
	}
	if broke != nil {
		line("\n**It was broken off:** %v", broke)
	}
	return b.String()
}

func hour(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("15:04:05")
}
