package aws

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// The codecs meet the services on a tree of plain values: object, []any, string, bool, int64, float64,
// json.Number, []byte, time.Time and nil. fill puts a tree into an input, render makes one of an output.

// object is a structure; its keys are member names.
type object map[string]any

// dict is a map in the API's own sense; Query spells it differently from a structure.
type dict map[string]any

// fill puts what a caller sent into v. A caller under a skew knob speaks of times on a clock that is off by skew.
// Unknown members are refused: what the sandbox does not know it cannot
// pretend to have done.
func fill(v reflect.Value, tree any, skew time.Duration) error {
	if tree == nil {
		return nil
	}
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		t, err := asTime(tree)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(t.Add(-skew)))
		return nil
	case reflect.TypeFor[[]byte]():
		b, err := asBytes(tree)
		if err != nil {
			return err
		}
		v.SetBytes(b)
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if err := fill(p.Elem(), tree, skew); err != nil {
			return err
		}
		v.Set(p)
		return nil
	case reflect.Struct:
		return fillStruct(v, tree, skew)
	case reflect.Slice:
		return fillSlice(v, tree, skew)
	case reflect.Map:
		return fillMap(v, tree, skew)
	case reflect.Interface:
		v.Set(reflect.ValueOf(tree))
		return nil
	}
	return fillScalar(v, tree)
}

func fillStruct(v reflect.Value, tree any, skew time.Duration) error {
	o, ok := tree.(object)
	if !ok {
		if s, is := tree.(string); is && s == "" {
			return nil // Query: an empty structure
		}
		return fmt.Errorf("expected a structure, found %s", nameOf(tree))
	}
	known := map[string]reflect.Value{}
	members(v, func(name string, f reflect.Value) { known[name] = f })
	for name, sub := range o {
		f, ok := known[name]
		if !ok && sub != nil {
			return fmt.Errorf("%s: the sandbox does not know this member", name)
		}
		if sub == nil {
			continue
		}
		if err := fill(f, sub, skew); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func fillSlice(v reflect.Value, tree any, skew time.Duration) error {
	items, ok := tree.([]any)
	if !ok {
		if items, ok = queryList(tree); !ok {
			return fmt.Errorf("expected a list, found %s", nameOf(tree))
		}
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		if err := fill(out.Index(i), item, skew); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	v.Set(out)
	return nil
}

func fillMap(v reflect.Value, tree any, skew time.Duration) error {
	o, ok := tree.(object)
	if s, is := tree.(string); is && s == "" {
		o, ok = object{}, true
	}
	if !ok {
		return fmt.Errorf("expected a map, found %s", nameOf(tree))
	}
	if entries, is := queryEntries(o); is {
		o = entries
	}
	out := reflect.MakeMapWithSize(v.Type(), len(o))
	for k, sub := range o {
		e := reflect.New(v.Type().Elem()).Elem()
		if err := fill(e, sub, skew); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		out.SetMapIndex(reflect.ValueOf(k).Convert(v.Type().Key()), e)
	}
	v.Set(out)
	return nil
}

func fillScalar(v reflect.Value, tree any) error {
	text := ""
	switch t := tree.(type) {
	case string:
		text = t
	case json.Number:
		text = t.String()
	case int64:
		text = strconv.FormatInt(t, 10)
	case float64:
		text = strconv.FormatFloat(t, 'f', -1, 64)
	case bool:
		text = strconv.FormatBool(t)
	default:
		return fmt.Errorf("expected %s, found %s", v.Kind(), nameOf(tree))
	}
	_, isText := tree.(string)
	var err error
	switch v.Kind() {
	case reflect.String:
		if !isText {
			return fmt.Errorf("expected a string, found %s", nameOf(tree))
		}
		v.SetString(text)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case reflect.Int, reflect.Int32, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(strings.TrimSuffix(text, ".0"), 10, 64)
		v.SetInt(n)
	case reflect.Float32, reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		v.SetFloat(f)
	default:
		return fmt.Errorf("the sandbox cannot read a %s", v.Kind())
	}
	if err != nil {
		return fmt.Errorf("expected %s, found %q", v.Kind(), text)
	}
	return nil
}

// members calls f for each member of a structure, embedded ones included.
func members(v reflect.Value, f func(name string, field reflect.Value)) {
	t := v.Type()
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Anonymous && sf.Type.Kind() == reflect.Struct {
			members(v.Field(i), f)
			continue
		}
		if !sf.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name == "" {
			name = sf.Name
		}
		f(name, v.Field(i))
	}
}

// render makes the tree of an output. Members that are nil, empty strings or zero times are left out, as AWS
// leaves them out; zero numbers and false stay. An empty string that must be told is a *string.
func render(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UTC()
	case []byte:
		return append([]byte{}, x...)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return render(v.Elem())
	case reflect.Struct:
		o := object{}
		members(v, func(name string, f reflect.Value) {
			if absent(f) {
				return
			}
			o[name] = render(f)
		})
		return o
	case reflect.Slice, reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = render(v.Index(i))
		}
		return list
	case reflect.Map:
		d := dict{}
		for it := v.MapRange(); it.Next(); {
			d[it.Key().String()] = render(it.Value())
		}
		return d
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Float32, reflect.Float64:
		return v.Float()
	}
	return fmt.Sprint(v.Interface())
}

// shift moves every time in a tree by skew, in a copy.
func shift(tree any, skew time.Duration) any {
	if skew == 0 {
		return tree
	}
	switch t := tree.(type) {
	case object:
		o := make(object, len(t))
		for k, v := range t {
			o[k] = shift(v, skew)
		}
		return o
	case dict:
		return dict(shift(object(t), skew).(object))
	case []any:
		l := make([]any, len(t))
		for i, v := range t {
			l[i] = shift(v, skew)
		}
		return l
	case time.Time:
		return t.Add(skew)
	}
	return tree
}

func absent(f reflect.Value) bool {
	switch f.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return f.IsNil()
	case reflect.String:
		return f.Len() == 0
	}
	t, ok := f.Interface().(time.Time)
	return ok && t.IsZero()
}

func asTime(tree any) (time.Time, error) {
	seconds := func(f float64) time.Time {
		whole, part := math.Modf(f)
		return time.Unix(int64(whole), int64(math.Round(part*1e6))*1000).UTC()
	}
	switch t := tree.(type) {
	case time.Time:
		return t, nil
	case int64:
		return time.Unix(t, 0).UTC(), nil
	case float64:
		return seconds(t), nil
	case json.Number:
		f, err := t.Float64()
		return seconds(f), err
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02"} {
			if at, err := time.Parse(layout, t); err == nil {
				return at.UTC(), nil
			}
		}
		if f, err := strconv.ParseFloat(t, 64); err == nil {
			return seconds(f), nil
		}
	}
	return time.Time{}, fmt.Errorf("expected a time, found %s", nameOf(tree))
}

func asBytes(tree any) ([]byte, error) {
	switch t := tree.(type) {
	case []byte:
		return t, nil
	case string:
		b, err := base64.StdEncoding.DecodeString(t)
		if err != nil {
			return nil, fmt.Errorf("expected base64: %w", err)
		}
		return b, nil
	}
	return nil, fmt.Errorf("expected bytes, found %s", nameOf(tree))
}

func nameOf(tree any) string {
	switch t := tree.(type) {
	case object:
		return "a structure"
	case []any:
		return "a list"
	case string:
		return strconv.Quote(t)
	case bool:
		return strconv.FormatBool(t)
	case []byte:
		return "bytes"
	}
	return fmt.Sprintf("%v", tree)
}
