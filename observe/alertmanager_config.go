package observe

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// routing is what we read of a configuration of Alertmanager.
type routing struct {
	root    route
	paging  map[string]bool // receivers that tell PagerDuty
	inhibit []inhibition
}

// route is one node of the tree, as it is written.
type route struct {
	receiver string
	groupBy  []string
	wait     string
	keeps    bool // continue
	timed    bool // at some times of the week only
	routes   []route

	conditions
}

// conditions are the three ways of writing matchers.
type conditions struct {
	matchers       []string
	match, matchRE map[string]string
}

// inhibition is one inhibit rule.
type inhibition struct {
	source, target conditions
	equal          []string
}

// parseRouting reads what Alertmanager says its configuration is. What it writes itself has neither anchors nor tags.
// The parser is not ours: what it cannot bear is an error.
func parseRouting(config string) (c routing, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("read configuration of Alertmanager: %v", p)
		}
	}()
	file, err := parser.ParseBytes([]byte(config), 0)
	if err != nil {
		return c, errors.New("read configuration of Alertmanager: it is not YAML that can be read")
	}
	var top keyed
	if len(file.Docs) > 0 {
		top = mapping(file.Docs[0].Body)
	}
	root := mapping(top["route"])
	if len(root) == 0 {
		return c, errors.New("read configuration of Alertmanager: it has no route")
	}
	c.root, c.paging = routeOf(root), map[string]bool{}
	for _, n := range items(top["receivers"]) {
		r := mapping(n)
		if name := scalarText(r["name"]); len(items(r["pagerduty_configs"])) > 0 {
			c.paging[name] = true
		}
	}
	for _, n := range items(top["inhibit_rules"]) {
		r := mapping(n)
		c.inhibit = append(c.inhibit, inhibition{source: r.conditions("source_"), target: r.conditions("target_"), equal: scalarTexts(r["equal"])})
	}
	return c, nil
}

func routeOf(m keyed) route {
	r := route{receiver: scalarText(m["receiver"]), groupBy: scalarTexts(m["group_by"]), wait: scalarText(m["group_wait"]),
		keeps: scalarText(m["continue"]) == "true", timed: len(items(m["mute_time_intervals"]))+len(items(m["active_time_intervals"])) > 0,
		conditions: m.conditions("")}
	for _, n := range items(m["routes"]) {
		r.routes = append(r.routes, routeOf(mapping(n)))
	}
	return r
}

// keyed is a mapping of YAML.
type keyed map[string]ast.Node

func (m keyed) conditions(prefix string) conditions {
	texts := func(n ast.Node) map[string]string {
		out := map[string]string{}
		for name, value := range mapping(n) {
			out[name] = scalarText(value)
		}
		return out
	}
	return conditions{matchers: scalarTexts(m[prefix+"matchers"]), match: texts(m[prefix+"match"]), matchRE: texts(m[prefix+"match_re"])}
}

// mapping is empty for what is none.
func mapping(n ast.Node) keyed {
	m := keyed{}
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			m[scalarText(v.Key)] = v.Value
		}
	case *ast.MappingValueNode:
		m[scalarText(n.Key)] = n.Value
	}
	return m
}

func items(n ast.Node) []ast.Node {
	if list, ok := n.(*ast.SequenceNode); ok {
		return list.Values
	}
	return nil
}

func scalarTexts(n ast.Node) (out []string) {
	for _, item := range items(n) {
		out = append(out, scalarText(item))
	}
	return out
}

// scalarText is a scalar as it was written, its quotes taken off.
func scalarText(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.NullNode, nil:
		return ""
	case ast.ScalarNode:
		return n.GetToken().Value
	}
	return ""
}
