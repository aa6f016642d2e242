package aws

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// cborWire is Smithy RPC v2 CBOR. smithy-go calls its encoding unstable, so only this file touches it.
type cborWire struct {
	namespace string
}

// epochTag marks a time in CBOR (RFC 8949 §3.4.2).
const epochTag = 1

func readCBOR(body []byte) (any, error) {
	if len(body) == 0 {
		return object{}, nil
	}
	v, err := cbor.Decode(body)
	if err != nil {
		return nil, fmt.Errorf("read CBOR: %w", err)
	}
	return fromCBOR(v)
}

func fromCBOR(v cbor.Value) (any, error) {
	switch t := v.(type) {
	case cbor.Map:
		o := make(object, len(t))
		for k, sub := range t {
			x, err := fromCBOR(sub)
			if err != nil {
				return nil, err
			}
			o[k] = x
		}
		return o, nil
	case cbor.List:
		l := make([]any, len(t))
		for i, sub := range t {
			x, err := fromCBOR(sub)
			if err != nil {
				return nil, err
			}
			l[i] = x
		}
		return l, nil
	case *cbor.Tag:
		x, err := fromCBOR(t.Value)
		if err != nil || t.ID != epochTag {
			return x, err
		}
		return asTime(x)
	case cbor.String:
		return string(t), nil
	case cbor.Slice:
		return []byte(t), nil
	case cbor.Bool:
		return bool(t), nil
	case cbor.Uint:
		if uint64(t) > math.MaxInt64 {
			return nil, fmt.Errorf("read CBOR: %d is too large", uint64(t))
		}
		return int64(t), nil
	case cbor.NegInt:
		return -int64(t), nil
	case cbor.Float32:
		return float64(t), nil
	case cbor.Float64:
		return float64(t), nil
	}
	return nil, nil // null and undefined
}

func toCBOR(tree any) cbor.Value {
	switch t := tree.(type) {
	case object:
		m := make(cbor.Map, len(t))
		for k, v := range t {
			m[k] = toCBOR(v)
		}
		return m
	case dict:
		return toCBOR(object(t))
	case []any:
		l := make(cbor.List, len(t))
		for i, v := range t {
			l[i] = toCBOR(v)
		}
		return l
	case string:
		return cbor.String(t)
	case bool:
		return cbor.Bool(t)
	case int64:
		if t < 0 {
			return cbor.NegInt(-t)
		}
		return cbor.Uint(t)
	case float64:
		return cbor.Float64(t)
	case []byte:
		return cbor.Slice(t)
	case time.Time:
		return &cbor.Tag{ID: epochTag, Value: cbor.Float64(float64(t.UnixMilli()) / 1000)}
	}
	return &cbor.Nil{}
}

func (c cborWire) ok(w http.ResponseWriter, _ *request, tree any) {
	c.write(w, http.StatusOK, tree)
}

func (c cborWire) fail(w http.ResponseWriter, _ *request, e *apiError, fields object) {
	if e.QueryCode != "" {
		w.Header().Set("X-Amzn-Query-Error", e.QueryCode+";"+faultOf(e))
	}
	fields["__type"], fields["message"], fields["Message"] = c.namespace+e.Code, e.Message, e.Message
	c.write(w, statusOf(e), fields)
}

func (c cborWire) write(w http.ResponseWriter, status int, tree any) {
	if tree == nil {
		tree = object{}
	}
	b := cbor.Encode(toCBOR(tree))
	h := w.Header()
	h.Set("Smithy-Protocol", "rpc-v2-cbor")
	h.Set("Content-Type", "application/cbor")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	w.Write(b)
}
