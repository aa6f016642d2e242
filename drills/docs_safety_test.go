package drills_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every check that can say no has its line in docs/safety.md, and every line there is a check.
func TestSafetyPageNamesEveryCheck(t *testing.T) {
	page, err := os.ReadFile("../docs/safety.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		told[m[1]] = true
	}
	said := map[string]bool{}
	var files []string
	for _, pattern := range []string{"*.go", "../cmd/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	code := regexp.MustCompile(`(?:\b(?:refuse|later)\(|Refusal\{Code: )"([a-z_]+)"`)
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(src), -1) {
			said[m[1]] = true
			if !told[m[1]] {
				t.Errorf("%s refuses by %q, and the page does not say so", f, m[1])
			}
		}
	}
	for c := range told {
		if !said[c] {
			t.Errorf("the page tells of %q, and nothing refuses by it", c)
		}
	}
	if len(said) < 15 {
		t.Errorf("found %d checks in the source: %v", len(said), said)
	}
}
