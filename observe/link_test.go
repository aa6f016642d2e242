package observe_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/observe"
)

func TestLinker(t *testing.T) {
	heads := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			heads[r.URL.Path]++
		}
		switch r.URL.Path {
		case "/there", "/sso/login", "/moved":
		case "/only-get":
			if r.Method != http.MethodGet {
				w.WriteHeader(http.StatusMethodNotAllowed)
			}
		case "/behind":
			http.Redirect(w, r, "/sso/login?next=behind", http.StatusFound)
		case "/elsewhere":
			http.Redirect(w, r, "/moved", http.StatusMovedPermanently)
		case "/asks":
			w.WriteHeader(http.StatusUnauthorized)
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		case "/broken":
			w.WriteHeader(http.StatusBadGateway)
		case "/around":
			http.Redirect(w, r, "/around", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for path, want := range map[string]string{
		"/there": "answers 200", "/only-get": "answers 200", "/elsewhere": "answers 200",
		"/behind": "asks for a login", "/asks": "asks for a login", "/forbidden": "asks for a login",
	} {
		if look := (observe.Linker{}).Look(t.Context(), server.URL+path); look.Err != nil || look.Found != want {
			t.Errorf("%s: %+v, want %s", path, look, want)
		}
	}
	for path, want := range map[string]string{"/nothing": "answers 404", "/broken": "answers 502", "/around": "stopped after 10 redirects"} {
		if look := (observe.Linker{}).Look(t.Context(), server.URL+path); look.Err == nil || !strings.Contains(look.Err.Error(), want) {
			t.Errorf("%s: %+v, want %s", path, look, want)
		}
	}
	if heads["/there"] != 1 {
		t.Errorf("%d times HEAD", heads["/there"])
	}
	server.Close()
	look := (observe.Linker{}).Look(t.Context(), server.URL+"/there")
	if look.Err == nil || !strings.Contains(look.Err.Error(), "connection refused") || strings.Contains(look.Err.Error(), "/there") {
		t.Errorf("nobody is there: %+v", look)
	}
	if look := (observe.Linker{}).Look(t.Context(), "://"); look.Err == nil {
		t.Errorf("no address: %+v", look)
	}
}
