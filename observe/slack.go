package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// slackCall bounds one request to Slack.
const slackCall = 5 * time.Second

// SlackOptions says how to speak to teams in Slack: as a bot (Token), or through an incoming webhook (Webhook). Both
// are secrets: printing the options shows neither.
type SlackOptions struct {
	Token   string // of a bot, xoxb-…, with chat:write; reading replies takes channels:history, or groups:history
	Webhook string // address of an incoming webhook, in place of a token; it has a channel of its own
	API     string // base of the API of a sandbox on loopback, in place of Slack's; a webhook must then be there too
	HTTP    *http.Client
	Now     func() time.Time                           // required
	Wait    func(context.Context, time.Duration) error // nil waits in real time
}

// String tells which means it is, never the secret.
func (o SlackOptions) String() string {
	means := "bot"
	if o.Webhook != "" {
		means = "incoming webhook"
	}
	return "Slack by " + means
}

// GoString is String, for %#v.
func (o SlackOptions) GoString() string { return o.String() }

// NewSlack checks the options and makes what speaks to teams; it speaks to nobody yet. The ids of messages that a bot
// posts hold their channel's own id, because Slack takes replies by nothing else.
func NewSlack(o SlackOptions) (Notifier, error) {
	api, err := o.base()
	if err != nil {
		return nil, err
	}
	if o.Wait == nil {
		o.Wait = waitFor
	}
	w := newSlackWire(o, api)
	if o.Webhook != "" {
		return &slackWebhook{wire: w, post: func(ctx context.Context, body []byte) error { return w.postWebhook(ctx, o.Webhook, body) }}, nil
	}
	return &slackBot{wire: w}, nil
}

