package drills

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/firedrill/firedrill/observe"
	"github.com/invopop/jsonschema"
)

// The files that Schema knows.
const (
	SchemaDrill       = "drill"
	SchemaEnvironment = "environment"
)

// object is a piece of JSON Schema.
type object = map[string]any

// Schema returns the JSON Schema (draft 2020-12) of a drill or environment file, for editors: names, types and what
// may not be missing. What hangs on several keys together, or on an environment, only the reader can tell.
func Schema(which string, kinds Kinds) ([]byte, error) {
	var s object
	switch which {
	case SchemaDrill:
		s = drillSchema(kinds)
	case SchemaEnvironment:
		s = environmentsSchema()
	default:
		return nil, fmt.Errorf("there is no schema %q. Try: %s or %s", which, SchemaDrill, SchemaEnvironment)
	}
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "firedrill " + which + " file"
	return json.MarshalIndent(s, "", "  ")
}

// strict is a mapping that takes these keys and no other.
func strict(properties object, required ...string) object {
	s := object{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// told adds what an editor shows beside a key.
func told(s object, words string) object {
	out := maps.Clone(s)
	out["description"] = words
	return out
}

func text() object               { return object{"type": "string", "minLength": 1} }
func form(pattern string) object { return object{"type": "string", "pattern": pattern} }
func words(of ...string) object  { return object{"enum": of} }
func name() object {
	return object{"type": "string", "pattern": nameForm.String(), "maxLength": maxName}
}
func many(of object) object { return object{"type": "array", "minItems": 1, "items": of} }

// each is a list in which nothing stands twice.
func each(of object) object {
	s := many(of)
	s["uniqueItems"] = true
	return s
}

// one is a mapping of a single key of the writer's choice.
func one(value object) object {
	return object{"type": "object", "minProperties": 1, "maxProperties": 1,
		"propertyNames": object{"pattern": wordForm.String()}, "additionalProperties": value}
}

// duration is 8m, or a variable.
func duration() object {
	return form(`^(0|\+?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+|.*\$\{.*)$`)
}

// address is an absolute URL, or one that begins with a variable.
func address() object { return form(`^(https?://[^/\s?#]+|.*\$\{)`) }

// evidenceSchema: a picture's address is one of https.
func evidenceSchema() object {
	s := one(text())
	s["properties"] = object{evidenceImage: form(`^(https://[^/\s?#]+|.*\$\{)`)}
	return s
}

func drillSchema(kinds Kinds) object {
	s := strict(object{
		"drill":           told(name(), "The drill's name."),
		"title":           told(text(), "What is wrong, in a few words. It stands in the page's title."),
		"scenario":        told(text(), "What people would be told."),
		"team":            told(name(), "Who practises: a team of the environment."),
		"tags":            each(name()),
		"runbook":         told(address(), "Where it says what to do."),
		"look":            told(many(one(address())), "Where to look during the drill."),
		"evidence":        told(many(evidenceSchema()), "What somebody would have seen, and where: slack and image are shown in the team's channel."),
		"hints":           told(many(strict(object{"after": duration(), "say": text()}, "after", "say")), "Told so long after the page."),
		"steady_state":    told(probesSchema("steady_state"), "Must hold before anything is touched, and again at the end."),
		"faults":          told(faultsSchema(kinds), "In as listed, out in reverse."),
		"watch":           told(probesSchema("watch"), "Any of these is detection."),
		"ripples":         told(each(form(`^[^*]+\*?$`)), "Alarms that may ring because of it; a * at the end matches the rest."),
		"page":            pageSchema(),
		"stop_conditions": told(probesSchema("stop_conditions"), "End the drill at once. Never the metric that the fault moves."),
		"expect": strict(object{"effective": duration(), "detect": duration(), "acknowledge": duration(),
			"mitigate": duration(), "resolve": duration()}),
		"announce": told(words(AnnouncePage, AnnounceAcknowledge, AnnounceEnd), "When people learn that it is a drill; with the page when left out."),
		"limit":    told(duration(), "Nothing is left in place beyond it."),
	}, "drill", "title", "scenario", "team", "faults", "page", "limit")
	// Where the team's alarm pages there is one to watch; where people are told there is none to time.
	s["allOf"] = []object{
		{"if": pagedBy(PageAlarm), "then": object{"required": []string{"watch"}}},
		{"if": pagedBy(PageReport), "then": object{"properties": object{"expect": object{"properties": object{"detect": false}}}}},
	}
	return s
}

func pagedBy(when string) object {
	return object{"required": []string{"page"}, "properties": object{"page": object{
		"required": []string{"when"}, "properties": object{"when": object{"const": when}}}}}
}

func pageSchema() object {
	s := strict(object{
		"when":     told(words(PageAlarm, PageDirect, PageReport), "alarm: theirs pages. direct: we page at once. report: people are told."),
		"fallback": told(duration(), "When their alarm stays silent, we page after that."),
	}, "when")
	s["if"] = object{"required": []string{"fallback"}}
	s["then"] = object{"properties": object{"when": object{"const": PageAlarm}}}
	return s
}

// probesSchema takes one probe an item; an incident is none but under watch.
func probesSchema(list string) object {
	p := reflected(&observe.ProbeSpec{})
	if properties, ok := p["properties"].(object); ok && list != "watch" {
		delete(properties, "incident")
	}
	p["minProperties"], p["maxProperties"] = 1, 1
	return many(p)
}

// faultsSchema takes exactly one kind beside id and after.
func faultsSchema(kinds Kinds) object {
	properties := object{"id": object{"type": "string", "pattern": nameForm.String(), "maxLength": maxID}, "after": duration()}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if kinds == nil {
		delete(s, "additionalProperties")
		s["patternProperties"] = object{kindForm.String(): object{"type": "object"}}
		return many(s)
	}
	var kindOf []object
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		properties[kind] = reflected(kinds[kind].Params())
		kindOf = append(kindOf, object{"required": []string{kind}})
	}
	s["oneOf"] = kindOf
	return many(s)
}

// textual tells types that read themselves from text, such as 3s.
func textual(t reflect.Type) *jsonschema.Schema {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return &jsonschema.Schema{Type: "string"}
	}
	return nil
}

