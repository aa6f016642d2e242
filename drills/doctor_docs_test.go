package drills_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
)

// The page tells of every check, in its group, and of no other.
func TestDoctorPage(t *testing.T) {
	text, err := os.ReadFile("../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	heading := ""
	for _, m := range regexp.MustCompile("(?m)^## (.+)$|^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		if m[1] != "" {
			heading = m[1]
			continue
		}
		told = append(told, heading+": "+m[2])
	}
	var want []string
	for _, c := range drills.DoctorChecks() {
		want = append(want, strings.ToUpper(c.Group[:1])+c.Group[1:]+": "+c.Name)
	}
	if !slices.Equal(told, want) {
		t.Errorf("docs/doctor.md tells of %q,\nthe checks are %q", told, want)
	}
}
