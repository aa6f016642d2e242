package docrun

import (
	"fmt"
	"regexp"
	"strings"
)

// Block is a fenced block of a page.
type Block struct {
	Page string // its file
	Line int    // of its first line, from 1
	Lang string // what stands behind the fence: sh, yaml, text, or nothing
	Text string // with the fence's indentation taken away
}

// Command is a command line of ours that a page shows.
type Command struct {
	Page   string
	Line   int      // from 1
	Text   string   // as a shell takes it
	Args   []string // the words after firedrill, as far as the shell hands them on
	Inline bool     // it stands in a sentence: a mention, with words to be filled in
}

// Place is where a command stands: page:line.
func (c Command) Place() string { return fmt.Sprintf("%s:%d", c.Page, c.Line) }

// fence opens or closes a block.
var fence = regexp.MustCompile("^( *)(```+)([a-zA-Z]*)")

// Blocks returns the fenced blocks of a page, and the page with their lines made empty. A block that nobody closes is
// an error.
func Blocks(page, src string) (blocks []Block, rest string, err error) {
	var b *Block
	indent, mark := "", ""
	var prose, text []string
	for i, line := range strings.Split(src, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case b == nil && m != nil:
			b, indent, mark, text = &Block{Page: page, Line: i + 2, Lang: m[3]}, m[1], m[2], nil
		case b != nil && m != nil && m[2] == mark && m[3] == "":
			b.Text = strings.Join(text, "\n")
			blocks, b = append(blocks, *b), nil
		case b != nil:
			text = append(text, strings.TrimPrefix(line, indent))
		default:
			prose = append(prose, line)
			continue
		}
		prose = append(prose, "")
	}
	if b != nil {
		return nil, "", fmt.Errorf("read %s: the block of line %d is not closed", page, b.Line-1)
	}
	return blocks, strings.Join(prose, "\n"), nil
}