// base is where the API is, with a slash at its end.
func (o SlackOptions) base() (string, error) {
	bad := func(why, try string) (string, error) {
		return "", &Problem{Op: "set up Slack", Why: why, Try: try}
	}
	switch {
	case o.Now == nil:
		return "", errors.New("set up Slack: no clock")
	case (o.Token == "") == (o.Webhook == ""):
		return bad("a bot's token or an incoming webhook is needed, and not both", "write slack.token or slack.webhook")
	case strings.ContainsFunc(o.Token+o.Webhook, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return bad("the token or webhook holds a blank or a line break", "look for a stray newline in the secret")
	case o.API != "" && !loopback(o.API):
		return bad(fmt.Sprintf("%q is not on this machine: another address is for a sandbox only", o.API), "")
	case o.Webhook != "" && !o.webhookFits():
		return bad("the webhook is no address of Slack's", "copy it from the app's page: https://hooks.slack.com/services/…")
	}
	if o.API == "" {
		return slack.APIURL, nil
	}
	return strings.TrimSuffix(o.API, "/") + "/", nil
}

// webhookFits: messages go to Slack, or to the sandbox that was asked for.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/
func (o SlackOptions) webhookFits() bool {
	u, err := url.Parse(o.Webhook)
	if err != nil || u.User != nil {
		return false
	}
	if o.API != "" {
		api, err := url.Parse(o.API)
		return err == nil && loopback(o.Webhook) && u.Host == api.Host
	}
	return u.Scheme == "https" && u.Port() == "" && slices.Contains([]string{"hooks.slack.com", "hooks.slack-gov.com"}, u.Hostname())
}

// slackBot speaks and reads as a bot.
type slackBot struct{ wire *slackWire }

// String names the means alone.
func (b *slackBot) String() string { return "Slack by bot" }

// GoString is String, for %#v.
func (b *slackBot) GoString() string { return b.String() }

var _ Notifier = (*slackBot)(nil)

// Post writes a message; its id is the channel's own id and the message's, with a slash between. It is not repeated
// after a broken connection, for it might then stand there twice. A picture that Slack cannot fetch is sent as a link.
// https://docs.slack.dev/reference/methods/chat.postMessage/
func (b *slackBot) Post(ctx context.Context, channel string, m Message) (string, error) {
	const op = "write to Slack"
	if err := checkMessage(op, channel, m); err != nil {
		return "", err
	}
	id, err := b.post(ctx, op, channel, m)
	var no *slackNo
	if m.Image != "" && errors.As(err, &no) && strings.HasPrefix(no.code, "invalid_blocks") {
		m.Text, m.Image = strings.TrimSpace(m.Text+"\n"+m.Image), ""
		return b.post(ctx, op, channel, m)
	}
	return id, err
}

func (b *slackBot) post(ctx context.Context, op, channel string, m Message) (string, error) {
	blocks, err := slackBlocks(m)
	if err != nil {
		return "", &Problem{Op: op, Why: err.Error()}
	}
	form := url.Values{"channel": {channel}, "text": {slackText(fallbackText(m))}, "blocks": {string(blocks)}, "parse": {"none"},
		"link_names": {"false"}, "unfurl_links": {"false"}, "unfurl_media": {"false"}}
	if at, ts := splitSlackID(m.Thread); ts != "" {
		form.Set("thread_ts", ts)
		if at != "" {
			form.Set("channel", at)
		}
	}
	var said struct {
		slack.SlackResponse
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}
	if err := b.wire.do(ctx, slackOrder{op: op, method: "chat.postMessage", channel: channel, form: form}, &said, &said.SlackResponse); err != nil {
		return "", err
	}
	if !slackTSForm.MatchString(said.TS) || !slackChannelForm.MatchString(said.Channel) {
		return "", &Problem{Op: op, Why: "the answer does not say which message it is"}
	}
	return said.Channel + "/" + said.TS, nil
}

// Forms of Slack's ids: https://docs.slack.dev/reference/objects/message-object/
var (
	slackTSForm      = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,9})?$`)
	slackChannelForm = regexp.MustCompile(`^[A-Z0-9]{2,20}$`)
)

// splitSlackID gives the channel and the time stamp of a message's id.
func splitSlackID(id string) (channel, ts string) {
	channel, ts, ok := strings.Cut(id, "/")
	if !ok {
		channel, ts = "", id
	}
	return channel, ts
}

// checkMessage refuses what Slack would.
func checkMessage(op, channel string, m Message) error {
	switch {
	case strings.TrimSpace(channel) == "":
		return &Problem{Op: op, Why: "no channel is named", Try: "write teams.*.slack in firedrill.yaml"}
	case strings.TrimSpace(m.Text) == "" && m.Image == "":
		return &Problem{Op: op, Why: "the message is empty"}
	case m.Image != "" && !httpsURL(m.Image):
		return &Problem{Op: op, Why: "the picture has no https address"}
	}
	return nil
}

func httpsURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && len(s) <= 3000
}

// slackWebhook speaks through an incoming webhook: into its own channel, without ids, and without ears.
type slackWebhook struct {
	wire *slackWire
	post func(ctx context.Context, body []byte) error // the address lives in this closure
}

// String names the means alone.
func (h *slackWebhook) String() string { return "Slack by incoming webhook" }

// GoString is String, for %#v.
func (h *slackWebhook) GoString() string { return h.String() }

var _ Notifier = (*slackWebhook)(nil)

// Post writes a message into the webhook's own channel, whichever is named; it tells no id.
func (h *slackWebhook) Post(ctx context.Context, channel string, m Message) (string, error) {
	const op = "write to Slack"
	if err := checkMessage(op, channel, m); err != nil {
		return "", err
	}
	err := h.say(ctx, op, m)
	var no *slackNo
	if m.Image != "" && errors.As(err, &no) && strings.HasPrefix(no.code, "invalid_blocks") {
		m.Text, m.Image = strings.TrimSpace(m.Text+"\n"+m.Image), ""
		err = h.say(ctx, op, m)
	}
	return "", err
}

func (h *slackWebhook) say(ctx context.Context, op string, m Message) error {
	blocks, err := slackBlocks(m)
	if err != nil {
		return &Problem{Op: op, Why: err.Error()}
	}
	body, err := json.Marshal(map[string]any{"text": slackText(fallbackText(m)), "blocks": blocks, "parse": "none", "unfurl_links": false, "unfurl_media": false})
	if err != nil {
		return &Problem{Op: op, Why: err.Error()}
	}
	return h.wire.try(ctx, op, func(ctx context.Context) error { return h.post(ctx, body) })
}

// Replies cannot be read.
func (h *slackWebhook) Replies(context.Context, string, string) ([]Reply, error) {
	return nil, ErrNoReplies
}
