package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"charm.land/huh/v2"
	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
)

const initHelp = `Write a firedrill.yaml with one environment, and a folder for your drills beside it. What flags leave open is asked for
on a terminal. Secrets are named, never written: env:NAME, file:PATH, ssm:NAME or secretsmanager:ID.

  firedrill init --account 123456789012 --region eu-west-1 --team orders --service PORDERS --from drills@example.com

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
}

func newInitCommand(d *Deps) *cobra.Command {
	var e environmentDraft
	var vars []string
	c := &cobra.Command{
		Use: "init", Short: "Write a firedrill.yaml for your staging", Long: initHelp + exits(), Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
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
	f.StringVar(&e.Table, "table", "firedrill", "name of the table, with --store dynamodb")
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
	if _, err := os.Lstat(path); err == nil {
		return usage("%s exists, and is not overwritten. Try: move it away, or edit it", path)
	}
	if e.Env = d.env; e.Env == "" {
		e.Env = "staging"
	}
	if region := d.Getenv("AWS_REGION"); len(e.Regions) == 0 && region != "" {
		e.Regions = []string{region}
	}
	if err := d.complete(&e); err != nil {
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
	if env := f.Environments[e.Env]; e.Store == "dynamodb" {
		if _, err := d.makeTable(ctx, &env); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(filepath.Dir(path), "drills"), 0o755); err != nil {
		return fmt.Errorf("make the folder of drills: %w", err)
	}
	if err := writeNew(path, src); err != nil {
		return err
	}
	fmt.Fprintln(d.Out, d.short(path))
	fmt.Fprintf(d.Err, "Try next: firedrill new NAME --from orders-write-throttle · firedrill plan NAME --env %s\n", e.Env)
	return nil
}

// question is one thing that init must know.
type question struct {
	flag, title, example string
	into                 *string
}

// complete asks for what is missing; where nobody can answer, it names the flags.
func (d *Deps) complete(e *environmentDraft) error {
	region := strings.Join(e.Regions, ",")
	var open []question
	for _, q := range []question{
		{"account", "AWS account of staging (twelve digits)", "123456789012", &e.Account},
		{"region", "AWS region", "eu-west-1", &region},
		{"service", "Id of the PagerDuty service of team " + e.Team, "PORDERS", &e.Service},
		{"from", "E-mail address of firedrill's own PagerDuty user", "drills@example.com", &e.From},
	} {
		if *q.into == "" {
			open = append(open, q)
		}
	}
	if len(open) > 0 {
		if err := d.ask(open); err != nil {
			return err
		}
	}
	e.Regions = strings.FieldsFunc(region, func(r rune) bool { return r == ',' || r == ' ' })
	return nil
}

// ask puts questions to a person at a terminal.
func (d *Deps) ask(open []question) error {
	if !d.Terminal() {
		var flags []string
		for _, q := range open {
			flags = append(flags, "--"+q.flag+" "+q.example)
		}
		return usage("not enough is known of the environment, and nobody is here to ask. Try: firedrill init %s", strings.Join(flags, " "))
	}
	var fields []huh.Field
	for _, q := range open {
		// the example is no placeholder: huh cannot draw one on a terminal that is narrower
		fields = append(fields, huh.NewInput().Title(q.title).Description("such as "+q.example).Value(q.into).Validate(func(s string) error {
			if strings.TrimSpace(s) == "" {
				return errors.New("it is needed")
			}
			return nil
		}))
	}
	plain := d.Getenv("TERM") == "dumb" || d.Getenv("ACCESSIBLE") != "" // for screen readers: a question a line
	form := huh.NewForm(huh.NewGroup(fields...)).WithInput(d.In).WithOutput(d.Err).WithAccessible(plain)
	if err := form.Run(); err != nil {
		return errors.Join(usage("not asked to the end: nothing was written"), err)
	}
	for _, q := range open {
		*q.into = strings.TrimSpace(*q.into)
	}
	return nil
}

// render writes the file as a person would.
func (e environmentDraft) render() ([]byte, error) {
	tmpl, err := template.New("firedrill.yaml").Funcs(template.FuncMap{
		"quote": quoteYAML, "join": strings.Join,
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
    tags: {environment: {{quote .Env}}, firedrill: allowed} # every target carries them, or is not touched
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
