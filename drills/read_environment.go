package drills

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// The forms of what an environment holds.
var (
	accountForm  = regexp.MustCompile(`^[0-9]{12}$`)
	regionForm   = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
	roleForm     = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]+$`)
	queueARNForm = regexp.MustCompile(`^arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[\w-]+$`) // no .fifo: Scheduler takes standard queues
	pagerIDForm  = regexp.MustCompile(`^[A-Z0-9]{4,}$`)
	mailForm     = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
	slackForm    = regexp.MustCompile(`^(#[^\s#]+|[CG][A-Z0-9]{6,})$`)
	secretForm   = regexp.MustCompile(`^(env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*|ssm:/?[\w./-]+|secretsmanager:[\w+=.@:/-]+)$`)
	oidcForm     = regexp.MustCompile(`^(github|env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*)$`)
	tableForm    = regexp.MustCompile(`^[A-Za-z0-9_.-]{3}[A-Za-z0-9_.-]*$`) // 255 at most: compiling that costs every start a millisecond, and DynamoDB says it too
)

// The defaults of an environment, and the bounds of its durations.
const (
	defaultUndoPatience = 15 * time.Minute
	defaultSettle       = 10 * time.Minute
)

// environments reads the whole of firedrill.yaml.
func (r *reader) environments(n *node) *File {
	f := &File{Environments: map[string]Environment{}}
	r.object(n, "an environment file",
		field{"drills", "", func(v *node) {
			f.Drills = r.texts(v, "drills", func(v *node) string { return r.text(v, "a folder of drills") })
		}},
		field{"environments", "environments: {staging: {…}}", func(v *node) {
			if r.is(v, isMapping, "environments") && len(v.pairs) == 0 {
				r.wrong(v.at, "firedrill init", "environments is empty")
			}
			for _, p := range v.pairs {
				name := r.environmentName(p)
				f.Environments[name] = r.environment(name, p.value)
			}
		}})
	return f
}

// environmentName refuses names that nobody may have.
func (r *reader) environmentName(p pair) string {
	name := r.checkName(p.key, p.at, "environment", maxName)
	if p.key == "sandbox" {
		r.wrong(p.at, "staging", "sandbox is built in, and cannot be defined")
	}
	if word, yes := NamesProduction(p.key); yes {
		r.wrong(p.at, "a staging environment", "environment %q says %q: firedrill never touches production", p.key, word)
	}
	return name
}

func (r *reader) environment(name string, n *node) Environment {
	e := Environment{Name: name, Store: StoreSpec{Kind: "sqlite"}, UndoPatience: defaultUndoPatience, Settle: defaultSettle, Source: r.file}
	roles := []roleMark{}
	r.object(n, "an environment", append(r.daysOff(&e),
		field{"aws", `aws: {account: "123456789012", regions: [eu-west-1]}`, func(v *node) { e.AWS = r.aws(v, &roles) }},
		field{"tags", "tags: {environment: staging, firedrill: allowed}", func(v *node) { e.Tags = r.targetTags(v) }},
		field{"window", "", func(v *node) { e.Window = r.window(v) }},
		field{"pagerduty", `pagerduty: {token: "env:PAGERDUTY_TOKEN", from: drills@example.com}`, func(v *node) { e.PagerDuty = r.pagerduty(v) }},
		field{"owner", `owner: {key: "env:OWNER_KEY"}`, func(v *node) {
			r.object(v, "owner", field{"key", `key: "env:OWNER_KEY"`, func(v *node) { e.Owner = r.secret(v, "owner.key", "env:OWNER_KEY") }})
		}},
		field{"teams", `teams: {orders: {service: PORDERS, key: "env:ORDERS_KEY"}}`, func(v *node) { e.Teams = r.teams(v) }},
		field{"store", "", func(v *node) { e.Store = r.store(v) }},
		field{"deadman", "", func(v *node) { e.Deadman = r.deadman(v, &roles) }},
		field{"vars", "", func(v *node) { e.Vars = r.variables(v) }},
		field{"undo_patience", "", func(v *node) { e.UndoPatience = r.duration(v, "undo_patience", bounds{time.Minute, maxLimit}) }},
		field{"settle", "", func(v *node) { e.Settle = r.duration(v, "settle", bounds{0, maxLimit}) }},
		field{"open_incidents", "", func(v *node) { e.OpenIncidents = r.oneOf(v, "open_incidents", "high") }},
		field{"surprise", "", func(v *node) { e.Surprise = r.oneOf(v, "surprise", "allowed") }},
		field{"slack", "", func(v *node) { e.Slack = r.slack(v) }},
		field{"metrics", "", func(v *node) {
			r.object(v, "metrics", field{"pushgateway", "pushgateway: https://pushgateway.example.com", func(v *node) {
				e.Metrics.Pushgateway = r.url(v, "metrics.pushgateway")
			}})
		}},
		field{"people", "", func(v *node) { e.People = r.oneOf(v, "people", PeopleNamed, PeoplePseudonyms) }},
	)...)
	for _, role := range roles {
		if m := roleForm.FindStringSubmatch(role.arn); m != nil && e.AWS.Account != "" && m[1] != e.AWS.Account {
			r.wrong(role.at, "a role of account "+e.AWS.Account, "%s is of account %s, and the environment is account %s", role.what, m[1], e.AWS.Account)
		}
	}
	return e
}

