package observe

import (
	"context"
	"fmt"
	"strings"
)

// AlarmProbe is the name of a CloudWatch alarm: state OK is ok, ALARM is bad; INSUFFICIENT_DATA and an alarm that is
// not there are unknown.
type AlarmProbe string

func (p *AlarmProbe) label() string { return "alarm " + string(*p) }

func (p *AlarmProbe) problems() []string {
	switch name := string(*p); {
	case strings.TrimSpace(name) == "":
		return []string{"alarm has no name"}
	case strings.HasSuffix(name, "*"):
		return []string{fmt.Sprintf("alarm %q: a probe looks at one alarm. Try: its whole name", name)}
	case len(name) > 255:
		return []string{"alarm: a name has at most 255 characters"}
	}
	return nil
}

func (p *AlarmProbe) probe(c Clients) (Probe, error) {
	if c.CloudWatch == nil {
		return nil, fmt.Errorf("probe %s: no CloudWatch client", p.label())
	}
	alarms, name := NewAlarms(c.CloudWatch), string(*p)
	ask := func(ctx context.Context) (Value, string) {
		found, err := alarms.Describe(ctx, []string{name})
		if err != nil {
			return Unknown, err.Error()
		}
		if len(found) == 0 {
			return Unknown, "there is no such alarm"
		}
		switch state := found[0].State; state {
		case "OK":
			return OK, "state OK"
		case "ALARM":
			return Bad, "state ALARM"
		default:
			return Unknown, "state " + state
		}
	}
	return &look{name: p.label(), timeout: ProbeTimeout, now: c.Now, ask: ask}, nil
}
