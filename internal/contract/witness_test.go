package contract

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// exchange is one request with its answer, as they went over the wire.
type exchange struct {
	Method, Path string // below the base of the API: /incidents, /v2/enqueue
	Events       bool   // it is the Events API's
	Query        url.Values
	Header       http.Header
	Body         []byte

	Status int
	Told   http.Header
	Answer []byte
}

func (x exchange) String() string {
	q := ""
	if len(x.Query) > 0 {
		q = "?" + x.Query.Encode()
	}
	return fmt.Sprintf("%s %s%s → %d", x.Method, x.Path, q, x.Status)
}

// witness passes requests on and keeps what went by.
type witness struct {
	next http.RoundTripper

	mu   sync.Mutex
	seen []exchange
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	told, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(told))
	x := exchange{Method: r.Method, Query: r.URL.Query(), Header: r.Header.Clone(), Body: sent, Status: resp.StatusCode, Told: resp.Header.Clone(), Answer: told}
	x.Path = strings.TrimPrefix(r.URL.Path, "/pagerduty")
	if rest, ok := strings.CutPrefix(r.URL.Path, "/events"); ok {
		x.Path, x.Events = rest, true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, x)
	return resp, nil
}

// all are the exchanges so far.
func (w *witness) all() []exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]exchange{}, w.seen...)
}