// reflected is the schema of a struct with json tags, all in one piece.
func reflected(v any) object {
	r := jsonschema.Reflector{DoNotReference: true, Anonymous: true, ExpandedStruct: true, Mapper: textual}
	raw, err := json.Marshal(r.Reflect(v))
	out := object{}
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil { // a struct that cannot be told is taken as any mapping
		return object{"type": "object"}
	}
	delete(out, "$schema")
	return out
}

func environmentsSchema() object {
	return strict(object{
		"drills": told(each(text()), "Folders of drills, relative to this file."),
		"environments": object{"type": "object", "minProperties": 1, "additionalProperties": environmentSchema(),
			"propertyNames": object{"pattern": nameForm.String(), "maxLength": maxName, "not": object{"const": "sandbox"}}},
	}, "environments")
}

func environmentSchema() object {
	secret := told(form(secretForm.String()), "A reference: env:NAME, file:PATH, ssm:NAME or secretsmanager:ID. Never the secret itself.")
	role, region, id := form(roleForm.String()), form(regionForm.String()), form(pagerIDForm.String())
	named := func(value object) object {
		return object{"type": "object", "minProperties": 1, "additionalProperties": value}
	}
	teams := named(strict(object{"service": id, "key": secret, "slack": form(slackForm.String())}, "service", "key"))
	teams["propertyNames"] = name()
	return strict(object{
		"aws": strict(object{
			"account":  told(form(accountForm.String()), "Twelve digits in quotes."),
			"regions":  each(region),
			"role":     told(role, "Assumed for the drill."),
			"oidc":     told(form(oidcForm.String()), "Where a CI job's identity token comes from."),
			"endpoint": told(address(), "In the place of AWS's own; AWS_ENDPOINT_URL never counts."),
		}, "account", "regions"),
		"tags": told(named(text()), "Every target carries them."),
		"window": told(strict(object{"days": text(), "hours": text(), "zone": text()}, "days", "hours", "zone"),
			"When people may be woken. No window, no drill."),
		"pagerduty": strict(object{"region": words("us", "eu"), "token": secret, "from": form(mailForm.String()), "bots": each(id),
			"accept": told(each(words(AcceptedVerdicts()...)), "Verdicts that would refuse a drill, and are known."), "webhook_secrets": each(secret),
			"notes": told(words(NotesIncident, NotesSlack), "Where what firedrill has to tell of an incident stands.")}, "token", "from"),
		"owner": told(strict(object{"key": secret}, "key"), "Paged for real when something is left in place."),
		"teams": teams,
		"store": object{"oneOf": []object{
			{"const": "sqlite"},
			strict(object{"dynamodb": strict(object{"table": form(tableForm.String()), "region": region}, "table", "region")}, "dynamodb"),
		}},
		"deadman": strict(object{"role": role, "dlq": object{"type": "string", "pattern": queueARNForm.String()}, "required": object{"type": "boolean"}}),
		"vars": object{"type": "object", "additionalProperties": text(),
			"propertyNames": object{"pattern": variableName.String()}},
		"undo_patience":  told(duration(), "How long putting back is tried before the run is dirty; 15m when left out."),
		"settle":         told(duration(), "How long the end waits for alarms to be OK; 10m when left out."),
		"open_incidents": words("high"),
		"holidays":       told(each(form(holidayForm.String())), "Calendars (.ics) on whose days nothing is drilled."),
		"freezes":        told(many(strict(object{"from": form(dateForm.String()), "to": form(dateForm.String()), "why": text()}, "from", "to")), "Times in which nothing is drilled."),
		"rest":           told(strict(object{"night": text(), "for": duration()}, "night", "for"), "How long a real page at night keeps drills away."),
		"metrics":        told(strict(object{"pushgateway": address()}, "pushgateway"), "Where a run's metrics are pushed."),
		"surprise":       told(words("allowed"), "Drills with announce: end may run."),
		"people":         told(words(PeopleNamed, PeoplePseudonyms), "How people stand in journal and debrief; by their names when left out."),
		"slack": told(object{"oneOf": []object{strict(object{"token": secret}, "token"), strict(object{"webhook": secret}, "webhook")}},
			"How teams are told in their channels."),
	}, "aws", "tags", "pagerduty", "owner", "teams")
}
