package aws

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"
)

// shapes has a member of every kind that the codecs know.
type shapes struct {
	Text  string
	Maybe *string
	Int   int64
	Float float64
	Yes   bool
	At    time.Time
	Blob  []byte
	List  []string
	Inner []inner
	Map   map[string]string
	Named int `json:"lowerCase"`
}

type inner struct {
	Key  string
	List []int
}

func TestEveryProtocolFillsTheSameInput(t *testing.T) {
	some := "x"
	want := shapes{Text: "a b&", Maybe: &some, Int: -7, Float: 1.5, Yes: true, At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Blob: []byte{1, 2},
		List: []string{"p", "q"}, Inner: []inner{{Key: "k", List: []int{1, 2}}}, Map: map[string]string{"m": "n"}, Named: 3}
	form, err := url.ParseQuery("Action=Op&Version=1&Text=a+b%26&Maybe=x&Int=-7&Float=1.5&Yes=true&At=2026-03-04T05:06:07Z&Blob=AQI%3D&List.member.1=p&List.member.2=q" +
		"&Inner.member.1.Key=k&Inner.member.1.List.member.1=1&Inner.member.1.List.member.2=2&Map.entry.1.key=m&Map.entry.1.value=n&lowerCase=3")
	if err != nil {
		t.Fatal(err)
	}
	query, err := readQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	fromJSON, err := readJSON([]byte(`{"Text":"a b&","Maybe":"x","Int":-7,"Float":1.5,"Yes":true,"At":1772600767,"Blob":"AQI=","List":["p","q"],
		"Inner":[{"Key":"k","List":[1,2]}],"Map":{"m":"n"},"lowerCase":3,"Absent":null}`))
	if err != nil {
		t.Fatal(err)
	}
	fromCBOR, err := readCBOR(cbor.Encode(cbor.Map{"Text": cbor.String("a b&"), "Maybe": cbor.String("x"), "Int": cbor.NegInt(7), "Float": cbor.Float64(1.5),
		"Yes": cbor.Bool(true), "At": &cbor.Tag{ID: 1, Value: cbor.Uint(1772600767)}, "Blob": cbor.Slice{1, 2}, "List": cbor.List{cbor.String("p"), cbor.String("q")},
		"Inner": cbor.List{cbor.Map{"Key": cbor.String("k"), "List": cbor.List{cbor.Uint(1), cbor.Uint(2)}}}, "Map": cbor.Map{"m": cbor.String("n")}, "lowerCase": cbor.Uint(3)}))
	if err != nil {
		t.Fatal(err)
	}
	for name, tree := range map[string]any{"Query": query, "JSON": fromJSON, "CBOR": fromCBOR} {
		var got shapes
		if err := fill(reflect.ValueOf(&got).Elem(), tree, 0); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	// What render makes of it, fill reads again.
	var again shapes
	b := cbor.Encode(toCBOR(render(reflect.ValueOf(want))))
	tree, err := readCBOR(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := fill(reflect.ValueOf(&again).Elem(), tree, 0); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, again); d != "" {
		t.Errorf("there and back (-want +got):\n%s", d)
	}
}

func TestFillRefuses(t *testing.T) {
	for name, tree := range map[string]any{
		"unknown member":     object{"Txet": "a"},
		"number for a text":  object{"Text": int64(1)},
		"text for a number":  object{"Int": "seven"},
		"text for a list":    object{"List": "p"},
		"list for a map":     object{"Map": []any{"a"}},
		"text for a struct":  object{"Inner": []any{"a"}},
		"bad base64":         object{"Blob": "%"},
		"bad time":           object{"At": "yesterday"},
		"number for a blob":  object{"Blob": int64(1)},
		"a structure's text": object{"Text": object{}},
	} {
		var s shapes
		if err := fill(reflect.ValueOf(&s).Elem(), tree, 0); err == nil {
			t.Errorf("%s: filled %+v", name, s)
		}
	}
	for _, bad := range []string{"A=1&A.B=2", "A.B=1&A=2"} {
		form, _ := url.ParseQuery(bad)
		if _, err := readQuery(form); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

func TestRenderLeavesOutWhatIsNotThere(t *testing.T) {
	got := render(reflect.ValueOf(&shapes{Blob: []byte{}, List: []string{}}))
	want := object{"Int": int64(0), "Float": 0.0, "Yes": false, "Blob": []byte{}, "List": []any{}, "lowerCase": int64(0)}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestTimesAreShifted(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	var s shapes
	if err := fill(reflect.ValueOf(&s).Elem(), object{"At": at}, 5*time.Second); err != nil || !s.At.Equal(at.Add(-5*time.Second)) {
		t.Errorf("a time that was taken: %s, %v", s.At, err)
	}
	tree := shift(object{"a": []any{at, dict{"k": at}}, "b": "c"}, 5*time.Second)
	if d := cmp.Diff(object{"a": []any{at.Add(5 * time.Second), dict{"k": at.Add(5 * time.Second)}}, "b": "c"}, tree); d != "" {
		t.Errorf("times that were told (-want +got):\n%s", d)
	}
}

// toy is a service for looking at the wire.
type toy struct{}

func (toy) id() string  { return "sns" }
func (toy) config() any { return map[string]any{"b": 1, "a": []string{"x"}} }

func (toy) operations() map[string]operation {
	return map[string]operation{
		"Echo": on(false, func(in *shapes) string { return in.Text }, func(_ context.Context, _ caller, in *shapes) (*shapes, error) { return in, nil }),
		"Fail": on(true, nil, func(context.Context, caller, *shapes) (*shapes, error) {
			return nil, &apiError{Code: "PriorityInUse", Message: "taken <already>", QueryCode: "Old.Code", Status: 409}
		}),
		"Break": on(true, nil, func(context.Context, caller, *shapes) (*shapes, error) { return nil, fmt.Errorf("broken") }),
	}
}

// toyCloud is a cloud with the toy alone.
func toyCloud() *Cloud {
	c := New(Options{Now: newTestClock().now, Keys: testKeys()})
	c.list = []service{toy{}, c.sts(), c.iam()} // without whom nobody is known, and nobody may do anything
	c.ops = map[string]map[string]operation{"sns": toy{}.operations()}
	return c
}

func ask(c *Cloud, form string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/aws/", strings.NewReader("Version=2010-03-31&"+form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

func TestQueryAnswers(t *testing.T) {
	c := toyCloud()
	w := ask(c, "Action=Echo&Text=a%3Cb&List.member.1=p&Map.entry.1.key=k&Map.entry.1.value=v&Yes=true")
	body := w.Body.String()
	for _, want := range []string{"<EchoResponse xmlns=", "<EchoResult>", "<Text>a&lt;b</Text>", "<List><member>p</member></List>",
		"<Map><entry><key>k</key><value>v</value></entry></Map>", "<Yes>true</Yes>", "<ResponseMetadata><RequestId>"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	if w.Header().Get("Date") == "" || w.Header().Get("X-Amzn-RequestId") == "" {
		t.Errorf("headers %v", w.Header())
	}
	w = ask(c, "Action=Fail")
	if w.Code != 409 || !strings.Contains(w.Body.String(), "<Code>Old.Code</Code>") || !strings.Contains(w.Body.String(), "taken &lt;already&gt;") || !strings.Contains(w.Body.String(), "<Type>Sender</Type>") {
		t.Errorf("refusal: %d %s", w.Code, w.Body)
	}
	if w = ask(c, "Action=Break"); w.Code != 500 || !strings.Contains(w.Body.String(), "<Type>Receiver</Type>") {
		t.Errorf("breakage: %d %s", w.Code, w.Body)
	}
	if w = ask(c, "Action=Nothing"); w.Code != 400 || !strings.Contains(w.Body.String(), "InvalidAction") {
		t.Errorf("unknown action: %d %s", w.Code, w.Body)
	}
	if w = ask(c, "Action=Echo&Unknown=1"); w.Code != 400 || !strings.Contains(w.Body.String(), "does not know this member") {
		t.Errorf("unknown member: %d %s", w.Code, w.Body)
	}
	if w = ask(c, ""); w.Code != 400 || !strings.Contains(w.Body.String(), "sandbox") {
		t.Errorf("no action: %d %s", w.Code, w.Body)
	}
}

func TestJSONAnswers(t *testing.T) {
	c := New(Options{Now: newTestClock().now})
	post := func(target, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/aws", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", target)
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		return w
	}
	w := post("DynamoDB_20120810.ListTables", "{}")
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE(w.Body.Bytes())), 10)
	if w.Code != 200 || w.Header().Get("X-Amz-Crc32") != sum || w.Header().Get("Content-Type") != "application/x-amz-json-1.0" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for body, want := range map[string]string{`{"TableName":"x"}`: "ResourceNotFoundException", `{`: "SerializationException", `{"Tablename":"x"}`: "SerializationException"} {
		if w = post("DynamoDB_20120810.DescribeTable", body); w.Code != 400 || !strings.Contains(w.Body.String(), "#"+want) && w.Header().Get("X-Amzn-Errortype") != want {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	for _, target := range []string{"DynamoDB_20120810.Nothing", "AWSEvents.PutRule", "nonsense"} {
		if w = post(target, "{}"); w.Code != 400 || !strings.Contains(w.Body.String(), "UnknownOperationException") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestCompressedRequests(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte("Version=2010-03-31&Action=Echo&Text=packed"))
	z.Close()
	for body, want := range map[string]int{b.String(): 200, "not gzip": 400} {
		r := httptest.NewRequest(http.MethodPost, "/aws/", strings.NewReader(body))
		r.Header.Set("Content-Encoding", "gzip")
		w := httptest.NewRecorder()
		toyCloud().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("Action=Echo&List.member.1=a&Map.entry.1.key=k")
	f.Add("Action=Echo&List.member.x=a&List=1&.=2&..")
	c := toyCloud()
	f.Fuzz(func(t *testing.T, form string) {
		if w := ask(c, form); w.Code == http.StatusInternalServerError {
			t.Errorf("%q: %s", form, w.Body)
		}
	})
}
