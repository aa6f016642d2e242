package slack

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// knob is one thing that goes wrong until it is deleted, or has been used Count times: down (the connection breaks),
// slow (after delay_s), 429 (with Retry-After: retry_s), any other status from 400 on, or a word of Slack's, such as
// invalid_auth or channel_not_found.
type knob struct {
	ID     string  `json:"id"`
	Effect string  `json:"effect"`
	Method string  `json:"method,omitempty"`  // only this one: chat.postMessage, webhook
	Count  int     `json:"count,omitempty"`   // so many requests; 0: all
	Delay  float64 `json:"delay_s,omitempty"` // of slow
	Retry  int     `json:"retry_s,omitempty"` // of 429
	Used   int     `json:"used"`
}

// Messages tells every message, oldest first.
func (s *Slack) Messages(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer(w, http.StatusOK, append([]Message{}, s.messages...))
}

// Backstage serves what Slack has not: GET / is Messages, POST /replies lets somebody answer, and /knobs makes things
// go wrong.
func (s *Slack) Backstage() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.Messages)
	mux.HandleFunc("POST /replies", s.reply)
	mux.HandleFunc("GET /knobs", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		answer(w, http.StatusOK, append([]*knob{}, s.knobs...))
	})
	mux.HandleFunc("POST /knobs", s.addKnob)
	mux.HandleFunc("DELETE /knobs/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := len(s.knobs)
		s.knobs = slices.DeleteFunc(s.knobs, func(k *knob) bool { return k.ID == r.PathValue("id") })
		if len(s.knobs) == n {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// reply lets a person write, under a message or in a channel.
func (s *Slack) reply(w http.ResponseWriter, r *http.Request) {
	var in struct{ Channel, Thread, User, Text string }
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || in.Text == "" {
		http.Error(w, "a reply has a channel (name or id), perhaps the thread and user it is of, and a text", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.channel(in.Channel)
	if !ok {
		http.Error(w, "there is no channel "+strconv.Quote(in.Channel), http.StatusNotFound)
		return
	}
	if _, found := s.find(id, in.Thread); in.Thread != "" && !found {
		http.Error(w, "there is no message "+strconv.Quote(in.Thread), http.StatusNotFound)
		return
	}
	answer(w, http.StatusCreated, s.add(Message{Channel: id, Thread: in.Thread, User: cmp.Or(in.User, Person), Text: in.Text, By: "person"}))
}

func (s *Slack) addKnob(w http.ResponseWriter, r *http.Request) {
	var k knob
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&k); err != nil || k.Effect == "" {
		http.Error(w, "a knob has an effect: down, slow, 429, another status, or a word of Slack's", http.StatusBadRequest)
		return
	}
	if n, err := strconv.Atoi(k.Effect); err == nil && (n < 400 || n > 599) {
		http.Error(w, "a status is one of 400 to 599", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobbed++
	k.ID, k.Used = strconv.Itoa(s.knobbed), 0
	s.knobs = append(s.knobs, &k)
	answer(w, http.StatusCreated, k)
}

// trouble does what a knob says; it tells whether the request is answered by that.
func (s *Slack) trouble(w http.ResponseWriter, r *http.Request, method string) bool {
	s.mu.Lock()
	i := slices.IndexFunc(s.knobs, func(k *knob) bool {
		return (k.Method == "" || k.Method == method) && (k.Count == 0 || k.Used < k.Count)
	})
	if i < 0 {
		s.mu.Unlock()
		return false
	}
	s.knobs[i].Used++
	k := *s.knobs[i]
	s.mu.Unlock()
	status, err := strconv.Atoi(k.Effect)
	switch {
	case k.Effect == "slow":
		body, _ := io.ReadAll(r.Body) // only then the end of the connection is noticed
		r.Body = io.NopCloser(bytes.NewReader(body))
		wait := time.NewTimer(time.Duration(k.Delay * float64(time.Second)))
		defer wait.Stop()
		select {
		case <-wait.C:
			return false
		case <-r.Context().Done():
			return true
		}
	case k.Effect == "down":
		panic(http.ErrAbortHandler)
	case err == nil:
		if status == http.StatusTooManyRequests && k.Retry > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(k.Retry))
		}
		http.Error(w, "knob", status)
	case method == webhookMethod:
		http.Error(w, k.Effect, http.StatusForbidden)
	default:
		no(w, k.Effect)
	}
	return true
}
