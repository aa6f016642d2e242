package aws

import (
	"maps"
	"math/big"
	"strings"
)

// edit changes a copy of an item; old is the item as it was.
type edit func(old, it item) error

// parseUpdate reads an update expression: SET (with + and -, if_not_exists), REMOVE and ADD of numbers, on
// top-level attributes.
func parseUpdate(s string, p *placeholders) ([]edit, error) {
	tokens, err := lex(s)
	if err != nil {
		return nil, err
	}
	r := &parser{tokens: tokens, p: p}
	if r.peek() == "" {
		return nil, invalid("Invalid UpdateExpression: The expression can not be empty;")
	}
	var edits []edit
	seen := map[string]bool{}
	for r.peek() != "" {
		clause := strings.ToUpper(string(r.next()))
		read := map[string]func() (edit, error){"SET": r.set, "REMOVE": r.remove, "ADD": r.add}[clause]
		if read == nil || seen[clause] {
			r.at--
			return nil, r.syntax()
		}
		seen[clause] = true
		for {
			e, err := read()
			if err != nil {
				return nil, err
			}
			edits = append(edits, e)
			if r.peek() != "," {
				break
			}
			r.at++
		}
	}
	return edits, nil
}

func (r *parser) top() (string, error) {
	path, err := r.path()
	if err != nil {
		return "", err
	}
	if len(path) > 1 {
		return "", invalid("Invalid UpdateExpression: the sandbox updates top-level attributes only: " + strings.Join(path, "."))
	}
	return path[0], nil
}

func (r *parser) set() (edit, error) {
	name, err := r.top()
	if err != nil {
		return nil, err
	}
	if err := r.expect("="); err != nil {
		return nil, err
	}
	left, err := r.setOperand()
	if err != nil {
		return nil, err
	}
	op := r.peek()
	if op != "+" && op != "-" {
		return func(old, it item) error {
			a, ok := left(old)
			if !ok {
				return missing()
			}
			it[name] = a
			return nil
		}, nil
	}
	r.at++
	right, err := r.setOperand()
	if err != nil {
		return nil, err
	}
	return func(old, it item) error {
		a, ok := left(old)
		b, okb := right(old)
		if !ok || !okb {
			return missing()
		}
		sum, err := addUp(a, b, op == "-")
		it[name] = sum
		return err
	}, nil
}

func missing() error {
	return invalid("The provided expression refers to an attribute that does not exist in the item")
}

func (r *parser) setOperand() (value, error) {
	if !r.peek().word("if_not_exists") {
		return r.operand()
	}
	r.at++
	if err := r.expect("("); err != nil {
		return nil, err
	}
	path, err := r.path()
	if err != nil {
		return nil, err
	}
	if err := r.expect(","); err != nil {
		return nil, err
	}
	other, err := r.operand()
	if err != nil {
		return nil, err
	}
	return func(it item) (attr, bool) {
		if a, ok := lookup(it, path); ok {
			return a, true
		}
		return other(it)
	}, r.expect(")")
}

func (r *parser) remove() (edit, error) {
	name, err := r.top()
	return func(_, it item) error {
		delete(it, name)
		return nil
	}, err
}

func (r *parser) add() (edit, error) {
	name, err := r.top()
	if err != nil {
		return nil, err
	}
	by, err := r.operand()
	if err != nil {
		return nil, err
	}
	return func(old, it item) error {
		n, _ := by(old)
		was, ok := old[name]
		if !ok {
			zero := "0"
			was = attr{N: &zero}
		}
		sum, err := addUp(was, n, false)
		it[name] = sum
		return err
	}, nil
}

func addUp(a, b attr, minus bool) (attr, error) {
	if a.N == nil || b.N == nil {
		return attr{}, invalid("An operand in the update expression has an incorrect data type")
	}
	x, okx := number(*a.N)
	y, oky := number(*b.N)
	if !okx || !oky {
		return attr{}, invalid("The parameter cannot be converted to a numeric value")
	}
	if minus {
		y = new(big.Rat).Neg(y)
	}
	sum := new(big.Rat).Add(x, y)
	text := sum.RatString()
	if !sum.IsInt() {
		text = strings.TrimRight(sum.FloatString(38), "0")
	}
	return attr{N: &text}, nil
}

// apply makes a new item of an old one, which may be nil.
func apply(edits []edit, old, key item) (item, error) {
	it := maps.Clone(old)
	if it == nil {
		it = maps.Clone(key)
	}
	for _, e := range edits {
		if err := e(old, it); err != nil {
			return nil, err
		}
	}
	return it, nil
}
