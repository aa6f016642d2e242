package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/drills"
)

// TestWhatIsQuotedMeansItself: a value of init cannot become anything but a value, whatever is in it.
func TestWhatIsQuotedMeansItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[ -~äß"\\#:{}&*!|>%@\t\n-]{1,40}`).Draw(t, "value")
		e := environmentDraft{Env: "staging", Account: "012345678901", Regions: []string{"eu-west-1"}, Zone: "UTC", Days: "mon-fri",
			Hours: "10:00-16:00", PagerRegion: "us", Token: "env:TOKEN", From: "drills@example.com", Owner: "env:OWNER",
			Team: "orders", Service: "PORDERS", Key: "env:KEY", Vars: map[string]string{"odd": value}, Tags: map[string]string{"environment": "staging", value: "odd " + value}}
		src, err := e.render()
		if err != nil {
			t.Fatal(err)
		}
		f, err := drills.ReadEnvironments("firedrill.yaml", src)
		var mistakes *drills.Mistakes
		if errors.As(err, &mistakes) {
			return // refused with its place; init then writes nothing
		}
		if err != nil {
			t.Fatal(err)
		}
		env := f.Environments["staging"]
		if env.Vars["odd"] != value || env.Tags[value] != "odd "+value || env.AWS.Account != e.Account || len(f.Environments) != 1 {
			t.Fatalf("%q became %q in\n%s", value, env.Vars["odd"], src)
		}
	})
}

func TestWriteNewNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "below", "a.yaml")
	if err := writeNew(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := writeNew(path, []byte("two")); codeOf(err) != exitUsage {
		t.Errorf("second write: %v", err)
	}
	link := filepath.Join(dir, "link.yaml")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), link); err != nil {
		t.Fatal(err)
	}
	if err := writeNew(link, []byte("x")); codeOf(err) != exitUsage {
		t.Errorf("through a dangling link: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "one" {
		t.Errorf("%q %v", b, err)
	}
	if err := writeNew(filepath.Join(path, "c.yaml"), nil); err == nil || codeOf(err) != exitFailed {
		t.Errorf("below a file: %v", err)
	}
}

// TestConfirm: who breaks a real environment names it; anything else changes nothing.
func TestConfirm(t *testing.T) {
	for _, c := range []struct {
		typed    string
		yes      bool
		sandbox  bool
		terminal bool
		code     int
	}{
		{typed: "staging\n", terminal: true, code: 0},
		{typed: "  staging  \n", terminal: true, code: 0},
		{typed: "staging", terminal: true, code: 0},
		{typed: "yes\n", terminal: true, code: 2},
		{typed: "Staging\n", terminal: true, code: 2},
		{typed: "", terminal: true, code: 2},
		{typed: "staging\n", terminal: false, code: 2},
		{yes: true, terminal: false, code: 0},
		{sandbox: true, terminal: false, code: 0},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			d := newDesk(t)
			d.In, d.Terminal = strings.NewReader(c.typed), func() bool { return c.terminal }
			p := prepared{preview: &drills.Preview{Plan: &drills.Plan{}}, out: &outside{env: &drills.Environment{Name: "staging"}}}
			if c.sandbox {
				p.out.env.Sandbox = &drills.SandboxRef{}
			}
			if got := codeOf(d.confirm(t.Context(), p, c.yes)); got != c.code {
				t.Errorf("exit code %d, want %d: %s", got, c.code, d.err.String())
			}
		})
	}
}
