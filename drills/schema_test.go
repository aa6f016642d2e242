package drills

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// onlyTheReader lists the bad files that a schema lets pass: what is wrong in them hangs on several keys, on what a
// probe or parameter means, or on values that a schema cannot weigh.
func onlyTheReader() []string {
	return []string{
		"drill-after-late", "drill-direct-detect-unwatched", "drill-duplicate-key", "drill-fallback-late",
		"drill-fault-id-twice", "drill-hint-late", "drill-limit-below-expect", "drill-limit-long", "drill-limit-zero",
		"drill-no-fallback", "drill-param-refused", "drill-probe-comparison", "drill-title-variable", "env-deadman-role-other-account", "drill-probe-pattern", "drill-probe-status", "drill-probe-token", "drill-second-document", "drill-stop-is-ripple",
		"drill-stop-is-watched", "drill-variable-open", "drill-variable-spelling",
		"drill-watch-is-ripple", "env-account-leading-zero", "env-production-name", "env-production-tag",
		"env-role-other-account", "env-undo-patience", "env-variable-in-variable", "env-window-days", "env-window-hours",
		"env-window-hours-none", "env-window-local", "env-window-zone",
	}
}

func compiled(t *testing.T, which string) *jsonschema.Schema {
	t.Helper()
	raw, err := Schema(which, testKinds())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("firedrill.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("firedrill.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON reads YAML the way an editor does; ok is false for what is no YAML we read.
func asJSON(t *testing.T, file string, src []byte) (any, bool) {
	t.Helper()
	tree, found := parse(file, src)
	if tree == nil || slices.ContainsFunc(found, func(m Mistake) bool { return strings.Contains(m.What, "not read") }) {
		return nil, false
	}
	raw, err := json.Marshal((&reader{}).value(tree))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return v, true
}

func TestSchemaTakesEveryDrillWeShip(t *testing.T) {
	s := compiled(t, SchemaDrill)
	files, err := fs.Glob(shipped, "library/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("library holds %v (%v)", files, err)
	}
	drills := map[string][]byte{"skeleton": Skeleton("new-one")}
	for _, file := range files {
		drills[file], _ = shipped.ReadFile(file)
	}
	for file, src := range drills {
		v, ok := asJSON(t, file, src)
		if err := s.Validate(v); !ok || err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestSchemaRefusesWhatIsMisshapen(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{"drill": compiled(t, SchemaDrill), "env": compiled(t, SchemaEnvironment)}
	files, _ := filepath.Glob("testdata/bad/*.yaml")
	checked := 0
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, ok := asJSON(t, file, src)
		if !ok {
			continue
		}
		checked++
		which, _, _ := strings.Cut(filepath.Base(file), "-")
		passes := schemas[which].Validate(v) == nil
		want := slices.Contains(onlyTheReader(), strings.TrimSuffix(filepath.Base(file), ".yaml"))
		if passes != want {
			t.Errorf("%s: the schema lets it pass: %t, want %t", file, passes, want)
		}
	}
	if checked < 80 {
		t.Errorf("only %d bad files were read as YAML", checked)
	}
}

func TestSchemaOfNothing(t *testing.T) {
	if _, err := Schema("journal", nil); err == nil || !strings.Contains(err.Error(), "drill or environment") {
		t.Errorf("schema of a journal: %v", err)
	}
}

func TestSchemaWithoutKindsTakesAnyKind(t *testing.T) {
	raw, err := Schema(SchemaDrill, nil)
	if err != nil || !bytes.Contains(raw, []byte("patternProperties")) {
		t.Errorf("schema without kinds: %v\n%s", err, raw)
	}
}
