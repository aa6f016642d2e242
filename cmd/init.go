package cmd

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
)

const initHelp = `Write a firedrill.yaml with one environment, and a first drill in a folder beside it. What flags leave open is asked for on
a terminal: tables, queues and load balancers are listed from the account, services from PagerDuty where its token is there.
Secrets are named, never written: env:NAME, file:PATH, ssm:NAME or secretsmanager:ID.

  firedrill init --region eu-west-1 --team orders --service PORDERS --from drills@example.com --target dynamodb:orders

--target is what the drill breaks: dynamodb:TABLE takes fewer writes, sqs:QUEUE gets messages that nobody can read,
alb:BALANCER or alb:BALANCER/PORT answers with an error. The drill watches an alarm of the account that can see it, where there
is one. The account is that of the credentials. It is only read; where it cannot be reached, both files are written all the same.
Where firedrill.yaml exists, the drill is all that it writes.

--store dynamodb keeps the journal where every machine reads it, so that a run started on one is watched, aborted and
recovered from another. It makes the table in the environment's account: billed by the request, with point-in-time
recovery, protected against deletion. Where firedrill.yaml exists, the table is all that it makes:

  firedrill init --store dynamodb --env staging`

// environmentDraft is what init knows of an environment.
type environmentDraft struct {
	Env, Account, Role, Zone, Days, Hours string
	PagerRegion, Token, From, Owner       string
	Team, Service, Key                    string
	Regions                               []string
	Vars                                  map[string]string
	Store, Table                          string
	Endpoint, Target, URL                 string
	Tags                                  map[string]string
	keyGiven, teamGiven                   bool
}

func newInitCommand(d *Deps) *cobra.Command {
	var e environmentDraft
	var vars, tags []string
	c := &cobra.Command{
		Use: "init", Short: "Write a firedrill.yaml and a first drill for your staging", Long: initHelp + exits("4 the target suits no drill"), Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if c.Flags().Changed("table") && e.Store != "dynamodb" {
				return usage("--table names the journal's table, with --store dynamodb. Try: --target dynamodb:%s for a table to drill", e.Table)
			}
			e.keyGiven, e.teamGiven = c.Flags().Changed("key"), c.Flags().Changed("team")
			if e.Tags, err = e.tagsOf(tags); err != nil {
				return err
			}
			if e.Store != "sqlite" && e.Store != "dynamodb" {
				return usage("no store is called %q. Try: --store sqlite or --store dynamodb", e.Store)
			}
			if e.Vars, err = pairs(vars); err != nil {
				return err
			}
			return runInit(c.Context(), d, e)
		},
	}
	f := c.Flags()
	f.StringVar(&e.Account, "account", "", "AWS account of staging: twelve digits")
	f.StringSliceVar(&e.Regions, "region", nil, "AWS region; may be repeated (default: AWS_REGION)")
	f.StringVar(&e.Role, "role", "", "ARN of the role to assume there (default: none)")
	f.StringVar(&e.Team, "team", "orders", "name of the team that practises")
	f.StringVar(&e.Service, "service", "", "id of the team's PagerDuty service")
	f.StringVar(&e.Key, "key", "env:PAGERDUTY_KEY", "where firedrill's integration key of that service is kept")
	f.StringVar(&e.Token, "token", "env:PAGERDUTY_TOKEN", "where PagerDuty's REST token is kept")
	f.StringVar(&e.PagerRegion, "pager-region", "us", "service region of the PagerDuty account: us or eu")
	f.StringVar(&e.From, "from", "", "e-mail address of firedrill's own PagerDuty user")
	f.StringVar(&e.Owner, "owner", "env:OWNER_KEY", "where the integration key is kept that pages the owner when something is left in place")
	f.StringVar(&e.Zone, "zone", "UTC", "time zone of the hours")
	f.StringVar(&e.Days, "days", "mon-fri", "days on which people may be woken")
	f.StringVar(&e.Hours, "hours", "10:00-16:00", "hours in which people may be woken")
	f.StringVar(&e.Store, "store", "sqlite", "where the journal is kept: sqlite (this machine) or dynamodb (shared)")
	f.StringVar(&e.Table, "table", "firedrill", "name of the journal's table, with --store dynamodb")
	f.StringVar(&e.Target, "target", "", "what the first drill breaks: dynamodb:TABLE, sqs:QUEUE or alb:BALANCER[/PORT]")
	f.StringVar(&e.URL, "url", "", "address that answers 200 while all is well: the first drill's steady state")
	f.StringArrayVar(&tags, "tag", nil, "tag=value that every target carries; may be repeated (default: environment=ENVIRONMENT and firedrill=allowed)")
	f.StringVar(&e.Endpoint, "endpoint", "", "address in place of AWS's own, written as aws.endpoint (default: none; AWS_ENDPOINT_URL never counts)")
	f.StringArrayVar(&vars, "var", nil, "variable=value for the drills; may be repeated")
	return c
}

