package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	staging "github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/internal/sandbox/pager"
)

// The limits of many drills at once.
const (
	maxCallsOfOne   = 12
	maxCallsOfCrowd = 60
	maxCrowdMemory  = 256 << 20
	maxCrowdCores   = 1.0
)

// crowd is a staging environment with as many tables, teams and services as there are drills: the sandbox's cloud, and
// a pager with an account of its own. It is looked at as often as a real one.
type crowd struct {
	firedrill string
	dir       string
	url       string
	drills    []string

	mu    sync.Mutex
	asked []time.Time // requests of the pager's REST API
	paths map[string]int
}

func newCrowd(t *testing.T, n int) *crowd {
	t.Helper()
	var stands atomic.Bool
	box, err := staging.Start(t.Context(), staging.Options{Responder: "none", Log: io.Discard, Now: func() time.Time {
		if stands.Load() {
			return time.Now()
		}
		return time.Now().Add(-time.Hour) // what has just been made is left alone
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer stands.Store(true)
	t.Cleanup(func() { _ = box.Close() })
	c := &crowd{firedrill: program(t), dir: t.TempDir(), paths: map[string]int{}}
	w := box.World()
	account := pager.Account{
		Users:    []pager.User{{ID: "PONE", Name: "One", Email: "one@example.com", Contacts: []pager.Contact{{Type: "push"}}}, {ID: w.Bot, Name: "Firedrill", Email: w.From}},
		Policies: []pager.Policy{{ID: "PEP", Name: "On call", Levels: [][]string{{"PONE"}}, Loops: 9}},
		Services: []pager.Service{{ID: "POWNER", Name: "Owner", Policy: "PEP", Integrations: []pager.Integration{door("PIOWN", w.Owner)}}},
		Tokens:   []pager.Token{{Value: w.Token}},
	}
	w.Teams, w.Unhurried, w.Deadman, w.Slack = map[string]staging.Team{}, true, staging.Deadman{}, staging.Slack{}
	for i := range n {
		team := fmt.Sprintf("team-%03d", i)
		key := fmt.Sprintf("c0de%028d", i)
		account.Services = append(account.Services, pager.Service{ID: fmt.Sprintf("PS%05d", i), Name: team + " (staging)", Policy: "PEP",
			Integrations: []pager.Integration{door(fmt.Sprintf("PI%05d", i), key)}})
		w.Teams[team] = staging.Team{Service: fmt.Sprintf("PS%05d", i), Key: key}
	}
	var front http.ServeMux
	srv := httptest.NewServer(&front)
	t.Cleanup(srv.Close)
	c.url, w.Pager, w.Events = srv.URL, srv.URL+"/pagerduty", srv.URL+"/events"
	p := pager.New(pager.Options{Account: account, URL: srv.URL, Now: time.Now, EscalateAfter: time.Hour,
		RequestsPerMinute: 1_000_000, OperationPerMinute: 1_000_000}) // what is asked before a run begins is not what is measured
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	front.HandleFunc("/_sandbox/world", func(rw http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(rw).Encode(w) })
	front.HandleFunc("/health", func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "ok") })
	front.HandleFunc("/pagerduty/", func(rw http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.asked = append(c.asked, time.Now())
		c.paths[r.Method+" "+r.URL.Path]++
		c.mu.Unlock()
		p.ServeHTTP(rw, r)
	})
	front.Handle("/events/", p)
	c.furnish(t, w, n)
	return c
}

func door(id, key string) pager.Integration {
	return pager.Integration{ID: id, Name: "firedrill", Type: pager.EventsV2, Key: key}
}

// furnish makes the tables, under a stranger's key, and the drill files.
func (c *crowd) furnish(t *testing.T, w staging.World, n int) {
	t.Helper()
	key := w.Keys["other"]
	db := dynamodb.New(dynamodb.Options{Region: w.Region, BaseEndpoint: aws.String(w.AWS),
		Credentials: credentials.NewStaticCredentialsProvider(key.ID, key.Secret, "")})
	ok(t, os.Mkdir(filepath.Join(c.dir, "drills"), 0o700))
	for i := range n {
		name := fmt.Sprintf("crowd-%03d", i)
		_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
			Tags:                 []types.Tag{{Key: aws.String("environment"), Value: aws.String("sandbox")}, {Key: aws.String("firedrill"), Value: aws.String("allowed")}},
		})
		ok(t, err)
		ok(t, os.WriteFile(filepath.Join(c.dir, "drills", name+".yaml"), []byte(fmt.Sprintf(`drill: %s
title: Writes to %[1]s are denied
scenario: Nothing can be stored.
team: team-%03d
steady_state:
  - http: {url: "%s/health", status: 200}
faults:
  - dynamodb.deny: {table: %[1]s, writes: true}
page: {when: direct}
expect: {effective: 10m, acknowledge: 55m}
limit: 60m
`, name, i, c.url)), 0o600))
		if i == n-1 {
			ok(t, dynamodb.NewTableExistsWaiter(db).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(name)}, time.Minute,
				func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay, o.MaxDelay = 200*time.Millisecond, time.Second }))
		}
		c.drills = append(c.drills, filepath.Join("drills", name+".yaml"))
	}
}

