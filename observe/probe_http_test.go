package observe

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestHTTPProbe(t *testing.T) {
	var mu sync.Mutex
	conns := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		conns[r.RemoteAddr] = true
		mu.Unlock()
		switch r.URL.Path {
		case "/bad":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/moved":
			http.Redirect(w, r, "/fine", http.StatusFound)
		case "/slow":
			<-r.Context().Done()
		case "/reset":
			panic(http.ErrAbortHandler)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "healthy")
		case "/asked":
			_, _ = io.WriteString(w, r.Method+" "+r.Host+" "+r.Header.Get("X-A"))
		default:
			_, _ = io.WriteString(w, "healthy")
		}
	}))
	defer srv.Close()
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	for name, c := range map[string]struct {
		rest string
		want Value
		why  string
	}{
		"fine":            {`/fine"`, OK, "status 200"},
		"bad":             {`/bad"`, Bad, "status 503, want 200"},
		"bad is wanted":   {`/bad", status: 503`, OK, ""},
		"moved":           {`/moved"`, Bad, "status 302"},
		"moved, followed": {`/moved", follow: true`, OK, ""},
		"moved is wanted": {`/moved", status: 302`, OK, ""},
		"contains":        {`/fine", contains: health`, OK, ""},
		"contains not":    {`/fine", contains: sick`, Bad, "does not contain"},
		"cut off":         {`/cut", contains: sick`, Unknown, "broke off"},
		"slow":            {`/slow", timeout: 30ms`, Unknown, "no answer within 30ms"},
		"reset":           {`/reset"`, Unknown, ""},
		"method and head": {`/asked", method: POST, header: {X-A: b, Host: shop.example.com}, contains: "POST shop.example.com b"`, OK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := NewProbe(specOf(t, `http: {url: "`+srv.URL+c.rest+`}`), Clients{Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			got := p.Read(t.Context())
			if got.Value != c.want || !strings.Contains(got.Why, c.why) || got.To.Before(got.From) {
				t.Errorf("%+v, want %s %q", got, c.want, c.why)
			}
			if strings.Contains(got.Why, srv.URL) {
				t.Errorf("the reason repeats the address: %s", got.Why)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		p, err := NewProbe(specOf(t, `http: {url: "`+dead.URL+`"}`), Clients{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Read(t.Context()); got.Value != Bad || got.Why != "connection refused" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a connection each", func(t *testing.T) {
		p, err := NewProbe(specOf(t, `http: {url: "`+srv.URL+`/fine"}`), Clients{HTTP: srv.Client(), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		before := len(conns)
		mu.Unlock()
		for range 3 {
			p.Read(t.Context())
		}
		mu.Lock()
		defer mu.Unlock()
		if got := len(conns) - before; got != 3 {
			t.Errorf("%d connections for 3 looks", got)
		}
	})
}
