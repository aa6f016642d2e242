package drills

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The bounds of a file. The parser recurses over nesting and compares keys pairwise, so both are bounded before it
// sees the text; a real drill has some 300 tokens, and nests five deep.
const (
	maxBytes  = 1 << 20
	maxTokens = 20_000
	maxDepth  = 32
)

// kind is what a node of a file is.
type kind int

const (
	isNull kind = iota
	isText
	isNumber
	isBool
	isList
	isMapping
)

func (k kind) String() string {
	return [...]string{"nothing", "text", "a number", "true or false", "a list", "a mapping"}[k]
}

// place is where something stands in a file, from 1.
type place struct{ line, col int }

// node is one value of a file with its place; anchors, aliases, tags and merge keys never become one.
type node struct {
	kind  kind
	at    place
	text  string // a scalar, its quotes taken off
	plain bool   // a scalar without quotes
	pairs []pair
	items []*node
}

// pair is one key of a mapping.
type pair struct {
	key   string
	at    place
	value *node
}

// parse turns a file into a tree, or says why it cannot. A nil tree comes with at least one mistake.
func parse(file string, src []byte) (tree *node, found []Mistake) {
	// The parser is not ours: on a file that it cannot bear it must not take the program down.
	defer func() {
		if p := recover(); p != nil {
			tree, found = nil, []Mistake{{file, 1, 1, "this is not YAML that can be read", "simplify it: " + fmt.Sprint(p)}}
		}
	}()
	if m, bad := unreadable(file, src); bad {
		return nil, []Mistake{m}
	}
	text := strings.TrimPrefix(string(src), "\ufeff")
	tokens := lexer.Tokenize(text)
	if m, bad := tooMuch(file, tokens); bad {
		return nil, []Mistake{m}
	}
	doc, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntax(file, text, err)
	}
	b := builder{file: file}
	tree = b.document(doc)
	return tree, b.found
}

// unreadable looks at the bytes alone.
func unreadable(file string, src []byte) (Mistake, bool) {
	if len(src) > maxBytes {
		return Mistake{file, 1, 1, fmt.Sprintf("the file is %d bytes long, and 1 MiB is the most", len(src)), "a file a drill"}, true
	}
	line, col := 1, 1
	for rest := src; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && n == 1:
			return Mistake{file, line, col, "this is not UTF-8", "save the file as UTF-8"}, true
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			return Mistake{file, line, col, fmt.Sprintf("a control character (%#x) stands here", r), "take it out"}, true
		case r == '\n':
			line, col = line+1, 0
		}
		rest, col = rest[n:], col+1
	}
	if len(bytes.TrimSpace(src)) == 0 {
		return Mistake{file, 1, 1, "the file is empty", "firedrill new NAME, or firedrill init"}, true
	}
	return Mistake{}, false
}

// tooMuch bounds tokens and nesting before the parser, which recurses, sees them.
func tooMuch(file string, tokens token.Tokens) (Mistake, bool) {
	if len(tokens) > maxTokens {
		return Mistake{file, 1, 1, fmt.Sprintf("the file has over %d words", maxTokens), "a file a drill"}, true
	}
	depth, line, onLine := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, onLine = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			onLine++
		}
		if depth+onLine > maxDepth {
			return Mistake{file, t.Position.Line, t.Position.Column, "this nests too deep", "write it flat"}, true
		}
	}
	return Mistake{}, false
}

// syntax names the mistakes that people make most; else it repeats the parser, which stops at its first.
func syntax(file, text string, err error) []Mistake {
	if found := bareVariables(file, text); len(found) > 0 {
		return found
	}
	if found := tabs(file, text); len(found) > 0 {
		return found
	}
	m := Mistake{file, 1, 1, err.Error(), ""}
	var at yaml.Error
	if errors.As(err, &at) {
		m.What = at.GetMessage()
		if t := at.GetToken(); t != nil && t.Position != nil {
			m.Line, m.Col = max(1, t.Position.Line), max(1, t.Position.Column)
		}
	}
	m.What, _, _ = strings.Cut(m.What, "\n")
	if strings.Contains(m.What, "mapping value is not allowed") {
		m.Try = `put text that holds ": " in quotes, and indent the keys of a mapping alike`
	} else {
		m.Try = "a quote or bracket here, or above, is not closed, or lines are not indented alike"
	}
	return []Mistake{m}
}

// bareVariables finds ${var} without quotes inside {…} or […], where YAML takes its brace for a mapping.
func bareVariables(file, text string) []Mistake {
	var found []Mistake
	for _, t := range lexer.Tokenize(text) {
		before := t.Prev
		if t.Type != token.MappingStartType || before == nil || !strings.HasSuffix(before.Value, "$") {
			continue
		}
		name := "var"
		if t.Next != nil && variableName.MatchString(strings.TrimSpace(t.Next.Value)) {
			name = strings.TrimSpace(t.Next.Value)
		}
		found = append(found, Mistake{file, before.Position.Line, before.Position.Column,
			"a ${var} inside {…} or […] needs quotes", `"${` + name + `}"`})
	}
	return found
}

