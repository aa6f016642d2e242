package observe

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestNewPagerDutyRefuses(t *testing.T) {
	for name, o := range map[string]PagerOptions{
		"no region":                 {},
		"unknown region":            {Region: "moon"},
		"half an override":          {Region: "us", API: "http://127.0.0.1:1/pagerduty"},
		"override to elsewhere":     {Region: "us", API: "https://api.example.com", Events: "https://events.example.com"},
		"override that looks local": {Region: "us", API: "http://127.0.0.1.example.com", Events: "http://127.0.0.1"},
		"override with a user":      {Region: "us", API: "http://u:p@127.0.0.1", Events: "http://127.0.0.1"},
		"EU token in the US":        {Region: "us", Token: "pdeu+_0XBPWQQ"},
		"US token in the EU":        {Region: "eu", Token: "pdus+_0XBPWQQ"},
		"newline in the token":      {Region: "us", Token: testToken + "\n"},
	} {
		o.Now = time.Now
		if p, err := NewPagerDuty(o); err == nil {
			t.Errorf("%s: made %v", name, p)
		} else if o.Token != "" && strings.Contains(err.Error(), strings.TrimSpace(o.Token)) {
			t.Errorf("%s: the error tells the token: %v", name, err)
		}
	}
	if _, err := NewPagerDuty(PagerOptions{Region: "us"}); err == nil {
		t.Error("no clock, and no error")
	}
}

func TestRegionsHaveTheirOwnHosts(t *testing.T) {
	for region, want := range map[string][2]string{
		"us": {"https://api.pagerduty.com", "https://events.pagerduty.com"},
		"eu": {"https://api.eu.pagerduty.com", "https://events.eu.pagerduty.com"},
	} {
		p, err := NewPagerDuty(PagerOptions{Region: region, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if p.api != want[0] || p.events != want[1] || len(p.wire.hosts) != 2 {
			t.Errorf("%s: %s %s %v", region, p.api, p.events, p.wire.hosts)
		}
	}
}

func TestWireRefusesOtherHosts(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{}`) })
	for _, at := range []string{"https://api.pagerduty.com/abilities", "http://127.0.0.1:9/abilities", strings.Replace(f.url, "http:", "https:", 1)} {
		if _, err := p.wire.do(t.Context(), call{op: "try", method: "GET", url: at}); err == nil || !strings.Contains(err.Error(), "nothing was sent") {
			t.Errorf("%s: %v", at, err)
		}
	}
	if f.count() != 0 {
		t.Errorf("%d requests went out", f.count())
	}
}

func TestWireDoesNotFollowRedirects(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	_, err := p.Log(t.Context(), "P1")
	if err == nil || !strings.Contains(err.Error(), "redirect") || f.count() != 1 {
		t.Errorf("%v after %d requests", err, f.count())
	}
}

func TestTokenKinds(t *testing.T) {
	for token, want := range map[string]string{testToken: "Token token=" + testToken, "pdus+_0X": "Bearer pdus+_0X", "": ""} {
		p, err := NewPagerDuty(PagerOptions{Region: "us", Token: token, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		p.wire.authorize(h)
		if got := h.Get("Authorization"); got != want {
			t.Errorf("token %q: %q", token, got)
		}
	}
}

func TestNoPrintingShowsTheToken(t *testing.T) {
	o := PagerOptions{Region: "us", Token: testToken, Now: time.Now}
	p, err := NewPagerDuty(o)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Options PagerOptions
		Pager   *PagerDuty
		hidden  *PagerDuty
	}
	h := holder{o, p, p}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{o, &o, p, *p, p.wire, *p.wire, h, &h} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, testToken) {
				t.Errorf("%s of %T tells the token: %s", verb, v, text)
			}
		}
	}
}

func TestDateComesFromAnyAnswer(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 5, 0, time.UTC)
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", at.Format(http.TimeFormat))
		reply(w, http.StatusTooManyRequests, `{}`)
	})
	got, err := p.Date(t.Context())
	if err != nil || !got.Equal(at) || f.count() != 1 {
		t.Errorf("%v, %v after %d requests", got, err, f.count())
	}
	if f.calls[0].Path != "/pagerduty/abilities" {
		t.Errorf("asked %s", f.calls[0].Path)
	}
}
