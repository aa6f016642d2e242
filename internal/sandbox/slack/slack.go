// Package slack pretends to be a workspace of Slack: a bot that may write and read, an incoming webhook, the channels,
// and people who answer. It keeps what is said, and refuses what Slack would.
package slack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options make a workspace.
type Options struct {
	Token    string           // of the bot
	Secret   string           // the path of the incoming webhook, below /slack/services/
	Channels []string         // by name, without #; the webhook's is the first
	Now      func() time.Time // required
}

// Slack is a workspace. It serves /slack/api/… and /slack/services/….
type Slack struct {
	o   Options
	ids map[string]string // of channels, by name
	mux *http.ServeMux

	mu       sync.Mutex
	messages []Message
	last     time.Time // of the newest message: stamps only grow
	knobs    []*knob
	knobbed  int
}

// Message is one message as GET /_sandbox/slack tells it.
type Message struct {
	TS      string          `json:"ts"`
	Thread  string          `json:"thread_ts,omitempty"`
	Channel string          `json:"channel"` // id
	Name    string          `json:"name"`    // of the channel, with #
	User    string          `json:"user"`    // id
	Bot     string          `json:"bot_id,omitempty"`
	Text    string          `json:"text"`
	Blocks  json.RawMessage `json:"blocks,omitempty"`
	By      string          `json:"by"` // bot, webhook, person
}

// Who writes.
const (
	botUser = "UFIREDRILL"
	botID   = "BFIREDRILL"
	hookID  = "BWEBHOOK"
	Person  = "UPERSON1" // who answers where a test names nobody
)

// New makes a workspace in which nothing was said yet.
func New(o Options) *Slack {
	s := &Slack{o: o, ids: map[string]string{}, mux: http.NewServeMux()}
	for i, name := range o.Channels {
		s.ids[name] = fmt.Sprintf("CSAND%03d", i+1)
	}
	s.mux.HandleFunc("/slack/api/{method}", s.api)
	s.mux.HandleFunc("POST /slack/services/{path...}", s.webhook)
	return s
}

// ServeHTTP answers as Slack would, or as a knob says.
func (s *Slack) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// stamp is the next message's. The lock is held.
func (s *Slack) stamp() string {
	now := s.o.Now().Truncate(time.Microsecond)
	if !now.After(s.last) {
		now = s.last.Add(time.Microsecond)
	}
	s.last = now
	return fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000)
}

// add keeps a message. The lock is held.
func (s *Slack) add(m Message) Message {
	m.TS = s.stamp()
	for name, id := range s.ids {
		if id == m.Channel {
			m.Name = "#" + name
		}
	}
	s.messages = append(s.messages, m)
	return m
}

// channel finds a channel by its name or id.
func (s *Slack) channel(named string) (id string, ok bool) {
	if id, ok = s.ids[strings.TrimPrefix(named, "#")]; ok {
		return id, true
	}
	for _, id := range s.ids {
		if id == named {
			return id, true
		}
	}
	return "", false
}

// find is the message with this stamp in a channel. The lock is held.
func (s *Slack) find(channel, ts string) (Message, bool) {
	i := slices.IndexFunc(s.messages, func(m Message) bool { return m.Channel == channel && m.TS == ts })
	if i < 0 {
		return Message{}, false
	}
	return s.messages[i], true
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// object is a JSON object of an answer.
type object map[string]any

// no is Slack's way of refusing: 200, and ok is false.
func no(w http.ResponseWriter, code string) {
	answer(w, http.StatusOK, object{"ok": false, "error": code})
}
