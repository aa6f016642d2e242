package cmd

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// prompt stands where who plays types.
const prompt = "on call> "

// console is the terminal of who plays: one place to write, a line to type in below it, and neither tears the other.
// Without a terminal it reads lines, and writes each before what is said to it.
type console struct {
	d    *Deps
	to   io.Writer // what lies below the filter for secrets: that holds back what may be the beginning of one, a typed letter too
	tty  bool
	done chan struct{}

	mu    sync.Mutex
	term  *term.Terminal // while it is open
	was   *term.State
	lines chan string // what was typed; closed at its end
}

func newConsole(d *Deps) *console {
	c := &console{d: d, to: d.Out, tty: d.Terminal(), lines: make(chan string), done: make(chan struct{})}
	if w, ok := d.Out.(*clearWriter); ok {
		c.to = w.to
	}
	return c
}

// Write writes whole texts, cleared of secrets, above the line that is being typed.
func (c *console) Write(p []byte) (int, error) {
	text := []byte(c.d.known.clean(string(p)))
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if t := c.term; t != nil {
		c.fit(t)
		_, err = t.Write(text)
	} else {
		_, err = c.to.Write(text)
	}
	return len(p), err
}

// fit tells the line editor how wide the terminal is now.
func (c *console) fit(t *term.Terminal) {
	if f, ok := c.d.In.(*os.File); ok {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 && rows > 0 {
			_ = t.SetSize(columns, rows) // it fails at nothing that could be mended
		}
	}
}

// width is how many columns a line may have.
func (c *console) width() int {
	if columns := c.d.Width(); c.tty && columns > 0 {
		return columns
	}
	return 80
}

// open begins to read: keys on a terminal, lines elsewhere. interrupt is what ^C does; complete lists what a line may
// become.
func (c *console) open(interrupt func(), complete func(line string) []string) error {
	f, ok := c.d.In.(*os.File)
	if !c.tty || !ok {
		go c.read(bufio.NewScanner(c.d.In)) // ends with the input, or with the process
		return nil
	}
	was, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{&keys{f, func() { c.unlessClosed(interrupt) }}, c.to}, prompt)
	t.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' || pos != len(line) {
			return "", 0, false
		}
		return c.completed(line, complete(line))
	}
	c.mu.Lock()
	c.fit(t)
	c.term, c.was = t, was
	c.mu.Unlock()
	go c.typed(t) // ends with the input, or with the process
	return nil
}

// typed hands every line over that is typed.
func (c *console) typed(t *term.Terminal) {
	defer close(c.lines)
	for {
		line, err := t.ReadLine()
		if err != nil && line == "" {
			return
		}
		select {
		case c.lines <- line:
		case <-c.done:
			return
		}
	}
}

// read hands every line over, and shows it.
func (c *console) read(s *bufio.Scanner) {
	defer close(c.lines)
	for s.Scan() {
		select {
		case c.lines <- s.Text():
		case <-c.done:
			return
		}
	}
}

// completed is a line with as much of its end as is certain. Where there is a choice it is shown.
func (c *console) completed(line string, choice []string) (string, int, bool) {
	if len(choice) == 0 {
		return line, len(line), true
	}
	common := choice[0]
	for _, o := range choice[1:] {
		for !strings.HasPrefix(o, common) {
			common = common[:len(common)-1]
		}
	}
	if len(choice) == 1 {
		common += " "
	} else if common == line {
		fmt.Fprintln(c, "  "+strings.Join(choice, "\n  "))
	}
	return common, len(common), true
}

// close gives the terminal back. What is written afterwards is written as it is.
func (c *console) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
		return
	default:
		close(c.done)
	}
	if c.term == nil {
		return
	}
	c.term = nil
	_, _ = io.WriteString(c.to, "\r\x1b[K") // the prompt goes
	if f, ok := c.d.In.(*os.File); ok {
		_ = term.Restore(int(f.Fd()), c.was)
	}
}

// unlessClosed does something while the terminal is ours.
func (c *console) unlessClosed(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
	default:
		do()
	}
}

// keys reads what is typed. A terminal that hands over each key makes no signal of ^C: we do.
type keys struct {
	from      io.Reader
	interrupt func()
}

func (k *keys) Read(p []byte) (int, error) {
	const interrupt = 3
	for {
		n, err := k.from.Read(p)
		kept := p[:0]
		for _, b := range p[:n] {
			if b == interrupt {
				k.interrupt()
				continue
			}
			kept = append(kept, b)
		}
		if len(kept) > 0 || err != nil {
			return len(kept), err
		}
	}
}
