package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/sandbox/aws"
)

const (
	region  = "eu-west-1"
	account = "123456789012"
)

var serving = regexp.MustCompile(`Running on (http://[0-9.:]+)`)

// moto is a moto server. In front of it stands a door that answers what moto does not know: CloudWatch over CBOR is
// the sandbox's, and no task moves messages.
type moto struct{ url, sandbox string }

func newMoto(t *testing.T) *moto {
	t.Helper()
	program := part(t, "moto_server", "pip install 'moto[server]'")
	sandbox := newSandbox(t)
	theirs, ours := proxyTo(t, serve(t, serving, program, "-H", "127.0.0.1", "-p", "0")[1]), proxyTo(t, sandbox)
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/service/GraniteServiceVersion20100801/"):
			ours.ServeHTTP(w, r)
		case r.Header.Get("X-Amz-Target") == "AmazonSQS.ListMessageMoveTasks":
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			_, _ = io.WriteString(w, `{"Results":[]}`)
		default:
			theirs.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(door.Close)
	return &moto{url: door.URL, sandbox: sandbox}
}

func proxyTo(t *testing.T, address string) http.Handler {
	t.Helper()
	to := must(url.Parse(address))(t)
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
}

// newSandbox is an account of our own, empty, and its endpoint.
func newSandbox(t *testing.T) string {
	t.Helper()
	cloud := aws.New(aws.Options{Now: time.Now, Account: account, Region: region})
	server := httptest.NewServer(cloud)
	cloud.SetBase(server.URL + "/aws")
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- cloud.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ran, cloud.Close()); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return server.URL + "/aws"
}

func (m *moto) clients(t *testing.T) *inject.Clients { t.Helper(); return clientsOf(t, m.url) }

func clientsOf(t *testing.T, endpoint string) *inject.Clients {
	t.Helper()
	return must(inject.Open(t.Context(), inject.Options{Endpoint: endpoint, Region: region, AccessKey: "AKIAFIREDRILL00000", Secret: "secret",
		ExpectAccount: account, Now: time.Now}))(t)
}

func (m *moto) catalog(t *testing.T) func() inject.Catalog {
	return func() inject.Catalog {
		return inject.NewCatalog(m.clients(t), inject.CatalogOptions{Timing: inject.SandboxTiming()})
	}
}

func TestMotoTellsWhoWeAre(t *testing.T) {
	who := must(newMoto(t).clients(t).Identity(t.Context()))(t)
	if who.Account != account || !strings.HasPrefix(who.ARN, "arn:aws:sts::"+account) {
		t.Errorf("%+v", who)
	}
}

// text is a state as text that two looks can compare.
func text(t *testing.T, parts ...any) string {
	t.Helper()
	return string(must(json.MarshalIndent(parts, "", " "))(t))
}
