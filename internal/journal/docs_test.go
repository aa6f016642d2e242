package journal_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// docs/journal.md names every kind of event there is, and no other.
func TestTheJournalsPageNamesEveryKind(t *testing.T) {
	src, err := os.ReadFile("event.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/journal.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, m := range regexp.MustCompile(`Kind\s+= "([a-z_.]+)"`).FindAllStringSubmatch(string(src), -1) {
		there[m[1]] = true
	}
	_, table, _ := strings.Cut(string(page), "\n## The kinds\n")
	table, _, _ = strings.Cut(table, "\nThree carry more")
	told, family := map[string]bool{}, ""
	for _, m := range regexp.MustCompile("`([a-z_.]+)`").FindAllStringSubmatch(table, -1) {
		kind := m[1]
		if strings.HasPrefix(kind, ".") {
			kind = family + kind
		}
		family, _, _ = strings.Cut(kind, ".")
		told[kind] = true
	}
	for kind := range there {
		if !told[kind] {
			t.Errorf("the page leaves %s out", kind)
		}
	}
	for kind := range told {
		if !there[kind] {
			t.Errorf("the page names %s, which is no kind", kind)
		}
	}
	if len(there) < 40 {
		t.Errorf("only %d kinds were found", len(there))
	}
}
