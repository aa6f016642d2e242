package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// The bill of a program that this test built is told by its own build information: this very test.
func TestBillOfThisProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "bill.json")
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	if err := run(self, out, "../licences.md", "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(self, out, "../licences.md", "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(out); string(second) != string(first) {
		t.Error("two bills of one binary differ")
	}
	var b bill
	if err := json.Unmarshal(first, &b); err != nil {
		t.Fatal(err)
	}
	if b.BOMFormat != "CycloneDX" || b.SpecVersion != "1.6" || b.Metadata.Timestamp != "2023-11-14T22:13:20Z" || !strings.HasPrefix(b.SerialNumber, "urn:uuid:") || len(b.SerialNumber) != 45 {
		t.Errorf("%+v", b.Metadata)
	}
	if c := b.Components[0]; c.Name != "std" || len(b.Metadata.Component.Hashes[0].Content) != 64 {
		t.Errorf("%+v", c)
	}
}

// What is linked is listed with version, checksum and licence; what nobody has looked up stops the release.
func TestBillOfModules(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.1", Main: debug.Module{Path: "github.com/firedrill/firedrill"},
		Settings: []debug.BuildSetting{{Key: "GOOS", Value: "darwin"}, {Key: "-ldflags", Value: "-s -w"}},
		Deps: []*debug.Module{
			{Path: "github.com/Some/Part", Version: "v1.0.0+incompatible", Sum: "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
			{Path: "old", Replace: &debug.Module{Path: "example.com/new", Version: "v2.0.0"}},
		}}
	licences := licencesOf("| github.com/Some/Part | MIT |\n| example.com/new | BSD-3-Clause |\n| module | licence |\n")
	if len(licences) != 2 {
		t.Fatalf("%v", licences)
	}
	licences[info.Main.Path] = "MIT"
	b, err := billOf(info, "firedrill", []byte("x"), "v1", licences)
	if err != nil {
		t.Fatal(err)
	}
	part, replaced := b.Components[1], b.Components[2]
	if part.PURL != "pkg:golang/github.com/some/part@v1.0.0%2Bincompatible" || part.Hashes[0].Content != strings.Repeat("0", 64) || part.Licenses[0].License.ID != "MIT" {
		t.Errorf("%+v", part)
	}
	if replaced.Name != "example.com/new" || replaced.Licenses[0].License.ID != "BSD-3-Clause" || replaced.Hashes != nil {
		t.Errorf("%+v", replaced)
	}
	if got := b.Dependencies[0].DependsOn; len(got) != 3 || got[0] != "pkg:golang/std@1.26.1" {
		t.Errorf("%v", got)
	}
	if p := b.Metadata.Component.Properties; len(p) != 1 || p[0].Value != "darwin" {
		t.Errorf("%+v", p)
	}
	delete(licences, "example.com/new")
	if _, err := billOf(info, "firedrill", nil, "v1", licences); err == nil || !strings.Contains(err.Error(), "licence of example.com/new") {
		t.Errorf("%v", err)
	}
}

// The page of licences knows every module that firedrill is linked from: without it there is no bill, and no release.
func TestEveryLicenceIsTold(t *testing.T) {
	var out []byte
	for _, system := range []string{"linux", "darwin"} {
		list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "../../cmd/firedrill")
		list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		more, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, more...)
	}
	page, err := os.ReadFile("../licences.md")
	if err != nil {
		t.Fatal(err)
	}
	known, seen := licencesOf(string(page)), map[string]bool{"github.com/firedrill/firedrill": true}
	for _, path := range strings.Fields(string(out)) {
		if !seen[path] && known[path] == "" {
			t.Errorf("docs/licences.md does not tell the licence of %s", path)
		}
		seen[path] = true
	}
	if len(seen) < 30 {
		t.Errorf("%d modules", len(seen))
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	for _, row := range [][2]string{{"", "x"}, {"main.go", "x"}, {"nowhere", "x"}} {
		if err := run(row[0], filepath.Join(t.TempDir(), row[1]), "../licences.md", "dev"); err == nil {
			t.Errorf("%v", row)
		}
	}
	if _, err := stamp("yesterday"); err == nil {
		t.Error("took a time that is none")
	}
}
