package drills

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// variableName is how a variable of an environment is spelled.
var variableName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Resolve returns the drill with every ${var} in its text replaced by the environment's value. Undefined variables,
// and whatever only shows once the values are known, come as *Mistakes with their lines. $${ stands for ${ itself.
// A Spec that was not read from a file is returned as it is.
func (s *Spec) Resolve(vars map[string]string) (*Spec, error) {
	if s.tree == nil {
		return s, nil
	}
	if vars == nil {
		vars = map[string]string{}
	}
	r := &reader{file: s.file, vars: vars, kinds: s.kinds}
	out := r.drill(s.tree)
	out.Source = s.Source
	if err := asError(r.found); err != nil {
		return nil, err
	}
	return out, nil
}

// Variables lists the variables that the drill uses, sorted.
func (s *Spec) Variables() []string {
	used := map[string]bool{}
	s.tree.each(func(n *node) {
		_ = eachVariable(n.text, func(name string) string { used[name] = true; return "" })
	})
	return slices.Sorted(maps.Keys(used))
}

// each visits every scalar text below n.
func (n *node) each(visit func(*node)) {
	if n == nil {
		return
	}
	if n.kind == isText {
		visit(n)
	}
	for _, item := range n.items {
		item.each(visit)
	}
	for _, p := range n.pairs {
		p.value.each(visit)
	}
}

// expand replaces the variables of a text. It tells mistakes once: quiet is for a text that was expanded before.
func (r *reader) expand(n *node, quiet bool) string {
	if !strings.Contains(n.text, "${") {
		return n.text
	}
	if r.noVars {
		if !quiet {
			r.wrong(n.at, "write the value itself", "${…} is for drills: an environment file has no variables")
		}
		return n.text
	}
	out, err := n.text, error(nil)
	text := replaceVariables(n.text, func(name string) string {
		value, ok := r.vars[name]
		if !ok && r.vars != nil && !quiet {
			try := "add it under vars: of the environment"
			if k, near := nearest(name, slices.Sorted(maps.Keys(r.vars))); near {
				try = "did you mean ${" + k + "}?"
			}
			r.wrong(n.at, try, "the environment defines no variable %q", name)
		}
		if !ok {
			return "${" + name + "}"
		}
		return value
	}, &err)
	if err != nil && !quiet {
		r.wrong(n.at, `${name}, in lower-case letters, digits and underscores; $${ for ${ itself`, "%s", err)
	}
	if r.vars != nil && err == nil {
		out = text
	}
	return out
}

// eachVariable visits the variables of a text.
func eachVariable(text string, visit func(name string) string) (err error) {
	replaceVariables(text, visit, &err)
	return err
}

// replaceVariables puts value(name) for each ${name}, and ${ for $${. The first misspelling goes to err.
func replaceVariables(text string, value func(name string) string, err *error) string {
	var out strings.Builder
	for {
		at := strings.Index(text, "${")
		if at < 0 {
			return out.String() + text
		}
		if at > 0 && text[at-1] == '$' {
			out.WriteString(text[:at-1] + "${")
			text = text[at+2:]
			continue
		}
		out.WriteString(text[:at])
		name, rest, closed := strings.Cut(text[at+2:], "}")
		switch {
		case !closed && *err == nil:
			*err = fmt.Errorf("a ${ is not closed")
		case closed && variableName.MatchString(name):
			out.WriteString(value(name))
		case *err == nil:
			*err = fmt.Errorf("${%s} is not spelled like a variable", name)
		}
		text = rest
	}
}

// unknown says that a text's value is not known, for want of an environment: its content cannot be judged.
func (r *reader) unknown(n *node) bool {
	return r.vars == nil && strings.Contains(n.text, "${")
}
