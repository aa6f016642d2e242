package drills

import (
	"os"
	"strings"
	"testing"
)

// fenced returns the yaml blocks of a page.
func fenced(t *testing.T, file string) []string {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, part := range strings.Split(string(page), "```yaml\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	return blocks
}

// What the pages show can be used as it stands.
func TestEveryExampleOfThePagesIsRead(t *testing.T) {
	environment, err := ReadEnvironments("e", []byte(fenced(t, "../docs/environment-file.md")[0]))
	if err != nil {
		t.Fatal(err)
	}
	schemas := map[string]interface{ Validate(any) error }{SchemaDrill: compiled(t, SchemaDrill), SchemaEnvironment: compiled(t, SchemaEnvironment)}
	for file, which := range map[string]string{"../docs/drill-file.md": SchemaDrill, "../docs/environment-file.md": SchemaEnvironment} {
		blocks := fenced(t, file)
		if len(blocks) < 2 {
			t.Errorf("%s has %d examples", file, len(blocks))
		}
		for _, block := range blocks {
			var err error
			if which == SchemaDrill {
				var s *Spec
				if s, err = ReadDrill(file, []byte(block), testKinds()); err == nil {
					_, err = s.Resolve(sandboxVars())
				}
			} else {
				_, err = ReadEnvironments(file, []byte(block))
			}
			if err != nil {
				t.Errorf("%v\n%s", err, block)
			}
			v, _ := asJSON(t, file, []byte(block))
			if err := schemas[which].Validate(v); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	whole := mustDrill(t, fenced(t, "../docs/drill-file.md")[0])
	if _, err := whole.Resolve(environment.Environments["staging"].Vars); err != nil {
		t.Errorf("the two pages do not go together: %v", err)
	}
}

// A key that the pages leave out is one that nobody finds.
func TestThePagesTellEveryKey(t *testing.T) {
	for file, schema := range map[string]object{"../docs/drill-file.md": drillSchema(testKinds()), "../docs/environment-file.md": environmentSchema()} {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for key := range schema["properties"].(object) {
			if text := string(page); !strings.Contains(text, "| `"+key+"`") && !strings.Contains(text, "| `"+key+".") {
				t.Errorf("%s does not tell %s", file, key)
			}
		}
	}
}
