package observe

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AlertmanagerRoute is one way that an alert takes through Alertmanager.
type AlertmanagerRoute struct {
	Receiver  string
	PagerDuty bool          // the receiver tells PagerDuty
	Key       string        // dedup key of the page: sha256 of Group, in hex
	Group     string        // the group's key: the route's matchers and the group's labels
	Wait      time.Duration // group_wait: from the alert to the page
	Keyable   bool          // the alert surely takes this way, under this key
	Why       string        // why it is not Keyable
	Timed     bool          // at some times of the week it is muted
}

// Alertmanager's own defaults: https://prometheus.io/docs/alerting/latest/configuration/#route
const groupWait = 30 * time.Second

// way is what a node takes over from its parents.
type way struct {
	key, receiver string
	groupBy       []string
	wait          time.Duration
	timed         bool
	open          []string // labels that hang on whether the alert comes here
}

// AlertmanagerKeys walks the routing tree of a configuration (config.original of /api/v2/status) and foretells under
// which keys an alert with these labels pages. The labels are those that are known: what a route asks beyond them
// cannot be told, so every way that the alert may take is in the answer, and Keyable says whether it surely does. A
// key that is not Keyable is right as far as it goes: nothing else has it by chance.
func AlertmanagerKeys(config string, labels map[string]string) ([]AlertmanagerRoute, error) {
	c, err := parseRouting(config)
	if err != nil {
		return nil, err
	}
	var out []AlertmanagerRoute
	add := func(w way) { out = append(out, w.route(c, labels)) }
	if _, err := c.root.walk(way{wait: groupWait}, labels, add); err != nil {
		return nil, err
	}
	return out, nil
}

// list reads all three ways of writing them. The oldest writes regular expressions into the key with their anchors.
func (c conditions) list() (list []matcher, err error) {
	for _, name := range sortedNames(c.match) {
		list = append(list, matcher{name: name, op: "=", value: c.match[name]})
	}
	for _, name := range sortedNames(c.matchRE) {
		m, err := newMatcher(name, "=~", "^(?:"+c.matchRE[name]+")$")
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	for _, text := range c.matchers {
		more, err := parseMatchers(text)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	sortMatchers(list)
	return list, nil
}

// walk goes down the tree, depth first: an alert ends where no child takes it, and at the first child that does unless
// that one continues.
func (r *route) walk(from way, labels map[string]string, add func(way)) (belief, error) {
	list, err := r.list()
	if err != nil {
		return noMatch, err
	}
	here, open := matchAll(list, labels)
	if here == noMatch {
		return noMatch, nil
	}
	from.open = append(slices.Clone(from.open), open...)
	if err := r.inherit(&from, list); err != nil {
		return noMatch, err
	}
	taken, self := noMatch, from
	for i := range r.routes {
		child := &r.routes[i]
		took, err := child.walk(from, labels, add)
		switch {
		case err != nil:
			return noMatch, err
		case took == isMatch && !child.keeps:
			return here, nil
		case took == maybeMatch:
			self.open = append(slices.Clone(self.open), child.asks(labels)...)
			if !child.keeps {
				from.open = append(slices.Clone(from.open), child.asks(labels)...) // so does whether it goes on past it
			}
		}
		taken = max(taken, took)
	}
	if taken != isMatch {
		add(self)
	}
	return here, nil
}

// asks are the labels that hang on whether an alert is taken here.
func (r *route) asks(labels map[string]string) []string {
	list, err := r.list()
	if err != nil {
		return nil // told before
	}
	_, open := matchAll(list, labels)
	return open
}

// inherit takes over what the node says itself.
func (r *route) inherit(w *way, list []matcher) error {
	texts := make([]string, len(list))
	for i, m := range list {
		texts[i] = m.String()
	}
	if w.key != "" {
		w.key += "/"
	}
	w.key += "{" + strings.Join(texts, ",") + "}"
	if r.receiver != "" {
		w.receiver = r.receiver
	}
	if len(r.groupBy) > 0 { // an empty list is none: it inherits
		w.groupBy = r.groupBy
	}
	w.timed = r.timed
	if r.wait != "" {
		d, err := promDuration(r.wait)
		if err != nil {
			return fmt.Errorf("group_wait: %w", err)
		}
		w.wait = d
	}
	return nil
}

// route makes the answer of a way that has ended.
func (w way) route(c routing, labels map[string]string) AlertmanagerRoute {
	out := AlertmanagerRoute{Receiver: w.receiver, Wait: w.wait, Timed: w.timed, PagerDuty: c.paging[w.receiver]}
	var group, missing []string
	all := slices.Contains(w.groupBy, "...")
	for _, name := range sortedNames(labels) {
		if (all || slices.Contains(w.groupBy, name)) && labels[name] != "" {
			group = append(group, name+"="+strconv.Quote(labels[name]))
		}
	}
	for _, name := range w.groupBy {
		if _, known := labels[name]; !known && name != "..." && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	out.Group = w.key + ":{" + strings.Join(group, ", ") + "}"
	sum := sha256.Sum256([]byte(out.Group))
	out.Key = hex.EncodeToString(sum[:])
	slices.Sort(w.open)
	switch open := slices.Compact(w.open); {
	case len(open) > 0:
		out.Why = "whether it comes here hangs on " + strings.Join(open, ", ")
	case all:
		out.Why = "it is grouped by every label, and the drill may not name them all"
	case len(missing) > 0:
		slices.Sort(missing)
		out.Why = "it is grouped by " + strings.Join(missing, ", ") + " too, which the drill does not name"
	default:
		out.Keyable = true
	}
	return out
}

// promDuration reads a duration as Prometheus writes it: 30s, 1h30m, 1d.
func promDuration(text string) (time.Duration, error) {
	units := []struct {
		name string
		d    time.Duration
	}{{"ms", time.Millisecond}, {"y", 365 * 24 * time.Hour}, {"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour},
		{"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	var sum time.Duration
	for rest := text; rest != "" && rest != "0"; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.Atoi(rest[:digits])
		if err != nil {
			return 0, fmt.Errorf("%q is no duration", text)
		}
		rest = rest[digits:]
		i := slices.IndexFunc(units, func(u struct {
			name string
			d    time.Duration
		}) bool {
			return strings.HasPrefix(rest, u.name)
		})
		if i < 0 {
			return 0, fmt.Errorf("%q is no duration", text)
		}
		rest = rest[len(units[i].name):]
		sum += time.Duration(n) * units[i].d
	}
	return sum, nil
}