// held runs the drills until all of them were paged, watches them for a while, and puts them back. It tells how much
// processor time the hold took per second, the most memory of the whole, and the requests of its busiest minute.
func (c *crowd) held(t *testing.T, hold time.Duration) (cores float64, memory int64, calls int) {
	t.Helper()
	args := append([]string{"run", "--env", "sandbox", "--state", filepath.Join(c.dir, "state"), "-o", "json"}, c.drills...)
	cmd := exec.CommandContext(t.Context(), c.firedrill, args...)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), "FIREDRILL_SANDBOX="+c.url)
	var told bytes.Buffer
	cmd.Stderr = &told
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	paged := make(chan struct{})
	finished := map[string]int{}
	read := make(chan struct{})
	go func() {
		defer close(read)
		n, lines := 0, bufio.NewScanner(out)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			var e struct {
				Kind string
				Fact struct{ Outcome string }
			}
			if json.Unmarshal(lines.Bytes(), &e) != nil {
				continue
			}
			switch e.Kind {
			case "incident.notified":
				if n++; n == len(c.drills) {
					close(paged)
				}
			case "run.finished":
				finished[e.Fact.Outcome]++
			}
		}
	}()
	select {
	case <-paged:
	case <-read:
		t.Fatalf("it ended before all were paged: %v\n%s", cmd.Wait(), told.String())
	case <-time.After(6 * time.Minute):
		ok(t, cmd.Process.Signal(syscall.SIGTERM))
		<-read
		t.Fatalf("not all were paged: %v %v\n%s", cmd.Wait(), finished, told.String())
	}
	from, before := time.Now(), processor(t, cmd.Process.Pid)
	time.Sleep(hold)
	cores = (processor(t, cmd.Process.Pid) - before).Seconds() / time.Since(from).Seconds()
	calls = c.busiest(from)
	ok(t, cmd.Process.Signal(syscall.SIGTERM))
	<-read
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 || finished["interrupted"] != len(c.drills) {
		t.Errorf("%v, ended %v\n%s", err, finished, told.String())
	}
	return cores, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10, calls
}

// busiest is the most requests that any minute held that ended after a time.
func (c *crowd) busiest(from time.Time) (most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.asked {
		n := 0
		for _, at := range c.asked[i:] {
			if at.Sub(c.asked[i]) < time.Minute {
				n++
			}
		}
		if c.asked[i].After(from.Add(-time.Second)) {
			most = max(most, n)
		}
	}
	return most
}

// processor is how much processor time a process has had.
func processor(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skipf("no processor times here: %v", err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var user, system int64
	_, _ = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	return time.Duration(user+system) * time.Second / 100 // USER_HZ is 100 on Linux
}

func TestCostOfOneDrill(t *testing.T) {
	_, _, calls := newCrowd(t, 1).held(t, 70*time.Second)
	row(t, "PagerDuty, requests a minute, one drill", float64(calls), maxCallsOfOne, "")
}

func TestCostOfFiveHundredDrills(t *testing.T) {
	n := 500
	if s := os.Getenv("FIREDRILL_BENCH_DRILLS"); s != "" {
		_, _ = fmt.Sscan(s, &n)
	}
	c := newCrowd(t, n)
	cores, memory, calls := c.held(t, 70*time.Second)
	t.Logf("%d drills: %v", n, c.paths["GET /pagerduty/log_entries"])
	row(t, fmt.Sprintf("PagerDuty, requests a minute, %d drills", n), float64(calls), maxCallsOfCrowd, "")
	row(t, fmt.Sprintf("resident memory of %d drills, at most", n), float64(memory)/(1<<20), maxCrowdMemory>>20, "MB")
	row(t, fmt.Sprintf("processors, %d drills held", n), cores, maxCrowdCores, "")
}
