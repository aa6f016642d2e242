package aws

import (
	"fmt"
	"strings"
)

// placeholders are what #names and :values in a request's expressions stand for.
type placeholders struct {
	names  map[string]string
	values map[string]attr
	used   map[string]bool
}

func newPlaceholders(names map[string]string, values map[string]attr) *placeholders {
	return &placeholders{names: names, values: values, used: map[string]bool{}}
}

// unused refuses placeholders that no expression of the request used, as AWS does.
func (p *placeholders) unused() error {
	for k := range p.names {
		if !p.used[k] {
			return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {" + k + "}")
		}
	}
	for k := range p.values {
		if !p.used[k] {
			return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {" + k + "}")
		}
	}
	return nil
}

// condition decides about an item; the item of an absent key is nil.
type condition func(item) (bool, error)

// parser reads one expression.
type parser struct {
	tokens []token
	at     int
	p      *placeholders
}

// parseCondition reads a condition, filter or key condition; "" always holds.
func parseCondition(s string, p *placeholders) (condition, error) {
	if s == "" {
		return func(item) (bool, error) { return true, nil }, nil
	}
	tokens, err := lex(s)
	if err != nil {
		return nil, err
	}
	r := &parser{tokens: tokens, p: p}
	c, err := r.or()
	if err != nil {
		return nil, err
	}
	if r.at < len(r.tokens) {
		return nil, r.syntax()
	}
	return c, nil
}

func (r *parser) peek() token {
	if r.at < len(r.tokens) {
		return r.tokens[r.at]
	}
	return ""
}

func (r *parser) next() token {
	t := r.peek()
	r.at++
	return t
}

func (r *parser) syntax() error {
	t := r.peek()
	if t == "" {
		t = "<EOF>"
	}
	return invalid(fmt.Sprintf("Invalid expression: Syntax error; token: %q", string(t)))
}

func (r *parser) expect(t token) error {
	if r.peek() != t {
		return r.syntax()
	}
	r.at++
	return nil
}

func (r *parser) or() (condition, error)  { return r.chain("OR", true, r.and) }
func (r *parser) and() (condition, error) { return r.chain("AND", false, r.not) }

// chain reads operands joined by a word; an operand that gives decides ends it.
func (r *parser) chain(word string, decides bool, operand func() (condition, error)) (condition, error) {
	first, err := operand()
	if err != nil {
		return nil, err
	}
	parts := []condition{first}
	for r.peek().word(word) {
		r.at++
		c, err := operand()
		if err != nil {
			return nil, err
		}
		parts = append(parts, c)
	}
	return func(it item) (bool, error) {
		for _, c := range parts {
			ok, err := c(it)
			if err != nil || ok == decides {
				return ok, err
			}
		}
		return !decides, nil
	}, nil
}

func (r *parser) not() (condition, error) {
	if r.peek().word("NOT") {
		r.at++
		c, err := r.not()
		if err != nil {
			return nil, err
		}
		return func(it item) (bool, error) {
			ok, err := c(it)
			return !ok, err
		}, nil
	}
	if r.peek() == "(" {
		r.at++
		c, err := r.or()
		if err != nil {
			return nil, err
		}
		return c, r.expect(")")
	}
	return r.primary()
}

// primary is a function call or a comparison.
func (r *parser) primary() (condition, error) {
	name := strings.ToLower(string(r.peek()))
	if r.at+1 < len(r.tokens) && r.tokens[r.at+1] == "(" {
		r.at += 2
		switch name {
		case "attribute_exists", "attribute_not_exists":
			path, err := r.path()
			if err != nil {
				return nil, err
			}
			want := name == "attribute_exists"
			return func(it item) (bool, error) {
				_, ok := lookup(it, path)
				return ok == want, nil
			}, r.expect(")")
		case "begins_with":
			return r.beginsWith()
		}
		return nil, invalid("Invalid expression: the sandbox does not know the function " + name)
	}
	return r.comparison()
}

func (r *parser) beginsWith() (condition, error) {
	left, err := r.operand()
	if err != nil {
		return nil, err
	}
	if err := r.expect(","); err != nil {
		return nil, err
	}
	right, err := r.operand()
	if err != nil {
		return nil, err
	}
	return func(it item) (bool, error) {
		a, ok := left(it)
		b, okb := right(it)
		return ok && okb && a.S != nil && b.S != nil && strings.HasPrefix(*a.S, *b.S), nil
	}, r.expect(")")
}

func (r *parser) comparison() (condition, error) {
	left, err := r.operand()
	if err != nil {
		return nil, err
	}
	op := r.next()
	if op.word("BETWEEN") {
		return r.between(left)
	}
	switch op {
	case "=", "<>", "<", "<=", ">", ">=":
	default:
		r.at--
		return nil, r.syntax()
	}
	right, err := r.operand()
	if err != nil {
		return nil, err
	}
	return func(it item) (bool, error) {
		a, ok := left(it)
		b, okb := right(it)
		if !ok || !okb {
			return op == "<>" && ok != okb, nil
		}
		if op == "=" || op == "<>" {
			return a.equal(b) == (op == "="), nil
		}
		n, ordered := compareAttr(a, b)
		return ordered && (op == "<" && n < 0 || op == "<=" && n <= 0 || op == ">" && n > 0 || op == ">=" && n >= 0), nil
	}, nil
}

func (r *parser) between(x value) (condition, error) {
	low, err := r.operand()
	if err != nil {
		return nil, err
	}
	if !r.peek().word("AND") {
		return nil, r.syntax()
	}
	r.at++
	high, err := r.operand()
	if err != nil {
		return nil, err
	}
	return func(it item) (bool, error) {
		a, ok := x(it)
		lo, okl := low(it)
		hi, okh := high(it)
		if !ok || !okl || !okh {
			return false, nil
		}
		n, ordered := compareAttr(lo, a)
		m, also := compareAttr(a, hi)
		return ordered && also && n <= 0 && m <= 0, nil
	}, nil
}

// value is an operand: what it is worth for an item, and whether it is there.
type value func(item) (attr, bool)

func (r *parser) operand() (value, error) {
	if t := r.peek(); strings.HasPrefix(string(t), ":") {
		r.at++
		a, ok := r.p.values[string(t)]
		if !ok {
			return nil, invalid("Invalid expression: An expression attribute value used in expression is not defined; attribute value: " + string(t))
		}
		if err := a.check(); err != nil {
			return nil, err
		}
		r.p.used[string(t)] = true
		return func(item) (attr, bool) { return a, true }, nil
	}
	path, err := r.path()
	if err != nil {
		return nil, err
	}
	return func(it item) (attr, bool) { return lookup(it, path) }, nil
}

// path reads a document path such as a.#b; list indexes are not evaluated here and refused by the lexer.
func (r *parser) path() ([]string, error) {
	var path []string
	for {
		t := string(r.peek())
		switch {
		case strings.HasPrefix(t, "#"):
			name, ok := r.p.names[t]
			if !ok {
				return nil, invalid("Invalid expression: An expression attribute name used in the document path is not defined; attribute name: " + t)
			}
			r.p.used[t] = true
			path = append(path, name)
		case t != "" && wordByte(t[0]):
			path = append(path, t)
		default:
			return nil, r.syntax()
		}
		r.at++
		if r.peek() != "." {
			return path, nil
		}
		r.at++
	}
}

func lookup(it item, path []string) (attr, bool) {
	a, ok := it[path[0]]
	for _, p := range path[1:] {
		if !ok {
			break
		}
		a, ok = a.M[p]
	}
	return a, ok
}
