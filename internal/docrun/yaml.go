package docrun

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/firedrill/firedrill/drills"
)

// anEnvironment and aDrill are what a part of one stands in.
const (
	anEnvironment = `
aws: {account: "123456789012", regions: [eu-west-1]}
tags: {environment: staging}
window: {days: mon-fri, hours: "10:00-16:00", zone: Europe/Berlin}
pagerduty: {token: "env:PAGERDUTY_TOKEN", from: drills@example.com}
owner: {key: "env:OWNER_KEY"}
teams: {orders: {service: PORDERS, key: "env:ORDERS_KEY"}}
`
	aDrill = `
drill: shown
title: Something is shown
scenario: It is a part of a page.
team: orders
faults: [{dynamodb.throttle: {table: orders, writes: 1}}]
page: {when: direct}
expect: {acknowledge: 5m}
limit: 60m
`
)

// Validate reads a yaml block of a page as what it is: an environment file, a drill, or a part of one. What is neither,
// like a pipeline's file, it leaves alone: known is then false.
func (b Block) Validate(kinds drills.Kinds) (known bool, err error) {
	var top map[string]any
	if err := yaml.Unmarshal([]byte(b.Text), &top); err != nil {
		return true, fmt.Errorf("read %s:%d: %w", b.Page, b.Line, err)
	}
	drill, environment, err := keys(kinds)
	if err != nil {
		return true, err
	}
	name := fmt.Sprintf("%s:%d", b.Page, b.Line)
	switch {
	case top["environments"] != nil:
		_, err = drills.ReadEnvironments(name, []byte(b.Text))
	case top["drill"] != nil:
		_, err = drills.ReadDrill(name, []byte(b.Text), kinds)
	case partOf(top, environment):
		var whole []byte
		if whole, err = completed(anEnvironment, top); err == nil {
			_, err = drills.ReadEnvironments(name, []byte("environments:\n  shown:\n    "+strings.ReplaceAll(string(whole), "\n", "\n    ")))
		}
	case partOf(top, drill):
		var whole []byte
		if whole, err = completed(aDrill, top); err == nil {
			_, err = drills.ReadDrill(name, whole, kinds)
		}
	default:
		return false, nil
	}
	return true, err
}

// keys are those of a drill and of an environment, as their schemas tell them.
func keys(kinds drills.Kinds) (drill, environment []string, err error) {
	var file struct {
		Properties struct {
			Environments struct {
				AdditionalProperties struct{ Properties map[string]any }
			}
		}
	}
	var card struct{ Properties map[string]any }
	for which, into := range map[string]any{drills.SchemaDrill: &card, drills.SchemaEnvironment: &file} {
		src, err := drills.Schema(which, kinds)
		if err == nil {
			err = json.Unmarshal(src, into)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read schema of %s: %w", which, err)
		}
	}
	environment = slices.Collect(maps.Keys(file.Properties.Environments.AdditionalProperties.Properties))
	return slices.Collect(maps.Keys(card.Properties)), environment, nil
}

// partOf says that some key of a block is one of theirs.
func partOf(top map[string]any, keys []string) bool {
	for _, key := range keys {
		if _, there := top[key]; there {
			return true
		}
	}
	return false
}

// completed puts the part into what it stands in.
func completed(whole string, part map[string]any) ([]byte, error) {
	all := map[string]any{}
	if err := yaml.Unmarshal([]byte(whole), &all); err != nil {
		return nil, err
	}
	maps.Copy(all, part)
	return yaml.Marshal(all)
}
