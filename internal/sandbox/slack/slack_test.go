package slack_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	client "github.com/slack-go/slack"

	"github.com/firedrill/firedrill/internal/sandbox/slack"
)

const (
	token  = "xoxb-sandbox"
	secret = "T/B/x"
)

// open serves a workspace, for slack-go's own client.
func open(t *testing.T) (base string, api *client.Client) {
	t.Helper()
	s := slack.New(slack.Options{Token: token, Secret: secret, Channels: []string{"orders-alerts", "web-alerts"}, Now: func() time.Time {
		return time.Unix(1700000000, 0) // it stands still, and every message has its own stamp all the same
	}})
	mux := http.NewServeMux()
	mux.Handle("/slack/", s)
	mux.Handle("/back/", http.StripPrefix("/back", s.Backstage()))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL, client.New(token, client.OptionAPIURL(srv.URL+"/slack/api/"))
}

func post(t *testing.T, url string, in any) int {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(url, "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// slack-go's own client finds what it expects of Slack.
func TestSlackGoUnderstandsIt(t *testing.T) {
	base, api := open(t)
	if who, err := api.AuthTest(); err != nil || who.BotID == "" || who.UserID == "" {
		t.Fatalf("%+v, %v", who, err)
	}
	channel, ts, err := api.PostMessage("#web-alerts", client.MsgOptionText("over", false),
		client.MsgOptionBlocks(client.NewSectionBlock(client.NewTextBlockObject(client.MarkdownType, "over", false, true), nil, nil)))
	if err != nil || channel == "" || ts == "" {
		t.Fatalf("%s %s %v", channel, ts, err)
	}
	if _, _, err := api.PostMessage(channel, client.MsgOptionText("more", false), client.MsgOptionTS(ts)); err != nil {
		t.Fatal(err)
	}
	if got := post(t, base+"/back/replies", map[string]string{"channel": "web-alerts", "thread": ts, "text": "thanks"}); got != http.StatusCreated {
		t.Fatalf("reply: %d", got)
	}
	list, more, _, err := api.GetConversationReplies(&client.GetConversationRepliesParameters{ChannelID: channel, Timestamp: ts})
	if err != nil || more || len(list) != 3 || list[0].Timestamp != ts || list[0].BotID == "" || len(list[0].Blocks.BlockSet) != 1 {
		t.Fatalf("%+v %v %v", list, more, err)
	}
	if last := list[2]; last.Text != "thanks" || last.User != slack.Person || last.BotID != "" || last.ThreadTimestamp != ts {
		t.Errorf("the reply is %+v", last)
	}
	if err := client.PostWebhook(base+"/slack/services/"+secret, &client.WebhookMessage{Text: "a drill"}); err != nil {
		t.Error(err)
	}
}

func TestItSaysNoAsSlackDoes(t *testing.T) {
	base, api := open(t)
	channel, ts, err := api.PostMessage("web-alerts", client.MsgOptionText("over", false))
	if err != nil {
		t.Fatal(err)
	}
	section := func(text string) client.MsgOption {
		return client.MsgOptionBlocks(client.NewSectionBlock(client.NewTextBlockObject(client.MarkdownType, text, false, true), nil, nil))
	}
	send := func(channel string, o ...client.MsgOption) error {
		_, _, err := api.PostMessage(channel, o...)
		return err
	}
	read := func(channel, ts string) error {
		_, _, _, err := api.GetConversationReplies(&client.GetConversationRepliesParameters{ChannelID: channel, Timestamp: ts})
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"unknown channel":         {send("nowhere", client.MsgOptionText("x", false)), "channel_not_found"},
		"no words":                {send("web-alerts"), "no_text"},
		"too long a section":      {send("web-alerts", section(string(bytes.Repeat([]byte("x"), 3001)))), "invalid_blocks"},
		"an empty section":        {send("web-alerts", section("")), "invalid_blocks"},
		"a picture that is gone":  {send("web-alerts", client.MsgOptionBlocks(client.NewImageBlock("https://gone.example.com/a", "a", "", nil))), "invalid_blocks"},
		"under nothing":           {send("web-alerts", client.MsgOptionText("x", false), client.MsgOptionTS("1.000000")), "thread_not_found"},
		"replies by channel name": {read("#web-alerts", ts), "channel_not_found"},
		"replies to nothing":      {read(channel, "1.000000"), "thread_not_found"},
		"another token": {func() error {
			_, err := client.New("xoxb-other", client.OptionAPIURL(base+"/slack/api/")).AuthTest()
			return err
		}(), "invalid_auth"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, c.err, c.want)
		}
	}
	for path, want := range map[string]int{"/slack/services/T/B/other": 404, "/slack/services/" + secret: 400, "/back/replies": 400, "/back/knobs": 400} {
		if got := post(t, base+path, map[string]string{}); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

func TestKnobs(t *testing.T) {
	base, api := open(t)
	knob := func(effect string, retry int) {
		if got := post(t, base+"/back/knobs", map[string]any{"effect": effect, "retry_s": retry, "count": 1, "method": "auth.test"}); got != http.StatusCreated {
			t.Fatalf("knob %s: %d", effect, got)
		}
	}
	var limit *client.RateLimitedError
	knob("429", 3)
	if _, err := api.AuthTest(); !errors.As(err, &limit) || limit.RetryAfter != 3*time.Second {
		t.Errorf("429: %v", err)
	}
	knob("invalid_auth", 0)
	if _, err := api.AuthTest(); err == nil || err.Error() != "invalid_auth" {
		t.Errorf("invalid_auth: %v", err)
	}
	knob("down", 0)
	if _, err := api.AuthTest(); err == nil {
		t.Error("down: answered")
	}
	if _, err := api.AuthTest(); err != nil {
		t.Errorf("used up: %v", err)
	}
	res, err := http.DefaultClient.Do(must(http.NewRequest(http.MethodDelete, base+"/back/knobs/1", nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		t.Errorf("delete: %s", res.Status)
	}
}

func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err)
	}
	return r
}
