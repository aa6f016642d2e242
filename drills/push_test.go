package drills

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

const pushSecret = "shared-with-the-pager"

// hooks is a door before a journal, at a time that tests move.
type hooks struct {
	*Webhooks
	store *journal.Memory
	mu    sync.Mutex
	now   time.Time
}

func (h *hooks) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hooks) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func newHooks(t *testing.T) *hooks {
	t.Helper()
	h := &hooks{store: journal.NewMemory(), now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	var err error
	h.Webhooks, err = NewWebhooks(h.store, &Environment{Name: "staging", PagerDuty: PagerSpec{Bots: []string{"PBOT1"}}}, []string{pushSecret}, h.Now)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// begin plans a run that watches the alarm orders-slow.
func (h *hooks) begin(t *testing.T, run string, change func(*Plan)) {
	t.Helper()
	p := &Plan{V: PlanVersion, Run: run, Drill: "orders", Environment: "staging", Watch: []PlannedProbe{{Label: "alarm orders-slow", Alarm: "orders-slow"}},
		Page: PlannedPage{When: "alarm", Service: "PORDERS", Title: "[DRILL] Orders are slow"}}
	if change != nil {
		change(p)
	}
	e, err := p.Planned(h.Now(), journal.Brief{Drill: p.Drill, Environment: p.Environment})
	if err != nil {
		t.Fatal(err)
	}
	h.write(t, run, "plan", e)
}

func (h *hooks) write(t *testing.T, run, action string, events ...journal.Event) {
	t.Helper()
	_, _, err := journal.Record(t.Context(), h.store, journal.Position{Run: run, After: journal.Start}, journal.Batch{Action: action, Events: events})
	if err != nil {
		t.Fatal(err)
	}
}

func (h *hooks) end(t *testing.T, run string) {
	t.Helper()
	h.write(t, run, "finish", journal.Event{Kind: journal.RunFinished, At: h.Now(), Fact: journal.Fact{Outcome: "met"}})
	h.pass(2 * time.Second) // whoever listed the runs before lists them anew
}

// about are the run's events about incidents.
func (h *hooks) about(t *testing.T, run string) (events []journal.Event) {
	t.Helper()
	all, err := h.store.Load(t.Context(), run, journal.Start)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Fact.Incident != "" {
			events = append(events, e)
		}
	}
	return events
}

// hook is one webhook, as the pager tells it.
type hook struct {
	id, kind, key, title, incident, client, text string
	agent                                        string
	trimmed                                      bool
}

func (h *hooks) body(w hook) []byte {
	in := map[string]any{"id": "PINC1", "type": "incident", "title": "[DRILL] Orders are slow", "status": "triggered", "urgency": "high",
		"created_at": h.Now().Add(-3 * time.Second).Format(time.RFC3339), "service": map[string]any{"id": "PORDERS", "type": "service_reference"}}
	for k, v := range map[string]string{"incident_key": w.key, "title": w.title, "id": w.incident} {
		if v != "" {
			in[k] = v
		}
	}
	data := in
	if w.kind == "incident.annotated" {
		data = map[string]any{"id": "PNOTE" + w.id, "type": "incident_note", "content": w.text, "trimmed": w.trimmed,
			"incident": map[string]any{"id": in["id"], "type": "incident_reference"}}
	}
	e := map[string]any{"id": w.id, "event_type": w.kind, "resource_type": "incident", "occurred_at": h.Now().Format("2006-01-02T15:04:05.000Z"), "data": data}
	if w.agent != "" {
		e["agent"] = map[string]any{"id": w.agent, "type": "user_reference", "summary": "Ada Lovelace"}
	}
	if w.client != "" {
		e["client"] = map[string]any{"name": w.client}
	}
	b, _ := json.Marshal(map[string]any{"event": e})
	return b
}

func sign(secret string, body []byte) http.Header {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return http.Header{"X-Pagerduty-Signature": {"v1=" + hex.EncodeToString(m.Sum(nil))}}
}

func (h *hooks) send(t *testing.T, w hook) Received {
	t.Helper()
	body := h.body(w)
	got, err := h.Receive(t.Context(), sign(pushSecret, body), body)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func kindsOf(events []journal.Event) (kinds []journal.Kind) {
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// TestPushTellsARunOfItsIncident: the run's journal has what happened, when in milliseconds, and who did it.
func TestPushTellsARunOfItsIncident(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	h.pass(1234 * time.Millisecond)
	h.send(t, hook{id: "e1", kind: "incident.triggered", key: "firedrill/01ka"})
	h.pass(2345 * time.Millisecond)
	h.send(t, hook{id: "e2", kind: "incident.acknowledged", key: "firedrill/01ka", agent: "PADA", client: "PagerDuty"})
	events := h.about(t, "01ka")
	if want := []journal.Kind{journal.IncidentOpened, journal.IncidentAcknowledged}; !slices.Equal(kindsOf(events), want) {
		t.Fatalf("%v", kindsOf(events))
	}
	o, a := events[0], events[1]
	if o.Fact.Role != journal.RoleOurs || o.Fact.Urgency != "high" || o.Fact.Entry != "webhook/e1" || o.Seen.At.Nanosecond() != 234e6 || o.Seen.ErrorS != 0.0005 {
		t.Errorf("%+v %+v", o.Fact, o.Seen)
	}
	if a.Action != "webhook/e2" || a.Gen != 0 || a.Fact.User != "PADA" || a.Fact.By != "Ada Lovelace" || a.Fact.Human == nil || !*a.Fact.Human || a.Seen.By != "pagerduty" {
		t.Errorf("%+v %+v", a, a.Fact)
	}
	if s := Fold("01ka", append([]journal.Event{}, events...)); s.People.acked.IsZero() {
		t.Error("the engine does not see the acknowledgement")
	}
}

// TestPushOnce: a duplicate, also one that comes after another process has started anew, is told once.
func TestPushOnce(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	ack := hook{id: "e2", kind: "incident.acknowledged", key: "firedrill/01ka", agent: "PADA", client: "PagerDuty"}
	h.send(t, ack)
	again := h.send(t, ack)
	if len(again.Runs) != 0 || !slices.Equal(again.Again, []string{"01ka"}) {
		t.Errorf("%+v", again)
	}
	other, err := NewWebhooks(h.store, h.env, []string{pushSecret}, h.Now)
	if err != nil {
		t.Fatal(err)
	}
	body := h.body(ack)
	if got, err := other.Receive(t.Context(), sign(pushSecret, body), body); err != nil || len(got.Again) != 1 {
		t.Errorf("%+v %v", got, err)
	}
	if n := len(h.about(t, "01ka")); n != 2 { // opened, acknowledged
		t.Errorf("%d events", n)
	}
}

// TestPushOutOfOrder: an acknowledgement before the opening counts, and the opening that comes later is told exactly.
func TestPushOutOfOrder(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	h.send(t, hook{id: "e2", kind: "incident.acknowledged", key: "firedrill/01ka", agent: "PADA", client: "PagerDuty"})
	h.send(t, hook{id: "e1", kind: "incident.triggered", key: "firedrill/01ka"})
	events := h.about(t, "01ka")
	want := []journal.Kind{journal.IncidentOpened, journal.IncidentAcknowledged, journal.IncidentOpened}
	if !slices.Equal(kindsOf(events), want) {
		t.Fatalf("%v", kindsOf(events))
	}
	if events[0].Seen.ErrorS != 0.5 || events[2].Seen.ErrorS != 0.0005 {
		t.Error("the first opening is of whole seconds, the second of milliseconds")
	}
	if s := Fold("01ka", events); s.People.acked.IsZero() || !s.People.of("PINC1").ours() {
		t.Error("the engine does not see the acknowledgement")
	}
}

// TestPushFindsTheRunItIsAbout and writes to no other.
func TestPushFindsTheRunItIsAbout(t *testing.T) {
	for name, c := range map[string]struct {
		w    hook
		plan func(*Plan)
		want int
	}{
		"our page by its key":           {hook{kind: "incident.triggered", key: "firedrill/01ka", title: "renamed"}, nil, 1},
		"our page by its title":         {hook{kind: "incident.triggered"}, nil, 1},
		"their alarm by its name":       {hook{kind: "incident.triggered", title: `ALARM: "orders-slow" in EU`}, nil, 1},
		"of another run of the drill":   {hook{kind: "incident.triggered", key: "firedrill/01kb"}, nil, 0},
		"a real incident":               {hook{kind: "incident.triggered", title: "payments are down"}, nil, 0},
		"an alarm of a longer name":     {hook{kind: "incident.triggered", title: "orders-slow-eu"}, nil, 0},
		"on another service":            {hook{kind: "incident.triggered"}, func(p *Plan) { p.Page.Service = "POTHER" }, 0},
		"of a sandbox":                  {hook{kind: "incident.triggered"}, func(p *Plan) { p.Sandbox = &SandboxRef{Instance: "x"} }, 0},
		"a note on nobody knows what":   {hook{kind: "incident.annotated", text: "hm"}, nil, 0},
		"another type, of our incident": {hook{kind: "incident.priority_updated"}, nil, 2}, // its opening, and what it is
	} {
		t.Run(name, func(t *testing.T) {
			h := newHooks(t)
			h.begin(t, "01ka", c.plan)
			c.w.id = "e1"
			h.send(t, c.w)
			if events := h.about(t, "01ka"); len(events) != c.want {
				t.Errorf("%v, want %d", kindsOf(events), c.want)
			}
		})
	}
}

// TestPushLeavesADoubtToPolling: two runs page under one title, and nothing tells whose page it is.
func TestPushLeavesADoubtToPolling(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	h.begin(t, "01kb", nil)
	if got := h.send(t, hook{id: "e1", kind: "incident.triggered"}); len(got.Runs) != 0 {
		t.Errorf("%+v", got)
	}
	if got := h.send(t, hook{id: "e2", kind: "incident.triggered", key: "firedrill/01kb"}); !slices.Equal(got.Runs, []string{"01kb"}) {
		t.Errorf("%+v", got)
	}
	if got := h.send(t, hook{id: "e3", kind: "incident.acknowledged", agent: "PADA", client: "PagerDuty"}); !slices.Equal(got.Runs, []string{"01kb"}) {
		t.Errorf("%+v", got)
	}
}

// TestPushSeesARunThatHasJustBegun: the list of runs is not so old that it misses one.
func TestPushSeesARunThatHasJustBegun(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	h.send(t, hook{id: "e1", kind: "incident.triggered", key: "firedrill/01ka"})
	h.pass(200 * time.Millisecond)
	h.begin(t, "01kb", func(p *Plan) { p.Page.Service = "PORDERS" })
	if got := h.send(t, hook{id: "e2", kind: "incident.triggered", key: "firedrill/01kb", incident: "PINC2"}); !slices.Equal(got.Runs, []string{"01kb"}) {
		t.Errorf("%+v", got)
	}
}

func TestPushPseudonyms(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", func(p *Plan) { p.People = PeoplePseudonyms })
	h.send(t, hook{id: "e2", kind: "incident.acknowledged", key: "firedrill/01ka", agent: "PADA", client: "PagerDuty"})
	b, err := json.Marshal(h.about(t, "01ka"))
	if err != nil || strings.Contains(string(b), "Ada") || strings.Contains(string(b), "PADA") {
		t.Errorf("%v %s", err, b)
	}
}

// TestPushOfATool: whether a tool acted in a person's name is not guessed.
func TestPushOfATool(t *testing.T) {
	for name, c := range map[string]struct {
		agent, client string
		want          *bool
	}{
		"a person": {"PADA", "PagerDuty", journal.Bool(true)}, "a tool": {"PADA", "api", journal.Bool(false)},
		"our bot": {"PBOT1", "PagerDuty", journal.Bool(false)}, "automation": {"", "", journal.Bool(false)}, "nobody tells": {"PADA", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHooks(t)
			h.begin(t, "01ka", nil)
			h.send(t, hook{id: "e1", kind: "incident.acknowledged", key: "firedrill/01ka", agent: c.agent, client: c.client})
			got := h.about(t, "01ka")[1].Fact.Human
			if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestPushLeavesNotesOfProgramsToPolling: ours is pushed before it is recorded that we wrote it, and would be told as another's.
func TestPushLeavesNotesOfProgramsToPolling(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	h.send(t, hook{id: "e1", kind: "incident.triggered", key: "firedrill/01ka"})
	h.send(t, hook{id: "e2", kind: "incident.annotated", agent: "PBOT1", client: "PagerDuty", text: "look at the queue"})
	h.send(t, hook{id: "e3", kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "I look at the queue"})
	var notes []string
	for _, e := range h.about(t, "01ka") {
		if e.Kind == journal.IncidentNoted {
			notes = append(notes, e.Fact.Text)
		}
	}
	if !slices.Equal(notes, []string{"I look at the queue"}) {
		t.Errorf("%q", notes)
	}
}

// TestPushAfterTheEnd: a note within a day answers what was asked there; nothing else is told any more.
func TestPushAfterTheEnd(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	h.send(t, hook{id: "e1", kind: "incident.triggered", key: "firedrill/01ka"})
	h.send(t, hook{id: "e2", kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "looking"})
	h.send(t, hook{id: "e3", kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "long", trimmed: true})
	h.end(t, "01ka")
	before := len(h.about(t, "01ka"))
	h.send(t, hook{id: "e4", kind: "incident.resolved", key: "firedrill/01ka", agent: "PADA", client: "PagerDuty"})
	h.send(t, hook{id: "e5", kind: "incident.annotated", agent: "PBOT1", client: "PagerDuty", text: "It is over."})
	h.send(t, hook{id: "e6", kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "elsewhere", incident: "PINC9"})
	if n := len(h.about(t, "01ka")); n != before {
		t.Errorf("%d events were added", n-before)
	}
	h.pass(23 * time.Hour)
	h.send(t, hook{id: "e7", kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "awesome: the runbook"})
	h.send(t, hook{id: "e7", kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "awesome: the runbook"})
	h.pass(2 * time.Hour)
	h.send(t, hook{id: "e8", kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "too late"})
	events := h.about(t, "01ka")
	want := []journal.Kind{journal.IncidentOpened, journal.IncidentNoted, journal.AnswerGiven}
	if !slices.Equal(kindsOf(events), want) {
		t.Fatalf("%v", kindsOf(events))
	}
	if a := events[2].Fact; a.Text != "awesome: the runbook" || a.Note != "PNOTEe7" || a.User != "PADA" {
		t.Errorf("%+v", a)
	}
}

// TestPushDeclines tells the reasons apart, and writes nothing.
func TestPushDeclines(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	good := h.body(hook{id: "e1", kind: "incident.triggered", key: "firedrill/01ka"})
	h.pass(49 * time.Hour)
	for reason, c := range map[string]struct {
		header http.Header
		body   []byte
	}{
		WebhookUnsigned: {sign("guess", good), good}, WebhookMalformed: {sign(pushSecret, []byte("{}")), []byte("{}")}, WebhookTime: {sign(pushSecret, good), good},
	} {
		var no *Declined
		if _, err := h.Receive(t.Context(), c.header, c.body); !errors.As(err, &no) || no.Reason != reason {
			t.Errorf("%s: %v", reason, err)
		}
	}
	if n := len(h.about(t, "01ka")); n != 0 {
		t.Errorf("%d events", n)
	}
	for _, none := range [][]string{nil, {""}, {" "}} {
		if _, err := NewWebhooks(h.store, h.env, none, h.Now); err == nil {
			t.Errorf("%q opens the door", none)
		}
	}
}

// TestPushWithoutAJournal says so, so that the pager sends it again; then it is told.
func TestPushWithoutAJournal(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	w := hook{id: "e1", kind: "incident.triggered", key: "firedrill/01ka"}
	body := h.body(w)
	h.store.Lose(errors.New("no disk"))
	var no *Declined
	if _, err := h.Receive(t.Context(), sign(pushSecret, body), body); err == nil || errors.As(err, &no) {
		t.Errorf("%v", err)
	}
	h.store.Lose(nil)
	if got := h.send(t, w); len(got.Runs) != 1 {
		t.Errorf("%+v", got)
	}
}
