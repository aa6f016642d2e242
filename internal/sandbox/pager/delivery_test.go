package pager

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

func TestDeliveriesAreTriedAgainInOrder(t *testing.T) {
	d, b := newDesk(t), newInbox(t)
	b.status = []int{500, 429, 200}
	d.subscribe(b)
	i := d.opened(ourKey, "k")
	d.posted()
	d.tapped("PRESP01", "acknowledge", i.ID, "")
	d.posted()
	if got := b.kinds(); !slices.Equal(got, []string{"incident.triggered"}) {
		t.Fatalf("the second overtook the first: %v", got)
	}
	for range 5 {
		d.clock.add(time.Second)
		d.posted()
	}
	got := b.mail()
	if len(got) != 4 || got[3].event.Type != "incident.acknowledged" || got[0].header.Get("X-Webhook-Id") != got[2].header.Get("X-Webhook-Id") {
		t.Errorf("got %v", b.kinds())
	}
	var tries []attempt
	d.call("GET", "/back/deliveries", "", &tries)
	if len(tries) != 4 || tries[1].Status != 429 || tries[2].Try != 3 || tries[2].Outcome != "delivered" {
		t.Errorf("got %+v", tries)
	}
}

func TestThreeDropsDisableASubscriptionForADay(t *testing.T) {
	d, b := newDesk(t), newInbox(t)
	b.status = []int{400, 404, 410}
	id, _ := d.subscribe(b)
	i := d.opened(ourKey, "k")
	for range 4 {
		d.phone("PRESP01", "note", i.ID, "x")
	}
	d.posted()
	if n := len(b.mail()); n != 3 {
		t.Errorf("%d deliveries, want 3 and then none", n)
	}
	var out subscriptionAnswer
	d.call("GET", "/pagerduty/webhook_subscriptions/"+id, "", &out)
	if !out.Subscription.Method.Disabled {
		t.Errorf("got %+v", out)
	}
	d.phone("PRESP01", "note", i.ID, "lost")
	d.posted()
	d.call("POST", "/pagerduty/webhook_subscriptions/"+id+"/enable", "", nil)
	d.phone("PRESP01", "note", i.ID, "heard")
	d.posted()
	if got := b.mail(); len(got) != 4 || got[3].event.Data.Content != "heard" {
		t.Errorf("got %v", b.kinds())
	}
}

func TestADeliveryForgivesTheDropsBefore(t *testing.T) {
	d, b := newDesk(t), newInbox(t)
	b.status = []int{400, 404, 200, 410, 410, 200}
	d.subscribe(b)
	i := d.opened(ourKey, "k")
	for range 5 {
		d.phone("PRESP01", "note", i.ID, "x")
	}
	d.posted()
	if n := len(b.mail()); n != 6 {
		t.Errorf("%d deliveries of 6", n)
	}
}

func TestASilentServerIsTriedAgain(t *testing.T) {
	d := newDesk(t, func(o *Options) { o.HookTimeout = 50 * time.Millisecond })
	asked, over := make(chan struct{}, 10), make(chan struct{})
	b := &inbox{srv: httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))}
	t.Cleanup(b.srv.Close)
	t.Cleanup(func() { close(over) })
	d.subscribe(b)
	d.opened(ourKey, "k")
	d.posted()
	d.clock.add(time.Second)
	d.posted()
	if len(asked) != 2 {
		t.Errorf("asked %d times", len(asked))
	}
}

func TestNothingComesAfterTheSubscriptionsEnd(t *testing.T) {
	d, b := newDesk(t), newInbox(t)
	id, _ := d.subscribe(b)
	d.knob(`{"effect":"replay","delay_s":5}`)
	d.opened(ourKey, "k")
	d.posted()
	d.call("DELETE", "/pagerduty/webhook_subscriptions/"+id, "", nil)
	d.clock.add(10 * time.Second)
	d.posted()
	if n := len(b.mail()); n != 1 {
		t.Errorf("%d deliveries, want the one before the end", n)
	}
}
