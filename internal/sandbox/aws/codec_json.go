package aws

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// jsonWire is AWS JSON 1.0 and 1.1, and the JSON of REST services.
type jsonWire struct {
	contentType string
	// namespace stands before the codes of errors.
	namespace string
}

func readJSON(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return object{}, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return objects(v), nil
}

// objects turns the decoder's maps into ours.
func objects(v any) any {
	switch t := v.(type) {
	case map[string]any:
		o := make(object, len(t))
		for k, sub := range t {
			o[k] = objects(sub)
		}
		return o
	case []any:
		for i := range t {
			t[i] = objects(t[i])
		}
	}
	return v
}

func (j jsonWire) ok(w http.ResponseWriter, _ *request, tree any) {
	j.write(w, http.StatusOK, tree)
}

func (j jsonWire) fail(w http.ResponseWriter, _ *request, e *apiError, fields object) {
	if e.QueryCode != "" {
		w.Header().Set("X-Amzn-Query-Error", e.QueryCode+";"+faultOf(e))
	}
	// Shapes disagree about the case of their message, so it is told in both.
	fields["__type"], fields["message"], fields["Message"] = j.namespace+e.Code, e.Message, e.Message
	w.Header().Set("X-Amzn-ErrorType", e.Code)
	j.write(w, statusOf(e), fields)
}

func (j jsonWire) write(w http.ResponseWriter, status int, tree any) {
	b, err := json.Marshal(jsonTree(tree))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", j.contentType)
	h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(b)), 10))
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	w.Write(b)
}

// jsonTree spells the leaves as AWS JSON does: times as seconds since 1970, bytes in base64.
func jsonTree(tree any) any {
	switch t := tree.(type) {
	case object:
		o := make(map[string]any, len(t))
		for k, v := range t {
			o[k] = jsonTree(v)
		}
		return o
	case dict:
		return jsonTree(object(t))
	case []any:
		l := make([]any, len(t))
		for i, v := range t {
			l[i] = jsonTree(v)
		}
		return l
	case time.Time:
		return json.Number(strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64))
	case []byte:
		return base64.StdEncoding.EncodeToString(t)
	}
	return tree
}

// faultOf says whose fault an error is, in the words of the Query protocol.
func faultOf(e *apiError) string {
	if statusOf(e) >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

// targetOf splits an X-Amz-Target header, DynamoDB_20120810.UpdateTable.
func targetOf(header string) (prefix, op string) {
	i := strings.LastIndexByte(header, '.')
	if i < 0 {
		return "", ""
	}
	return header[:i], header[i+1:]
}
