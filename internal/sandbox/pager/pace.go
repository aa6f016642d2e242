package pager

import (
	"errors"
	"time"
)

// Pace is how long what happens by itself takes. A test that cannot wait half an hour sets it.
type Pace struct {
	MinDelay      Seconds `json:"min_delay_s"` // from a 202 to its effect
	MaxDelay      Seconds `json:"max_delay_s"`
	NotifyAfter   Seconds `json:"notify_after_s"`
	EscalateAfter Seconds `json:"escalate_after_s"`
	AckTimeout    Seconds `json:"ack_timeout_s"`
	AutoResolve   Seconds `json:"auto_resolve_s"` // 0: never
}

func (o *Options) pace() Pace {
	s := func(d time.Duration) Seconds { return Seconds(d.Seconds()) }
	return Pace{s(o.MinDelay), s(o.MaxDelay), s(o.NotifyAfter), s(o.EscalateAfter), s(o.AckTimeout), s(o.AutoResolve)}
}

// setPace changes what begins from now on.
func (o *Options) setPace(p Pace) error {
	if p.MinDelay < 0 || p.MaxDelay < p.MinDelay || p.NotifyAfter < 0 || p.EscalateAfter <= 0 || p.AckTimeout <= 0 || p.AutoResolve < 0 {
		return errors.New("delays are at least 0, and time-outs more")
	}
	o.MinDelay, o.MaxDelay, o.NotifyAfter = p.MinDelay.Duration(), p.MaxDelay.Duration(), p.NotifyAfter.Duration()
	o.EscalateAfter, o.AckTimeout, o.AutoResolve = p.EscalateAfter.Duration(), p.AckTimeout.Duration(), p.AutoResolve.Duration()
	return nil
}

// resolveLater plans the end of an incident that nobody resolves, where the account has it so.
func (p *Pager) resolveLater(i *incident, now time.Time) {
	if p.o.AutoResolve == 0 {
		return
	}
	i.resolveAt = now.Add(p.o.AutoResolve)
	at := i.resolveAt
	p.later(at, func(now time.Time) {
		if i.resolveAt.Equal(at) && i.status != resolved {
			p.close(i, actor{as: serviceRef(i.service), channel: channel{Type: "timeout"}}, "", now)
		}
	})
}
