package pager

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"
)

// A held request waits, and takes effect all the same when its client has gone: before or after that.
func TestHeldRequestsTakeEffectAllTheSame(t *testing.T) {
	for _, row := range []struct {
		when   string
		during int
	}{{"before", 0}, {"after", 1}} {
		t.Run(row.when, func(t *testing.T) {
			d := newDesk(t)
			d.knob(`{"effect":"hold","path":"/events","nth":2,"count":1,"when":"` + row.when + `"}`)
			ctx, leave := context.WithCancel(t.Context())
			post := func(key string) error {
				req, err := http.NewRequestWithContext(ctx, "POST", d.srv.URL+"/events/v2/enqueue", bytes.NewBufferString(
					`{"routing_key":"`+ourKey+`","event_action":"trigger","dedup_key":"`+key+`","payload":{"summary":"s","source":"x","severity":"error"}}`))
				if err != nil {
					return err
				}
				res, err := http.DefaultClient.Do(req)
				if err == nil {
					_ = res.Body.Close()
				}
				return err
			}
			if err := post("first"); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error)
			go func() { ended <- post("second") }()
			until(t, func() bool { return holding(d) == 1 })
			if n := len(d.outcomes()) - 1; n != row.during {
				t.Errorf("%d events are in while it is held, want %d", n, row.during)
			}
			leave()
			if err := <-ended; err == nil {
				t.Error("it was answered")
			}
			until(t, func() bool { return holding(d) == 0 && len(d.outcomes()) == 2 })
		})
	}
}

func holding(d *desk) (n int) {
	var knobs []knob
	d.call("GET", "/back/knobs", "", &knobs)
	for _, k := range knobs {
		n += k.Holding
	}
	return n
}

func until(t *testing.T, yes func() bool) {
	t.Helper()
	for range 500 {
		if yes() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it never came to that")
}
