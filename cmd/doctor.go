package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

const doctorHelp = `Look at everything that keeps drills from running in an environment, or from being heard: credentials, account, tags,
alarms and whom they tell, PagerDuty, the journal, the dead-man's switch, links, and what earlier runs have left.

It only reads. Each line is ok, warn or wrong, and says what was found; under each warn and wrong stands the command that
mends it, with your own ids in it. It goes on after what is wrong; what cannot be looked at for that reason is told as such.
What each check means: docs/doctor.md.`

func newDoctorCommand(d *Deps) *cobra.Command {
	c := &cobra.Command{
		Use: "doctor", Short: "Look at an environment's set-up, and say what mends it",
		Long: doctorHelp + exits("4 something is wrong", "130 interrupted"), Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDoctor(c.Context(), d) },
	}
	outputFlag(c, d)
	return c
}

func runDoctor(ctx context.Context, d *Deps) error {
	asJSON, err := d.json()
	if err != nil {
		return err
	}
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	f, err := d.file()
	if err != nil {
		return err
	}
	env, stop, err := d.environment(ctx, f, sandboxUse{start: true, responder: "none"})
	defer stop()
	if err != nil {
		return err
	}
	show := &diagnosis{d: d}
	reached := d.meanwhile("reaching " + env.Name)
	defer reached()
	found, err := d.examine(ctx, f, env, func(x *drills.Examination) {
		if !asJSON {
			show.colour, show.waiting = d.Terminal() && d.Color(), d.Terminal() && d.Width() > 0
			x.Tell, x.Progress = func(f drills.Finding) {
				if ctx.Err() == nil { // who calls it off does not read what was not looked at
					show.tell(f)
				}
			}, func(done, all int) {
				reached()
				show.progress(done, all)
			}
		}
	})
	if err != nil {
		show.close()
		return interrupted(ctx, err)
	}
	count := map[drills.Health]int{}
	for _, one := range found {
		count[one.Health]++
	}
	if asJSON {
		err = writeJSON(d.Out, doctorView(env.Name, found, count))
	} else {
		show.end(count)
	}
	if err == nil && count[drills.Wrong] > 0 {
		err = &exitError{exitRefused, nil}
	}
	return err
}

// diagnosed is what a doctor found, for a machine.
type diagnosed struct {
	Environment string             `json:"environment"`
	OK          int                `json:"ok"`
	Warn        int                `json:"warn"`
	Wrong       int                `json:"wrong"`
	Unseen      int                `json:"not_looked_at"`
	Findings    []diagnosedFinding `json:"findings"`
}

type diagnosedFinding struct {
	Group  string   `json:"group"`
	Check  string   `json:"check"`
	Health string   `json:"health"` // ok, warn, wrong or not looked at
	On     string   `json:"on"`
	Found  string   `json:"found"`
	Try    string   `json:"try"`
	Drills []string `json:"drills"`
}

func doctorView(env string, found []drills.Finding, count map[drills.Health]int) diagnosed {
	out := diagnosed{Environment: env, OK: count[drills.Healthy], Warn: count[drills.Ailing], Wrong: count[drills.Wrong],
		Unseen: count[drills.Unseen], Findings: []diagnosedFinding{}}
	for _, f := range found {
		out.Findings = append(out.Findings, diagnosedFinding{Group: f.Group, Check: f.Check, Health: string(f.Health), On: f.On, Found: f.Found,
			Try: f.Try, Drills: append([]string{}, f.Drills...)})
	}
	return out
}

// diagnosis writes findings as they come, group by group.
type diagnosis struct {
	d       *Deps
	colour  bool
	waiting bool   // a person waits: how far it is stands on the last line
	shown   bool   // that line is there
	group   string // whose heading was written last
	same    []drills.Finding
}

// alikeAtOnce is how many things of a check that are as they should be stand on lines of their own.
const alikeAtOnce = 3

func (s *diagnosis) tell(f drills.Finding) {
	if len(s.same) > 0 && (f.Health != drills.Healthy || f.Check != s.same[0].Check || f.Found != s.same[0].Found) {
		s.flush()
	}
	if f.Health == drills.Healthy && f.On != "" {
		s.same = append(s.same, f)
		return
	}
	s.write(f, f.On)
}

// flush writes what is alike, and as it should be: a few by name, many in one line.
func (s *diagnosis) flush() {
	same := s.same
	s.same = nil
	if len(same) > alikeAtOnce {
		s.write(same[0], fmt.Sprintf("all %d", len(same)))
		return
	}
	for _, f := range same {
		s.write(f, f.On)
	}
}

func (s *diagnosis) write(f drills.Finding, on string) {
	s.clear()
	w := s.d.Out
	if f.Group != s.group {
		if s.group != "" {
			fmt.Fprintln(w)
		}
		s.group = f.Group
		fmt.Fprintln(w, f.Group)
	}
	text := f.Found
	if on != "" {
		text = on + ": " + unsaid(on, text)
	}
	word := string(f.Health)
	if f.Health == drills.Unseen {
		word, text = "-", "not looked at: "+text
	}
	text += ofDrills(f)
	word = fmt.Sprintf("%-5s", word)
	if lead := fmt.Sprintf("  %s  %-14s  ", word, f.Check); s.waiting { // a file has one line a check, a command is never broken
		text = strings.TrimPrefix(wrap(lead, text, s.d.Width()), lead)
	}
	if s.colour {
		word = colours().of(doctorHues()[f.Health], word)
	}
	fmt.Fprintf(w, "  %s  %-14s  %s\n", word, f.Check, text)
	if f.Try != "" && f.Health != drills.Healthy {
		fmt.Fprintf(w, "         Try: %s\n", f.Try)
	}
}

// unsaid takes out of a sentence the name of what it is about, where that stands before it already.
func unsaid(on, text string) string {
	for _, begin := range []string{"arn:", "http", "alarm ", "the "} {
		if strings.HasPrefix(on, begin) && !strings.Contains(text, "no "+on) {
			return strings.Replace(text, on, "it", 1)
		}
	}
	return text
}

// doctorHues are the colours of a palette by what they mean here.
func doctorHues() map[drills.Health]journal.Kind {
	return map[drills.Health]journal.Kind{drills.Healthy: journal.FaultCeased, drills.Ailing: journal.AlarmFired,
		drills.Wrong: journal.GuardRefused, drills.Unseen: grey}
}

// ofDrills says which drills something that is not well is about.
func ofDrills(f drills.Finding) string {
	if f.Health == drills.Healthy || len(f.Drills) == 0 || len(f.Drills) == 1 && f.Drills[0] == f.On {
		return ""
	}
	return " (" + strings.Join(f.Drills, ", ") + ")"
}

func (s *diagnosis) progress(done, all int) {
	if !s.waiting || done == all {
		s.clear()
		return
	}
	fmt.Fprintf(s.d.Err, "\r\x1b[Klooking: %d of %d", done, all)
	s.shown = true
}

// clear takes the last line away, where a person waits.
func (s *diagnosis) clear() {
	if s.shown {
		fmt.Fprint(s.d.Err, "\r\x1b[K")
		s.shown = false
	}
}

// close writes what was held back.
func (s *diagnosis) close() {
	s.flush()
	s.clear()
}

func (s *diagnosis) end(count map[drills.Health]int) {
	s.close()
	line := fmt.Sprintf("%d ok, %d warn, %d wrong", count[drills.Healthy], count[drills.Ailing], count[drills.Wrong])
	if n := count[drills.Unseen]; n > 0 {
		line += fmt.Sprintf(", %d not looked at", n)
	}
	fmt.Fprintln(s.d.Out, "\n"+line)
}
