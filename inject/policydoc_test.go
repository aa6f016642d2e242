package inject

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func policyMark() Mark {
	return Mark{Run: "01jdqz3v7m8k2n5p9r4t6w8y0a", Fault: "deny-2", Until: time.Date(2027, 3, 4, 5, 6, 7, 0, time.UTC)}
}

// policyText draws a document as people write them: any order, any white space, one statement or several.
func policyText(t *rapid.T) string {
	blank := func() string { return rapid.SampledFrom([]string{"", " ", "\n  ", "\t", " \r\n"}).Draw(t, "blank") }
	statement := rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf(`{%s"Sid":%s%q,"Effect":"Allow","Principal":%s"*",%s"Action":[%s"a:%s"]%s}`, blank(), blank(),
			rapid.StringMatching(`[A-Za-z0-9]{0,8}`).Draw(t, "sid"), blank(), blank(), blank(), rapid.StringMatching(`[A-Z][a-z]{1,5}`).Draw(t, "action"), blank())
	})
	var value string
	if n := rapid.IntRange(0, 4).Draw(t, "statements"); n == 0 {
		value = statement.Draw(t, "only")
	} else {
		var all []string
		for range n {
			all = append(all, blank()+statement.Draw(t, "one")+blank())
		}
		value = "[" + strings.Join(all, ",") + "]"
	}
	parts := []string{`"Version":"2012-10-17"`, blank() + `"Statement":` + blank() + value + blank()}
	if rapid.Bool().Draw(t, "id") {
		parts = append(parts, `"Id":"Statement"`)
	}
	parts = rapid.Permutation(parts).Draw(t, "order")
	return blank() + "{" + strings.Join(parts, ",") + "}" + blank()
}

// What is merged in comes out again, and what was there before is there to the byte; also when somebody has added to it.
func TestPolicyIsMergedAndTakenOutAgain(t *testing.T) {
	m := policyMark()
	mine := policyUndo{Statements: denials(m, []string{"arn:aws:sqs:eu-west-1:111122223333:orders"}, []string{"sqs:ReceiveMessage"}, []string{"sqs:DeleteMessage"}, []string{"arn:aws:iam::111122223333:user/firedrill"})}
	other := policyMark()
	other.Run = "01jdqz3v7m8k2n5p9r4t6w8y0b"
	theirs := policyUndo{Statements: denials(other, []string{"arn:aws:sqs:eu-west-1:111122223333:orders"}, []string{"sqs:ReceiveMessage"}, []string{"sqs:DeleteMessage"}, []string{"arn:aws:iam::111122223333:user/firedrill"})}
	rapid.Check(t, func(t *rapid.T) {
		text := policyText(t)
		if rapid.IntRange(0, 9).Draw(t, "none") == 0 {
			text = ""
		}
		before := parsed(t, text)
		merged := parsed(t, before.with(mine.Statements))
		if len(merged.statements) != len(before.statements)+2 || !json.Valid([]byte(merged.text)) {
			t.Fatalf("merged into %q: %q", text, merged.text)
		}
		if got := takenOut(merged, m, mine, before.form()); got != text {
			t.Fatalf("before %q\nafter  %q", text, got)
		}
		// Another's statements behind ours stay when ours go, and then go as if ours had never been.
		both := parsed(t, merged.with(theirs.Statements))
		left := parsed(t, takenOut(both, m, mine, before.form()))
		if got := takenOut(left, other, theirs, before.form()); got != text && before.form() != policyNone {
			t.Fatalf("before %q\nafter both %q", text, got)
		}
		if ours, _ := left.ours(m, mine); len(ours) > 0 || !strings.Contains(left.text, sidOf(other)) {
			t.Fatalf("left %q", left.text)
		}
	})
}

func parsed(t interface{ Fatalf(string, ...any) }, text string) policyDoc {
	d, err := parsePolicyDoc(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return d
}

func takenOut(d policyDoc, m Mark, p policyUndo, was string) string {
	ours, _ := d.ours(m, p)
	return d.without(func(s policyStatement) bool { return ours[s.from] }, was)
}

// FuzzPolicyDocument holds that no document makes the parser fail in another way than by saying so, that its statements stand
// where it says, and that ours come out again without a trace.
func FuzzPolicyDocument(f *testing.F) {
	for _, seed := range []string{"", "{", "[]", `{"Statement":[]}`, `{"Statement":{}}`, `{"Statement":[{"Sid":"a"}]}`, ` {"Version":"x","Statement" : [ {} , {"Sid":1} ] } `,
		`{"Statement":[{"Sid":"Firedrill1Fault2"}],"Statement":{}}`, `{"statement":[]}`, "{\"Statement\":[{\"Sid\":\"\\u0046iredrill\"}]}", `{"Statement":[{},]}`} {
		f.Add(seed)
	}
	m := policyMark()
	mine := policyUndo{Statements: denials(m, []string{"arn:x"}, []string{"a:B"}, []string{"a:B"}, []string{"arn:y"})}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parsePolicyDoc(text)
		if err != nil {
			return
		}
		for _, s := range d.statements {
			if d.text[s.from:s.to] != s.raw || !json.Valid([]byte(s.raw)) {
				t.Fatalf("%q: statement %+v is not there", text, s)
			}
		}
		if before, _ := d.ours(m, mine); len(before) > 0 || strings.TrimSpace(text) != "" && len(d.statements) == 0 {
			return // ours are in it already; and a list of none is no policy afterwards
		}
		merged := parsed(t, d.with(mine.Statements))
		if got := takenOut(merged, m, mine, d.form()); got != d.text {
			t.Fatalf("before %q\nafter  %q", text, got)
		}
	})
}

func TestPolicyDocRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"nonsense":                              "no JSON object",
		"[]":                                    "no JSON object",
		`{"Version":"2012-10-17"}`:              "no Statement",
		`{"Statement":[{}],"Statement":[{}]}`:   "twice",
		`{"Statement":[{}]} {}`:                 "something follows",
		`{"Statement":["a"]}`:                   "statement 1 is no object",
		`{"Statement":"a"}`:                     "statement 1 is no object",
		`{"Statement":[{"Sid":"a"},{"Sid":1}]}`: "Sid of statement 2 is no text",
		`{"Statement":[{"Sid":"a"}`:             "read policy",
	} {
		if _, err := parsePolicyDoc(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a word about %q", text, err, want)
		}
	}
}

func TestStatementsAreOursBySidOrByWhatTheySay(t *testing.T) {
	m := policyMark()
	mine := policyUndo{Statements: denials(m, []string{"arn:x"}, []string{"a:B"}, []string{"a:B"}, []string{"arn:y"})}
	for name, row := range map[string]struct {
		edit         func(s map[string]any)
		ours, theirs int
	}{
		"as it was made":                {func(map[string]any) {}, 2, 0},
		"under another name":            {func(s map[string]any) { s["Sid"] = "Closed" }, 2, 0},
		"without a name":                {func(s map[string]any) { delete(s, "Sid") }, 2, 0},
		"a list of one spelled as text": {func(s map[string]any) { delete(s, "Sid"); s["Action"] = "a:B" }, 2, 0},
		"somebody exempted": {func(s map[string]any) {
			s["Condition"] = map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}}
		}, 2, 0},
		"made to allow":       {func(s map[string]any) { s["Effect"] = "Allow" }, 1, 1},
		"renamed and changed": {func(s map[string]any) { s["Sid"] = "Closed"; s["Action"] = "a:C" }, 1, 0},
		"of another run":      {func(s map[string]any) { s["Sid"] = "Firedrill01jdFaultdeny" }, 1, 0},
	} {
		var first map[string]any
		if err := json.Unmarshal(mine.Statements[0], &first); err != nil {
			t.Fatal(err)
		}
		row.edit(first)
		raw := asJSON(first)
		d := parsed(t, policyDoc{}.with([]json.RawMessage{raw, mine.Statements[1]}))
		if ours, theirs := d.ours(m, mine); len(ours) != row.ours || len(theirs) != row.theirs {
			t.Errorf("%s: %d ours, %d theirs, want %d and %d", name, len(ours), len(theirs), row.ours, row.theirs)
		}
	}
}

// A Sid carries the mark, whatever it is made of, in letters and digits alone.
func TestMarkOfSid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Mark{Run: rapid.StringN(1, 20, 40).Draw(t, "run"), Fault: rapid.StringN(1, 20, 40).Draw(t, "fault")}
		for _, sid := range []string{sidOf(m), sidOf(m) + sidProbe} {
			got, ours := MarkOfSid(sid)
			if !ours || got != m || strings.Trim(sid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" {
				t.Fatalf("%q: %+v %v, want %+v", sid, got, ours, m)
			}
		}
	})
	for _, sid := range []string{"", "Firedrill", "Firedrill1", "FiredrillFault", "firedrill1Fault2", "Firedrill1Fault2x!", "MyFiredrill1Fault2", "Firedrill1Fault2Probes", "FiredrillXgg1Fault2"} {
		if m, ours := MarkOfSid(sid); ours {
			t.Errorf("%s is taken for %+v", sid, m)
		}
	}
}

func TestPrincipals(t *testing.T) {
	for caller, want := range map[string]string{
		"arn:aws:iam::111122223333:user/ci/firedrill":                   "[arn:aws:iam::111122223333:user/ci/firedrill]",
		"arn:aws:sts::111122223333:assumed-role/firedrill/firedrill-01": "[arn:aws:iam::111122223333:role/firedrill arn:aws:iam::111122223333:role/*/firedrill]",
		"arn:aws:iam::111122223333:root":                                "[arn:aws:iam::111122223333:root]",
		"arn:aws:sts::111122223333:federated-user/bob":                  "[arn:aws:sts::111122223333:federated-user/bob]",
		"nobody": "[]",
	} {
		if got := fmt.Sprint(principals(caller)); got != want {
			t.Errorf("%s: %s, want %s", caller, got, want)
		}
	}
}

// Nothing of the control plane is ever denied, nor the sending of messages: whoever must put things right can, and nothing is
// turned away that its sender would not send again.
func TestDenialsNameDataAlone(t *testing.T) {
	writes, _ := denyActions(true, true)
	stalls, _ := stallActions()
	for _, a := range append(writes, stalls...) {
		_, verb, _ := strings.Cut(a, ":")
		item := strings.HasSuffix(verb, "Item") || strings.HasPrefix(verb, "PartiQL") || verb == "Query" || verb == "Scan"
		if !item && verb != "ReceiveMessage" && verb != "DeleteMessage" || strings.ContainsAny(a, "*?") {
			t.Errorf("%s is denied", a)
		}
	}
}
