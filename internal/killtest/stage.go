// Package killtest looks at a sandbox from outside, starts the real program on it, and ends it in every way a process
// can end. It knows the sandbox by its URL and the program by its exit code, like anybody else.
package killtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Stage is a running sandbox, by its URL.
type Stage struct{ URL string }

// World is what a sandbox tells of itself, as far as it is needed here.
type World struct {
	URL      string            `json:"url"`
	Instance string            `json:"instance"`
	AWS      string            `json:"aws"`
	Region   string            `json:"region"`
	Account  string            `json:"account"`
	Token    string            `json:"token"`
	From     string            `json:"from"`
	Bot      string            `json:"bot"`
	Owner    string            `json:"owner_key"`
	Vars     map[string]string `json:"vars"`
	Teams    map[string]struct {
		Service string `json:"service"`
		Key     string `json:"key"`
	} `json:"teams"`
	Keys map[string]struct {
		ID     string `json:"id"`
		Secret string `json:"secret"`
	} `json:"keys"`
}

// Message is one message of one queue.
type Message struct {
	Queue      string            `json:"queue"`
	ID         string            `json:"id"`
	Body       string            `json:"body"`
	Attributes map[string]string `json:"attributes"`
}

// Call is one call of the sandbox's log.
type Call struct {
	N         int       `json:"n"`
	At        time.Time `json:"at"`
	By        string    `json:"by"`
	Service   string    `json:"service"`
	Operation string    `json:"operation"`
	Writes    bool      `json:"writes"`
	Resource  string    `json:"resource"`
	Status    int       `json:"status"`
	Code      string    `json:"code"`
}

// Knob makes calls go wrong; the sandbox's own documentation says how.
type Knob struct {
	ID        string  `json:"id,omitempty"`
	Service   string  `json:"service,omitempty"`
	Operation string  `json:"operation,omitempty"`
	By        string  `json:"by,omitempty"`
	Nth       int     `json:"nth,omitempty"`
	Count     int     `json:"count,omitempty"`
	Effect    string  `json:"effect"`
	When      string  `json:"when,omitempty"`
	DelayS    float64 `json:"delay_s,omitempty"`
	SkewS     float64 `json:"skew_s,omitempty"`
	Status    int     `json:"status,omitempty"`
	Code      string  `json:"code,omitempty"`
	State     string  `json:"state,omitempty"`
	Touched   int     `json:"touched,omitempty"`
}

// PagerKnob is the same for the pager.
type PagerKnob struct {
	ID      string  `json:"id,omitempty"`
	Effect  string  `json:"effect"`
	Path    string  `json:"path,omitempty"`
	Nth     int     `json:"nth,omitempty"`
	Count   int     `json:"count,omitempty"`
	Skew    float64 `json:"skew_s,omitempty"`
	When    string  `json:"when,omitempty"`
	Used    int     `json:"used,omitempty"`
	Holding int     `json:"holding,omitempty"`
}

// PagerEvent is a page, or its end, that the pager took in.
type PagerEvent struct {
	At       time.Time `json:"at"`
	Action   string    `json:"event_action"`
	DedupKey string    `json:"dedup_key"`
	Outcome  string    `json:"outcome"`
}

// Incident is one incident as it really was.
type Incident struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	Service   string    `json:"service"`
	Status    string    `json:"status"`
	CreatedAt time.Time `json:"created_at"`
	AlertKeys []string  `json:"alert_keys"`
	Entries   []struct {
		Type    string    `json:"type"`
		At      time.Time `json:"at"`
		Agent   string    `json:"agent"`
		User    string    `json:"user"`
		Channel string    `json:"channel"`
	} `json:"entries"`
}

// World asks the sandbox where everything is.
func (s Stage) World(ctx context.Context) (w World, err error) {
	err = s.get(ctx, "world", &w)
	return w, err
}

// Config is what people configured, as canonical JSON.
func (s Stage) Config(ctx context.Context) (string, error) {
	b, err := s.do(ctx, http.MethodGet, "config", nil)
	return string(b), err
}

// Messages lists every message of every queue.
func (s Stage) Messages(ctx context.Context) (list []Message, err error) {
	err = s.get(ctx, "messages", &list)
	return list, err
}

