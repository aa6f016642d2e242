// Command picture runs the first drill on a terminal and draws what that showed: docs/live.svg as it happened, and
// docs/timeline.svg as `firedrill status` tells it afterwards. Nothing is drawn that was not printed. It needs
// script(1), which makes the terminal.
package main

import (
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const columns = 112

func main() {
	if err := draw(); err != nil {
		fmt.Fprintln(os.Stderr, "picture: "+err.Error())
		os.Exit(1)
	}
}

func draw() error {
	state, err := os.MkdirTemp("", "firedrill-picture-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(state) }()
	for _, p := range []struct{ file, say, args string }{
		{"docs/live.svg", "firedrill run orders-write-throttle --env sandbox", "run orders-write-throttle --env sandbox"},
		{"docs/timeline.svg", "firedrill status", "status"},
	} {
		shown, err := onTerminal(state, p.args)
		if err != nil {
			return err
		}
		lines := append([]string{"\x1b[2m$\x1b[m " + p.say}, screen(strings.ReplaceAll(shown, state, "~/.local/state/firedrill"))...)
		if err := os.WriteFile(p.file, []byte(svg(lines)), 0o644); err != nil {
			return err
		}
		fmt.Println(p.file)
	}
	return nil
}

// onTerminal runs the program on a terminal of its own and returns every byte it wrote there.
func onTerminal(state, args string) (string, error) {
	log := filepath.Join(state, "terminal")
	shell := fmt.Sprintf("stty cols %d rows 50; bin/firedrill %s --state %s", columns, args, state)
	c := exec.Command("script", "--quiet", "--return", "--command", shell, log)
	c.Env = append(os.Environ(), "TERM=xterm-256color", "NO_COLOR=")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", args, err, out)
	}
	b, err := os.ReadFile(log)
	return string(b), err
}

// screen is what stays on the screen: what a line was before it was erased is gone.
func screen(shown string) []string {
	_, shown, _ = strings.Cut(shown, "\n") // script's own first line
	shown, _, _ = strings.Cut(shown, "\nScript done")
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(shown, "\r\n"), "\n") {
		line = strings.TrimRight(line, "\r")
		if i := strings.LastIndex(line, "\r\x1b[K"); i >= 0 {
			line = line[i+len("\r\x1b[K"):]
		}
		lines = append(lines, line)
	}
	return lines
}

// colours of the SGR codes that the program uses, on a dark ground.
func colour(code string) string {
	switch code {
	case "2":
		return "#7d8590"
	case "1":
		return "#ffffff"
	case "31", "91":
		return "#ff7b72"
	case "32", "92":
		return "#56d364"
	case "33", "93":
		return "#e3b341"
	case "34", "94":
		return "#79c0ff"
	case "35", "95":
		return "#d2a8ff"
	case "36", "96":
		return "#76e3ea"
	}
	return "#d0d7de"
}

const (
	cell, row, margin = 8.0, 19.0, 16.0
	size              = 13.3 // of a letter 8 wide
)

func svg(lines []string) string {
	var b strings.Builder
	width, height := 2*margin+columns*cell, 2*margin+float64(len(lines))*row
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="#0d1117"/>`+"\n")
	fmt.Fprintf(&b, `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="%.1f">`+"\n", size)
	for i, line := range lines {
		spans(&b, line, margin+(float64(i)+0.75)*row)
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

var sgr = regexp.MustCompile(`\x1b\[([0-9;]*)m`)

// spans draws one line; each span stands in its own columns, whatever the font.
func spans(b *strings.Builder, line string, y float64) {
	column, fill, weight := 0, colour(""), ""
	put := func(text string) {
		if letters, left := []rune(text), columns-column; len(letters) > left { // a terminal would break the line
			text = string(letters[:max(0, left-1)]) + "…"
		}
		n := utf8.RuneCountInString(text)
		lead := n - utf8.RuneCountInString(strings.TrimLeft(text, " "))
		if bare := strings.TrimSpace(text); bare != "" {
			fmt.Fprintf(b, `<text x="%s" y="%s" fill="%s"%s textLength="%s" lengthAdjust="spacingAndGlyphs" xml:space="preserve">%s</text>`+"\n",
				number(margin+float64(column+lead)*cell), number(y), fill, weight, number(float64(utf8.RuneCountInString(bare))*cell), html.EscapeString(bare))
		}
		column += n
	}
	last := 0
	for _, m := range sgr.FindAllStringSubmatchIndex(line, -1) {
		put(line[last:m[0]])
		last = m[1]
		fill, weight = colour(""), ""
		for code := range strings.SplitSeq(line[m[2]:m[3]], ";") {
			fill = colour(code)
			if code == "1" {
				weight = ` font-weight="bold"`
			}
		}
	}
	put(line[last:])
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