// tabs finds lines that are indented with tabs.
func tabs(file, text string) []Mistake {
	var found []Mistake
	for i, line := range strings.Split(text, "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if col := strings.IndexByte(indent, '\t'); col >= 0 && strings.TrimSpace(line) != "" {
			found = append(found, Mistake{file, i + 1, col + 1, "a tab indents this line", "spaces"})
		}
	}
	return found
}

// builder makes a tree of the parser's nodes, and refuses what a drill has no use for.
type builder struct {
	file  string
	found []Mistake
}

func (b *builder) wrong(t *token.Token, what, try string) *node {
	at := placeOf(t)
	b.found = append(b.found, Mistake{b.file, at.line, at.col, what, try})
	return nil
}

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{max(1, t.Position.Line), max(1, t.Position.Column)}
}

func (b *builder) document(f *ast.File) *node {
	var tree *node
	documents := 0
	for _, doc := range f.Docs {
		if d, ok := doc.Body.(*ast.DirectiveNode); ok {
			b.node(d)
			continue
		}
		if documents++; documents > 1 {
			at := doc.Start
			if at == nil && doc.Body != nil {
				at = doc.Body.GetToken()
			}
			b.wrong(at, "a second document begins here", "a file a document")
			break
		}
		if doc.Body == nil {
			continue
		}
		tree = b.node(doc.Body)
	}
	if tree == nil && len(b.found) == 0 {
		b.wrong(nil, "the file is empty", "firedrill new NAME, or firedrill init")
	}
	return tree
}

func (b *builder) node(n ast.Node) *node {
	t := n.GetToken()
	switch v := n.(type) {
	case *ast.MappingNode:
		out := &node{kind: isMapping, at: placeOf(t)}
		for _, p := range v.Values {
			b.pair(out, p)
		}
		if t.Type != token.MappingStartType && len(out.pairs) > 0 {
			out.at = out.pairs[0].at
		}
		return out
	case *ast.SequenceNode:
		out := &node{kind: isList, at: placeOf(t)}
		for _, item := range v.Values {
			out.items = append(out.items, b.child(item, placeOf(t)))
		}
		return out
	case *ast.StringNode:
		quoted := t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType
		return &node{kind: isText, at: placeOf(t), text: v.Value, plain: !quoted}
	case *ast.LiteralNode:
		return &node{kind: isText, at: placeOf(t), text: v.Value.Value}
	case *ast.IntegerNode, *ast.FloatNode:
		return &node{kind: isNumber, at: placeOf(t), text: t.Value, plain: true}
	case *ast.BoolNode:
		return &node{kind: isBool, at: placeOf(t), text: strings.ToLower(t.Value), plain: true}
	case *ast.NullNode:
		return &node{kind: isNull, at: placeOf(t), plain: true}
	case *ast.CommentGroupNode:
		return nil
	case *ast.AnchorNode, *ast.AliasNode:
		return b.wrong(t, "anchors and aliases are not read", "write the value out")
	case *ast.TagNode:
		return b.wrong(t, "tags (!…) are not read", "the value alone, text in quotes")
	case *ast.DirectiveNode:
		return b.wrong(t, "directives (%…) are not read", "leave the line out")
	case *ast.InfinityNode, *ast.NanNode:
		return b.wrong(t, "this is not a number that can be used", "digits")
	default:
		return b.wrong(t, "this kind of YAML is not read", "plain mappings, lists and text")
	}
}

func (b *builder) pair(out *node, p *ast.MappingValueNode) {
	t := p.Key.GetToken()
	switch p.Key.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.BoolNode, *ast.FloatNode, *ast.NullNode:
	case *ast.MergeKeyNode:
		b.wrong(t, "merge keys (<<) are not read", "write the keys out")
		return
	default:
		b.wrong(t, "a key is a plain word", "key: value")
		return
	}
	key := t.Value
	for _, earlier := range out.pairs {
		if earlier.key == key {
			b.wrong(t, fmt.Sprintf("key %q stands here twice, first on line %d", key, earlier.at.line), "keep one of them")
		}
	}
	out.pairs = append(out.pairs, pair{key: key, at: placeOf(t), value: b.child(p.Value, placeOf(t))})
}

// child is a node below another. In the place of one that is refused stands one that mutes further mistakes.
func (b *builder) child(n ast.Node, at place) *node {
	if n != nil {
		if out := b.node(n); out != nil {
			return out
		}
	}
	return &node{kind: isNull, at: at, text: "refused"}
}
