package inject

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// visitor is the client of looks and load: each request on a connection of its own, no redirects followed. It
// reaches the load balancer by its own name, for which no certificate is made out; it sends no secrets, and all
// it believes is our own body.
func visitor() *http.Client {
	return &http.Client{
		Timeout: requestLimit,
		Transport: &http.Transport{
			DisableKeepAlives:   true,
			TLSHandshakeTimeout: requestLimit,
			TLSClientConfig:     &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Verify asks the load balancer for what our rule answers; where it cannot be reached from here, CloudWatch for what the
// load balancer says of itself.
func (f *reply) Verify(ctx context.Context, u Undo) (Reading, error) {
	d, err := readReplyUndo(u)
	if err != nil {
		return Reading{Felt: Unknown, Why: err.Error()}, err
	}
	if d.Witness == byMetric {
		return f.told(ctx, d), nil
	}
	return f.visit(ctx, d), nil
}

// Load sends the drill's rate of requests, if it names one and they would get there.
func (f *reply) Load(ctx context.Context, u Undo, d time.Duration) (Loaded, error) {
	undo, err := readReplyUndo(u)
	if err != nil || undo.Load <= 0 || undo.Witness == byMetric {
		return Loaded{}, err
	}
	l := load{perSecond: undo.Load, now: f.now, send: func(ctx context.Context, _ int64) Reading { return f.visit(ctx, undo) }}
	return l.run(ctx, d), nil
}

// visit makes one request and looks for our status and our body.
func (f *reply) visit(ctx context.Context, d replyUndo) Reading {
	path := concrete(d.Path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.Base+path, nil)
	if err != nil {
		return Reading{Felt: Unknown, Why: err.Error()}
	}
	request.Header.Set("User-Agent", "firedrill")
	if d.Host != "" {
		request.Host = concrete(d.Host)
	}
	for name, value := range d.Header {
		request.Header.Set(name, concrete(value))
	}
	answer, err := f.http.Do(request)
	if err != nil {
		return Reading{Felt: Unknown, Why: err.Error()}
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 2*maxBody))
	if err != nil {
		return Reading{Felt: Unknown, Why: fmt.Sprintf("read answer of %s: %v", request.URL, err)}
	}
	if answer.StatusCode == d.Status && strings.TrimSpace(string(body)) == strings.TrimSpace(d.Body) {
		return Reading{Felt: Yes, Why: fmt.Sprintf("%s answers %d with our body", request.URL, d.Status)}
	}
	return Reading{Felt: No, Why: fmt.Sprintf("%s answers %d, not our %d", request.URL, answer.StatusCode, d.Status)}
}

// concrete makes a text that a pattern matches.
func concrete(pattern string) string {
	return strings.NewReplacer("*", "", "?", "x").Replace(pattern)
}
