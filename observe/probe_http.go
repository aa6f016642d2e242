package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
)

// maxBody is how much of an answer `contains` searches, in bytes.
const maxBody = 1 << 20

// HTTPProbe makes one request. It is ok when the status is the one wanted and the body contains what it should; bad
// when the answer is another, or the host refuses the connection; unknown when there is no answer.
type HTTPProbe struct {
	URL      string            `json:"url" yaml:"url"`
	Status   int               `json:"status,omitempty" yaml:"status,omitempty"` // 200 when left out
	Method   string            `json:"method,omitempty" yaml:"method,omitempty"` // GET when left out
	Header   map[string]string `json:"header,omitempty" yaml:"header,omitempty"`
	Contains string            `json:"contains,omitempty" yaml:"contains,omitempty"` // in the first MiB of the body
	Follow   bool              `json:"follow,omitempty" yaml:"follow,omitempty"`     // follow redirects
	Timeout  Span              `json:"timeout,omitempty" yaml:"timeout,omitempty"`   // 3s when left out
}

func (p *HTTPProbe) method() string {
	if p.Method == "" {
		return http.MethodGet
	}
	return p.Method
}

func (p *HTTPProbe) label() string {
	at := p.URL
	if u, err := url.Parse(p.URL); err == nil && !open(p.URL) {
		at = u.Redacted()
	}
	if m := p.method(); m != http.MethodGet {
		return "http " + m + " " + at
	}
	return "http " + at
}

func (p *HTTPProbe) problems() []string {
	var found []string
	if p.URL == "" {
		found = append(found, "http has no url")
	} else if !open(p.URL) {
		u, err := url.Parse(p.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			found = append(found, fmt.Sprintf("url %q is not an http or https address", p.URL))
		}
	}
	if p.Status != 0 && (p.Status < 100 || p.Status > 599) {
		found = append(found, fmt.Sprintf("status %d is no HTTP status. Try: status: 200", p.Status))
	}
	if m := p.method(); !slices.Contains([]string{"GET", "HEAD", "POST", "OPTIONS"}, m) {
		found = append(found, fmt.Sprintf("method %q is not GET, HEAD, POST or OPTIONS: a probe only looks", m))
	}
	if p.Contains != "" && p.method() == http.MethodHead {
		found = append(found, "contains has nothing to search: HEAD is answered without a body")
	}
	return append(found, tooShort(p.Timeout)...)
}

func (p *HTTPProbe) probe(c Clients) (Probe, error) {
	want := *p
	if want.Status == 0 {
		want.Status = http.StatusOK
	}
	client := lonely(c.HTTP)
	if !want.Follow {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	ask := func(ctx context.Context) (Value, string) { return want.ask(ctx, client) }
	return &look{name: p.label(), timeout: p.Timeout.or(ProbeTimeout), now: c.Now, ask: ask}, nil
}

// lonely copies a client so that each request makes its own connection: a kept one would go on reaching a target that
// the load balancer no longer sends anybody to.
func lonely(c *http.Client) *http.Client {
	var copied http.Client
	if c != nil {
		copied = *c
	}
	base := copied.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	if t, ok := base.(*http.Transport); ok {
		t = t.Clone()
		t.DisableKeepAlives = true
		copied.Transport = t
	}
	copied.Jar = nil
	return &copied
}

func (p *HTTPProbe) ask(ctx context.Context, client *http.Client) (Value, string) {
	req, err := http.NewRequestWithContext(ctx, p.method(), p.URL, nil)
	if err != nil {
		return Unknown, err.Error()
	}
	req.Close = true
	req.Header.Set("User-Agent", "firedrill")
	for name, value := range p.Header {
		if strings.EqualFold(name, "Host") {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return unreached(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != p.Status {
		return Bad, fmt.Sprintf("status %d, want %d", resp.StatusCode, p.Status)
	}
	if p.Contains == "" {
		return OK, fmt.Sprintf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return Unknown, fmt.Sprintf("status %d, but the body broke off: %v", resp.StatusCode, err)
	}
	if !strings.Contains(string(body), p.Contains) {
		return Bad, fmt.Sprintf("status %d, but the body does not contain %q", resp.StatusCode, p.Contains)
	}
	return OK, fmt.Sprintf("status %d", resp.StatusCode)
}

// unreached tells a host that says "nobody listens here" (an answer, and a bad one) from a look that failed.
func unreached(err error) (Value, string) {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the address: the label has it
	}
	var op *net.OpError
	if errors.Is(err, syscall.ECONNREFUSED) && errors.As(err, &op) && op.Op == "dial" {
		return Bad, "connection refused"
	}
	return Unknown, err.Error()
}
