package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

const (
	slackAnswer = 4 << 20          // bytes of an answer that are read
	slackPause  = 30 * time.Second // the longest pause that is waited for where nothing bounds the call
	slackTries  = 4
)

// slackWire carries calls to Slack. It is not slack-go's own client: that one is passed around as an interface, and
// its three hundred methods, a websocket among them, would be linked for the two that are called.
type slackWire struct {
	client    *http.Client
	api       string
	authorize func(http.Header) // the token lives in this closure
	redact    func(string) string
	now       func() time.Time
	wait      func(context.Context, time.Duration) error
}

func newSlackWire(o SlackOptions, api string) *slackWire {
	token := o.Token
	w := &slackWire{api: api, now: o.Now, wait: o.Wait, redact: redactor(append(webhookParts(o.Webhook), token)...),
		authorize: func(h http.Header) { h.Set("Authorization", "Bearer "+token) }}
	var client http.Client
	if o.HTTP != nil {
		client = *o.HTTP
	}
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.client = &client
	return w
}

// webhookParts are what of a webhook's address is secret: all of it, and its path alone.
func webhookParts(address string) []string {
	u, err := url.Parse(address)
	if address == "" || err != nil || len(u.Path) < 2 {
		return []string{address}
	}
	return []string{address, u.Path, strings.TrimPrefix(u.Path, "/")}
}

// slackOrder is one call of the web API.
type slackOrder struct {
	op      string // what we are about to do, for errors
	method  string // chat.postMessage
	channel string // as it was asked for, for errors
	form    url.Values
}

// do makes a call until it is answered; said is the whole answer, head its part that every answer has.
func (w *slackWire) do(ctx context.Context, c slackOrder, said any, head *slack.SlackResponse) error {
	return w.try(ctx, c.op, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.api+c.method, strings.NewReader(c.form.Encode()))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("User-Agent", "firedrill")
		w.authorize(req.Header)
		res, err := w.client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode != http.StatusOK {
			return slackStatus(res)
		}
		body, err := io.ReadAll(io.LimitReader(res.Body, slackAnswer))
		if err != nil {
			return fmt.Errorf("the answer broke off: %w", err)
		}
		if err := json.Unmarshal(body, said); err != nil {
			return fmt.Errorf("the answer is not what Slack documents: %w", err)
		}
		if !head.Ok {
			return &slackNo{code: head.Error, needed: head.Needed, channel: c.channel}
		}
		return nil
	})
}

// postWebhook sends a message to an incoming webhook, which says ok, or no in a word and with a status.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/#handling_errors
func (w *slackWire) postWebhook(ctx context.Context, address string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "firedrill")
	res, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	word, err := io.ReadAll(io.LimitReader(res.Body, 200))
	code := strings.TrimSpace(string(word))
	switch {
	case res.StatusCode == http.StatusOK:
		return nil
	case err == nil && res.StatusCode/100 == 4 && res.StatusCode != http.StatusTooManyRequests && slackWord.MatchString(code):
		return &slackNo{code: code}
	}
	return slackStatus(res)
}

// slackStatus is an answer that is no 200, in slack-go's own errors.
func slackStatus(res *http.Response) error {
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && res.StatusCode == http.StatusTooManyRequests {
		return &slack.RateLimitedError{RetryAfter: time.Duration(s) * time.Second}
	}
	return slack.StatusCodeError{Code: res.StatusCode, Status: res.Status}
}

// try makes a call, and again where Slack says that it came too often and the time there is allows: such a call was
// not carried out, so that even a message may be repeated.
// https://docs.slack.dev/apis/web-api/rate-limits/
func (w *slackWire) try(ctx context.Context, op string, call func(context.Context) error) error {
	for n := 1; ; n++ {
		inner, cancel := context.WithTimeout(ctx, slackCall)
		err := call(inner)
		over := inner.Err()
		cancel()
		pause, limited := slackPauseOf(err)
		if !limited || n == slackTries || w.late(ctx, pause) {
			return w.problem(op, err, ctx.Err(), over)
		}
		if werr := w.wait(ctx, pause); werr != nil {
			return w.problem(op, err, werr, nil)
		}
	}
}

