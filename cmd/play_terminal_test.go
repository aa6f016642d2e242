package cmd_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// screen is a terminal of 80 columns that script(1) makes, with firedrill play on it.
type screen struct {
	*testing.T
	keys io.Writer
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// wants waits until the terminal has been written this, of everything since the beginning.
func (s *screen) wants(pattern string) {
	s.Helper()
	r := regexp.MustCompile(pattern)
	for end := time.Now().Add(60 * time.Second); !r.MatchString(s.shown()); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("%q did not come:\n%s", pattern, s.shown())
		}
	}
}

func (s *screen) types(text string) {
	s.Helper()
	if _, err := io.WriteString(s.keys, text); err != nil {
		s.Fatal(err)
	}
}

// TestPlayOnATerminal is a short game on a real terminal: news arrives above what is being typed, TAB completes, ^C puts
// everything back, and the terminal is as it was.
func TestPlayOnATerminal(t *testing.T) {
	t.Parallel()
	script, err := exec.LookPath("script")
	if err != nil {
		t.Skip("script(1) is not here")
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "firedrill")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	s := &screen{T: t}
	c := exec.CommandContext(t.Context(), script, "--quiet", "--return", "--flush", "--command",
		"stty cols 80 rows 24; "+program+" play; echo ended with $?; stty -a | grep -c ' icanon'", "/dev/null")
	c.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+filepath.Join(dir, "state"), "FIREDRILL_STATE=", "FIREDRILL_SANDBOX=", "FIREDRILL_ENV=", "TERM=xterm-256color", "NO_COLOR=")
	c.Stdout, c.Stderr = s, s
	keys, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if s.keys = keys; c.Start() != nil {
		t.Fatal("script does not start")
	}
	s.wants(`Wait for the page\.`)
	s.types("he\tfrobnicate")
	s.wants(`on call> help frobnicate$`)
	s.wants("PAGE #1 [^\x00]*on call> help frobnicate$") // the page came above it, and the line is whole below
	if !strings.Contains(s.shown(), "\a") {
		t.Error("no bell")
	}
	s.types("\x15ack\r")
	s.wants(`acknowledged #1: you are on it`)
	s.types("look t\t\r")
	s.wants(`maximum 1 a second`)
	s.types("sta\x03")
	s.wants(`(?s)interrupt: putting everything back, then ending.*Your times.*ended with 130\r\n1\r\n`)
	_ = keys.Close()
	_ = c.Wait() // its code is that of grep
	for _, line := range strings.Split(s.shown(), "\r\n") {
		if strings.Contains(line, "\n") {
			t.Errorf("a line does not begin at its beginning: %q", line)
		}
	}
}
