package inject

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// ErrorParams are the parameters of http.error: a load balancer's listener answers some of its requests itself,
// with an error. Path, host and header narrow each other; one of them must stand.
type ErrorParams struct {
	Listener string            `json:"listener" jsonschema:"description=ARN of a listener of an Application Load Balancer"`
	Path     string            `json:"path,omitempty" jsonschema:"description=Path pattern of the load balancer: * and ? are wild"`
	Host     string            `json:"host,omitempty" jsonschema:"description=Host name pattern: * and ? are wild"`
	Header   map[string]string `json:"header,omitempty" jsonschema:"description=Header names and patterns of their values"`
	Status   int               `json:"status,omitempty" jsonschema:"minimum=400,maximum=599,default=500"`
	Body     string            `json:"body,omitempty" jsonschema:"maxLength=1024"`
	Load     string            `json:"load,omitempty" jsonschema:"description=Requests a second that we send ourselves: for instance 5/s"`
}

// replying is the kind http.error.
type replying struct {
	balancers Balancers
	http      *http.Client
	metrics   getMetricData
	now       func() time.Time
	timing    Timing
}

func newReplying(c *Clients, t Timing) *replying {
	return &replying{balancers: c.ELB, http: visitor(), metrics: c.CloudWatch.GetMetricData, now: c.now, timing: t}
}

func (k *replying) kind() Kind {
	return Kind{New: k.new, Revert: k.revert, Settled: k.settled, Describe: k.describe, ByHand: k.byHand, Identity: k.identity}
}

// reply is one fixed response, about to be given.
type reply struct {
	*replying
	params ErrorParams
	rate   float64
}

var (
	_ Fault        = (*reply)(nil)
	_ Staged       = (*reply)(nil)
	_ Verifier     = (*reply)(nil)
	_ Witnessed    = (*reply)(nil)
	_ Loader       = (*reply)(nil)
	_ LastResorter = (*reply)(nil)
	_ Permitter    = (*reply)(nil)
	_ Mover        = (*reply)(nil)
	_ Floored      = (*reply)(nil)
	_ Costed       = (*reply)(nil)
)

// Limits of a rule: at most five condition values, patterns of at most 128 characters, 1024 of a body. One value
// is our own header's while the rule is staged.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
const (
	maxValues  = 5
	maxPattern = 128
	maxBody    = 1024
)

func (k *replying) new(raw json.RawMessage) (Fault, error) {
	f := &reply{replying: k}
	if err := decodeParams(KindError, raw, &f.params); err != nil {
		return nil, err
	}
	p := &f.params
	if p.Status == 0 {
		p.Status = http.StatusInternalServerError
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	rate, err := parseRate(p.Load)
	f.rate = rate
	return f, err
}

// check refuses parameters that no rule can be made of, or that would hit everything.
func (p *ErrorParams) check() error {
	switch {
	case !strings.Contains(p.Listener, ":listener/app/"):
		return Refuse("write the ARN of a listener of an Application Load Balancer", "listener %q is none", p.Listener)
	case p.Path == "" && p.Host == "" && len(p.Header) == 0:
		return Refuse("write path: /users*", "%s says neither path, host nor header: every request would fail", KindError)
	case p.Path != "" && !strings.HasPrefix(p.Path, "/") && !strings.HasPrefix(p.Path, "*"):
		return Refuse("write /"+p.Path, "path %q does not begin with /", p.Path)
	case p.Status < 400 || p.Status > 599:
		return Refuse("write a status from 400 to 599", "status %d is no error", p.Status)
	case len(p.Body) > maxBody:
		return Refuse("shorten it", "body has %d bytes, a fixed response at most %d", len(p.Body), maxBody)
	case len(p.Header)+count(p.Path)+count(p.Host)+1 > maxValues:
		return Refuse("name fewer headers", "a rule takes %d values, one of them ours", maxValues)
	}
	for name, value := range p.Header {
		if strings.EqualFold(name, "host") || strings.EqualFold(name, stageHeader) || name == "" || value == "" || len(value) > maxPattern {
			return Refuse("use host: for the host, another header else", "header %q with value %q cannot be matched", name, value)
		}
	}
	if len(p.Path) > maxPattern || len(p.Host) > maxPattern {
		return Refuse("shorten it", "a pattern has at most %d characters", maxPattern)
	}
	return nil
}

func count(s string) int {
	if s == "" {
		return 0
	}
	return 1
}
