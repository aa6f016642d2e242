package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// document is a JSON object of which nothing is known beforehand.
type document = map[string]any

// decode reads a document; numbers stay as they are written.
func decode(raw []byte) (d document, err error) {
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	return d, in.Decode(&d)
}

// visit calls f for every object below a node, with the names that lead to it, in a fixed order, parents first.
// Examples are data, not schema.
func visit(node any, path []string, f func(o document, path []string)) {
	switch n := node.(type) {
	case document:
		f(n, path)
		for _, k := range slices.Sorted(maps.Keys(n)) {
			if k != "example" && k != "examples" {
				visit(n[k], append(path[:len(path):len(path)], k), f)
			}
		}
	case []any:
		for i, v := range n {
			visit(v, append(path[:len(path):len(path)], strconv.Itoa(i)), f)
		}
	}
}

// at follows a local reference, #/components/schemas/Tag/allOf/0.
func at(d document, ref string) any {
	var node any = d
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		switch n := node.(type) {
		case document:
			node = n[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(n) {
				return nil
			}
			node = n[i]
		default:
			return nil
		}
	}
	return node
}

// object is what a reference or a name leads to, where that is an object; else an empty one that belongs to nobody.
func object(node any, names ...string) document {
	for _, name := range names {
		switch n := node.(type) {
		case document:
			node = n[name]
		case []any:
			if i, err := strconv.Atoi(name); err == nil && i < len(n) {
				node = n[i]
			}
		}
	}
	if o, ok := node.(document); ok {
		return o
	}
	return document{}
}

// clone copies all of a node.
func clone(node any) any {
	switch n := node.(type) {
	case document:
		c := document{}
		for k, v := range n {
			c[k] = clone(v)
		}
		return c
	case []any:
		c := make([]any, len(n))
		for i, v := range n {
			c[i] = clone(v)
		}
		return c
	}
	return node
}
