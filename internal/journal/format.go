package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Newer says that a later version of firedrill wrote the event. What this version knows of it is read, whatever it
// does not know or cannot read stands in Extra: enough to unwind a run, not to go on with it.
func (e Event) Newer() bool { return e.V > Version }

// MarshalJSON writes the event with the fields this version does not know, and its times in UTC, cut to microseconds.
func (e Event) MarshalJSON() ([]byte, error) {
	type plain Event
	e.At = micros(e.At)
	if e.Seen != nil {
		seen := *e.Seen
		seen.At = micros(seen.At)
		e.Seen = &seen
	}
	return encodeKeeping(plain(e), e.Extra)
}

// UnmarshalJSON reads an event of any version. In one of a later version (see Newer) a known field that holds
// something else by now is no error: it is kept in Extra.
func (e *Event) UnmarshalJSON(data []byte) error {
	fields, err := decodeFields(data)
	if err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	type plain Event
	var p plain
	if v, ok := fields["v"]; ok {
		if err := json.Unmarshal(v, &p.V); err != nil {
			return fmt.Errorf("read event: v: %w", err)
		}
	}
	lenient := p.V > Version
	if p.Extra, err = assign(fields, &p, lenient); err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	if raw, ok := p.Extra["fact"]; ok { // one field of it is not as we know it: the others may be
		if p.Fact.decode(raw, true) == nil {
			delete(p.Extra, "fact")
		}
	}
	if len(p.Extra) == 0 {
		p.Extra = nil
	}
	if p.At, err = readable(p.At); err != nil {
		return fmt.Errorf("read event: at: %w", err)
	}
	if p.Seen != nil {
		if p.Seen.At, err = readable(p.Seen.At); err != nil {
			return fmt.Errorf("read event: seen: %w", err)
		}
	}
	*e = Event(p)
	return nil
}

// MarshalJSON writes the fact with the fields this version does not know.
func (f Fact) MarshalJSON() ([]byte, error) {
	type plain Fact
	f.LookedAt, f.Value = microsOf(f.LookedAt), microsOf(f.Value)
	return encodeKeeping(plain(f), f.Extra)
}

// UnmarshalJSON keeps the fields it does not know in Extra.
func (f *Fact) UnmarshalJSON(data []byte) error { return f.decode(data, false) }

func (f *Fact) decode(data []byte, lenient bool) error {
	fields, err := decodeFields(data)
	if err != nil {
		return err
	}
	type plain Fact
	var p plain
	if p.Extra, err = assign(fields, &p, lenient); err != nil {
		return err
	}
	if raw, ok := p.Extra["brief"]; ok {
		var b Brief
		if b.decode(raw, true) == nil {
			p.Brief = &b
			delete(p.Extra, "brief")
		}
	}
	if len(p.Extra) == 0 {
		p.Extra = nil
	}
	for name, t := range map[string]*time.Time{"looked_at": p.LookedAt, "value": p.Value} {
		if t == nil {
			continue
		}
		if *t, err = readable(*t); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	*f = Fact(p)
	return nil
}

// MarshalJSON writes the brief with the fields this version does not know.
func (b Brief) MarshalJSON() ([]byte, error) {
	type plain Brief
	return encodeKeeping(plain(b), b.Extra)
}

// UnmarshalJSON keeps the fields it does not know in Extra.
func (b *Brief) UnmarshalJSON(data []byte) error { return b.decode(data, false) }

func (b *Brief) decode(data []byte, lenient bool) error {
	fields, err := decodeFields(data)
	if err != nil {
		return err
	}
	type plain Brief
	var p plain
	if p.Extra, err = assign(fields, &p, lenient); err != nil {
		return err
	}
	if len(p.Extra) == 0 {
		p.Extra = nil
	}
	*b = Brief(p)
	return nil
}

func decodeFields(data []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(data, &fields)
	return fields, err
}

// assign sets the fields of the struct behind into from those of the same name, letter by letter (encoding/json alone
// would take "Fault" for "fault"), and returns the rest. A field that cannot be read is an error, or, when lenient,
// part of the rest.
func assign(fields map[string]json.RawMessage, into any, lenient bool) (map[string]json.RawMessage, error) {
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		data, ok := fields[name]
		if !ok || name == "-" {
			continue
		}
		err := json.Unmarshal(data, v.Field(i).Addr().Interface())
		switch {
		case err == nil:
			delete(fields, name)
		case lenient:
			v.Field(i).SetZero()
		default:
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return fields, nil
}

// encodeKeeping writes plain and behind it, in order of their names, the extra fields it does not set itself.
func encodeKeeping(plain any, extra map[string]json.RawMessage) ([]byte, error) {
	data, err := encode(plain)
	if err != nil || len(extra) == 0 {
		return data, err
	}
	set, err := decodeFields(data)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(bytes.TrimSuffix(data, []byte("}")))
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if _, ok := set[name]; ok {
			continue
		}
		field, err := encode(map[string]json.RawMessage{name: extra[name]})
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.Write(field[1 : len(field)-1])
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// encode is json.Marshal without the escapes for HTML, so that a plan or an undo comes back byte for byte and the hash
// of a plan stays true.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// micros is t as the journal keeps it: UTC, without monotonic clock, cut to microseconds.
func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func microsOf(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	m := micros(*t)
	return &m
}

// readable is micros, and an error for a time that could not be written again: near the year 0 or 9999 a zone can
// carry it beyond what RFC 3339 can say.
func readable(t time.Time) (time.Time, error) {
	m := micros(t)
	if y := m.Year(); y < 0 || y > 9999 {
		return t, fmt.Errorf("year %d is out of range", y)
	}
	return m, nil
}