// Calls is the log of calls.
func (s Stage) Calls(ctx context.Context) (list []Call, err error) {
	err = s.get(ctx, "calls", &list)
	return list, err
}

// Writes counts firedrill's own calls that may change something.
func (s Stage) Writes(ctx context.Context) (n int, err error) {
	calls, err := s.Calls(ctx)
	for _, c := range calls {
		if c.By == "firedrill" && c.Writes {
			n++
		}
	}
	return n, err
}

// Incidents lists every incident there ever was.
func (s Stage) Incidents(ctx context.Context) ([]Incident, error) {
	var truth struct {
		Incidents []Incident `json:"incidents"`
	}
	err := s.get(ctx, "pager/truth", &truth)
	return truth.Incidents, err
}

// Note writes a note on an incident, as the first responder does from the phone.
func (s Stage) Note(ctx context.Context, incident, text string) error {
	body, err := json.Marshal(map[string]string{"incident": incident, "content": text})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/app/PRESP01/note", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Token token=sandbox-responder-token")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		err = fmt.Errorf("note on %s: %s", incident, res.Status)
	}
	return errors.Join(err, res.Body.Close())
}

// PagerEvents lists what the pager took in, in that order.
func (s Stage) PagerEvents(ctx context.Context) ([]PagerEvent, error) {
	var truth struct {
		Events []PagerEvent `json:"events"`
	}
	err := s.get(ctx, "pager/truth", &truth)
	return truth.Events, err
}

// PagerIdle says that the pager has acted on every event it took in: it answers first, and acts a little later.
func (s Stage) PagerIdle(ctx context.Context) (bool, error) {
	events, err := s.PagerEvents(ctx)
	for _, e := range events {
		if e.Outcome == "pending" {
			return false, err
		}
	}
	return true, err
}

// AdvanceSchedules moves the clock of EventBridge Scheduler ahead, and nobody else's, and says how many calls it made.
func (s Stage) AdvanceSchedules(ctx context.Context, by time.Duration) (made int, err error) {
	var calls []json.RawMessage
	err = s.post(ctx, "schedules/advance", map[string]string{"by": by.String()}, &calls)
	return len(calls), err
}

// Turn makes calls go wrong, until Release.
func (s Stage) Turn(ctx context.Context, k Knob) (id string, err error) {
	var made Knob
	err = s.post(ctx, "knobs", k, &made)
	return made.ID, err
}

// TurnPager makes the pager go wrong, until ReleasePager.
func (s Stage) TurnPager(ctx context.Context, k PagerKnob) (id string, err error) {
	var made PagerKnob
	err = s.post(ctx, "pager/knobs", k, &made)
	return made.ID, err
}

// Release ends a knob.
func (s Stage) Release(ctx context.Context, id string) error {
	_, err := s.do(ctx, http.MethodDelete, "knobs/"+id, nil)
	return err
}

// ReleasePager ends a knob of the pager.
func (s Stage) ReleasePager(ctx context.Context, id string) error {
	_, err := s.do(ctx, http.MethodDelete, "pager/knobs/"+id, nil)
	return err
}

// PagerKnob tells how a knob of the pager stands.
func (s Stage) PagerKnob(ctx context.Context, id string) (k PagerKnob, err error) {
	var list []PagerKnob
	if err := s.get(ctx, "pager/knobs", &list); err != nil {
		return k, err
	}
	for _, k := range list {
		if k.ID == id {
			return k, nil
		}
	}
	return k, fmt.Errorf("no knob %s of the pager", id)
}

// Knob tells how a knob stands.
func (s Stage) Knob(ctx context.Context, id string) (k Knob, err error) {
	var list []Knob
	if err := s.get(ctx, "knobs", &list); err != nil {
		return k, err
	}
	for _, k := range list {
		if k.ID == id {
			return k, nil
		}
	}
	return k, fmt.Errorf("no knob %s", id)
}

func (s Stage) get(ctx context.Context, path string, into any) error {
	b, err := s.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

func (s Stage) post(ctx context.Context, path string, what, into any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	b, err := s.do(ctx, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

func (s Stage) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.URL+"/_sandbox/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(res.Body)
	if res.StatusCode >= 300 {
		err = errors.Join(err, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, b))
	}
	return b, errors.Join(err, res.Body.Close())
}
