package journal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func decoded(t *testing.T, text string) Event {
	t.Helper()
	var e Event
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
	return e
}

func encoded(t *testing.T, e Event) string {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEventKeepsWhatItDoesNotKnow(t *testing.T) {
	for name, text := range map[string]string{
		"in the fact":     `{"v":1,"run":"r","seq":1,"n":0,"action":"a","gen":1,"kind":"moon.rose","at":"2026-08-25T12:00:00Z","fact":{"fault":"x","phase":{"lit":0.50},"zodiac":[1,2]}}`,
		"in the event":    `{"v":1,"run":"r","seq":1,"n":0,"action":"a","gen":1,"kind":"k","at":"2026-08-25T12:00:00Z","fact":{},"sky":null}`,
		"in the brief":    `{"v":1,"run":"r","seq":1,"n":0,"action":"a","gen":1,"kind":"k","at":"2026-08-25T12:00:00Z","fact":{"brief":{"drill":"d","title":"","environment":"","page_when":"","faults":null,"limit_s":60,"mood":"good"}}}`,
		"other case":      `{"v":1,"run":"r","seq":1,"n":0,"action":"a","gen":1,"kind":"k","at":"2026-08-25T12:00:00Z","fact":{"fault":"a","FAULT":5}}`,
		"only unknown":    `{"v":1,"run":"r","seq":1,"n":0,"action":"a","gen":1,"kind":"k","at":"2026-08-25T12:00:00Z","fact":{"":"empty name","ü\"":"quote"}}`,
		"of a later v":    `{"v":2,"run":"r","seq":1,"n":0,"action":"a","gen":1,"kind":"k","at":"2026-08-25T12:00:00Z","fact":{"fault":"f","undo":{"kind":"x"},"level":"high"}}`,
		"seen otherwise":  `{"v":2,"run":"r","seq":1,"n":0,"action":"a","gen":1,"kind":"k","at":"2026-08-25T12:00:00Z","fact":{"fault":"f"},"seen":"yesterday"}`,
		"brief otherwise": `{"v":2,"run":"r","seq":1,"n":0,"action":"a","gen":1,"kind":"k","at":"2026-08-25T12:00:00Z","fact":{"brief":{"drill":"d","title":"","environment":"e","page_when":"","faults":null,"limit_s":0,"tags":"one"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, want := anyOf(t, encoded(t, decoded(t, text))), anyOf(t, text)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("came back as\n%v, want\n%v", got, want)
			}
		})
	}
}

func anyOf(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEventNewer(t *testing.T) {
	e := decoded(t, `{"v":7,"run":"r","kind":"fault.prepared","at":"2026-08-25T12:00:00Z","seen":12,
		"fact":{"fault":"throttle","undo":{"kind":"x"},"level":"high","brief":{"environment":"staging","limit_s":"1h"}}}`)
	if !e.Newer() {
		t.Error("v 7 is not newer")
	}
	if e.Fact.Fault != "throttle" || string(e.Fact.Undo) != `{"kind":"x"}` || e.Fact.Brief.Environment != "staging" {
		t.Errorf("what an undo needs was not read: %+v", e.Fact)
	}
	if e.Fact.Level != 0 || string(e.Fact.Extra["level"]) != `"high"` || string(e.Extra["seen"]) != "12" {
		t.Errorf("what could not be read was not kept: %+v", e)
	}
	if (Event{V: Version}).Newer() {
		t.Error("our own version is newer")
	}
}

func TestEventRefused(t *testing.T) {
	for text, word := range map[string]string{
		`{"v":1,"fact":{"level":"high"}}`: "level",
		`{"v":"x"}`:                       "v",
		`[]`:                              "read event",
		`{"v":1,"seq":"first"}`:           "seq",
		`{"v":1,"at":"noon"}`:             "at",
		`{"v":1,"at":"0000-01-01T00:00:00+23:00"}`:                               "year",
		`{"v":1,"fact":{"value":"9999-12-31T23:59:59-01:00"}}`:                   "year",
		`{"v":1,"seen":{"at":"9999-12-31T23:59:59-01:00","by":"aws"},"fact":{}}`: "seen",
	} {
		var e Event
		if err := json.Unmarshal([]byte(text), &e); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want an error that says %q", text, err, word)
		}
	}
}

func TestEventTimes(t *testing.T) {
	at := time.Date(2026, 8, 25, 14, 0, 0, 987654321, time.FixedZone("CEST", 7200))
	e := Event{V: 1, At: at, Seen: &Seen{At: at}, Fact: Fact{LookedAt: &at, Value: &at}}
	text := encoded(t, e)
	if n := strings.Count(text, `"2026-08-25T12:00:00.987654Z"`); n != 4 {
		t.Errorf("%s has %d times in UTC to the microsecond, want 4", text, n)
	}
	if !e.Seen.At.Equal(at) || !e.Fact.Value.Equal(at) {
		t.Error("encoding changed the event")
	}
	if got := decoded(t, strings.ReplaceAll(text, ".987654Z", ".9876543+00:00")); got.At.Location() != time.UTC || got.At.Nanosecond() != 987654000 {
		t.Errorf("at = %v", got.At)
	}
}

// FuzzEvent: whatever can be read can be written, and comes back the same, unknown fields included.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{
		`{"v":1,"run":"01j","seq":4,"n":1,"action":"prepare/throttle/1","gen":2,"kind":"fault.prepared","at":"2026-08-25T12:00:00.000001Z","seen":{"at":"2026-08-25T12:00:00Z","by":"aws","error_s":0.5},"fact":{"fault":"throttle","undo":{"a":[1,2]},"human":false,"facts":{"k":"v"}}}`,
		`{"v":9,"kind":5,"fact":{"level":"x","brief":{"tags":1}},"seen":[]}`,
		`{"v":1,"fact":{"Fault":"a","fault":"b","plan":null,"looked_at":null},"V":3}`,
		`{"v":2,"fact":null}`, `null`, `{"fact":{"text":"<&>\u2028\ud800"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second Event
		if json.Unmarshal(data, &first) != nil {
			return
		}
		one, err := encode(first)
		if err != nil {
			t.Fatalf("%s was read but cannot be written: %v", data, err)
		}
		if err := json.Unmarshal(one, &second); err != nil {
			t.Fatalf("%s was written but cannot be read: %v", one, err)
		}
		if two, err := encode(second); err != nil || !bytes.Equal(one, two) {
			t.Fatalf("%v: first\n%s, then\n%s", err, one, two)
		}
		for name := range first.Fact.Extra {
			if !bytes.Equal(compacted(t, first.Fact.Extra[name]), compacted(t, second.Fact.Extra[name])) {
				t.Fatalf("field %q was %s and is %s", name, first.Fact.Extra[name], second.Fact.Extra[name])
			}
		}
	})
}

func compacted(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
