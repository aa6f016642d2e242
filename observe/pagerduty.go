package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Time-outs of a whole call, waits for a rate limit included. A page may take longer than a look.
const (
	pagerReadTime = 30 * time.Second
	pagerSendTime = 90 * time.Second
)

// PagerOptions says which PagerDuty to speak to, and as whom. Token is a secret: printing the options does not show it.
type PagerOptions struct {
	Region string // us or eu; no other hosts are ever spoken to
	API    string // base of the REST API of a sandbox on loopback, in place of the region's; goes with Events
	Events string // base of the Events API v2 there: /v2/enqueue is added
	Token  string // REST API key, or a scoped OAuth token (pdus+…, pdeu+…); may be empty where only Send and Resolve are used
	From   string // e-mail address of our bot user: PagerDuty names it as the author of our notes
	Bots   []string
	HTTP   *http.Client                               // nil is a plain client of our own
	Now    func() time.Time                           // required
	Wait   func(context.Context, time.Duration) error // nil waits in real time
}

// String tells region and sender, never the token.
func (o PagerOptions) String() string {
	return fmt.Sprintf("PagerDuty region=%s from=%s token=%s", o.Region, o.From, redacted)
}

// GoString is String, for %#v.
func (o PagerOptions) GoString() string { return o.String() }

// PagerDuty speaks to PagerDuty. It never acknowledges, changes nothing of an incident by the REST API but its type
// (Mark) and its notes, and resolves its own page only. Its zero value is of no use: NewPagerDuty makes one. It may be used from several goroutines.
type PagerDuty struct {
	region string
	from   string
	bots   map[string]bool
	api    string
	events string
	wire   *wire
	now    func() time.Time
	shelf  *alertShelf

	settings *settingsShelf
}

var _ Pager = (*PagerDuty)(nil)

// String names the region alone.
func (p *PagerDuty) String() string { return "PagerDuty region=" + p.region }

// GoString is String, for %#v.
func (p *PagerDuty) GoString() string { return p.String() }

// NewPagerDuty checks the options and makes a client; it speaks to nobody yet.
func NewPagerDuty(o PagerOptions) (*PagerDuty, error) {
	api, events, err := o.bases()
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		return nil, errors.New("set up PagerDuty: no clock")
	}
	if strings.ContainsFunc(o.Token+o.From, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, &Problem{Op: "set up PagerDuty", Why: "token or from holds a line break or another control character",
			Try: "look for a stray newline in the secret"}
	}
	if other := map[string]string{"us": "pdeu+", "eu": "pdus+"}[o.Region]; o.API == "" && strings.HasPrefix(o.Token, other) {
		return nil, &Problem{Op: "set up PagerDuty", Why: "the token is of another region than " + o.Region,
			Try: "set pagerduty.region to us or eu, as the account is"}
	}
	if o.Wait == nil {
		o.Wait = waitFor
	}
	p := &PagerDuty{
		region: o.Region, from: o.From, bots: map[string]bool{}, api: api, events: events, now: o.Now,
		wire: newWire(o, api, events), shelf: &alertShelf{}, settings: &settingsShelf{},
	}
	for _, id := range o.Bots {
		p.bots[id] = true
	}
	return p, nil
}

// bases are the two addresses we speak to: a region's, or a sandbox's.
// https://support.pagerduty.com/main/docs/service-regions
func (o PagerOptions) bases() (api, events string, err error) {
	bad := func(why, try string) (string, string, error) {
		return "", "", &Problem{Op: "set up PagerDuty", Why: why, Try: try}
	}
	if o.API != "" || o.Events != "" {
		if o.API == "" || o.Events == "" {
			return bad("API and events addresses go together: one of them is missing", "")
		}
		for _, base := range []string{o.API, o.Events} {
			if !loopback(base) {
				return bad(fmt.Sprintf("%q is not on this machine: another address is for a sandbox only", base), "set pagerduty.region to us or eu")
			}
		}
		return strings.TrimSuffix(o.API, "/"), strings.TrimSuffix(o.Events, "/"), nil
	}
	switch o.Region {
	case "us":
		return "https://api.pagerduty.com", "https://events.pagerduty.com", nil
	case "eu":
		return "https://api.eu.pagerduty.com", "https://events.eu.pagerduty.com", nil
	}
	return bad(fmt.Sprintf("there is no region %q", o.Region), "set pagerduty.region to us or eu")
}

// loopback says that a base is on this machine.
func loopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	host := u.Hostname()
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// idForm is the form of PagerDuty's ids. What is not of it never gets into a path: an empty id would be another call.
var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// checkID refuses what cannot be an id.
func checkID(op, what, id string) error {
	if idForm.MatchString(id) {
		return nil
	}
	return &Problem{Op: op, Why: fmt.Sprintf("%q is no id of a PagerDuty %s", plain(id), what), Try: "copy it from the address of its page, such as P1ABCDE"}
}

// waitFor waits in real time.
func waitFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// listen has told called with every request made of the REST API from now on; the caller's turn is held meanwhile, so
// it must be quick and must not call PagerDuty.
func (p *PagerDuty) listen(told toldFunc) { p.wire.told.Store(&told) }

// Date looks at PagerDuty's clock, for MeasureClock: one small question, never repeated, and any answer has a date.
func (p *PagerDuty) Date(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, dateTimeout)
	defer cancel()
	a, err := p.wire.once(ctx, call{op: "look at PagerDuty's clock", method: http.MethodGet, url: p.api + "/abilities"})
	if err != nil {
		return time.Time{}, err
	}
	return DateOf(a.header)
}
