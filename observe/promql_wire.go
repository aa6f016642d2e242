package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// maxAnswer is how long an answer of Prometheus or Alertmanager may be, in bytes: a query that answers more than this
// is no probe.
const maxAnswer = 4 << 20

// door is where a monitoring system is asked, and as whom.
type door struct{ kind, url, user, token string }

// secretReference is how a secret is named in a file that everybody may read.
var secretReference = regexp.MustCompile(`^(env|file|ssm|secretsmanager):.+`)

func (d door) problems() []string {
	var found []string
	switch u, err := url.Parse(d.url); {
	case d.url == "":
		found = append(found, d.kind+" has no url")
	case open(d.url):
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		found = append(found, fmt.Sprintf("url %q is not an http or https address", d.url))
	case u.User != nil:
		found = append(found, "url holds a user: a drill file is no place for a password. Try: user and token")
	case u.RawQuery != "" || u.Fragment != "":
		found = append(found, "url is the address alone, without a query")
	}
	if d.token != "" && !open(d.token) && !secretReference.MatchString(d.token) {
		found = append(found, "token is a secret itself, or no reference to one. Try: env:NAME, file:PATH, ssm:NAME or secretsmanager:ID")
	}
	if d.user != "" && d.token == "" {
		found = append(found, "user has no token, which is its password")
	}
	return found
}

// host names it in labels and as a clock.
func (d door) host() string {
	if u, err := url.Parse(d.url); err == nil && u.Host != "" && !open(d.url) {
		return u.Host
	}
	return d.url
}

// request is what is asked.
type request struct{ method, path, form string }

// ask makes one request and reads the whole answer. Nothing of a secret is in its error.
func (d door) ask(ctx context.Context, client *http.Client, c Clients, r request) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, r.method, strings.TrimRight(d.url, "/")+r.path, strings.NewReader(r.form))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("User-Agent", "firedrill")
	req.Header.Set("Accept", "application/json")
	if r.form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if err := d.open(ctx, c, req); err != nil {
		return 0, nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err // without the address: the label has it
		}
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return resp.StatusCode, nil, fmt.Errorf("status %d, but the answer broke off: %w", resp.StatusCode, err)
	case len(body) > maxAnswer:
		return resp.StatusCode, nil, fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)
	}
	return resp.StatusCode, body, nil
}

// open shows who asks.
func (d door) open(ctx context.Context, c Clients, req *http.Request) error {
	if d.token == "" {
		return nil
	}
	if c.Secret == nil {
		return errors.New("read token: nothing here reads secrets")
	}
	secret, err := c.Secret(ctx, d.token)
	if err != nil {
		return fmt.Errorf("read token: %w", err)
	}
	if d.user != "" {
		req.SetBasicAuth(d.user, secret)
	} else {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	return nil
}

// plainClient copies a client so that it follows no redirect: who asks with a token asks one place.
func plainClient(c *http.Client) *http.Client {
	var copied http.Client
	if c != nil {
		copied = *c
	}
	copied.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &copied
}