// roleMark is a role whose account must be the environment's.
type roleMark struct {
	what, arn string
	at        place
}

// AccountOfRole is the account of a role's ARN; empty where it is none.
func AccountOfRole(arn string) string {
	if m := roleForm.FindStringSubmatch(arn); m != nil {
		return m[1]
	}
	return ""
}

func (r *reader) role(n *node, what string, roles *[]roleMark) string {
	arn := r.matching(n, what, roleForm, "the ARN of a role", `"arn:aws:iam::123456789012:role/firedrill"`)
	*roles = append(*roles, roleMark{what, arn, n.at})
	return arn
}

func (r *reader) aws(n *node, roles *[]roleMark) AWSSpec {
	var a AWSSpec
	r.object(n, "aws",
		field{"account", `account: "123456789012"`, func(v *node) { a.Account = r.account(v) }},
		field{"regions", "regions: [eu-west-1]", func(v *node) {
			a.Regions = r.texts(v, "aws.regions", func(v *node) string {
				return r.matching(v, "a region", regionForm, "one of AWS's", "eu-west-1")
			})
		}},
		field{"role", "", func(v *node) { a.Role = r.role(v, "aws.role", roles) }},
		field{"endpoint", "", func(v *node) { a.Endpoint = r.url(v, "aws.endpoint") }},
		field{"oidc", "", func(v *node) { a.OIDC = r.oidc(v) }})
	if a.OIDC != "" && a.Role == "" && !muted(n) {
		r.wrong(n.at, `role: "arn:aws:iam::123456789012:role/firedrill"`, "aws.oidc names no role that its tokens are for")
	}
	return a
}

// oidc reads where a CI job's identity token comes from.
func (r *reader) oidc(n *node) string {
	if n.kind == isText && oidcForm.MatchString(n.text) {
		return n.text
	}
	if !muted(n) {
		r.wrong(n.at, OIDCGitHub, "aws.oidc is github, or where the token stands: env:NAME or file:PATH, never the token itself")
	}
	return ""
}

// account reads twelve digits in quotes: without them YAML takes a number, and drops leading zeros.
func (r *reader) account(n *node) string {
	if n.kind != isNumber && n.kind != isText || n.plain || !accountForm.MatchString(n.text) {
		try := `"123456789012"`
		if accountForm.MatchString(n.text) {
			try = `"` + n.text + `"`
		}
		if !muted(n) {
			r.wrong(n.at, try, "an account is twelve digits in quotes")
		}
		return ""
	}
	return n.text
}

