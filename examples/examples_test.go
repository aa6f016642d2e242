// Package examples holds files to copy. What is shown to newcomers, here and in README.md, can be used as it stands.
package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
)

func TestExamplesAreRead(t *testing.T) {
	file, err := drills.ReadEnvironments("firedrill.yaml", read(t, "staging/firedrill.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	vars := file.Environments["staging"].Vars
	found, err := filepath.Glob("staging/drills/*.yaml")
	if err != nil || len(found) == 0 {
		t.Fatalf("%v %v", found, err)
	}
	for _, path := range found {
		drill(t, path, read(t, path), vars)
	}
}

func TestReadmesDrillIsRead(t *testing.T) {
	_, block, found := strings.Cut(string(read(t, "../README.md")), "```yaml\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !closed {
		t.Fatal("README.md shows no drill")
	}
	drill(t, "README.md", []byte(block), map[string]string{"orders_table": "orders", "orders_url": "https://orders.example.com"})
}

var link = regexp.MustCompile(`\]\(([^):#]+)[^):]*\)`)

func TestPagesLinkToWhatIsThere(t *testing.T) {
	seen := 0
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../bench/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			for _, m := range link.FindAllStringSubmatch(string(read(t, page)), -1) {
				seen++
				if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
					t.Errorf("%s links to %s, which is not there", page, m[1])
				}
			}
		}
	}
	if seen < 40 {
		t.Errorf("found %d links only", seen)
	}
}

func drill(t *testing.T, path string, src []byte, vars map[string]string) {
	t.Helper()
	spec, err := drills.ReadDrill(path, src, drills.KnownKinds(inject.NewCatalog(nil, inject.CatalogOptions{})))
	if err == nil {
		_, err = spec.Resolve(vars)
	}
	if err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
