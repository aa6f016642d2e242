package docrun_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/docrun"
)

// onlyParsed are the verbs whose commands are held against the program's verbs and flags, and not run here, and why; then
// single commands, by page and words.
func onlyParsed() (verbs, lines map[string]string) {
	return map[string]string{
			"run":     "a whole drill: make walk makes one",
			"play":    "somebody must answer it; its own tests do",
			"serve":   "it ends with a signal only",
			"sandbox": "it is one, or needs one that is running",
		}, map[string]string{
			"docs/slack.md: debrief 01hx --collect": "no run of that name is in the journal",
		}
}

// ends are the commands of the pages that do not end with 0 here.
func ends() map[string]int {
	return map[string]int{
		"README.md: init":               2, // nobody is there to be asked, and a firedrill.yaml stands there already
		"README.md: report my-throttle": 2, // it has not been run here
	}
}

// pagesOf are the pages of the house, by their path from its root.
func pagesOf(t *testing.T) []string {
	t.Helper()
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if page := strings.TrimPrefix(filepath.ToSlash(path), "../../"); page != "docs/verbs.md" && page != "CHANGELOG.md" {
				pages = append(pages, page)
			}
		}
	}
	if len(pages) < 18 {
		t.Fatalf("found %d pages only", len(pages))
	}
	return pages
}

// commandsOf are the command lines that a page shows.
func commandsOf(t *testing.T, page string) []docrun.Command {
	t.Helper()
	all, err := docrun.Commands(page, slurp(t, filepath.Join("../..", page)))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// blocksOf are the blocks of a page.
func blocksOf(t *testing.T, page string) []docrun.Block {
	t.Helper()
	blocks, _, err := docrun.Blocks(page, slurp(t, filepath.Join("../..", page)))
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

// open is a word that people fill in: RUN, "$DRILL", NAME.
var open = regexp.MustCompile(`^([A-Z][A-Z_-]*|.*[$…].*)$`)

// Every command line of the pages runs on a sandbox, in the page's order. Words to be filled in, and sentences that
// mention a command, are held against the program's verbs and flags in its own package.
func TestTheCommandsOfThePagesRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the program in processes of its own")
	}
	t.Parallel()
	d := sit(t)
	vars := ""
	for _, name := range slices.Sorted(maps.Keys(d.box.Vars)) {
		vars += "      " + name + ": " + d.box.Vars[name] + "\n"
	}
	d.append(t, "firedrill.yaml", vars)
	if err := os.Mkdir(filepath.Join(d.dir, "plan"), 0o700); err != nil { // a job's step makes it
		t.Fatal(err)
	}
	ended, ran := ends(), 0
	verbs, parsed := onlyParsed()
	for _, page := range pagesOf(t) {
		if page == walked {
			continue
		}
		for _, c := range commandsOf(t, page) {
			name := page + ": " + strings.Join(c.Args, " ")
			_, known := parsed[name]
			delete(parsed, name)
			if known || c.Inline || len(c.Args) == 0 || verbs[c.Args[0]] != "" || slices.ContainsFunc(c.Args, open.MatchString) || !typed(t, c) {
				continue
			}
			want := ended[name]
			delete(ended, name)
			ran++
			if s := d.say(t.Context(), t, c.Args...); s.code != want {
				t.Errorf("%s: firedrill %s ends with %d, want %d\n%s", c.Place(), strings.Join(c.Args, " "), s.code, want, s.out)
			}
		}
	}
	for name := range parsed {
		t.Errorf("%s: no page shows it any more, and no reason is needed", name)
	}
	for name := range ended {
		t.Errorf("%s: no page shows it any more", name)
	}
	if ran < 8 {
		t.Errorf("ran %d commands only", ran)
	}
	t.Logf("%d commands ran", ran)
}

// typed says whether a command stands in a block that people type, and not in a file.
func typed(t *testing.T, c docrun.Command) bool {
	t.Helper()
	for _, b := range blocksOf(t, c.Page) {
		if c.Line >= b.Line && c.Line <= b.Line+strings.Count(b.Text, "\n") {
			return slices.Contains([]string{"", "sh", "bash", "console"}, b.Lang)
		}
	}
	return false
}

// The drills and environments of the pages are read, whole or in part.
func TestTheFilesOfThePagesAreRead(t *testing.T) {
	kinds := drills.KnownKinds(inject.NewCatalog(nil, inject.CatalogOptions{}))
	read := 0
	for _, page := range pagesOf(t) {
		for _, b := range blocksOf(t, page) {
			if b.Lang != "yaml" && b.Lang != "yml" {
				continue
			}
			known, err := b.Validate(kinds)
			if err != nil {
				t.Errorf("%s:%d: %v", page, b.Line, err)
			}
			if known {
				read++
			}
		}
	}
	if read < 14 {
		t.Errorf("read %d of them only", read)
	}
	for text, says := range map[string]string{
		"window: {days: mon-fri, hours: \"10-16\", zone: UTC}":     "hours",
		"faults: [{dynamodb.throttle: {table: orders, writs: 1}}]": "writs",
		"drill: x\ntitle: y": "limit",
		"environments: {staging: {aws: {account: 123456789012}}}":            "quotes",
		"teams: {orders: {service: PORDERS, key: 0123456789abcdef01234567}}": "key",
	} {
		if known, err := (docrun.Block{Page: "page.md", Line: 3, Lang: "yaml", Text: text}).Validate(kinds); !known || err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v %v", text, known, err)
		}
	}
	if known, err := (docrun.Block{Lang: "yaml", Text: "on: push\njobs: {}"}).Validate(kinds); known || err != nil {
		t.Errorf("a workflow is taken for one of ours: %v", err)
	}
}

// append writes at the end of a file of the desk.
func (d *desk) append(t *testing.T, file, text string) {
	t.Helper()
	path := filepath.Join(d.dir, file)
	if err := os.WriteFile(path, []byte(slurp(t, path)+text), 0o600); err != nil {
		t.Fatal(err)
	}
}
