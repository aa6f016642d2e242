package aws

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// SNS tries a delivery once and then three times more.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
const (
	snsRetries    = 3
	snsTimeout    = 5 * time.Second
	snsRetryDelay = 200 * time.Millisecond // AWS: 20 s
)

// snsDelivery is one message on its way to one subscription.
type snsDelivery struct {
	subscription, topic, id, endpoint string
	body                              string
}

// envelope is the body SNS posts.
// https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html
func (d snsDelivery) envelope(subject, message string, now time.Time) string {
	return compact(struct {
		Type, MessageId, TopicArn string
		Subject                   string `json:",omitempty"`
		Message, Timestamp        string
		SignatureVersion          string
		Signature                 string
		SigningCertURL            string
		UnsubscribeURL            string
	}{"Notification", d.id, d.topic, subject, message, now.UTC().Format("2006-01-02T15:04:05.000Z"),
		"1", "c2FuZGJveDogbm90IHNpZ25lZA==", "", ""})
}

// snsPost delivers: one goroutine a subscription, so that messages arrive in the order they were published.
// It owns them all.
type snsPost struct {
	client     *http.Client
	retryDelay time.Duration
	wg         sync.WaitGroup
}

func newSNSPost() *snsPost {
	return &snsPost{client: &http.Client{Timeout: snsTimeout, Transport: &http.Transport{}}, retryDelay: snsRetryDelay}
}

// open starts a subscription's deliveries. They outlive the call that subscribed; stop ends them, also the one
// under way.
func (p *snsPost) open(ctx context.Context) (queue chan snsDelivery, stop context.CancelFunc) {
	queue = make(chan snsDelivery, snsQueued)
	ctx, stop = context.WithCancel(context.WithoutCancel(ctx))
	p.wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case d := <-queue:
				p.deliver(ctx, d)
			}
		}
	})
	return queue, stop
}

// deliver tries until the endpoint takes the message, says that it never will, or the retries are used up.
func (p *snsPost) deliver(ctx context.Context, d snsDelivery) {
	for try := 0; ; try++ {
		again, err := p.send(ctx, d)
		if err == nil || !again || try == snsRetries {
			return // lost, as SNS loses it; the alarm's history says only that SNS took it
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(p.retryDelay):
		}
	}
}

// send posts once; again says whether another attempt makes sense: not after a 4xx other than 429.
func (p *snsPost) send(ctx context.Context, d snsDelivery) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.endpoint, strings.NewReader(d.body))
	if err != nil {
		return false, fmt.Errorf("deliver to %s: %w", d.endpoint, err)
	}
	req.Header.Set("Content-Type", "text/plain; charset=UTF-8")
	req.Header.Set("User-Agent", "Amazon Simple Notification Service Agent")
	req.Header.Set("x-amz-sns-message-type", "Notification")
	req.Header.Set("x-amz-sns-message-id", d.id)
	req.Header.Set("x-amz-sns-topic-arn", d.topic)
	req.Header.Set("x-amz-sns-subscription-arn", d.subscription)
	res, err := p.client.Do(req)
	if err != nil {
		return true, fmt.Errorf("deliver to %s: %w", d.endpoint, err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // what is not drained costs a new connection, no more
	if res.StatusCode/100 == 2 {
		return false, nil
	}
	return res.StatusCode/100 != 4 || res.StatusCode == http.StatusTooManyRequests,
		fmt.Errorf("deliver to %s: %s", d.endpoint, res.Status)
}

// wait returns when every subscription that was stopped has ended.
func (p *snsPost) wait() {
	p.wg.Wait()
	p.client.CloseIdleConnections()
}
