package aws

import (
	"bytes"
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
)

// attr is an attribute value: exactly one of its members is set.
type attr struct {
	S, N *string
	B    []byte
	BOOL *bool
	NULL *bool
	M    map[string]attr
	L    []attr
	SS   []string
	NS   []string
	BS   [][]byte
}

// item is what a table holds under one key.
type item map[string]attr

// kind is the attribute's type as key schemas and errors name it; "" when not exactly one member is set.
func (a attr) kind() string {
	name, v := "", reflect.ValueOf(a)
	members(v, func(member string, f reflect.Value) {
		if absent(f) {
			return
		}
		if name != "" {
			member = "?"
		}
		name = member
	})
	if strings.HasPrefix(name, "?") {
		return ""
	}
	return name
}

// check refuses attributes that AWS refuses.
func (a attr) check() error {
	switch a.kind() {
	case "":
		return invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	case "N":
		if _, ok := number(*a.N); !ok {
			return invalid("The parameter cannot be converted to a numeric value: " + *a.N)
		}
	case "M":
		for _, v := range a.M {
			if err := v.check(); err != nil {
				return err
			}
		}
	case "L":
		for _, v := range a.L {
			if err := v.check(); err != nil {
				return err
			}
		}
	}
	return nil
}

func number(s string) (*big.Rat, bool) { return new(big.Rat).SetString(s) }

// equal compares two attributes; numbers by value.
func (a attr) equal(b attr) bool {
	if n, ok := compareAttr(a, b); ok {
		return n == 0
	}
	return reflect.DeepEqual(a, b)
}

// compareAttr orders two strings, numbers or binaries; others have no order.
func compareAttr(a, b attr) (int, bool) {
	switch {
	case a.S != nil && b.S != nil:
		return strings.Compare(*a.S, *b.S), true
	case a.N != nil && b.N != nil:
		x, okx := number(*a.N)
		y, oky := number(*b.N)
		if okx && oky {
			return x.Cmp(y), true
		}
	case a.B != nil && b.B != nil:
		return bytes.Compare(a.B, b.B), true
	}
	return 0, false
}

// sizeOf is roughly what AWS counts: names and values in bytes.
func sizeOf(it item) int {
	n := 0
	for k, v := range it {
		n += len(k) + v.size()
	}
	return n
}

func (a attr) size() int {
	switch a.kind() {
	case "S":
		return len(*a.S)
	case "N":
		return (len(*a.N)+1)/2 + 1
	case "B":
		return len(a.B)
	case "M":
		return 3 + sizeOf(a.M)
	case "L":
		n := 3
		for _, v := range a.L {
			n += 1 + v.size()
		}
		return n
	case "SS", "NS", "BS":
		b, err := json.Marshal(a)
		if err != nil {
			return 1
		}
		return len(b)
	}
	return 1
}

// keyOf reads the primary key out of an item and makes the name it is kept under.
func (t *table) keyOf(it item) (string, error) {
	name := ""
	for _, k := range t.keys {
		a, ok := it[k.AttributeName]
		if !ok {
			return "", invalid("One or more parameter values were invalid: Missing the key " + k.AttributeName + " in the item")
		}
		want := ""
		for _, d := range t.attributes {
			if d.AttributeName == k.AttributeName {
				want = d.AttributeType
			}
		}
		if a.kind() != want {
			return "", invalid("One or more parameter values were invalid: Type mismatch for key " + k.AttributeName + " expected: " + want + " actual: " + a.kind())
		}
		text := string(a.B) + deref(a.S)
		if a.N != nil {
			n, _ := number(*a.N)
			if n == nil {
				return "", invalid("The parameter cannot be converted to a numeric value: " + *a.N)
			}
			text = n.RatString()
		}
		if text == "" {
			return "", invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: " + k.AttributeName)
		}
		name += text + "\x00"
	}
	return name, nil
}

// onlyKey refuses a key with more in it than the schema says.
func (t *table) onlyKey(it item) (string, error) {
	if len(it) != len(t.keys) {
		return "", invalid("The provided key element does not match the schema")
	}
	return t.keyOf(it)
}
