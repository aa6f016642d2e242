package drills

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kinds names the kinds of faults that a drill may hold: see KnownKinds.
type Kinds map[string]KindOf

// KindOf is what the reader knows of a kind of fault.
type KindOf struct {
	// Params returns a pointer to its empty parameters: a struct with json tags, in which a field without omitempty
	// may not be missing, and a jsonschema tag bounds numbers and lengths.
	Params func() any
	// Check refuses parameters that make no sense; may be nil. It is asked once every variable has its value.
	Check func(params json.RawMessage) error
}

// problems is a set of parameters that can say, in words, what makes no sense in it. It leaves alone what still holds
// a ${var}; what comes after " Try: " is what to write instead.
type problems interface{ Problems() []string }

// decode reads a mapping into a pointer to a struct with json tags, strictly: every unknown key and every wrong type
// is told at its own place. It answers the JSON that was read, nil after a mistake.
func (r *reader) decode(n *node, what string, into any) json.RawMessage {
	before := len(r.found)
	r.shape(n, reflect.TypeOf(into).Elem(), what)
	if len(r.found) > before || muted(n) {
		return nil
	}
	raw, err := json.Marshal(r.value(n))
	if err != nil {
		r.wrong(n.at, "", "%s cannot be read: %s", what, err)
		return nil
	}
	vague := r.vague(n)
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		if !vague {
			r.wrong(n.at, "", "%s: %s", what, jsonWords(err))
		}
		return raw
	}
	if p, ok := into.(problems); ok {
		for _, words := range p.Problems() {
			why, try, _ := strings.Cut(words, " Try: ")
			r.wrong(n.at, try, "%s: %s", what, strings.TrimSuffix(why, "."))
		}
	}
	return raw
}

// vague says that something below n hangs on a variable that nobody knows yet: what it means is judged when it is known.
func (r *reader) vague(n *node) bool {
	vague := false
	n.each(func(text *node) { vague = vague || r.unknown(text) })
	return vague
}

// jsonWords takes the words of encoding/json away from an error.
func jsonWords(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return wrong.Field + " cannot be " + wrong.Value
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// shape compares a node with a Go type.
func (r *reader) shape(n *node, t reflect.Type, what string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if own := reflect.PointerTo(t); own.Implements(reflect.TypeFor[json.Unmarshaler]()) {
		r.unmarshaler(n, t, what)
		return
	} else if own.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		if n.kind == isNumber {
			r.wrong(n.at, n.text+"s", "%s must have a unit", what)
		} else if r.is(n, isText, what) {
			r.unmarshaler(n, t, what)
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		r.shapeStruct(n, t, what)
	case reflect.Map:
		if r.is(n, isMapping, what) {
			for _, p := range n.pairs {
				r.shape(p.value, t.Elem(), p.key+" of "+what)
			}
		}
	case reflect.Slice, reflect.Array:
		if r.is(n, isList, what) {
			for _, item := range n.items {
				r.shape(item, t.Elem(), "an item of "+what)
			}
		}
	case reflect.String:
		r.text(n, what)
	case reflect.Bool:
		r.is(n, isBool, what)
	case reflect.Float32, reflect.Float64:
		r.is(n, isNumber, what)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		r.shapeInt(n, what, 64)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		r.shapeInt(n, what, 0)
	case reflect.Interface:
	default:
		r.wrong(n.at, "leave it out", "%s cannot be written in a file", what)
	}
}

// unmarshaler asks a type that reads itself.
func (r *reader) unmarshaler(n *node, t reflect.Type, what string) {
	if muted(n) {
		return
	}
	n.each(func(text *node) { r.expand(text, false) })
	raw, err := json.Marshal(r.value(n))
	if err == nil {
		err = json.Unmarshal(raw, reflect.New(t).Interface())
	}
	if err != nil && !r.vague(n) {
		r.wrong(n.at, "", "%s: %s", what, jsonWords(err))
	}
}

// shapeInt tells what is not a whole number, or too small for its kind.
func (r *reader) shapeInt(n *node, what string, bits int) {
	if !r.is(n, isNumber, what) {
		return
	}
	i, whole := number(n.text).(int64)
	switch {
	case !whole:
		r.wrong(n.at, "digits alone", "%s must be a whole number", what)
	case bits == 0 && i < 0:
		r.wrong(n.at, "0 or more", "%s cannot be below 0", what)
	case i > math.MaxInt32 && bits != 64:
		r.wrong(n.at, "a smaller one", "%s is too large", what)
	}
}

func (r *reader) shapeStruct(n *node, t reflect.Type, what string) {
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || key == "-" || f.Anonymous && key == "" {
			continue
		}
		if key == "" {
			key = strings.ToLower(f.Name)
		}
		must := ""
		if required(f) {
			must = key + ": …"
		}
		fields = append(fields, field{key, must, func(v *node) {
			r.shape(v, f.Type, key+" of "+what)
			r.bounded(v, f, key+" of "+what)
		}})
	}
	r.object(n, what, fields...)
}

// required says that a field may not be missing: its tag has no omitempty.
func required(f reflect.StructField) bool {
	_, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
	return !slices.Contains(strings.Split(rest, ","), "omitempty")
}

// bounded holds a value to the `jsonschema:"minimum=1,maximum=10,maxLength=1024"` of its field.
func (r *reader) bounded(n *node, f reflect.StructField, what string) {
	for _, word := range strings.Split(f.Tag.Get("jsonschema"), ",") {
		rule, written, _ := strings.Cut(word, "=")
		bound, err := strconv.ParseInt(written, 10, 64)
		i, whole := number(n.text).(int64)
		counts := err == nil && n.kind == isNumber && whole
		switch {
		case rule == "minimum" && counts && i < bound:
			r.wrong(n.at, written+" or more", "%s is %s, and %s is the least", what, n.text, written)
		case rule == "maximum" && counts && i > bound:
			r.wrong(n.at, written+" or less", "%s is %s, and %s is the most", what, n.text, written)
		case rule == "maxLength" && err == nil && n.kind == isText && int64(utf8.RuneCountInString(n.text)) > bound:
			r.wrong(n.at, "a shorter one", "%s is longer than %s characters", what, written)
		}
	}
}
