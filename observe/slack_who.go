package observe

import (
	"context"
	"fmt"
	"net/url"

	"github.com/slack-go/slack"
)

// SlackSpeaker is a Notifier that can say as whom it speaks, without saying anything.
type SlackSpeaker interface {
	// Who is the bot and its workspace; a *Problem says why it cannot speak.
	Who(ctx context.Context) (string, error)
}

var (
	_ SlackSpeaker = (*slackBot)(nil)
	_ SlackSpeaker = (*slackWebhook)(nil)
)

// Who asks Slack whose token it is. Whether the bot is in a channel shows only when it speaks there.
// https://docs.slack.dev/reference/methods/auth.test/
func (b *slackBot) Who(ctx context.Context) (string, error) {
	var said struct {
		slack.SlackResponse
		Team string `json:"team"`
		User string `json:"user"`
	}
	err := b.wire.do(ctx, slackOrder{op: "ask Slack who we are", method: "auth.test", form: url.Values{}}, &said, &said.SlackResponse)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s of %s; whether it is in a channel shows when it speaks there", plain(said.User), plain(said.Team)), nil
}

// Who cannot ask: an incoming webhook takes messages only.
func (h *slackWebhook) Who(context.Context) (string, error) {
	return "an incoming webhook, which takes messages only: whether it works shows with the first", nil
}
