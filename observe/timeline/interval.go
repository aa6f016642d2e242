package timeline

import "time"

// legs are the intervals, in their usual order: name, from, to.
func legs() []leg {
	return []leg{
		{"effective", "", Effective}, {"detect", Effective, Detected}, {"page", Effective, Paged},
		{"acknowledge", Paged, Acknowledged}, {"mitigate", Effective, Mitigated}, {"resolve", Effective, Resolved},
		{"restore", "", Restored},
	}
}

type leg struct {
	name     string
	from, to Name
}

// start is where an interval begins: effective from the first change, restore from the first revert.
func (s *sight) start(l leg) (span, Reason) {
	at := time.Time{}
	switch l.name {
	case "effective":
		at = s.applied
	case "restore":
		at = s.revert
	default:
		if x := s.found[l.from]; x != nil {
			return x.span, ""
		}
		return span{}, s.instant(l.from).Reason
	}
	if at.IsZero() {
		return span{}, NotYet
	}
	x := exactly(at)
	e := unsure(s.jumps, at)
	x.lo, x.hi = at.Add(-e), at.Add(e)
	return x, ""
}

// intervals: never a number without both ends, never a negative one.
func (s *sight) intervals(t *Timeline) (out []Interval) {
	for _, l := range legs() {
		i := Interval{Name: l.name}
		from, none := s.start(l)
		to := s.found[l.to]
		switch {
		case to == nil:
			i.Reason = t.Instant(l.to).Reason
			if until := t.Instant(l.to).Censored; none == "" && until.After(from.at) {
				i.CensoredS = until.Sub(from.at).Seconds()
			}
		case none != "":
			i.Reason = none
		case to.at.Before(from.at):
			i.Reason = Unknown // a correction contradicts what was read
		default:
			d, off := between(from, to.span)
			i.Known, i.Seconds, i.ErrorS = true, d.Seconds(), off.Seconds()
		}
		out = append(out, i)
	}
	return out
}

// Interval returns one of the seven, by name.
func (t Timeline) Interval(name string) Interval {
	for _, i := range t.Intervals {
		if i.Name == name {
			return i
		}
	}
	return Interval{Name: name, Reason: NotYet}
}

// verdicts decides every expectation. What did not happen is missed once its time has passed while the run looked,
// or when the run ended at its limit; else it is unknown.
func (s *sight) verdicts(t *Timeline) (out []Verdict) {
	until := s.ending.stopped
	if until.IsZero() {
		until = s.now
	}
	limit := !s.prepared.IsZero() && s.brief.LimitS > 0 && !until.Before(s.prepared.Add(seconds(s.brief.LimitS)))
	for _, x := range s.brief.Expect {
		v := Verdict{Name: x.Name, LimitS: x.LimitS, Verdict: "unknown"}
		i := t.Interval(x.Name)
		v.Known, v.ActualS, v.ErrorS, v.Reason = i.Known, i.Seconds, i.ErrorS, i.Reason
		switch {
		case i.Known && i.Seconds <= x.LimitS:
			v.Verdict = "met"
		case i.Known:
			v.Verdict = "missed"
		case x.Name == "acknowledge" && i.Reason == Unknown: // something did, and nobody knows whether a person
		case i.Reason == NotWatched || i.Reason == Reported || (s.effective == nil && x.Name != "effective"):
		case limit || s.overdue(x.Name, seconds(x.LimitS), until):
			v.Verdict = "missed"
		}
		out = append(out, v)
	}
	return out
}

// overdue says that the time for something has passed while somebody looked.
func (s *sight) overdue(name string, limit time.Duration, until time.Time) bool {
	for _, l := range legs() {
		if l.name == name {
			from, none := s.start(l)
			return none == "" && !until.Before(from.at.Add(limit))
		}
	}
	return false
}
