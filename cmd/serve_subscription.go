package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/firedrill/firedrill/drills"
)

// webhookEvents are the event types that a drill has a use for.
func webhookEvents() []string {
	return []string{"incident.triggered", "incident.acknowledged", "incident.unacknowledged", "incident.escalated", "incident.reassigned",
		"incident.delegated", "incident.reopened", "incident.resolved", "incident.annotated"}
}

// subscription asks for the account's webhooks.
func subscription(url string) map[string]any {
	return map[string]any{"webhook_subscription": map[string]any{
		"type": "webhook_subscription", "description": "firedrill serve --webhooks", "events": webhookEvents(),
		"delivery_method": map[string]any{"type": "http_delivery_method", "url": url},
		"filter":          map[string]any{"type": "account_reference"},
	}}
}

// howToSubscribe says what a person does once, to be sent webhooks: the secret is told to who creates a subscription, and
// to nobody afterwards.
func howToSubscribe(w io.Writer, env *drills.Environment) {
	api := "https://api.pagerduty.com"
	if env.PagerDuty.Region == "eu" {
		api = "https://api.eu.pagerduty.com"
	}
	body, _ := json.Marshal(subscription("https://YOUR-HOST" + webhookPath)) // a literal always can
	fmt.Fprintf(w, `PagerDuty sends webhooks where it is told to, over HTTPS from the Internet: put a proxy with a certificate before this
address, which lets %[3]s through and nothing else. Once, as a person who may (the answer holds the secret for pagerduty.webhook_secrets, this one time):
  curl -X POST %[1]s/webhook_subscriptions -H "Authorization: Token token=$PAGERDUTY_TOKEN" \
    -H 'Content-Type: application/json' -d '%[2]s'
`, api, body, webhookPath)
}

// subscribe registers us at the sandbox's pager, which reaches this machine, and returns the secret it signs with and the
// way to take the registration back.
func subscribe(ctx context.Context, env *drills.Environment, url string) (secret string, end func(context.Context) error, err error) {
	var answer struct {
		Subscription struct {
			ID     string `json:"id"`
			Method struct {
				Secret string `json:"secret"`
			} `json:"delivery_method"`
		} `json:"webhook_subscription"`
	}
	at := env.PagerDuty.API + "/webhook_subscriptions"
	if err := callPager(ctx, env, pagerCall{method: http.MethodPost, url: at, body: subscription(url), into: &answer}); err != nil {
		return "", nil, fmt.Errorf("register at the sandbox's pager: %w", err)
	}
	s := answer.Subscription
	if s.ID == "" || s.Method.Secret == "" {
		return "", nil, errors.New("register at the sandbox's pager: it told no secret")
	}
	return s.Method.Secret, func(ctx context.Context) error {
		if err := callPager(ctx, env, pagerCall{method: http.MethodDelete, url: at + "/" + s.ID}); err != nil {
			return fmt.Errorf("take back the registration at the sandbox's pager: %w", err)
		}
		return nil
	}, nil
}

// pagerCall is one call; body and into may be nil.
type pagerCall struct {
	method, url string
	body, into  any
}

// callPager speaks to the sandbox's pager, whose token is no secret.
func callPager(ctx context.Context, env *drills.Environment, call pagerCall) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var b bytes.Buffer
	if call.body != nil {
		if err := json.NewEncoder(&b).Encode(call.body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, call.method, call.url, &b)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Token token="+strings.TrimPrefix(env.PagerDuty.Token, "plain:"))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("From", env.PagerDuty.From)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		why, _ := io.ReadAll(io.LimitReader(res.Body, 300)) // for people; half of it will do
		return fmt.Errorf("%s: %s", res.Status, strings.TrimSpace(string(why)))
	}
	if call.into == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(call.into)
}
