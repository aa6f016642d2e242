package cmd

import (
	"strings"
	"testing"
	"time"

	"charm.land/huh/v2"

	"github.com/firedrill/firedrill/drills"
)

// TestQuestionsInWordsAlone: what an empty line stands for is said, a wrong answer is asked again, and who says no more
// has said nothing.
func TestQuestionsInWordsAlone(t *testing.T) {
	d := newDesk(t)
	d.env["TERM"] = "dumb"
	e := &environmentDraft{Env: "staging", Team: "orders", Zone: "UTC", Days: "mon-fri", Hours: "10:00-16:00", PagerRegion: "us", Token: "env:TOKEN", Owner: "env:OWNER", Key: "env:KEY", Store: "sqlite"}
	region := ""
	open := append(e.must(&region)[1:], question{"key", "Where the key is kept", "ssm:/x", &e.Key, false, nil})
	d.In = strings.NewReader("eu-west\neu-west-1\nhttps://acme.pagerduty.com/services/PORDERS\nPORDERS\nnobody\ndrills@example.com\n\n2\n1\n")
	if err := d.ask(open); err != nil || region != "eu-west-1" || e.Service != "PORDERS" || e.From != "drills@example.com" || e.Key != "env:KEY" {
		t.Fatalf("%v %q %+v\n%s", err, region, e, d.err.String())
	}
	for _, want := range []string{"a region must be one of AWS's. Try: eu-west-1\n", "service must be an id of PagerDuty", "must be the e-mail address", "(nothing: env:KEY) > "} {
		if !strings.Contains(d.err.String(), want) {
			t.Errorf("no %q in\n%s", want, d.err.String())
		}
	}
	chosen := ""
	options := []huh.Option[string]{huh.NewOption("one", "a"), huh.NewOption("two", "b")}
	noTwo := func(v string) error {
		if v == "b" {
			return errUnasked()
		}
		return nil
	}
	if err := d.choose("Which?", "", options, &chosen, noTwo); err != nil || chosen != "a" {
		t.Errorf("%v %q", err, chosen)
	}
	if err := d.choose("Which?", "", options, &chosen); codeOf(err) != exitUsage || !strings.Contains(err.Error(), "nothing was written") {
		t.Errorf("at the end of all words: %v", err)
	}
}

// TestMistakesAreToldBeforeAnythingIsAsked: a flag that the file could not hold is refused at once, each mistake on a line.
func TestMistakesAreToldBeforeAnythingIsAsked(t *testing.T) {
	d := newDesk(t)
	if code := d.run(t, "init", "--region", "eu-west-1", "--endpoint", "http://127.0.0.1:1", "--hours", "25:00-26:00", "--from", "nobody"); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	said := d.err.String()
	if !strings.Contains(said, `window.hours "25:00-26:00"`) || !strings.Contains(said, "pagerduty.from") || strings.Contains(said, "not reached") || strings.Contains(said, ".yaml:") {
		t.Error(said)
	}
	if code := d.run(t, "init", "--region", "eu-west-1", "--endpoint", "http://127.0.0.1:1"); code != exitUsage || !strings.Contains(d.err.String(), "Try: add --account 123456789012 --service") {
		t.Errorf("%d %s", code, d.err.String())
	}
}

func TestTargetOfAnARN(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:dynamodb:eu-west-1:111122223333:table/orders":                                         "dynamodb orders",
		"dynamodb:arn:aws:dynamodb:eu-west-1:111122223333:table/orders":                                "dynamodb orders",
		"arn:aws:sqs:eu-west-1:111122223333:orders":                                                    "sqs orders",
		"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/orders/50dc6c495c0c9188": "alb orders",
		"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/orders/50dc6c495c0c9188": " ",
		"arn:aws:lambda:eu-west-1:111122223333:function:orders":                                        " ",
		"arn:aws:dynamodb:eu-west-1:111122223333:table/orders/index/by-day":                            " ",
		"arn:aws:dynamodb":    " ",
		"dynamodb:orders-arn": "dynamodb orders-arn",
	} {
		service, name, err := splitTarget(arn)
		if service+" "+name != want || (err != nil) != (want == " ") {
			t.Errorf("%s: %q %q %v", arn, service, name, err)
		}
	}
	d := newDesk(t)
	d.run(t, "init", "--region", "eu-west-1", "--endpoint", "http://127.0.0.1:1", "--account", "111122223333", "--service", "PORDERS", "--from", "a@example.com",
		"--target", "arn:aws:sqs:eu-central-1:111122223333:orders")
	if !strings.Contains(d.err.String(), "lies in eu-central-1, the environment in eu-west-1") {
		t.Error(d.err.String())
	}
}

// TestNightHidesNothing: what stands in the way is told also outside the window.
func TestNightHidesNothing(t *testing.T) {
	early := drills.Environment{Window: &drills.Window{Text: "never", Zone: time.UTC}, Freezes: []drills.Freeze{{}}, Tags: map[string]string{"a": "b"}}
	open := early.AnyTime()
	for h := range 24 * 7 {
		if at := time.Date(2026, 1, 1, h, 59, 59, 0, time.UTC); !isOpen(open, at) {
			t.Errorf("closed at %s", at)
		}
	}
	if len(open.Freezes) > 0 || len(early.Freezes) != 1 || early.Window.Text != open.Window.Text || open.Tags["a"] != "b" {
		t.Errorf("%+v", open)
	}
	if (&drills.Environment{}).AnyTime().Window != nil {
		t.Error("no window is no reason to wake anybody")
	}
}

func isOpen(e *drills.Environment, at time.Time) bool {
	open, _ := e.Window.Open(at)
	return open
}