func runInit(ctx context.Context, d *Deps, e environmentDraft) error {
	path := d.config
	if path == "" {
		path = filepath.Join(d.Dir, drills.ConfigName)
	}
	if e.Store == "dynamodb" && e.Account == "" {
		if f, err := d.file(); err != nil || len(f.Environments) > 0 {
			if err == nil {
				err = initShared(ctx, d, f, e)
			}
			return err
		}
	}
	if e.Env = d.env; e.Env == "" {
		e.Env = "staging"
	}
	if err := e.refuseProduction(); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		if e.Target != "" {
			return d.initDrill(ctx, path, e)
		}
		return usage("%s exists, and is not overwritten. Try: --target dynamodb:TABLE for a drill of its own, or move it away", path)
	}
	if region := d.Getenv("AWS_REGION"); len(e.Regions) == 0 && region != "" {
		e.Regions = []string{region}
	}
	if err := e.wrong(); err != nil {
		return err
	}
	a, err := d.complete(ctx, &e)
	if err != nil {
		return err
	}
	first, err := d.firstDrill(ctx, a, e)
	if err != nil {
		if d.Terminal() { // what was answered is not asked twice
			fmt.Fprintln(d.Err, "again, with another target: "+e.again())
		}
		return err
	}
	src, err := e.render()
	if err != nil {
		return err
	}
	f, err := drills.ReadEnvironments(path, src)
	if err != nil {
		return &exitError{exitUsage, fmt.Errorf("not written, because it would not be valid:\n%w", err)}
	}
	env := f.Environments[e.Env]
	if e.Store == "dynamodb" {
		if _, err := d.makeTable(ctx, &env); err != nil {
			return err
		}
	}
	if err := d.writeFirst(path, src, first); err != nil {
		return err
	}
	return d.afterInit(ctx, a, &env, first)
}

// again is the command line that gives the answers so far.
func (e environmentDraft) again() string {
	words := []string{"firedrill init", "--account " + e.Account, "--region " + strings.Join(e.Regions, ","), "--service " + e.Service, "--from " + e.From, "--key " + e.Key}
	if e.URL != "" {
		words = append(words, "--url "+e.URL)
	}
	return strings.Join(words, " ")
}

// tagsOf are the tags that targets carry: those of the command line, else the environment's name and that drills are allowed.
func (e *environmentDraft) tagsOf(list []string) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	tags := map[string]string{}
	for _, kv := range list {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" || v == "" {
			return nil, usage("--tag %q. Try: --tag environment=staging", kv)
		}
		tags[k] = v
	}
	return tags, nil
}

// wanted are the tags that every target of the draft carries.
func (e environmentDraft) wanted() map[string]string {
	if len(e.Tags) > 0 {
		return e.Tags
	}
	return map[string]string{"environment": e.Env, "firedrill": "allowed"}
}

// refuseProduction refuses names that say production, before anything is asked or reached.
func (e environmentDraft) refuseProduction() error {
	named := []struct{ what, name string }{{"environment", e.Env}, {"target", e.Target}}
	for _, k := range slices.Sorted(maps.Keys(e.Tags)) {
		named = append(named, struct{ what, name string }{"tag " + k, e.Tags[k]})
	}
	for _, n := range named {
		if word, yes := drills.NamesProduction(n.name); yes {
			return usage("%s %q says %q: firedrill never touches production. Try: one of staging", n.what, n.name, word)
		}
	}
	return nil
}

// draft is the environment that the file would have so far, for who looks into its account.
func (e environmentDraft) draft() *drills.Environment {
	return &drills.Environment{Name: e.Env, Tags: e.wanted(),
		AWS:       drills.AWSSpec{Account: e.Account, Regions: e.Regions, Role: e.Role, Endpoint: e.Endpoint},
		PagerDuty: drills.PagerSpec{Region: e.PagerRegion, Token: e.Token, From: e.From},
		Store:     drills.StoreSpec{Kind: "sqlite"}}
}

// render writes the file as a person would.
func (e environmentDraft) render() ([]byte, error) {
	tmpl, err := template.New("firedrill.yaml").Funcs(template.FuncMap{
		"quote": quoteYAML, "join": strings.Join,
		"tags":   func(e environmentDraft) string { return flowYAML(e.wanted()) },
		"sorted": func(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) },
	}).Parse(environmentTemplate)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := tmpl.Execute(&b, e); err != nil {
		return nil, fmt.Errorf("write %s: %w", drills.ConfigName, err)
	}
	return []byte(b.String()), nil
}

// quoteYAML is a text that means itself in YAML, whatever is in it.
func quoteYAML(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}

// flowYAML is a mapping on one line.
func flowYAML(m map[string]string) string {
	var words []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		key := k
		if !plainKey.MatchString(k) {
			key = quoteYAML(k)
		}
		words = append(words, key+": "+quoteYAML(m[k]))
	}
	return "{" + strings.Join(words, ", ") + "}"
}

// plainKey is a key that YAML takes as it is.
var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

const environmentTemplate = `# Where firedrill may practise. Every key is told in docs/environment-file.md; check it with: firedrill validate
drills: [./drills]
environments:
  {{.Env}}:
    aws:
      account: {{quote .Account}}
      regions: [{{join .Regions ", "}}]
{{- if .Role}}
      role: {{quote .Role}}
{{- end}}
{{- if .Endpoint}}
      endpoint: {{quote .Endpoint}} # in place of AWS's own
{{- end}}
    tags: {{tags .}} # every target carries them, or is not touched
    window: {days: {{quote .Days}}, hours: {{quote .Hours}}, zone: {{quote .Zone}}} # when people may be woken
    pagerduty: {region: {{.PagerRegion}}, token: {{quote .Token}}, from: {{quote .From}}}
    owner: {key: {{quote .Owner}}} # paged for real when something is left in place
    teams:
      {{.Team}}: {service: {{.Service}}, key: {{quote .Key}}}
{{- if eq .Store "dynamodb"}}
    store: {dynamodb: {table: {{quote .Table}}, region: {{index .Regions 0}}}} # every machine reads the same journal
{{- end}}
{{- if .Vars}}
    vars:
{{- range sorted .Vars}}
      {{.}}: {{quote (index $.Vars .)}}
{{- end}}
{{- else}}
    # vars: {orders_table: staging-orders} # what drills call ${orders_table}
{{- end}}
`
