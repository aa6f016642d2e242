package cmd

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// toldTwice is a terminal that two may write on.
type toldTwice struct {
	mu   sync.Mutex
	said string
}

func (w *toldTwice) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said += string(p)
	return len(p), nil
}

func (w *toldTwice) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said
}

// TestMeanwhile: who waits at a terminal is told for what, and nothing of it stays; a file and who is answered at once are
// told nothing.
func TestMeanwhile(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var out toldTwice
	d.Err = &out
	d.meanwhile("reading staging")()
	d.Terminal = func() bool { return true }
	d.meanwhile("reading staging")()
	if s := out.text(); s != "" {
		t.Errorf("%q", s)
	}
	stop := d.meanwhile("reading staging")
	for until := time.Now().Add(20 * time.Second); !strings.Contains(out.text(), "reading staging …") && time.Now().Before(until); {
		time.Sleep(10 * time.Millisecond) // polls, until it is there
	}
	stop()
	stop()
	if s := out.text(); s != "reading staging …\r\x1b[K" {
		t.Errorf("%q", s)
	}
}
