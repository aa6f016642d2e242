package sandbox

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestPartsKnowEachOtherByURLOnly holds the parts apart: what pretends to be somebody else's system must not look
// into another's memory. Only this package puts them together.
func TestPartsKnowEachOtherByURLOnly(t *testing.T) {
	const ours = "github.com/firedrill/firedrill"
	parts, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, part := range parts {
		if !part.IsDir() {
			continue
		}
		files, err := filepath.Glob(filepath.Join(part.Name(), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range f.Imports {
				path, err := strconv.Unquote(i.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(path, ours) {
					t.Errorf("%s imports %s", file, path)
				}
			}
			checked++
		}
	}
	if checked < 20 {
		t.Errorf("looked at %d files only", checked)
	}
}
