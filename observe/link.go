package observe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// linkTime is how long one look at a page may take.
const linkTime = 5 * time.Second

// LinkLook is what one look at a page found.
type LinkLook struct {
	Found string // "answers 200", "asks for a login"
	Err   error  // why nobody would find anything there; nil: it is there
}

// Linker asks pages whether they are there, as a browser without a login would.
type Linker struct{ HTTP *http.Client }

// Look makes one HEAD request, and a GET where HEAD tells nothing. A page that wants a login is there: whoever is paged has
// one. Redirects are followed, ten at most; no secret is sent.
func (l Linker) Look(ctx context.Context, address string) LinkLook {
	ctx, cancel := context.WithTimeout(ctx, linkTime)
	defer cancel()
	found, err := l.ask(ctx, http.MethodHead, address)
	if err == nil && found.status >= 400 && !found.login() {
		found, err = l.ask(ctx, http.MethodGet, address)
	}
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return LinkLook{Err: fmt.Errorf("no answer within %s", linkTime)}
	case err != nil:
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // without the address: whoever asked has it
		}
		return LinkLook{Err: err}
	case found.login():
		return LinkLook{Found: "asks for a login"}
	case found.status >= 400:
		return LinkLook{Err: fmt.Errorf("answers %d", found.status)}
	}
	return LinkLook{Found: fmt.Sprintf("answers %d", found.status)}
}

// linkAnswer is one answer, and where it came from in the end.
type linkAnswer struct {
	status int
	moved  bool // the answer came from another address than was asked
	at     *url.URL
}

// login says that the page is there, behind a login: it says so, or sends who asks to one.
func (p linkAnswer) login() bool {
	if p.status == http.StatusUnauthorized || p.status == http.StatusForbidden || p.status == http.StatusProxyAuthRequired {
		return true
	}
	if !p.moved || p.at == nil {
		return false
	}
	place := strings.ToLower(p.at.Host + p.at.Path)
	for _, word := range []string{"login", "signin", "sign-in", "sign_in", "sso", "oauth", "saml", "auth"} {
		if strings.Contains(place, word) {
			return true
		}
	}
	return false
}

func (l Linker) ask(ctx context.Context, method, address string) (linkAnswer, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return linkAnswer{}, err
	}
	req.Header.Set("User-Agent", "firedrill")
	client := http.Client{}
	if l.HTTP != nil {
		client = *l.HTTP
	}
	client.Jar = nil
	res, err := client.Do(req)
	if err != nil {
		return linkAnswer{}, err
	}
	_ = res.Body.Close()
	at := res.Request.URL
	return linkAnswer{status: res.StatusCode, moved: at.String() != req.URL.String(), at: at}, nil
}
