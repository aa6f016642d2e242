// Package firedrill holds the rules of the house: who may import whom, and where time, start-up and endings stand.
package firedrill

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/firedrill/firedrill"

// rooms is the import table: what the code of a room (not its tests) may import of ours. The longest name that is
// a package or one of its parents counts. A trailing /... allows what lies below.
var rooms = map[string][]string{
	"cmd/firedrill":                {"cmd"},
	"cmd":                          {"drills", "inject", "observe", "observe/timeline", "observe/debrief", "observe/web", "internal/..."},
	"drills":                       {"inject", "observe", "observe/timeline", "internal/journal"},
	"inject":                       {},
	"inject/injecttest":            {"inject"},
	"observe":                      {},
	"observe/timeline":             {"internal/journal"},
	"observe/debrief":              {"observe/timeline", "internal/journal"},
	"observe/web":                  {"observe/debrief", "observe/timeline", "internal/journal"},
	"internal/journal":             {},
	"internal/journal/journaltest": {"internal/journal"},
	"internal/sandbox":             {"internal/sandbox/..."}, // it alone puts the parts together
	"internal/sandbox/aws":         {},                       // the parts know each other by URL
	"internal/sandbox/alarms":      {},
	"internal/sandbox/hands":       {}, // of who plays on call
	"internal/sandbox/orders":      {},
	"internal/sandbox/pager":       {},
	"internal/sandbox/responder":   {},
	"internal/sandbox/slack":       {},
	"internal":                     {"..."}, // programs that try the house out
	"bench":                        {},
	"docs":                         {"..."},
	"examples":                     {},
}

// wiring is where cmd may name inject and observe; every other file of cmd speaks to drills.
var wiring = []string{
	"cmd/deps.go",         // makes the clients
	"cmd/oidc.go",         // gets a CI job's identity tokens for them
	"cmd/doctor_eyes.go",  // lets a doctor look through the clients of an environment
	"cmd/secrets.go",      // reads secrets through the account's clients
	"cmd/init_account.go", // lists the account for who writes its environment file
	"cmd/store.go",        // opens the shared journal with an environment's own credentials
	"cmd/report_real.go",  // reads real incidents through the pager's client
	"cmd/redact_pager.go", // wraps the pager, so that no secret reaches people
	"cmd/push_metrics.go", // hands a run's metrics to the Pushgateway
	"cmd/slack.go",        // makes what speaks to teams, wrapped likewise
	"cmd/crashpoints.go",  // under its build tag only: kills and panics for the crash matrix
	"cmd/exit.go",         // knows every room's errors, to tell their next step and exit code
}

func TestImports(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-e", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(strings.ReplaceAll(line, module+"/", ""))
		if words[0] == module {
			continue
		}
		allowed, ok := room(words[0])
		if !ok {
			t.Errorf("%s has no room in the table", words[0])
		}
		for _, path := range words[1:] {
			if ours(path) && !within(allowed, path) {
				t.Errorf("%s imports %s; it may import %v", words[0], path, allowed)
			}
		}
		seen++
	}
	if seen < 15 {
		t.Errorf("looked at %d packages only", seen)
	}
}

func TestOnlyWiringNamesInjectAndObserve(t *testing.T) {
	for _, f := range code(t) {
		if filepath.Dir(f.path) != "cmd" || slices.Contains(wiring, f.path) {
			continue
		}
		for _, i := range f.Imports {
			path := strings.TrimPrefix(strings.Trim(i.Path.Value, `"`), module+"/")
			if path == "inject" || path == "observe" || strings.Contains(path, "aws-sdk-go") {
				t.Errorf("%s imports %s: only %v do", f.path, path, wiring)
			}
		}
	}
}

// Time is an argument everywhere, so time.Now stands once in the program. Nothing happens before main, and only
// main ends the process.
func TestTimeStartAndEndStandOnce(t *testing.T) {
	want := map[string]string{"time.Now": "cmd/deps.go", "os.Exit": "cmd/firedrill/main.go", "context.Background": "cmd/root.go"}
	count := map[string]int{}
	for _, f := range code(t) {
		ast.Inspect(f.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s has an init", f.path)
				}
			case *ast.SelectorExpr:
				pkg, ok := n.X.(*ast.Ident)
				if !ok {
					return true
				}
				name := pkg.Name + "." + n.Sel.Name
				switch name {
				case "time.Since", "time.Until", "log.Fatal", "log.Fatalf", "context.TODO":
					t.Errorf("%s has %s", f.path, name)
				case "time.Now", "os.Exit", "context.Background":
					count[name]++
					if f.path != want[name] {
						t.Errorf("%s has %s; it belongs into %s", f.path, name, want[name])
					}
				}
			}
			return true
		})
	}
	for name, n := range count {
		if n != 1 {
			t.Errorf("%s stands %d times in the program, want once", name, n)
		}
	}
}

// file is one file of the program: no test, and no package that exists for tests.
type file struct {
	*ast.File
	path string
}

func code(t *testing.T) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		room, _, _ := strings.Cut(filepath.ToSlash(path), "/")
		if d.IsDir() {
			if d.Name() == "testdata" || strings.HasSuffix(d.Name(), "test") || path != "." && !slices.Contains([]string{"cmd", "drills", "inject", "observe", "internal"}, room) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(tryouts, func(dir string) bool { return strings.HasPrefix(path, dir) }) {
			return nil
		}
		files = append(files, file{f, filepath.ToSlash(path)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("found %d files only", len(files))
	}
	return files
}

// tryouts are programs that try the house out; they have clocks and endings of their own.
var tryouts = []string{"internal/kill", "internal/contract"}

// room is the table's row for a package.
func room(path string) ([]string, bool) {
	for p := path; p != "."; p = filepath.ToSlash(filepath.Dir(p)) {
		if allowed, ok := rooms[p]; ok {
			return allowed, true
		}
	}
	return nil, false
}

func ours(path string) bool { _, ok := room(path); return ok && !strings.Contains(path, ".") }

func within(allowed []string, path string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		below, ok := strings.CutSuffix(a, "...")
		return a == path || ok && strings.HasPrefix(path, below)
	})
}
