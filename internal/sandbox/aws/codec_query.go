package aws

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// queryWire is the Query protocol: a form in, XML out.
type queryWire struct {
	namespace string
}

// readQuery makes a tree of a form: Tags.member.1.Key=a becomes Tags{member{1{Key}}}; fill knows from the input's
// type which of these are lists and maps.
func readQuery(form url.Values) (object, error) {
	root := object{}
	for key, values := range form {
		if key == "Action" || key == "Version" || len(values) == 0 {
			continue
		}
		at, parts := root, strings.Split(key, ".")
		for _, p := range parts[:len(parts)-1] {
			sub, ok := at[p].(object)
			if !ok {
				if at[p] != nil {
					return nil, fmt.Errorf("%s: both a value and a structure", key)
				}
				sub = object{}
				at[p] = sub
			}
			at = sub
		}
		last := parts[len(parts)-1]
		if _, taken := at[last]; taken {
			return nil, fmt.Errorf("%s: both a value and a structure", key)
		}
		at[last] = values[0]
	}
	return root, nil
}

// queryList reads {member{1, 2, …}} and the empty string, which is the empty list.
func queryList(tree any) ([]any, bool) {
	if s, ok := tree.(string); ok {
		return nil, s == ""
	}
	o, _ := tree.(object)
	numbered, ok := o["member"].(object)
	if !ok || len(o) != 1 {
		return nil, false
	}
	return inOrder(numbered)
}

func inOrder(numbered object) ([]any, bool) {
	keys := make([]int, 0, len(numbered))
	for k := range numbered {
		n, err := strconv.Atoi(k)
		if err != nil {
			return nil, false
		}
		keys = append(keys, n)
	}
	sort.Ints(keys)
	items := make([]any, len(keys))
	for i, n := range keys {
		items[i] = numbered[strconv.Itoa(n)]
	}
	return items, true
}

// queryEntries reads {entry{1{key, value}, …}}; some APIs spell it Name and Value.
func queryEntries(o object) (object, bool) {
	numbered, ok := o["entry"].(object)
	if !ok || len(o) != 1 {
		return nil, false
	}
	items, ok := inOrder(numbered)
	if !ok {
		return nil, false
	}
	out := object{}
	for _, item := range items {
		e, _ := item.(object)
		for _, names := range [][2]string{{"key", "value"}, {"Name", "Value"}} {
			if k, ok := e[names[0]].(string); ok {
				out[k] = e[names[1]]
			}
		}
	}
	return out, true
}

func (q queryWire) ok(w http.ResponseWriter, r *request, tree any) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%sResponse xmlns=%q><%sResult>", r.operation, q.namespace, r.operation)
	writeXML(&b, tree)
	fmt.Fprintf(&b, "</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>", r.operation, r.id, r.operation)
	q.write(w, http.StatusOK, b.Bytes())
}

func (q queryWire) fail(w http.ResponseWriter, r *request, e *apiError, fields object) {
	code := e.Code
	if e.QueryCode != "" {
		code = e.QueryCode
	}
	fields["Type"], fields["Code"], fields["Message"] = faultOf(e), code, e.Message
	var b bytes.Buffer
	fmt.Fprintf(&b, "<ErrorResponse xmlns=%q><Error>", q.namespace)
	writeXML(&b, fields)
	fmt.Fprintf(&b, "</Error><RequestId>%s</RequestId></ErrorResponse>", r.id)
	q.write(w, statusOf(e), b.Bytes())
}

func (q queryWire) write(w http.ResponseWriter, status int, b []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/xml")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	w.Write(b)
}

func writeXML(b *bytes.Buffer, tree any) {
	switch t := tree.(type) {
	case object:
		for _, k := range sortedKeys(t) {
			fmt.Fprintf(b, "<%s>", k)
			writeXML(b, t[k])
			fmt.Fprintf(b, "</%s>", k)
		}
	case dict:
		for _, k := range sortedKeys(t) {
			b.WriteString("<entry><key>")
			xml.EscapeText(b, []byte(k))
			b.WriteString("</key><value>")
			writeXML(b, t[k])
			b.WriteString("</value></entry>")
		}
	case []any:
		for _, v := range t {
			b.WriteString("<member>")
			writeXML(b, v)
			b.WriteString("</member>")
		}
	case string:
		xml.EscapeText(b, []byte(t))
	case time.Time:
		b.WriteString(t.UTC().Format("2006-01-02T15:04:05.000Z"))
	case []byte:
		b.WriteString(base64.StdEncoding.EncodeToString(t))
	case nil:
	default:
		fmt.Fprint(b, t)
	}
}

func sortedKeys[M ~map[string]any](m M) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
