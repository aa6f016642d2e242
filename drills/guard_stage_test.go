package drills_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/observe"
)

// staging is a real sandbox that every refusal is tried on, with the real clients.
type staging struct {
	*testing.T
	world   sandbox.World
	clients *inject.Clients // ours
	others  *inject.Clients // somebody else's key: what people do is not counted as ours
}

// try is one drill on it, that a test may spoil.
type try struct {
	*staging
	env   drills.Environment
	spec  *drills.Spec
	token string
	store *journal.Memory
}

func newStaging(t *testing.T) *staging {
	t.Helper()
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &staging{T: t, world: box.World()}
	s.clients, s.others = s.open("firedrill"), s.open("other")
	return s
}

func (s *staging) open(who string) *inject.Clients {
	k := s.world.Keys[who]
	c, err := inject.Open(s.Context(), inject.Options{Endpoint: s.world.AWS, Region: s.world.Region, AccessKey: k.ID, Secret: k.Secret, Now: time.Now})
	if err != nil {
		s.Fatal(err)
	}
	return c
}

// try makes one of the library's drills ready, as it would run.
func (s *staging) try(t *testing.T, drill string) *try {
	t.Helper()
	w := s.world
	x := &try{staging: s, token: w.Token, store: journal.NewMemory(), env: drills.Environment{
		Name: "sandbox", AWS: drills.AWSSpec{Account: w.Account, Regions: []string{w.Region}},
		Tags:  map[string]string{"environment": "sandbox", "firedrill": "allowed"},
		Owner: w.Owner, Teams: map[string]drills.Team{}, Sandbox: &drills.SandboxRef{Instance: w.Instance, URL: w.URL},
		UndoPatience: time.Minute, Settle: time.Second}}
	for name, team := range w.Teams {
		x.env.Teams[name] = drills.Team{Service: team.Service, Key: team.Key}
	}
	spec, err := drills.NewLibrary(nil, drills.KnownKinds(s.catalog())).Find(drill)
	if err == nil {
		spec, err = spec.Resolve(w.Vars)
	}
	if err != nil {
		t.Fatal(err)
	}
	x.spec = spec
	return x
}

func (s *staging) catalog() inject.Catalog {
	return inject.NewCatalog(s.clients, inject.CatalogOptions{Timing: inject.SandboxTiming()})
}

// steps are those of the program, on the real clients.
func (x *try) steps() *drills.Steps {
	pager, err := observe.NewPagerDuty(observe.PagerOptions{Region: "us", API: x.world.Pager, Events: x.world.Events, Token: x.token,
		From: x.world.From, Bots: []string{x.world.Bot}, Now: time.Now})
	if err != nil {
		x.Fatal(err)
	}
	eyes := observe.Clients{HTTP: http.DefaultClient, CloudWatch: observe.CloudWatchOf(x.clients.Config), SQS: x.clients.SQS, Now: time.Now}
	return &drills.Steps{Env: &x.env, Outcome: outcomeOf, World: drills.World{
		Catalog: x.catalog(),
		Caller: func(ctx context.Context) (drills.Caller, error) {
			c, err := x.clients.Identity(ctx)
			return drills.Caller{Account: c.Account, ARN: c.ARN, Alias: c.Alias, Region: x.world.Region}, err
		},
		Probe:  func(p observe.ProbeSpec) (observe.Probe, error) { return observe.NewProbe(p, eyes) },
		Alarms: observe.NewAlarms(observe.CloudWatchOf(x.clients.Config)), Pager: pager, Woken: pager.Woken, Clock: wall{},
		Secret: func(_ context.Context, ref string) (string, error) { return ref, nil },
	}}
}

// wall is the machine's clock.
type wall struct{}

func (wall) Now() time.Time { return time.Now() }
func (wall) Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
func (wall) Every(ctx context.Context, d time.Duration) <-chan time.Time {
	t := time.NewTicker(d)
	context.AfterFunc(ctx, t.Stop)
	return t.C
}

// writes counts the calls by firedrill that may have changed something.
func (s *staging) writes(t *testing.T) (n int) {
	t.Helper()
	var calls []struct {
		By        string `json:"by"`
		Operation string `json:"operation"`
		Writes    bool   `json:"writes"`
	}
	s.get(t, "/_sandbox/calls", &calls)
	ours := 0
	for _, c := range calls {
		if c.By == "firedrill" {
			ours++
			if c.Writes {
				n++
				t.Logf("written: %s", c.Operation)
			}
		}
	}
	if ours == 0 {
		t.Error("the call log has nothing of ours: it would not show a write either")
	}
	return n
}

func (s *staging) config(t *testing.T) string {
	t.Helper()
	var raw json.RawMessage
	s.get(t, "/_sandbox/config", &raw)
	return string(raw)
}

func (s *staging) get(t *testing.T, path string, into any) {
	t.Helper()
	res, err := http.Get(s.world.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}

// ask speaks to the pager as somebody else, and fails unless it agrees.
func (s *staging) ask(t *testing.T, method, path, body string) (answer []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.world.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token token="+s.world.Token)
	req.Header.Set("From", s.world.From)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %s (%v)", method, path, res.Status, answer, err)
	}
	return answer
}

// eventually waits for a condition, at most ten seconds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within ten seconds", what)
		}
	}
}

// openIncidents counts what people see at the pager.
func (s *staging) openIncidents(t *testing.T) int {
	t.Helper()
	var got struct {
		Incidents []struct{} `json:"incidents"`
	}
	path := "/pagerduty/incidents?statuses[]=triggered&statuses[]=acknowledged&service_ids[]=" + s.world.Teams["orders"].Service
	if err := json.Unmarshal(s.ask(t, http.MethodGet, path, ""), &got); err != nil {
		t.Fatal(err)
	}
	return len(got.Incidents)
}

// alarmState is the state of an alarm, as anybody reads it.
func (s *staging) alarmState(t *testing.T, name string) string {
	t.Helper()
	list, err := observe.NewAlarms(observe.CloudWatchOf(s.others.Config)).Describe(t.Context(), []string{name})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		return ""
	}
	return list[0].State
}

func tableOf(w sandbox.World) *string {
	return aws.String(strings.Join([]string{"arn:aws:dynamodb", w.Region, w.Account, "table/" + w.Vars["orders_table"]}, ":"))
}