// targetTags reads the tags that every target carries. A value that names production is refused whatever else is said.
func (r *reader) targetTags(n *node) map[string]string {
	tags := map[string]string{}
	if r.is(n, isMapping, "tags") && len(n.pairs) == 0 {
		r.wrong(n.at, "{environment: staging, firedrill: allowed}", "tags is empty: without one nothing tells a target from any other")
	}
	for _, p := range n.pairs {
		value := r.text(p.value, "tag "+p.key)
		if word, yes := NamesProduction(value); yes {
			r.wrong(p.value.at, "staging", "tag %s says %q: firedrill never touches production", p.key, word)
		}
		tags[p.key] = value
	}
	return tags
}

// window reads when people may be woken; each part's mistake is told at its place.
func (r *reader) window(n *node) *Window {
	var days, hours, zone string
	before := len(r.found)
	r.object(n, "window",
		field{"days", "days: mon-fri", func(v *node) {
			days = r.text(v, "window.days")
			r.judge(v, days, "mon-fri", func() error { _, err := parseDays(days); return err })
		}},
		field{"hours", `hours: "10:00-16:00"`, func(v *node) {
			hours = r.text(v, "window.hours")
			r.judge(v, hours, `"10:00-16:00"`, func() error { _, _, err := parseHours(hours); return err })
		}},
		field{"zone", "zone: Europe/Berlin", func(v *node) {
			zone = r.text(v, "window.zone")
			r.judge(v, zone, "Europe/Berlin", func() error { _, err := parseZone(zone); return err })
		}})
	w, err := ParseWindow(days, hours, zone)
	if err != nil && len(r.found) == before && !muted(n) {
		r.wrong(n.at, "", "window: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return w
}

// judge tells an error about a text that is there.
func (r *reader) judge(n *node, text, try string, check func() error) {
	if text == "" {
		return
	}
	if err := check(); err != nil {
		r.wrong(n.at, try, "window.%s", err)
	}
}

func (r *reader) pagerduty(n *node) PagerSpec {
	p := PagerSpec{Region: "us"}
	r.object(n, "pagerduty",
		field{"region", "", func(v *node) { p.Region = r.oneOf(v, "pagerduty.region", "us", "eu") }},
		field{"token", `token: "env:PAGERDUTY_TOKEN"`, func(v *node) { p.Token = r.secret(v, "pagerduty.token", "env:PAGERDUTY_TOKEN") }},
		field{"from", "from: drills@example.com", func(v *node) {
			p.From = r.matching(v, "pagerduty.from", mailForm, "the e-mail address of firedrill's user there", "drills@example.com")
		}},
		field{"bots", "", func(v *node) {
			p.Bots = r.texts(v, "pagerduty.bots", func(v *node) string { return r.pagerID(v, "a bot", "PBOT1") })
		}},
		field{"accept", "", func(v *node) {
			p.Accept = r.texts(v, "pagerduty.accept", func(v *node) string { return r.oneOf(v, "pagerduty.accept", AcceptedVerdicts()...) })
		}},
		field{"notes", "", func(v *node) { p.Notes = r.oneOf(v, "pagerduty.notes", NotesIncident, NotesSlack) }},
		field{"webhook_secrets", "", func(v *node) {
			p.WebhookSecrets = r.texts(v, "pagerduty.webhook_secrets", func(v *node) string {
				return r.secret(v, "a webhook's secret", "env:PAGERDUTY_WEBHOOK_SECRET")
			})
		}})
	return p
}

// slack reads how teams are spoken to: as a bot, which can read what people answer, or through an incoming webhook.
func (r *reader) slack(n *node) SlackSpec {
	var s SlackSpec
	r.object(n, "slack",
		field{"token", "", func(v *node) { s.Token = r.secret(v, "slack.token", "env:SLACK_BOT_TOKEN") }},
		field{"webhook", "", func(v *node) { s.Webhook = r.secret(v, "slack.webhook", "env:SLACK_WEBHOOK") }})
	if len(n.pairs) != 1 && !muted(n) {
		r.wrong(n.at, `{token: "env:SLACK_BOT_TOKEN"}`, "slack has a token of a bot, or the webhook of a channel: one of them")
	}
	return s
}

func (r *reader) pagerID(n *node, what, example string) string {
	return r.matching(n, what, pagerIDForm, "an id of PagerDuty, as the end of its page's address has it", example)
}

func (r *reader) teams(n *node) map[string]Team {
	teams := map[string]Team{}
	if r.is(n, isMapping, "teams") && len(n.pairs) == 0 {
		r.wrong(n.at, `{orders: {service: PORDERS, key: "env:ORDERS_KEY"}}`, "teams is empty: nobody could be paged")
	}
	for _, p := range n.pairs {
		var t Team
		r.object(p.value, "team "+p.key,
			field{"service", "service: PORDERS", func(v *node) { t.Service = r.pagerID(v, "service", "PORDERS") }},
			field{"key", `key: "ssm:/firedrill/` + p.key + `"`, func(v *node) { t.Key = r.secret(v, "key", "ssm:/firedrill/orders") }},
			field{"slack", "", func(v *node) {
				t.Slack = r.matching(v, "slack", slackForm, "a channel, in quotes", `"#orders-alerts"`)
			}})
		teams[r.checkName(p.key, p.at, "team", maxName)] = t
	}
	return teams
}

// secret reads a reference to a secret. What stands there instead is never told: it may be the secret.
func (r *reader) secret(n *node, what, example string) string {
	if n.kind != isText || !secretForm.MatchString(n.text) {
		if !muted(n) {
			r.wrong(n.at, fmt.Sprintf("%q", example), "%s is not a reference: env:NAME, file:PATH, ssm:NAME or secretsmanager:ID, never the secret itself", what)
		}
		return ""
	}
	return n.text
}

func (r *reader) store(n *node) StoreSpec {
	if n.kind == isText {
		if n.text == "dynamodb" {
			r.wrong(n.at, "{dynamodb: {table: firedrill, region: eu-west-1}}", "the store dynamodb has a table and a region")
			return StoreSpec{}
		}
		return StoreSpec{Kind: r.oneOf(n, "store", "sqlite")}
	}
	s := StoreSpec{Kind: "dynamodb"}
	r.object(n, "store", field{"dynamodb", "sqlite, or {dynamodb: {table: firedrill, region: eu-west-1}}", func(v *node) {
		r.object(v, "store.dynamodb",
			field{"table", "table: firedrill", func(v *node) {
				s.Table = r.matching(v, "table", tableForm, "a table's name", "firedrill")
			}},
			field{"region", "region: eu-west-1", func(v *node) {
				s.Region = r.matching(v, "region", regionForm, "one of AWS's", "eu-west-1")
			}})
	}})
	return s
}

func (r *reader) deadman(n *node, roles *[]roleMark) DeadmanSpec {
	var d DeadmanSpec
	r.object(n, "deadman",
		field{"role", "", func(v *node) { d.Role = r.role(v, "deadman.role", roles) }},
		field{"dlq", "", func(v *node) {
			d.DLQ = r.matching(v, "deadman.dlq", queueARNForm, "the ARN of a standard queue", `"arn:aws:sqs:eu-west-1:123456789012:firedrill-deadman"`)
		}},
		field{"required", "", func(v *node) { d.Required = r.truth(v, "deadman.required") }})
	if d.Role == "" && (d.Required || d.DLQ != "") {
		r.wrong(n.at, `role: "arn:aws:iam::123456789012:role/firedrill-deadman"`, "deadman names no role that EventBridge Scheduler could assume")
	}
	return d
}

func (r *reader) variables(n *node) map[string]string {
	vars := map[string]string{}
	if !r.is(n, isMapping, "vars") {
		return vars
	}
	for _, p := range n.pairs {
		if !variableName.MatchString(p.key) {
			r.wrong(p.at, "orders_table", "variable %q is spelled in lower-case letters, digits and underscores", p.key)
		}
		vars[p.key] = r.text(p.value, "variable "+p.key)
	}
	return vars
}
