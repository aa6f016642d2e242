package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/firedrill/firedrill/internal/killtest"
)

// built are both programs, for all tests.
var built = sync.OnceValues(func() (lab, error) {
	dir, err := os.MkdirTemp("", "firedrill-matrix-")
	if err != nil {
		return lab{}, err
	}
	return newLab(context.Background(), dir)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if l, err := built(); err == nil && os.Getenv("FIREDRILL_BINARY") == "" {
		_ = os.RemoveAll(filepath.Dir(l.shipped))
	}
	os.Exit(code)
}

func real(t *testing.T) lab {
	t.Helper()
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	l, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The program as it ships has no crash point and no planted panic; the other one has.
func TestWhatShipsHasNoCrashPoints(t *testing.T) {
	l := real(t)
	for _, word := range []string{"FIREDRILL_CRASHPOINT", "FIREDRILL_PANIC", "crashStore", "planted: "} {
		shipped, err := os.ReadFile(l.shipped)
		if err != nil {
			t.Fatal(err)
		}
		planted, err := os.ReadFile(l.planted)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(shipped), word) {
			t.Errorf("the program that ships contains %q", word)
		}
		if !strings.Contains(string(planted), word) {
			t.Errorf("the program with crash points does not contain %q: this test would see nothing", word)
		}
	}
	files, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.GoFiles}}", "github.com/firedrill/firedrill/cmd").Output()
	if err != nil || strings.Contains(string(files), "crashpoints.go") || !strings.Contains(string(files), "crashpoints_off.go") {
		t.Errorf("files of cmd: %s (%v)", files, err)
	}
}

// Some real cells: a call and an append, on the way in, on the way out and inside recover.
func TestSomeCells(t *testing.T) {
	l := real(t)
	t.Parallel()
	d := killtest.Drills()[2]
	for _, c := range []Cell{
		{Point{Phase: wayIn, Call: "elasticloadbalancing ModifyRule", Nth: 1}, "after"},
		{Point{Phase: wayOut, Append: "revert/error/0"}, "before"},
		{Point{Phase: inRecover, Call: "elasticloadbalancing DeleteRule", Nth: 1}, "before"},
		{Point{Phase: inRecover, Append: "finish/0"}, "after"},
	} {
		c.Drill = d.Name
		t.Run(c.Name(), func(t *testing.T) {
			t.Parallel()
			if r := l.try(t.Context(), c, d); !r.OK || r.Missed || r.Took <= 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// The matrix can fail: a program whose recover only says that it did leaves the fault, and the cell says so. A run that
// never comes to its point is told apart.
func TestTheMatrixSeesWhatIsLeft(t *testing.T) {
	l := real(t)
	t.Parallel()
	d := killtest.Drills()[2]
	liar := filepath.Join(t.TempDir(), "firedrill")
	script := "#!/bin/sh\ncase $1 in recover) echo 'nothing to recover'; exit 0;; esac\nexec '" + l.shipped + "' \"$@\"\n"
	if err := os.WriteFile(liar, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	lying := l
	lying.shipped = liar
	c := Cell{Point{Drill: d.Name, Phase: wayIn, Append: "apply/error/0"}, "after"}
	if r := lying.try(t.Context(), c, d); r.OK || !strings.Contains(r.Why, "the world is not as before") {
		t.Errorf("nobody put anything back, and the cell is %+v", r)
	}
	c.Append = "never/0"
	if r := l.try(t.Context(), c, d); !r.OK || !r.Missed {
		t.Errorf("the point never came, and the cell is %+v", r)
	}
}
