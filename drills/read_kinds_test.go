package drills

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/inject"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The drills we ship hold nothing that a fault would refuse, and nothing that an editor would underline.
func TestShippedDrillsSuitTheFaultsThereAre(t *testing.T) {
	kinds := KnownKinds(inject.NewCatalog(nil, inject.CatalogOptions{}))
	if len(kinds) < 3 {
		t.Fatalf("the catalog holds %d kinds", len(kinds))
	}
	raw, err := Schema(SchemaDrill, kinds)
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
	schema, err := c.Compile("firedrill.json")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := fs.Glob(shipped, "library/*.yaml")
	drills := map[string][]byte{"skeleton": Skeleton("new-one")}
	for _, file := range files {
		drills[file], _ = shipped.ReadFile(file)
	}
	for file, src := range drills {
		s, err := ReadDrill(file, src, kinds)
		if err == nil {
			_, err = s.Resolve(sandboxVars())
		}
		if err != nil {
			t.Errorf("%v", err)
		}
		v, _ := asJSON(t, file, src)
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestAFaultsRefusalIsAMistakeAtItsPlace(t *testing.T) {
	kinds := KnownKinds(inject.NewCatalog(nil, inject.CatalogOptions{}))
	src := strings.Replace(small, `{table: "${orders_table}", writes: 1}`, `{table: "${orders_table}", load: fast}`, 1)
	s, err := ReadDrill("d.yaml", []byte(src), kinds)
	if err != nil {
		t.Fatalf("judged before its table is known: %v", err)
	}
	if _, err = s.Resolve(sandboxVars()); err == nil || !strings.HasPrefix(err.Error(), "d.yaml:5:30: dynamodb.throttle: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("resolved: %v", err)
	}
}