// slackPauseOf is how long Slack wants to be left alone. It may also say so without a time.
func slackPauseOf(err error) (time.Duration, bool) {
	var limit *slack.RateLimitedError
	var status slack.StatusCodeError
	var no *slackNo
	switch {
	case errors.As(err, &limit):
		return min(max(limit.RetryAfter, 0), time.Hour), true
	case errors.As(err, &status) && status.Code == http.StatusTooManyRequests,
		errors.As(err, &no) && (no.code == "ratelimited" || no.code == "rate_limited"):
		return time.Second, true
	}
	return 0, false
}

// late says that a pause would outlast the time there is.
func (w *slackWire) late(ctx context.Context, pause time.Duration) bool {
	if end, ok := ctx.Deadline(); ok {
		return w.now().Add(pause).After(end)
	}
	return pause > slackPause
}

// slackNo is a no in Slack's own word.
type slackNo struct{ code, needed, channel string }

func (n *slackNo) Error() string { return n.code }

// slackWord is the form of Slack's error codes; anything else is not repeated to people.
var slackWord = regexp.MustCompile(`^[a-z0-9_:,. ]{1,80}$`)

// problem puts what went wrong into plain words, without any secret.
func (w *slackWire) problem(op string, err, outer, over error) error {
	if err == nil {
		return nil
	}
	var no *slackNo
	var status slack.StatusCodeError
	switch _, limited := slackPauseOf(err); {
	case limited:
		return &Problem{Op: op, Why: "Slack has had too many requests", Status: http.StatusTooManyRequests, Try: "wait a minute; Slack takes about one message a second for each channel", Err: outer}
	case errors.As(err, &no):
		p := no.explain()
		p.Op, p.Why, p.Err = op, w.redact(p.Why), no
		return p
	case errors.As(err, &status):
		p := &Problem{Op: op, Why: fmt.Sprintf("%d: Slack did not take it", status.Code), Status: status.Code}
		if status.Code/100 == 4 {
			p.Try = "check slack.token or slack.webhook of the environment: it may be revoked, or its channel archived"
		}
		return p
	case outer != nil:
		return &Problem{Op: op, Why: "no answer in the time there was", Err: outer}
	case over != nil:
		return &Problem{Op: op, Why: fmt.Sprintf("no answer within %s", slackCall), Err: over, Try: reachSlack}
	}
	why := plain(w.redact(err.Error()))
	return &Problem{Op: op, Why: why, Err: &hidden{text: why, cause: err}, Try: reachSlack}
}

const reachSlack = "check the network, and that this machine may reach Slack"

// explain is a no in plain words, with a next step.
// https://docs.slack.dev/reference/methods/chat.postMessage/#errors
func (n *slackNo) explain() *Problem {
	channel := plain(n.channel)
	switch n.code {
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "org_login_required", "not_allowed_token_type":
		return &Problem{Why: "the token is wrong, or not valid any more (" + n.code + ")", Status: http.StatusUnauthorized,
			Try: "install the app anew, and put its bot token (xoxb-…) where slack.token points to"}
	case "missing_scope", "no_permission":
		scope := n.needed
		if !slackWord.MatchString(scope) {
			scope = "chat:write, and channels:history to read replies"
		}
		return &Problem{Why: "the bot may not do this (" + n.code + ")", Status: http.StatusForbidden,
			Try: "give the app the scope " + scope + ", and install it anew"}
	case "channel_not_found":
		return &Problem{Why: "there is no channel " + channel + " that the bot can see", Status: http.StatusNotFound,
			Try: "check teams.*.slack, and invite the bot there: /invite @firedrill"}
	case "not_in_channel":
		return &Problem{Why: "the bot is not in " + channel, Status: http.StatusForbidden, Try: "invite it there: /invite @firedrill"}
	case "is_archived":
		return &Problem{Why: "the channel " + channel + " is archived", Status: http.StatusForbidden, Try: "name another in teams.*.slack"}
	case "no_service", "no_active_hooks", "no_team", "team_disabled", "invalid_token", "channel_is_archived", "action_prohibited":
		return &Problem{Why: "the incoming webhook is not there any more, or may not write (" + n.code + ")", Status: http.StatusForbidden,
			Try: "make a new one in the app, and put its address where slack.webhook points to"}
	case "thread_not_found":
		return &Problem{Why: "the message it stands under is gone", Status: http.StatusNotFound}
	}
	if slackWord.MatchString(n.code) {
		return &Problem{Why: "Slack says no: " + n.code}
	}
	return &Problem{Why: "Slack says no"}
}
