package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Bounds of a calendar that is fetched: it is asked for right before a drill, and a team's holidays are a few pages.
const (
	calendarTime  = 5 * time.Second
	calendarBytes = 1 << 20
	mostHops      = 5
)

// SilentError means that a source did not answer, and may answer later.
type SilentError struct {
	What string // the source, without what may be secret in its address
	Err  error
}

func (e *SilentError) Error() string { return fmt.Sprintf("%s does not answer: %v", e.What, e.Err) }
func (e *SilentError) Unwrap() error { return e.Err }

// FetchCalendar fetches a calendar over https, within 5 s and at most 1 MiB. The address of a private calendar is a secret
// in its path: no error tells more of it than its host. A *SilentError may answer later; any other error must be mended.
func FetchCalendar(client *http.Client) func(ctx context.Context, address string) ([]byte, error) {
	return func(ctx context.Context, address string) ([]byte, error) {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(address)) {
			return nil, fmt.Errorf("fetch calendar: it has no https address")
		}
		what := "the calendar at " + u.Host
		ctx, cancel := context.WithTimeout(ctx, calendarTime)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, fmt.Errorf("fetch %s: its address cannot be used", what)
		}
		req.Header.Set("User-Agent", "firedrill")
		req.Header.Set("Accept", "text/calendar")
		straight := *client
		straight.CheckRedirect = func(to *http.Request, via []*http.Request) error {
			if u.Scheme == "https" && to.URL.Scheme != "https" || len(via) > mostHops {
				return errors.New("it leads elsewhere: too far, or not over https")
			}
			return nil
		}
		res, err := straight.Do(req)
		if err != nil {
			return nil, &SilentError{What: what, Err: causeOf(err)}
		}
		defer func() { _ = res.Body.Close() }()
		switch {
		case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
			return nil, &SilentError{What: what, Err: fmt.Errorf("status %d", res.StatusCode)}
		case res.StatusCode != http.StatusOK:
			return nil, fmt.Errorf("fetch %s: status %d", what, res.StatusCode)
		}
		body, err := io.ReadAll(io.LimitReader(res.Body, calendarBytes+1))
		switch {
		case err != nil:
			return nil, &SilentError{What: what, Err: causeOf(err)}
		case len(body) > calendarBytes:
			return nil, fmt.Errorf("fetch %s: it is longer than 1 MiB", what)
		}
		return body, nil
	}
}

// causeOf is why a request failed, without its address.
func causeOf(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
