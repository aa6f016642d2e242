package docrun_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/internal/docrun"
)

// walked is the page whose commands make a whole drill, proof what they printed.
const (
	walked = "docs/first-real-drill.md"
	proof  = "docs/proofs/first-real-drill.md"
)

const proofHead = `# A walk through the first real drill

The commands of [the first real drill](../first-real-drill.md), in its order, with the drills and the environment file of
[examples/first-real-drill](../../examples/first-real-drill/firedrill.yaml), on the sandbox: a real environment as far as firedrill knows, with
an account, a pager and somebody on call who are not. Times are written as hh:mm:ss and N s; the account, the balancer and the addresses are
those of the example. ` + "`make walk`" + ` walks it again and holds the page to it; ` + "`make walk WALK=-update`" + ` writes this.
`

// whole says that the drill itself is run, too: it takes more than a minute, in which it mostly waits.
func whole() bool {
	return *update || os.Getenv("FIREDRILL_WALK") != "" || os.Getenv("FIREDRILL_CONFORMANCE") == "required"
}

// The page is walked: its commands run one after the other, end with 0, and print the lines that it shows.
func TestTheFirstRealDrillIsWalked(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the program in processes of its own")
	}
	t.Parallel()
	d := sit(t)
	var record strings.Builder
	record.WriteString(proofHead)
	for _, step := range stepsOf(t, walked) {
		var all, shown strings.Builder
		for _, c := range step.commands {
			args := slices.Clone(c.Args)
			if args[0] == "run" {
				if !whole() {
					t.Log("the drill itself is left to make walk")
					return
				}
				args = append(args, "--yes") // nobody sits here
			}
			s := d.say(t.Context(), t, args...)
			if s.code != 0 {
				t.Fatalf("%s: firedrill %s ends with %d\n%s", c.Place(), strings.Join(args, " "), s.code, s.out)
			}
			text := d.scrubbed(s.out)
			all.WriteString(text)
			if args[0] == "policy" { // it stands in the example
				text = "(written to terraform/roles.tf)\n"
			}
			fmt.Fprintf(&shown, "\n```\n$ firedrill %s\n%s```\n", strings.Join(args, " "), strings.ReplaceAll(text, "```", "~~~"))
		}
		record.WriteString("\n## " + step.title + "\n" + shown.String())
		for _, line := range step.prints {
			if want := plainly(scrub(line)); !strings.Contains(plainly(all.String()), want) {
				t.Errorf("%s, %s: none of its commands prints %q\n%s", walked, step.title, want, all.String())
			}
		}
	}
	path := filepath.Join("../..", proof)
	if *update {
		if err := os.WriteFile(path, []byte(record.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, must := range []string{"finished: met", "firedrill doctor --env staging", "nothing to recover: every run has ended"} {
		if !strings.Contains(slurp(t, path), must) {
			t.Errorf("%s does not tell %q. Try: make walk WALK=-update", proof, must)
		}
	}
}

// step is a section of a page: its commands, and the lines that it says they print.
type step struct {
	title    string
	commands []docrun.Command
	prints   []string
}

// stepsOf cuts a page into its sections with commands.
func stepsOf(t *testing.T, page string) (steps []step) {
	t.Helper()
	_, prose, err := docrun.Blocks(page, slurp(t, filepath.Join("../..", page)))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(prose, "\n")
	at := func(line int) *step {
		title := ""
		for _, l := range lines[:line] {
			if strings.HasPrefix(l, "## ") {
				title = strings.TrimPrefix(l, "## ")
			}
		}
		if len(steps) == 0 || steps[len(steps)-1].title != title {
			steps = append(steps, step{title: title})
		}
		return &steps[len(steps)-1]
	}
	for _, b := range blocksOf(t, page) {
		s := at(b.Line)
		for _, c := range commandsOf(t, page) {
			if !c.Inline && c.Line >= b.Line && c.Line <= b.Line+strings.Count(b.Text, "\n") {
				s.commands = append(s.commands, c)
			}
		}
		if b.Lang == "text" {
			for line := range strings.Lines(b.Text) {
				if line = strings.TrimSpace(line); line != "" {
					s.prints = append(s.prints, line)
				}
			}
		}
	}
	return slices.DeleteFunc(steps, func(s step) bool { return len(s.commands) == 0 })
}

// What differs from walk to walk: names of runs, times, how long things took.
var (
	runName  = regexp.MustCompile(`\b01[0-9a-hjkmnp-tv-z]{8}([0-9a-hjkmnp-tv-z]{16})?\b`)
	clock    = regexp.MustCompile(`\b\d\d:\d\d(:\d\d)?\b( UTC)?`)
	since    = regexp.MustCompile(`(^|[ (|])[+−-]\d+:\d\d(\.\d)?`)
	seconds  = regexp.MustCompile(`(± ?|[−+-])?\b(\d+m)?\d+(\.\d+)? s\b( ± \d+(\.\d+)? s\b)?`) // what was planned has no blank: 1m3s
	minutes  = regexp.MustCompile(`\d+m\d\ds`)
	date     = regexp.MustCompile(`\b20\d\d-\d\d-\d\d\b|\b\d{1,2} (January|February|March|April|May|June|July|August|September|October|November|December)( 20\d\d)?`)
	bars     = regexp.MustCompile(`[·─]*●[·─]*`)
	tmp      = regexp.MustCompile(`/tmp/[^\s/]*/\d+/`)
	listener = regexp.MustCompile(`app/orders/[0-9a-f]{16}/[0-9a-f]{16}`)
)

func scrub(line string) string {
	s := runName.ReplaceAllString(line, "RUN")
	s = date.ReplaceAllString(s, "DATE")
	if bars.MatchString(s) {
		s = minutes.ReplaceAllString(bars.ReplaceAllString(s, "●"), "N s")
	}
	s = since.ReplaceAllString(s, "$1+m:ss")
	s = strings.ReplaceAll(s, "00:00-24:00", "all day")
	s = clock.ReplaceAllString(s, "hh:mm:ss")
	return seconds.ReplaceAllString(s, "N s")
}

// scrubbed is what was said with the example's names in the place of the sandbox's, and without what no two walks share.
func (d *desk) scrubbed(out string) string {
	out = strings.NewReplacer(d.dir+"/", "./", d.box.Account, "123456789012", d.box.Vars["lb_url"], "https://orders.staging.example.com",
		d.box.AWS, "the sandbox", d.box.From, "drills@example.com").Replace(out)
	out = listener.ReplaceAllString(tmp.ReplaceAllString(out, "~/"), "app/orders/50dc6c495c0c9188/f2f7dc8efc522ab2")
	var lines []string
	for line := range strings.Lines(out) {
		lines = append(lines, strings.TrimRight(scrub(line), " \n"))
	}
	return strings.Join(lines, "\n") + "\n"
}

// plainly is a text without what only sets it: columns move with the length of a time.
func plainly(s string) string { return strings.Join(strings.Fields(s), " ") }

// The walk would notice: a line that nothing prints is found, a time or a column is not.
func TestTheWalkComparesWhatCounts(t *testing.T) {
	for a, b := range map[string]string{
		"20:00:31   +0:00.2  alarm x fired":            "10:01:02  +1:12.1   alarm x fired",
		"effective       0.5 s of 10m    met":          "effective  12 s of 10m met",
		"arn:aws:sqs:eu-west-1:111122223333:orders":    "arn:aws:sqs:eu-west-1:111122223333:orders",
		"restored  ─────● 1m12s":                       "restored  ──● 1m05s",
		"run 01m82dh3nra7qej14zkmepq410, DATE":         "run 01m82dh3nr, 2026-11-22",
		"at 21:08 UTC: dynamodb:updateTable":           "at 09:14 UTC: dynamodb:updateTable",
		"detected 20:00:31 +0:00.2 ±0.1 s ●·······  x": "detected 20:00:31 +0:00.4 ±0.2 s ··●·····  x",
	} {
		if x, y := plainly(scrub(a)), plainly(scrub(b)); x != y {
			t.Errorf("%q and %q differ", x, y)
		}
	}
	if scrub("eu-west-1:111122223333:") != "eu-west-1:111122223333:" || scrub("floor 1m3s") != "floor 1m3s" || scrub("fallback 15m") == scrub("fallback 10m") || scrub("1 units/s") == scrub("2 units/s") {
		t.Error("what a drill says is scrubbed away")
	}
	if len(stepsOf(t, walked)) < 6 {
		t.Errorf("%s has %d steps with commands", walked, len(stepsOf(t, walked)))
	}
}
