package observe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ProbeTimeout is how long a look may take unless the drill file says otherwise.
const ProbeTimeout = 3 * time.Second

// ProbeSpec is one probe as a drill file has it. Exactly one of its fields is set.
type ProbeSpec struct {
	HTTP       *HTTPProbe       `json:"http,omitempty" yaml:"http,omitempty"`
	Alarm      *AlarmProbe      `json:"alarm,omitempty" yaml:"alarm,omitempty"`
	SQS        *SQSProbe        `json:"sqs,omitempty" yaml:"sqs,omitempty"`
	CloudWatch *CloudWatchProbe `json:"cloudwatch,omitempty" yaml:"cloudwatch,omitempty"`

	PromQL       *PromQLProbe       `json:"promql,omitempty" yaml:"promql,omitempty"`
	Alertmanager *AlertmanagerProbe `json:"alertmanager,omitempty" yaml:"alertmanager,omitempty"`
	Incident     *IncidentProbe     `json:"incident,omitempty" yaml:"incident,omitempty"`
}

// kind is what every probe of a drill file can do.
type kind interface {
	label() string
	problems() []string
	probe(c Clients) (Probe, error)
}

// kinds lists the fields that are set.
func (s ProbeSpec) kinds() []kind {
	var set []kind
	if s.HTTP != nil {
		set = append(set, s.HTTP)
	}
	if s.Alarm != nil {
		set = append(set, s.Alarm)
	}
	if s.SQS != nil {
		set = append(set, s.SQS)
	}
	if s.CloudWatch != nil {
		set = append(set, s.CloudWatch)
	}
	if s.PromQL != nil {
		set = append(set, s.PromQL)
	}
	if s.Alertmanager != nil {
		set = append(set, s.Alertmanager)
	}
	if s.Incident != nil {
		set = append(set, s.Incident)
	}
	return set
}

// Label names the probe for people and in the journal: "http https://…/health".
func (s ProbeSpec) Label() string {
	set := s.kinds()
	if len(set) == 0 {
		return "nothing"
	}
	return set[0].label()
}

// Problems tells, in words, what is wrong with the spec; nil when nothing is. What holds a variable that is not filled
// in yet (${…}) is not judged.
func (s ProbeSpec) Problems() []string {
	set := s.kinds()
	switch {
	case len(set) == 0:
		return []string{"names no probe. Try: http, alarm, sqs, cloudwatch, promql, alertmanager or incident"}
	case len(set) > 1:
		return []string{"names several probes. Try: one to an item of the list"}
	}
	return set[0].problems()
}

// NewProbe makes the probe. It refuses what Problems would tell, and a spec whose client is not there.
func NewProbe(s ProbeSpec, c Clients) (Probe, error) {
	if found := s.Problems(); len(found) > 0 {
		return nil, fmt.Errorf("probe %s: %s", s.Label(), strings.Join(found, "; "))
	}
	if c.Now == nil {
		return nil, fmt.Errorf("probe %s: no clock", s.Label())
	}
	return s.kinds()[0].probe(c)
}

// look is a probe made of a name, a time-out and one question.
type look struct {
	name    string
	timeout time.Duration
	now     func() time.Time
	ask     func(ctx context.Context) (Value, string)
	tell    func(ctx context.Context) Reading // in the place of ask, where the source says since when
}

var _ Probe = (*look)(nil)

// Label names it.
func (l *look) Label() string { return l.name }

// Read asks once, within the time-out. A panic of a client is a reading too: a probe must not end a drill.
func (l *look) Read(ctx context.Context) (r Reading) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	from := l.now()
	defer func() {
		if p := recover(); p != nil {
			r = Reading{Value: Unknown, Why: fmt.Sprintf("the probe broke: %v", p)}
		}
		r.From, r.To = from, l.now()
	}()
	if l.tell != nil {
		r = l.tell(ctx)
	} else {
		r.Value, r.Why = l.ask(ctx)
	}
	if r.Value == Unknown && ctx.Err() != nil {
		r.Value, r.Why = Unknown, silence(ctx, l.timeout)
	}
	return r
}

// silence says why there is no answer.
func silence(ctx context.Context, timeout time.Duration) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s", timeout)
	}
	return "the look was called off"
}

// open says that a text still holds a variable.
func open(s string) bool { return strings.Contains(s, "${") }

// judge turns a number into a reading.
func judge(what string, v float64, want comparison) (Value, string) {
	if want.holds(v) {
		return OK, fmt.Sprintf("%s is %s", what, number(v))
	}
	return Bad, fmt.Sprintf("%s is %s, want %s", what, number(v), want)
}

// tooShort names a time-out that cannot work.
func tooShort(s Span) []string {
	if s < 0 || s > Span(time.Minute) {
		return []string{fmt.Sprintf("timeout %s is not between 0 and 1m. Try: timeout: 3s", time.Duration(s))}
	}
	return nil
}
