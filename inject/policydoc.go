package inject

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// policyDoc is an IAM policy document as somebody wrote it. What is not ours in it stays byte for byte as it is.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type policyDoc struct {
	text       string // empty: there is no policy
	list       bool   // Statement is a list, not a single object
	from, to   int    // the value of Statement is text[from:to]
	statements []policyStatement
}

// policyStatement is one statement of a document: text[from:to].
type policyStatement struct {
	from, to int
	sid      string
	effect   string
	raw      string
}

// The forms a policy may have before ours is merged into it: an undo knows it, and so gives the very same bytes back.
const (
	policyNone   = "none"
	policySingle = "single"
	policyList   = "list"
)

// parsePolicyDoc finds the statements of a document. White space alone, or nothing, is no policy.
func parsePolicyDoc(text string) (policyDoc, error) {
	if strings.TrimSpace(text) == "" {
		return policyDoc{}, nil
	}
	d := policyDoc{text: text, from: -1}
	at := json.NewDecoder(strings.NewReader(text))
	if open, err := at.Token(); err != nil || open != json.Delim('{') {
		return d, fmt.Errorf("read policy: no JSON object: %w", orEnd(err))
	}
	for at.More() {
		name, err := at.Token()
		if err != nil {
			return d, fmt.Errorf("read policy: %w", err)
		}
		var value json.RawMessage
		if err := at.Decode(&value); err != nil {
			return d, fmt.Errorf("read policy: %v: %w", name, err)
		}
		if name != "Statement" {
			continue
		}
		if d.from >= 0 {
			return d, errors.New("read policy: Statement stands twice")
		}
		d.to = int(at.InputOffset())
		d.from = d.to - len(value)
	}
	if _, err := at.Token(); err != nil {
		return d, fmt.Errorf("read policy: %w", err)
	}
	if rest := strings.TrimSpace(text[at.InputOffset():]); rest != "" {
		return d, errors.New("read policy: something follows the document")
	}
	if d.from < 0 {
		return d, errors.New("read policy: no Statement")
	}
	return d, d.findStatements()
}

func orEnd(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// findStatements finds where each statement stands.
func (d *policyDoc) findStatements() error {
	value := d.text[d.from:d.to]
	if d.list = strings.HasPrefix(value, "["); !d.list {
		return d.addStatement(d.from, d.to)
	}
	at := json.NewDecoder(strings.NewReader(value))
	if _, err := at.Token(); err != nil {
		return fmt.Errorf("read policy: %w", err)
	}
	for at.More() {
		var one json.RawMessage
		if err := at.Decode(&one); err != nil {
			return fmt.Errorf("read policy: statement %d: %w", len(d.statements)+1, err)
		}
		to := d.from + int(at.InputOffset())
		if err := d.addStatement(to-len(one), to); err != nil {
			return err
		}
	}
	return nil
}

func (d *policyDoc) addStatement(from, to int) error {
	s := policyStatement{from: from, to: to, raw: d.text[from:to]}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal([]byte(s.raw), &parts); err != nil || parts == nil {
		return fmt.Errorf("read policy: statement %d is no object", len(d.statements)+1)
	}
	for name, into := range map[string]*string{"Sid": &s.sid, "Effect": &s.effect} {
		if raw, ok := parts[name]; ok && json.Unmarshal(raw, into) != nil {
			return fmt.Errorf("read policy: %s of statement %d is no text", name, len(d.statements)+1)
		}
	}
	d.statements = append(d.statements, s)
	return nil
}

// form says what the document is before ours is in it.
func (d policyDoc) form() string {
	switch {
	case d.text == "":
		return policyNone
	case d.list:
		return policyList
	}
	return policySingle
}

// with adds statements at the end.
func (d policyDoc) with(more []json.RawMessage) string {
	var ours strings.Builder
	for _, m := range more {
		ours.WriteByte(',')
		ours.Write(m)
	}
	switch {
	case d.text == "":
		return `{"Version":"2012-10-17","Statement":[` + strings.TrimPrefix(ours.String(), ",") + `]}`
	case !d.list:
		return d.text[:d.from] + "[" + d.text[d.from:d.to] + ours.String() + "]" + d.text[d.to:]
	case len(d.statements) == 0:
		return d.text[:d.from+1] + strings.TrimPrefix(ours.String(), ",") + d.text[d.from+1:]
	}
	end := d.statements[len(d.statements)-1].to
	return d.text[:end] + ours.String() + d.text[end:]
}

// without takes statements out; was is the form from before ours were merged in. Empty: none is left, and where there are
// none there is no policy.
func (d policyDoc) without(drop func(policyStatement) bool, was string) string {
	var kept []int
	for i, s := range d.statements {
		if !drop(s) {
			kept = append(kept, i)
		}
	}
	switch {
	case len(kept) == len(d.statements):
		return d.text
	case len(kept) == 0:
		return ""
	case len(kept) == 1 && was == policySingle:
		return d.text[:d.from] + d.statements[kept[0]].raw + d.text[d.to:]
	}
	out := strings.Builder{}
	out.WriteString(d.text[:d.statements[0].from])
	for n, i := range kept {
		if n > 0 {
			out.WriteString(d.text[d.statements[i-1].to:d.statements[i].from])
		}
		out.WriteString(d.statements[i].raw)
	}
	out.WriteString(d.text[d.statements[len(d.statements)-1].to:])
	return out.String()
}

// sameButSid says that two statements mean the same whatever they are called.
func sameButSid(a, b string) bool {
	var x, y map[string]any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	delete(x, "Sid")
	delete(y, "Sid")
	return reflect.DeepEqual(plainPolicy(x), plainPolicy(y))
}

// plainPolicy makes a list of one and its only element alike, as policies mean them.
func plainPolicy(v any) any {
	switch v := v.(type) {
	case []any:
		if len(v) == 1 {
			return plainPolicy(v[0])
		}
		for i := range v {
			v[i] = plainPolicy(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plainPolicy(v[k])
		}
	}
	return v
}
