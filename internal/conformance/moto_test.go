package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/inject/injecttest"
)

const installMoto = "pip install 'moto[server]==5.2.5'"

// serving is the line in which moto tells its address.
var serving = regexp.MustCompile(`Running on (http://[0-9.:]+)`)

// TestMoto holds every fault against moto's AWS: prepare, apply, apply twice, revert, revert again, never applied,
// and the other rows that every fault must pass. moto stores what is configured and has no data plane for tables
// and load balancers: nothing throttles there, and no rule carries traffic. What is felt is the sandbox's to show.
func TestMoto(t *testing.T) {
	program := part(t, "moto_server", installMoto)
	m := &moto{url: serve(t, serving, program, "-H", "127.0.0.1", "-p", "0")[1]}
	t.Run("account", m.identity)
	t.Run("dynamodb.throttle", m.throttle)
	t.Run("dynamodb.throttle on demand", m.onDemand)
	t.Run("dynamodb.throttle of nothing", m.nothing)
	t.Run("http.error", m.replies)
	t.Run("dead-man's switch", m.deadman)
	t.Run("dynamodb.deny", m.deny)
	t.Run("sqs.stall", m.stall)
	t.Run("sqs.poison", m.poison)
	t.Run("sqs.poison of a function", m.digested)
}

// moto is a running server. All tests share its one account, and tell their things apart by name.
type moto struct {
	url  string
	made atomic.Int64
}

// motoAccount is whose everything is there; credentials are not looked at.
const motoAccount = "123456789012"

// name is a new one.
func (m *moto) name(what string) string { return fmt.Sprintf("%s-%03d", what, m.made.Add(1)) }

// clients are the program's own, on moto.
func (m *moto) clients(t *testing.T) *inject.Clients {
	t.Helper()
	return m.open(t, motoAccount)
}

func (m *moto) open(t *testing.T, account string) *inject.Clients {
	t.Helper()
	c := must(inject.Open(t.Context(), inject.Options{Endpoint: m.url, Region: "eu-west-1", ExpectAccount: account,
		AccessKey: "AKIAFIREDRILL00000", Secret: "secret", Now: time.Now, HTTPClient: &http.Client{Transport: gaps{http.DefaultTransport}}}))(t)
	q := queried(c)
	c.CloudWatch = inject.Metrics{GetMetricData: q.GetMetricData, GetMetricStatistics: q.GetMetricStatistics}
	return c
}

// catalog is a fresh one, as a new process would make it.
func (m *moto) catalog(t *testing.T) inject.Catalog {
	return inject.NewCatalog(m.clients(t), inject.CatalogOptions{Timing: inject.SandboxTiming()})
}

// unfelt is the catalog with faults that do not look whether they are felt, for a world in which nothing is.
func (m *moto) unfelt(t *testing.T) inject.Catalog {
	quiet := inject.Catalog{}
	for name, kind := range m.catalog(t) {
		fresh := kind.New
		kind.New = func(params json.RawMessage) (inject.Fault, error) {
			f, err := fresh(params)
			if s, ok := f.(inject.Staged); ok {
				return quietStaged{f, s}, err
			}
			return quietFault{f}, err
		}
		quiet[name] = kind
	}
	return quiet
}

type quietFault struct{ inject.Fault }

type quietStaged struct {
	inject.Fault
	inject.Staged
}

// mark is the mark of a fault that a test makes by hand.
func mark(run string) inject.Mark {
	return inject.Mark{Run: run, Fault: "one", Until: time.Now().Add(10 * time.Minute).Truncate(time.Second)}
}

// run is the suite of all faults on a world of moto's.
func run(t *testing.T, kind string, world func(t *testing.T) injecttest.World) {
	began := time.Now()
	t.Cleanup(func() { t.Logf("%s in %s", kind, time.Since(began).Round(100*time.Millisecond)) })
	injecttest.Run(t, injecttest.Case{Kind: kind, World: world})
}

// spelled writes what a state is made of, with a world's own names taken out, so that two worlds can be compared.
func spelled(t testing.TB, state any, names ...string) string {
	t.Helper()
	text := string(must(json.MarshalIndent(state, "", " "))(t))
	for i, name := range names {
		text = strings.ReplaceAll(text, name, fmt.Sprintf("NAME%d", i))
	}
	return text
}

// identity is who we are there: STS over Query, IAM over Query.
func (m *moto) identity(t *testing.T) {
	who := must(m.clients(t).Identity(t.Context()))(t)
	if who.Account != motoAccount || !strings.HasPrefix(who.ARN, "arn:aws:sts::"+motoAccount) {
		t.Errorf("%+v", who)
	}
	var no *inject.Refusal
	if _, err := m.open(t, "999988887777").Identity(t.Context()); !errors.As(err, &no) {
		t.Errorf("another account's credentials pass: %v", err)
	}
}
