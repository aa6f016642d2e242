package cmd

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/sandbox"
)

func TestPagerOf(t *testing.T) {
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	w := box.World()
	d := &Deps{}
	for endpoint, want := range map[string]string{
		w.AWS:                       w.Pager,
		"":                          "",
		w.URL:                       "", // no sandbox's services
		"http://127.0.0.1:1/aws":    "", // nobody is there
		"https://example.com/aws":   "",
		"http://localhost.evil/aws": "",
	} {
		env := &drills.Environment{AWS: drills.AWSSpec{Endpoint: endpoint}, PagerDuty: drills.PagerSpec{Region: "us"}}
		if got := d.pagerOf(t.Context(), env); got.API != want || got.Region != "us" {
			t.Errorf("the pager of %q is %+v, want %q", endpoint, got, want)
		}
	}
}
