package main

import (
	"regexp"
	"slices"
	"strings"
)

// mend corrects what contradicts PagerDuty's own documentation or itself, in place, and counts each correction. Where
// the documentation is https://developer.pagerduty.com/docs/rest-api-types: a field may be null unless it is required,
// an id, a boolean or an array.
func mend(d document) map[string]int {
	n := map[string]int{}
	hoist(d, n)
	schemas := object(d, "components", "schemas")

	// The enum of an acknowledge entry allows only what its own parent forbids.
	ack := object(schemas, "AcknowledgeLogEntry", "allOf", "1", "properties")
	object(ack, "type")["enum"] = []any{"acknowledge_log_entry"}
	object(ack, "acknowledgement_timeout")["nullable"] = true
	n["acknowledge entry"]++

	// The branches of Channel overlap and require nothing, so that every channel matches several.
	delete(object(schemas, "Channel"), "oneOf")
	n["channel"]++

	// The details of an incident's body are a string in all examples, and only accepted as one.
	body := object(schemas, "IncidentBody")
	object(body, "properties")["details"] = document{"type": "string"}
	object(body, "properties")["type"] = document{"type": "string", "enum": []any{"incident_body"}}
	n["incident body"]++

	// Recorded acknowledgements name their agent by its id, without a type; examples have more types than the enum.
	text := func() document { return document{"type": "string"} }
	schemas["AgentReference"] = document{"type": "object", "required": []any{"id"}, "properties": document{"id": text(), "type": text(),
		"summary": text(), "self": text(), "html_url": text()}}
	n["agent"]++

	// Enums that the documentation's own examples go beyond.
	delete(object(schemas, "Notification", "properties", "type"), "enum")
	n["open enum"]++

	// Their own examples: a trigger's workflow is an incident_workflow, a setting's services come with id and name alone.
	delete(object(schemas, "IncidentWorkflowTrigger", "allOf", "1", "properties", "workflow", "properties", "type"), "enum")
	object(schemas, "AlertGroupingSetting", "properties", "services")["items"] = document{"type": "object", "required": []any{"id"},
		"properties": document{"id": document{"type": "string"}, "name": document{"type": "string"}}}
	n["own example"] += 2
	included(schemas, n)

	visit(d, nil, func(o document, _ []string) { // references and full objects overlap
		if branches, ok := o["oneOf"].([]any); ok {
			o["anyOf"] = branches
			delete(o, "oneOf")
			delete(o, "discriminator")
			n["oneOf"]++
		}
	})
	visit(d, nil, func(o document, path []string) { // values of custom fields are scalars, typed as objects
		if p, ok := o["properties"].(document); ok && p["value"] != nil && slices.ContainsFunc(path, func(s string) bool { return strings.Contains(s, "CustomFields") }) {
			p["value"] = document{}
			n["custom field value"]++
		}
	})
	logs(d, n)
	nullable(d, n)
	return n
}

// logs lets the account's log hold what an incident's may: both tell the same entries.
func logs(d document, n map[string]int) {
	const at = "#/components/schemas/"
	visit(d, nil, func(o document, _ []string) {
		branches, _ := o["anyOf"].([]any)
		holds := func(name string) bool {
			return slices.ContainsFunc(branches, func(b any) bool { x, ok := b.(document); return ok && x["$ref"] == at+name })
		}
		for _, name := range []string{"FieldValueChangeLogEntry", "CustomFieldValueChangeLogEntry"} {
			if holds("AcknowledgeLogEntry") && !holds(name) && object(d, "components", "schemas")[name] != nil {
				branches = append(branches, document{"$ref": at + name})
				o["anyOf"] = branches
				n["log entries"]++
			}
		}
	})
}

// included lets a whole object stand where the documentation's include[] puts one in place of its reference.
func included(schemas document, n map[string]int) {
	for _, x := range []struct {
		in   document
		name string
		or   string
	}{
		{object(schemas, "Oncall", "properties"), "user", "User"},
		{object(schemas, "LogEntry", "allOf", "1", "properties"), "incident", "Incident"},
		{object(schemas, "Service", "allOf", "1", "properties"), "escalation_policy", "EscalationPolicy"},
	} {
		if ref, ok := x.in[x.name]; ok && schemas[x.or] != nil {
			x.in[x.name] = document{"anyOf": []any{ref, document{"$ref": "#/components/schemas/" + x.or}}}
			n["include[]"]++
		}
	}
}

// nullable lets answers hold null where the documentation does; requests stay strict.
func nullable(d document, n map[string]int) {
	done := map[string]bool{}
	visit(d, nil, func(o document, path []string) {
		p, ok := o["properties"].(document)
		if !ok || slices.Contains(path, "requestBody") || slices.Contains(path, "requestBodies") || done[strings.Join(path, "/")] {
			return
		}
		done[strings.Join(path, "/")] = true
		required, _ := o["required"].([]any)
		for name, v := range p {
			field, ok := v.(document)
			if !ok || name == "id" || slices.Contains(required, any(name)) || field["type"] == "boolean" || field["type"] == "array" {
				continue
			}
			if field["$ref"] != nil || field["anyOf"] != nil || field["allOf"] != nil {
				p[name] = document{"anyOf": []any{field, document{"nullable": true, "enum": []any{nil}}}}
				n["nullable reference"]++
				continue
			}
			field["nullable"] = true
			if enum, ok := field["enum"].([]any); ok && !slices.Contains(enum, any(nil)) {
				field["enum"] = append(enum, nil)
			}
			n["nullable"]++
		}
	})
}

var notName = regexp.MustCompile(`[^A-Za-z0-9]+`)

// hoist gives what is referred to in the middle of a component a name of its own: readers resolve no other references.
func hoist(d document, n map[string]int) {
	for again := true; again; {
		again = false
		at0 := map[string]any{}
		var found []document
		refs(d, func(o document) {
			ref := o["$ref"].(string)
			if strings.HasPrefix(ref, "#/components/") && strings.Count(ref, "/") > 3 {
				found, at0[ref] = append(found, o), clone(at(d, ref))
			}
		})
		for _, o := range found {
			again = true
			n["deep reference"]++
			ref := o["$ref"].(string)
			if strings.HasPrefix(ref, "#/components/examples/") {
				delete(o, "$ref")
				if v, ok := at0[ref].(document); ok {
					for k := range v {
						o[k] = clone(v[k])
					}
				}
				continue
			}
			name := "Hoisted_" + notName.ReplaceAllString(strings.TrimPrefix(ref, "#/components/"), "_")
			object(d, "components", "schemas")[name] = at0[ref]
			o["$ref"] = "#/components/schemas/" + name
		}
	}
}
