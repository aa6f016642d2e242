package observe

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// tree is a configuration with most of what a routing tree may have.
const tree = `
global: {resolve_timeout: 5m}
route:
  receiver: everybody
  group_by: [alertname, cluster]
  routes:
    - matchers: ['severity="info"']
      receiver: mail
    - match: {team: orders}
      match_re: {alertname: 'Orders.*|Stock.*'}
      receiver: orders
      group_wait: 1m30s
      continue: true
      routes:
        - {matchers: ['env=~"stag.*"', 'zone!="a\"b"'], receiver: staging, group_by: [...]}
    - matchers: [team="orders"]
      group_by: []
      group_wait: 0s
    - matchers: ['{owner="web", alertname!~"Page.*"}']
      receiver: web
      active_time_intervals: [office]
receivers:
  - {name: everybody, pagerduty_configs: [{routing_key: <secret>}]}
  - {name: mail, email_configs: [{to: a@example.com}]}
  - {name: orders, pagerduty_configs: [{routing_key: <secret>}, {routing_key: <secret>}]}
  - {name: staging, pagerduty_configs: [{routing_key: <secret>}]}
  - {name: web}
`

// told is a route in one line.
func told(r AlertmanagerRoute) string {
	text := fmt.Sprintf("%s %s after %s", r.Receiver, r.Group, r.Wait)
	if r.PagerDuty {
		text += " pages"
	}
	if r.Timed {
		text += " timed"
	}
	if r.Why != "" {
		text += " (" + r.Why + ")"
	}
	return text
}

func TestAlertmanagerKeys(t *testing.T) {
	labels := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for _, p := range pairs {
			k, v, _ := strings.Cut(p, "=")
			m[k] = v
		}
		return m
	}
	for name, c := range map[string]struct {
		labels map[string]string
		want   []string
	}{
		"nothing matches": {labels("alertname=Other", "severity=page", "team=web", "owner=x", "cluster=staging"),
			[]string{`everybody {}:{alertname="Other", cluster="staging"} after 30s pages`}},
		"a child": {labels("alertname=Other", "severity=info", "cluster=staging"),
			[]string{`mail {}/{severity="info"}:{alertname="Other", cluster="staging"} after 30s`}},
		"continue, and regular expressions with their anchors": {labels("alertname=OrdersFail", "severity=page", "team=orders", "env=prod", "zone=c", "cluster=s"), []string{
			`orders {}/{alertname=~"^(?:Orders.*|Stock.*)$",team="orders"}:{alertname="OrdersFail", cluster="s"} after 1m30s pages`,
			`everybody {}/{team="orders"}:{alertname="OrdersFail", cluster="s"} after 0s pages`}},
		"grouped by all": {labels("alertname=OrdersFail", "severity=page", "team=orders", "env=staging", "zone=c"), []string{
			`staging {}/{alertname=~"^(?:Orders.*|Stock.*)$",team="orders"}/{env=~"stag.*",zone!="a\"b"}:{alertname="OrdersFail", env="staging", severity="page", team="orders", zone="c"} after 1m30s pages (it is grouped by every label, and the drill may not name them all)`,
			`everybody {}/{team="orders"}:{alertname="OrdersFail"} after 0s pages (it is grouped by cluster too, which the drill does not name)`}},
		"at times": {labels("alertname=Cart", "severity=page", "team=web", "owner=web", "cluster=s"),
			[]string{`web {}/{alertname!~"Page.*",owner="web"}:{alertname="Cart", cluster="s"} after 30s timed`}},
		"nobody knows": {labels("alertname=Other", "team=x", "cluster=s"), []string{
			`mail {}/{severity="info"}:{alertname="Other", cluster="s"} after 30s (whether it comes here hangs on severity)`,
			`web {}/{alertname!~"Page.*",owner="web"}:{alertname="Other", cluster="s"} after 30s timed (whether it comes here hangs on owner, severity)`,
			`everybody {}:{alertname="Other", cluster="s"} after 30s pages (whether it comes here hangs on owner, severity)`}},
	} {
		routes, err := AlertmanagerKeys(tree, c.labels)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range routes {
			got = append(got, told(r))
			if r.Keyable != (r.Why == "") {
				t.Errorf("%s: %+v", name, r)
			}
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// The key that a real Alertmanager 0.25 was seen to page with.
func TestAlertmanagerKeyIsTheOneSeen(t *testing.T) {
	routes, err := AlertmanagerKeys("route: {receiver: pd, group_by: [alertname, service]}\nreceivers: [{name: pd, pagerduty_configs: [{}]}]",
		map[string]string{"alertname": "ProbeErrors", "service": "checkout", "severity": "critical"})
	if err != nil || len(routes) != 1 || !routes[0].Keyable || routes[0].Key != "18ede3cbf4b072b92d5b0628e731598b73db072a31f397c412b7a53975a87ea6" {
		t.Errorf("%+v %v", routes, err)
	}
}

func TestAlertmanagerConfigurationsThatCannotBeRead(t *testing.T) {
	for name, config := range map[string]string{
		"not YAML":   "route: [",
		"no route":   "receivers: []",
		"expression": `route: {receiver: x, routes: [{matchers: ['a=~"("']}]}`,
		"matcher":    `route: {receiver: x, routes: [{matchers: ['a']}]}`,
		"duration":   `route: {receiver: x, group_wait: soon}`,
	} {
		if routes, err := AlertmanagerKeys(config, map[string]string{"alertname": "X", "a": "b"}); err == nil {
			t.Errorf("%s: %+v", name, routes)
		}
	}
}

func TestMatchersAreReadAndWritten(t *testing.T) {
	for text, want := range map[string]string{
		`a=b`:                      `a="b"`,
		`a = "b, c"`:               `a="b, c"`,
		`{a="b",c!~"d|e"}`:         `a="b" c!~"d|e"`,
		`a="say \"hi\"\n\\"`:       `a="say \"hi\"\n\\"`,
		`"a"=""`:                   `a=""`,
		`  foo_1 =~ "x{2}" , b=c `: `foo_1=~"x{2}" b="c"`,
	} {
		list, err := parseMatchers(text)
		var got []string
		for _, m := range list {
			got = append(got, m.String())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %s %v, want %s", text, got, err, want)
		}
	}
}

func TestPrometheusDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "1h30m": 90 * time.Minute, "1d": 24 * time.Hour,
		"0": 0, "0s": 0, "500ms": 500 * time.Millisecond, "1w2d": 9 * 24 * time.Hour} {
		if got, err := promDuration(text); err != nil || got != want {
			t.Errorf("%s: %s %v", text, got, err)
		}
	}
	for _, text := range []string{"s", "5", "5x", "-5s"} {
		if got, err := promDuration(text); err == nil {
			t.Errorf("%s: %s", text, got)
		}
	}
}
