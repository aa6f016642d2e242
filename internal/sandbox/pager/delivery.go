package pager

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// How webhooks are delivered, as PagerDuty documents it.
const (
	hookKept     = 48 * time.Hour // how long a delivery is tried
	hookDropsMax = 3              // drops in a row that disable a subscription
	hookDisabled = 24 * time.Hour // how long it stays so
	hookPause    = time.Second    // before the second try; doubled before each other, up to a minute
)

// delivery is one webhook on its way to one subscriber.
type delivery struct {
	id       string // X-Webhook-Id: the same for every try
	event    string // id
	kind     string
	incident string
	body     []byte
	secrets  []string
	made     time.Time
	tries    int
}

// lane keeps the deliveries of one subscription and incident in their order: one is on its way at a time.
type lane struct {
	to    *subscription
	queue []*delivery
	busy  bool
}

// attempt is the truth about one try.
type attempt struct {
	Webhook      string    `json:"webhook_id"`
	Subscription string    `json:"subscription"`
	Event        string    `json:"event_id"`
	Type         string    `json:"event_type"`
	Incident     string    `json:"incident"`
	At           time.Time `json:"at"`
	Try          int       `json:"try"`
	Status       int       `json:"status"` // 0: none came
	Outcome      string    `json:"outcome"`
}

// publish queues an event for every subscription that wants it, in whatever trouble the knobs prescribe.
func (p *Pager) publish(i *incident, e hookEvent, now time.Time) {
	body := hookBody(e)
	for _, s := range p.subscriptions {
		if !s.wants(i, e.Type) || now.Before(s.disabledUntil) {
			continue
		}
		d := &delivery{id: p.id("", 32), event: e.ID, kind: e.Type, incident: i.id, body: body, secrets: []string{s.secret}, made: now}
		if k := p.knobFor("rotate", i.service.ID); k != nil {
			d.secrets = []string{k.Secret, s.secret}
		}
		if p.knobFor("forge", i.service.ID) != nil {
			d.secrets = []string{"somebody else's " + s.secret}
		}
		if k := p.knobFor("replay", i.service.ID); k != nil {
			p.aside(s, d, now.Add(seconds(k.Delay)))
		}
		if k := p.knobFor("reorder", i.service.ID); k != nil {
			p.aside(s, d, now.Add(seconds(k.Delay)))
			continue
		}
		p.enqueueHook(p.laneOf(s, i.id), d)
		if p.knobFor("duplicate", i.service.ID) != nil {
			again := *d
			p.enqueueHook(p.laneOf(s, i.id), &again)
		}
	}
}

// aside delivers later, and past whatever else is queued.
func (p *Pager) aside(s *subscription, d *delivery, at time.Time) {
	again := *d
	p.later(at, func(now time.Time) {
		if s.active && !now.Before(s.disabledUntil) {
			p.enqueueHook(&lane{to: s}, &again)
		}
	})
}

func (p *Pager) laneOf(s *subscription, incident string) *lane {
	l := s.lanes[incident]
	if l == nil {
		l = &lane{to: s}
		s.lanes[incident] = l
	}
	return l
}

func (p *Pager) enqueueHook(l *lane, d *delivery) {
	l.queue = append(l.queue, d)
	if len(l.queue) == 1 {
		p.start(l)
	}
}

// start hands the first delivery of a lane to whoever calls deliver: Run does. The lock is held.
func (p *Pager) start(l *lane) {
	if !l.busy && len(l.queue) > 0 {
		l.busy = true
		p.outbox = append(p.outbox, l)
	}
}

// deliver sends what is ready, each in a goroutine of p.sending; false: nothing was.
func (p *Pager) deliver(ctx context.Context) bool {
	p.mu.Lock()
	ready := p.outbox
	p.outbox = nil
	p.mu.Unlock()
	for _, l := range ready {
		p.sending.Go(func() { p.send(ctx, l) })
	}
	return len(ready) > 0
}

// send makes one try, without the lock, and plans what follows from it.
func (p *Pager) send(ctx context.Context, l *lane) {
	p.mu.Lock()
	if len(l.queue) == 0 { // the subscription was disabled meanwhile
		l.busy = false
		p.mu.Unlock()
		return
	}
	d, url, headers := l.queue[0], l.to.url, slices.Clone(l.to.headers)
	p.mu.Unlock()
	status := p.postHook(ctx, l.to.id, d, url, headers)
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	p.delivered(l, d, status, p.o.Now())
}

func (p *Pager) postHook(ctx context.Context, subscription string, d *delivery, url string, headers []hookHeader) (status int) {
	ctx, cancel := context.WithTimeout(ctx, p.o.HookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(d.body))
	if err != nil {
		return 0
	}
	for _, h := range headers {
		req.Header.Set(h.Name, h.Value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "PagerDuty-Webhook/V3.0")
	req.Header.Set("X-Webhook-Id", d.id)
	req.Header.Set("X-Webhook-Subscription", subscription)
	req.Header.Set("X-PagerDuty-Signature", sign(d.body, d.secrets))
	res, err := p.hooks.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxBody))
	_ = res.Body.Close()
	return res.StatusCode
}

// sign makes one signature a secret.
func sign(body []byte, secrets []string) string {
	var out []string
	for _, s := range secrets {
		m := hmac.New(sha256.New, []byte(s))
		_, _ = m.Write(body)
		out = append(out, "v1="+hex.EncodeToString(m.Sum(nil)))
	}
	return strings.Join(out, ",")
}

// delivered draws the consequences of a try: done, dropped, or tried again later. The lock is held.
func (p *Pager) delivered(l *lane, d *delivery, status int, now time.Time) {
	d.tries++
	a := attempt{Webhook: d.id, Subscription: l.to.id, Event: d.event, Type: d.kind, Incident: d.incident, At: now, Try: d.tries, Status: status}
	l.busy = false
	wait := time.Duration(0)
	switch {
	case status >= 200 && status < 300:
		a.Outcome = "delivered"
		l.to.drops = 0
		l.done(d)
	case status >= 400 && status < 500 && status != http.StatusTooManyRequests || now.Sub(d.made) > hookKept:
		a.Outcome = "dropped"
		l.done(d)
		if l.to.drops++; l.to.drops >= hookDropsMax {
			a.Outcome = "dropped, and the subscription disabled"
			l.to.disable(now)
		}
	default:
		a.Outcome = "to be tried again"
		wait = min(hookPause<<min(d.tries-1, 6), time.Minute)
	}
	p.attempts = append(p.attempts, a)
	p.later(now.Add(wait), func(time.Time) { p.start(l) })
}

// done takes a delivery off the queue, unless the queue was lost while it was on its way.
func (l *lane) done(d *delivery) {
	if len(l.queue) > 0 && l.queue[0] == d {
		l.queue = l.queue[1:]
	}
}

// newHooks is the client that webhooks are sent with. It follows nobody elsewhere.
func newHooks() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
