package docrun_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/internal/docrun"
)

func TestWordsAreCutAsAShellCutsThem(t *testing.T) {
	for line, want := range map[string]string{
		"firedrill list":                                "firedrill|list",
		"firedrill list # all of them":                  "firedrill|list",
		"firedrill serve --listen :9797   -o  json":     "firedrill|serve|--listen|:9797|-o|json",
		`firedrill note "the queue # is" 'it"s'`:        `firedrill|note|the queue # is|it"s`,
		`firedrill note a\ b "c\"d" ""`:                 `firedrill|note|a b|c"d|`,
		"firedrill schema drill > drill.schema.json":    "firedrill|schema|drill",
		"firedrill plan x -o json | jq .":               "firedrill|plan|x|-o|json",
		"firedrill plan x && firedrill run x":           "firedrill|plan|x",
		`firedrill sandbox env)"`:                       "firedrill|sandbox|env",
		"firedrill run x; echo $?":                      "firedrill|run|x",
		`firedrill status RUN --why="they called me"  `: "firedrill|status|RUN|--why=they called me",
	} {
		got, err := docrun.Words(line)
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: %q %v", line, got, err)
		}
	}
	if _, err := docrun.Words(`firedrill note "never closed`); err == nil || !strings.Contains(err.Error(), "is not closed") {
		t.Errorf("an open quote is taken: %v", err)
	}
}

const shown = "A page with `firedrill recover\n--all` in a sentence, and `firedrills` that are none.\n" + `
1. Do this:

   ~~~sh
   firedrill plan my-drill \
     --env staging
   $ FIREDRILL_ENV=staging exec bin/firedrill run my-drill
   ~~~

~~~
* * * * *  firedrill recover --expired
firedrill: not injecting: this is what it says
eval "$(firedrill sandbox env)"
      - run: exec firedrill run one --junit x.xml
make drill   # the first
say "firedrill status RUN" to see it
  firedrill policy DRILL [--for ROLE] [flags] …
Usage:
  firedrill list [flags]
~~~

~~~text
firedrill is told here
~~~
`

func TestCommandsOfAPage(t *testing.T) {
	src := strings.ReplaceAll(shown, "~~~", "```")
	all, err := docrun.Commands("page.md", src)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		line := c.Place() + " " + strings.Join(c.Args, " ")
		if c.Inline {
			line += " (mentioned)"
		} else if !strings.Contains(c.Text, "firedrill ") {
			t.Errorf("%s has the text %q", c.Place(), c.Text)
		}
		got = append(got, line)
	}
	want := []string{
		"page.md:7 plan my-drill --env staging",
		"page.md:9 run my-drill",
		"page.md:13 recover --expired",
		"page.md:15 sandbox env",
		"page.md:16 run one --junit x.xml",
		"page.md:18 status RUN",
		"page.md:19 policy DRILL --for ROLE",
		"page.md:1 recover --all (mentioned)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	targets, err := docrun.Targets("page.md", src)
	if err != nil || !slices.Equal(targets, []string{"drill"}) {
		t.Errorf("%v %v", targets, err)
	}
	if _, _, err := docrun.Blocks("page.md", "text\n```sh\nfiredrill list\n"); err == nil || !strings.Contains(err.Error(), "line 2 is not closed") {
		t.Errorf("an open block is taken: %v", err)
	}
}
