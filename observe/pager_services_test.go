package observe

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Who chooses a service sees them by name, page by page, without what the account says of people.
func TestServicesAreListed(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("offset") == "0" {
			reply(w, 200, `{"more":true,"services":[{"id":"PWEB","name":"Web\u001b[31m\n","status":"active"},{"id":"../users","name":"odd","status":"active"}]}`)
			return
		}
		reply(w, 200, `{"more":false,"services":[{"id":"PORDERS","name":"Orders","status":"disabled"}]}`)
	})
	got, err := p.Services(t.Context())
	if err != nil || fmt.Sprint(got) != "[{PORDERS Orders disabled} {PWEB Web[31m  active}]" && fmt.Sprint(got) != "[{PORDERS Orders disabled} {PWEB Web[31m active}]" {
		t.Errorf("%+v %v", got, err)
	}
	if c := f.calls[1]; f.count() != 2 || c.Method != http.MethodGet || c.Path != "/pagerduty/services" || fmt.Sprint(c.Query["offset"], c.Query["sort_by"]) != "[2] [name]" {
		t.Errorf("%d calls, the last %+v", f.count(), c)
	}
}

// An account that never ends is read as far as anybody would scroll; a token that may not look is told so.
func TestServicesAreBounded(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, `{"more":true,"services":[`+strings.TrimSuffix(strings.Repeat(`{"id":"PX","name":"x"},`, 100), ",")+`]}`)
	})
	if got, err := p.Services(t.Context()); err != nil || len(got) != 500 || f.count() != 5 {
		t.Errorf("%d in %d calls, %v", len(got), f.count(), err)
	}
	p, _ = newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 401, `{"error":{"message":"no"}}`) })
	var no *Problem
	if _, err := p.Services(t.Context()); !errors.As(err, &no) || no.Status != 401 {
		t.Errorf("%v", err)
	}
}
