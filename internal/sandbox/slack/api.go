package slack

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// What a message may hold.
// https://docs.slack.dev/reference/methods/chat.postMessage/ and /reference/block-kit/blocks/
const (
	mostText    = 40000
	mostSection = 3000
	mostAlt     = 2000
	mostBlocks  = 50
	mostBody    = 1 << 20
)

// api answers a method of the web API: a form in, JSON out.
func (s *Slack) api(w http.ResponseWriter, r *http.Request) {
	method := r.PathValue("method")
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	if s.trouble(w, r, method) {
		return
	}
	if err := r.ParseForm(); err != nil {
		no(w, "invalid_form_data")
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "" {
		token = r.PostForm.Get("token")
	}
	switch {
	case token == "":
		no(w, "not_authed")
		return
	case token != s.o.Token:
		no(w, "invalid_auth")
		return
	}
	switch method {
	case "auth.test":
		answer(w, http.StatusOK, object{"ok": true, "url": "https://sandbox.slack.com/", "team": "Sandbox", "team_id": "TSANDBOX",
			"user": "firedrill", "user_id": botUser, "bot_id": botID})
	case "chat.postMessage":
		s.post(w, r.Form)
	case "conversations.replies":
		s.replies(w, r.Form)
	default:
		no(w, "unknown_method")
	}
}

// post is chat.postMessage.
func (s *Slack) post(w http.ResponseWriter, form url.Values) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.channel(form.Get("channel"))
	blocks := []byte(form.Get("blocks"))
	thread := form.Get("thread_ts")
	switch {
	case !ok:
		no(w, "channel_not_found")
		return
	case form.Get("text") == "" && len(blocks) == 0:
		no(w, "no_text")
		return
	case len([]rune(form.Get("text"))) > mostText:
		no(w, "msg_too_long")
		return
	case len(blocks) > 0 && !blocksFit(blocks):
		no(w, "invalid_blocks")
		return
	}
	if thread != "" {
		parent, ok := s.find(id, thread)
		if !ok {
			no(w, "thread_not_found")
			return
		}
		if parent.Thread != "" {
			thread = parent.Thread
		}
	}
	m := s.add(Message{Channel: id, Thread: thread, User: botUser, Bot: botID, Text: form.Get("text"), Blocks: blocks, By: "bot"})
	answer(w, http.StatusOK, object{"ok": true, "channel": id, "ts": m.TS, "message": m.shape()})
}

// shape is a message as Slack shows it.
func (m Message) shape() object {
	o := object{"type": "message", "ts": m.TS, "user": m.User, "text": m.Text, "team": "TSANDBOX"}
	if m.Bot != "" {
		o["bot_id"] = m.Bot
	}
	if m.Thread != "" {
		o["thread_ts"] = m.Thread
	}
	if len(m.Blocks) > 0 {
		o["blocks"] = m.Blocks
	}
	return o
}

// blocksFit says whether Slack would take them: only the kinds that firedrill writes are known.
func blocksFit(raw []byte) bool {
	var blocks []struct {
		Type  string
		Text  *struct{ Type, Text string }
		Image string `json:"image_url"`
		Alt   string `json:"alt_text"`
	}
	if json.Unmarshal(raw, &blocks) != nil || len(blocks) > mostBlocks {
		return false
	}
	for _, b := range blocks {
		switch {
		case b.Type == "section" && b.Text != nil && b.Text.Type == "mrkdwn" && b.Text.Text != "" && len([]rune(b.Text.Text)) <= mostSection:
		case b.Type == "image" && strings.HasPrefix(b.Image, "http") && b.Alt != "" && len([]rune(b.Alt)) <= mostAlt:
			if u, err := url.Parse(b.Image); err != nil || strings.HasPrefix(u.Host, "gone.") {
				return false // Slack fetches the picture, and this one is not there
			}
		default:
			return false
		}
	}
	return true
}

// replies is conversations.replies: the message itself first, then what stands under it, in pages. It takes a
// channel's id alone, as Slack does.
func (s *Slack) replies(w http.ResponseWriter, form url.Values) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.channel(form.Get("channel"))
	if !ok || id != form.Get("channel") {
		no(w, "channel_not_found")
		return
	}
	parent, ok := s.find(id, form.Get("ts"))
	if !ok {
		no(w, "thread_not_found")
		return
	}
	list := []object{parent.shape()}
	for _, m := range s.messages {
		if m.Channel == id && m.Thread == parent.TS {
			list = append(list, m.shape())
		}
	}
	limit, _ := strconv.Atoi(form.Get("limit"))
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	from, _ := strconv.Atoi(form.Get("cursor"))
	from = min(max(from, 0), len(list))
	to := min(from+limit, len(list))
	cursor := ""
	if to < len(list) {
		cursor = strconv.Itoa(to)
	}
	answer(w, http.StatusOK, object{"ok": true, "messages": list[from:to], "has_more": cursor != "", "response_metadata": object{"next_cursor": cursor}})
}

// webhookMethod is what knobs call an incoming webhook.
const webhookMethod = "webhook"

// webhook is an incoming webhook: JSON in, the word ok out, and a status that says no.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/#handling_errors
func (s *Slack) webhook(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	if s.trouble(w, r, webhookMethod) {
		return
	}
	body, err := io.ReadAll(r.Body)
	var m struct {
		Text   string
		Blocks json.RawMessage
	}
	switch {
	case r.PathValue("path") != s.o.Secret || len(s.o.Channels) == 0:
		http.Error(w, "no_service", http.StatusNotFound)
		return
	case err != nil || json.Unmarshal(body, &m) != nil:
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	case m.Text == "" && len(m.Blocks) == 0:
		http.Error(w, "no_text", http.StatusBadRequest)
		return
	case len(m.Blocks) > 0 && !blocksFit(m.Blocks):
		http.Error(w, "invalid_blocks", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.add(Message{Channel: s.ids[s.o.Channels[0]], User: hookID, Bot: hookID, Text: m.Text, Blocks: slices.Clone(m.Blocks), By: "webhook"})
	s.mu.Unlock()
	_, _ = io.WriteString(w, "ok")
}
