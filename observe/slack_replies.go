package observe

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// slackPages bounds how much of a thread is read: 5 times 200 messages.
const slackPages = 5

// Replies returns what people wrote under a message of ours, oldest first; what bots wrote is left out. thread is the
// id that Post returned.
// https://docs.slack.dev/reference/methods/conversations.replies/
func (b *slackBot) Replies(ctx context.Context, channel, thread string) ([]Reply, error) {
	const op = "read replies in Slack"
	at, ts := splitSlackID(thread)
	if !slackTSForm.MatchString(ts) {
		return nil, &Problem{Op: op, Why: fmt.Sprintf("%q is no message of Slack's", plain(thread))}
	}
	if at == "" {
		at = channel
	}
	var list []Reply
	form := url.Values{"channel": {at}, "ts": {ts}, "limit": {"200"}}
	for range slackPages {
		var said struct {
			slack.SlackResponse
			Messages []slackMessage `json:"messages"`
		}
		if err := b.wire.do(ctx, slackOrder{op: op, method: "conversations.replies", channel: channel, form: form}, &said, &said.SlackResponse); err != nil {
			return nil, err
		}
		for _, m := range said.Messages {
			if r, ok := m.reply(ts); ok {
				r.Thread = thread
				list = append(list, r)
			}
		}
		cursor := said.ResponseMetadata.Cursor
		if cursor == "" {
			break
		}
		form.Set("cursor", cursor)
	}
	slices.SortStableFunc(list, func(a, b Reply) int { return a.At.Compare(b.At) })
	return list, nil
}

// slackMessage is what of a message is read. slack-go's own carries every block and attachment there is.
type slackMessage struct {
	TS      string `json:"ts"`
	User    string `json:"user"`
	BotID   string `json:"bot_id"`
	Subtype string `json:"subtype"`
	Text    string `json:"text"`
}

// reply is a message as somebody's answer: not the message itself, no bot's, and none that Slack wrote ("… joined").
func (m slackMessage) reply(thread string) (Reply, bool) {
	words := m.Subtype == "" || m.Subtype == "thread_broadcast" || m.Subtype == "file_share" || m.Subtype == "me_message"
	text := readSlack(m.Text)
	at, ok := slackTime(m.TS)
	if m.TS == thread || m.BotID != "" || m.User == "" || m.User == "USLACKBOT" || !words || text == "" || !ok {
		return Reply{}, false
	}
	return Reply{ID: m.TS, User: m.User, Text: text, At: at}, true
}

// slackTime reads a message's stamp: seconds and microseconds of Slack's clock.
func slackTime(ts string) (time.Time, bool) {
	if !slackTSForm.MatchString(ts) {
		return time.Time{}, false
	}
	s, rest, _ := strings.Cut(ts, ".")
	sec, err := strconv.ParseInt(s, 10, 64)
	micro, err2 := strconv.ParseInt((rest + "000000")[:6], 10, 64)
	return time.Unix(sec, micro*1000).UTC(), err == nil && err2 == nil
}
