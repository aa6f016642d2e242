package docrun

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	// ours is where a command of ours begins in a line of a block: at its front, behind a prompt, a crontab's five
	// fields, a key or a dash of a pipeline's file, variables, exec, or within another command.
	ours = regexp.MustCompile(`(?:^\s*(?:\$ |(?:[-*0-9/,]+ +){5})?(?:- +)?(?:(?:run|script): *)?|\$\(|&& |\|\| |; |\| |["'])(?:(?:exec|time|[A-Z_]+=\S+) +)*((?:\S*/)?firedrill)(?:\s+[^\s:]|$)`)
	// span is code in a sentence; it may go on in the next line.
	span = regexp.MustCompile("`(firedrill [^`]+)`")
	// making is a target of our Makefile.
	making = regexp.MustCompile(`^make ([a-z0-9-]+)`)
)

// Commands returns the command lines of ours that a page shows: in its blocks (output apart: text, json, yaml that is no
// pipeline), and in its sentences.
func Commands(page, src string) ([]Command, error) {
	blocks, prose, err := Blocks(page, src)
	if err != nil {
		return nil, err
	}
	var all []Command
	for _, b := range blocks {
		if b.Lang == "text" || b.Lang == "json" {
			continue
		}
		more, err := b.commands()
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	for _, at := range span.FindAllStringSubmatchIndex(prose, -1) {
		text := strings.Join(strings.Fields(prose[at[2]:at[3]]), " ")
		args, err := Words(strings.TrimPrefix(text, "firedrill "))
		line := 1 + strings.Count(prose[:at[2]], "\n")
		if err != nil {
			return nil, fmt.Errorf("read %s:%d: %w", page, line, err)
		}
		all = append(all, Command{Page: page, Line: line, Text: text, Args: filledIn(args), Inline: true})
	}
	return all, nil
}

// commands are those of one block. A line that ends in a backslash goes on.
func (b Block) commands() (all []Command, err error) {
	lines := strings.Split(b.Text, "\n")
	usage := false
	for i := 0; i < len(lines); i++ {
		line, at := lines[i], b.Line+i
		for strings.HasSuffix(line, `\`) && i+1 < len(lines) {
			i++
			line = strings.TrimSuffix(line, `\`) + strings.TrimLeft(lines[i], " ")
		}
		told := usage // the line after Usage: tells a form
		usage = strings.TrimSpace(line) == "Usage:"
		if told {
			continue
		}
		for _, m := range ours.FindAllStringSubmatchIndex(line, -1) {
			line := line
			if q := line[m[0]:m[2]]; strings.HasPrefix(q, `"`) || strings.HasPrefix(q, "'") { // it ends with the quotation
				end := strings.IndexByte(line[m[2]:], q[0])
				line = line[:m[2]+max(end, 0)]
			}
			args, err := Words(line[min(m[3], len(line)):])
			if err != nil {
				return nil, fmt.Errorf("read %s:%d: %w", b.Page, at, err)
			}
			all = append(all, Command{Page: b.Page, Line: at, Text: strings.TrimSpace(line[m[2]:]), Args: filledIn(args)})
		}
	}
	return all, nil
}

// Targets are the targets of our Makefile that a page's blocks name.
func Targets(page, src string) ([]string, error) {
	blocks, _, err := Blocks(page, src)
	var all []string
	for _, b := range blocks {
		for line := range strings.Lines(b.Text) {
			if m := making.FindStringSubmatch(line); m != nil {
				all = append(all, m[1])
			}
		}
	}
	return all, err
}

// filledIn drops what says that something may follow: … and [flags]. What may be left out is there: [--env E].
func filledIn(args []string) (words []string) {
	for _, a := range args {
		if strings.HasPrefix(a, "[") && strings.HasSuffix(a, "]") {
			continue
		}
		a = strings.TrimSuffix(strings.TrimPrefix(a, "["), "]")
		if a != "…" && a != "..." && a != "" {
			words = append(words, a)
		}
	}
	return words
}

// Words are the words of one command as a shell cuts them: up to a comment, a pipe, a redirection, the next command or
// the end of a substitution. Nothing is replaced.
func Words(line string) (words []string, err error) {
	var word strings.Builder
	open, in := rune(0), false
	end := func() {
		if in {
			words = append(words, word.String())
		}
		word.Reset()
		in = false
	}
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case open != 0 && r == open:
			open = 0
		case r == '\\' && open != '\'' && i+1 < len(runes):
			i++
			word.WriteRune(runes[i])
			in = true
		case open != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			if r == '"' && strings.TrimSpace(string(runes[i+1:])) == "" && !in {
				return words, nil // it closes what began before us: eval "$(firedrill …)"
			}
			open, in = r, true
		case r == ' ' || r == '\t':
			end()
		case strings.ContainsRune("|><;&)", r), r == '#' && !in:
			end()
			return words, nil
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if open != 0 {
		return nil, fmt.Errorf("%c is not closed: %s", open, strings.TrimSpace(line))
	}
	end()
	return words, nil
}
