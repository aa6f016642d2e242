package cmd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/firedrill/firedrill/drills"
)

// firstDrill is the drill that init writes beside the environment.
type firstDrill struct {
	*drills.First
	Name, Team, URL string
	Target          target
	src             []byte
}

// firstDrill makes the first drill on the draft's target; nil where it names none. Where the account can be read, a target
// that suits no drill is refused before anything is written.
func (d *Deps) firstDrill(ctx context.Context, a *account, e environmentDraft) (*firstDrill, error) {
	if e.Target == "" {
		return nil, nil
	}
	service, name, err := splitTarget(e.Target)
	if err != nil {
		return nil, err
	}
	if _, _, region := targetARN(e.Target); region != "" && !slices.Contains(e.Regions, region) {
		return nil, usage("%s lies in %s, the environment in %s. Try: --target %s:NAME for one of there", e.Target, region, strings.Join(e.Regions, ", "), service)
	}
	if err := e.refuseProduction(); err != nil { // of what was typed
		return nil, err
	}
	path, err := pathOf(e.URL)
	if err != nil {
		return nil, err
	}
	f := &firstDrill{Team: e.Team, URL: e.URL, Target: named(service, name)}
	if err := d.lookAtFirst(ctx, a, f, path); err != nil {
		return nil, err
	}
	f.Name = drillName(f.Target)
	f.src, err = f.render()
	if err == nil {
		_, err = drills.ReadDrill(f.Name+".yaml", f.src, d.kinds())
	}
	if err != nil {
		return nil, fmt.Errorf("not written, because it would not be valid:\n%w", err)
	}
	return f, nil
}

// lookAtFirst looks at the target and at the alarms that could see it broken. What cannot be looked at is no error: the
// drill is written all the same, and says so.
func (d *Deps) lookAtFirst(ctx context.Context, a *account, f *firstDrill, path string) (err error) {
	defer d.meanwhile("looking at the account")()
	meant := f.Target
	if err = a.lost; err == nil {
		f.Target, err = a.find(ctx, meant.Service, meant.Name)
	}
	var no *drills.Refusal
	if errors.As(err, &no) {
		return no
	}
	if err != nil {
		meant.Unread = err.Error()
		f.Target = meant
	}
	fault := drills.FirstFault(f.Target, path)
	f.First = drills.FirstDrill(fault)
	f.Why = "the account was not read, so no alarm was looked at"
	if f.Target.Unread != "" {
		if f.Target.Service == "alb" {
			return usage("a load balancer's listener has an ARN that only the account tells, and it was not read: %s. Try: again with credentials, or another target", f.Target.Unread)
		}
		return nil
	}
	first, err := a.steps.First(ctx, fault, d.newRun())
	switch {
	case errors.As(err, &no) && no.Later: // it may be another day
		f.Why = no.Why
	case err != nil:
		return err
	default:
		f.First = first
	}
	return nil
}

// splitTarget reads dynamodb:TABLE, sqs:QUEUE or alb:BALANCER[/PORT].
func splitTarget(s string) (service, name string, err error) {
	service, name, _ = strings.Cut(s, ":")
	if s, n, _ := targetARN(s); s != "" {
		service, name = s, n
	}
	if !slices.Contains(targetServices(), service) || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' }) {
		return "", "", usage("--target %q. Try: dynamodb:TABLE, sqs:QUEUE or alb:BALANCER/PORT", s)
	}
	return service, name, nil
}

// targetARN is the target that an ARN names, and its region, for whoever copies one; the service is empty where it names none.
func targetARN(s string) (service, name, region string) {
	at := strings.Index(s, "arn:")
	if at < 0 {
		return "", "", ""
	}
	part := strings.SplitN(s[at:], ":", 6)
	if len(part) < 6 {
		return "", "", ""
	}
	switch rest := strings.Split(part[5], "/"); {
	case part[2] == "dynamodb" && len(rest) == 2 && rest[0] == "table":
		return "dynamodb", rest[1], part[3]
	case part[2] == "sqs" && len(rest) == 1:
		return "sqs", rest[0], part[3]
	case part[2] == "elasticloadbalancing" && len(rest) == 4 && rest[0] == "loadbalancer" && rest[1] == "app":
		return "alb", rest[2], part[3]
	}
	return "", "", ""
}

// pathOf is the path of an address, which a load balancer's drill answers.
func pathOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || address != "" && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return "", usage("--url %q is no address. Try: https://orders.staging.example.com/health", address)
	}
	return u.Path, nil
}

// notInName is what a drill's name cannot have.
var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// drillName is a name of the target's own, under which nothing is shipped.
func drillName(t target) string {
	base, _, _ := strings.Cut(t.Name, "/") // without a listener's port
	base = strings.Trim(notInName.ReplaceAllString(strings.ToLower(base), "-"), "-")
	end := map[string]string{"dynamodb": "-throttled", "sqs": "-poisoned", "alb": "-errors"}[t.Service]
	if base == "" || base[0] < 'a' {
		base = "first-" + base
	}
	return strings.TrimRight(base[:min(len(base), 40)], "-") + end
}

// What is not the same for each kind of target.
type firstWords struct{ Title, Scenario, ID, Noun string }

func (f *firstDrill) Words() firstWords {
	name := f.Target.Name
	switch f.Target.Service {
	case "dynamodb":
		return firstWords{"Writes of " + name + " are throttled", "Writes of the table " + name + " fail now and then, and it gets worse.", "throttle", "table " + name}
	case "sqs":
		return firstWords{"Messages of " + name + " are not processed", "Some messages of the queue " + name + " come back again and again, and nobody knows what became of them.", "poison", "queue " + name}
	}
	return firstWords{"Requests to " + name + " are answered with errors", "People see an error page where the service was a minute ago.", "error", "load balancer " + name}
}

// Params is the fault's own line.
func (f *firstDrill) Params() (string, error) {
	var all map[string]any
	if err := json.Unmarshal(f.Fault.Params, &all); err != nil {
		return "", err
	}
	var words []string
	for _, k := range []string{"table", "queue", "listener", "path", "writes", "messages", "status", "load"} { // as people tell them
		switch v := all[k].(type) {
		case nil:
		case string:
			words = append(words, k+": "+literal(v))
		default:
			words = append(words, fmt.Sprintf("%s: %v", k, v))
		}
	}
	return "{" + strings.Join(words, ", ") + "}", nil
}

// literal is a text of a drill that means itself: no quote ends it, and no ${…} in it is a variable.
func literal(s string) string { return strings.ReplaceAll(quoteYAML(s), "${", "$${") }

// Expectations are the times, in the order in which they are met.
func (f *firstDrill) Expectations() string {
	var words []string
	for _, x := range []struct {
		name string
		d    time.Duration
	}{{"effective", f.Expect.Effective}, {"detect", f.Expect.Detect}, {"acknowledge", f.Expect.Acknowledge}, {"mitigate", f.Expect.Mitigate}, {"resolve", f.Expect.Resolve}} {
		switch {
		case x.d == 0, x.name == "detect" && f.Alarm == "", x.name == "mitigate" && f.URL == "":
			continue
		}
		words = append(words, x.name+": "+minutes(x.d))
	}
	return "{" + strings.Join(words, ", ") + "}"
}

func minutes(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

func (f *firstDrill) render() ([]byte, error) {
	tmpl, err := template.New("drill").Funcs(template.FuncMap{"quote": literal, "minutes": minutes, "oneline": func(s string) string {
		return strings.Join(strings.Fields(s), " ")
	}}).Parse(firstTemplate)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := tmpl.Execute(&b, f); err != nil {
		return nil, fmt.Errorf("write drill %s: %w", f.Name, err)
	}
	return []byte(b.String()), nil
}

const firstTemplate = `# {{.Name}}: a first drill on {{.Words.Noun}}, made by firedrill init. It is yours now: change it.
drill: {{.Name}}
title: {{quote .Words.Title}}
scenario: {{quote .Words.Scenario}}
team: {{.Team}}
# What helps who is paged, once you have it:
# runbook: https://wiki.example.com/…
# look: [{dashboard: "https://…"}]
# hints: [{after: 5m, say: "…"}]
{{- if .URL}}
steady_state: # must hold before anything is touched, and again at the end
  - http: {url: {{quote .URL}}, status: 200}
{{- else}}
# No steady_state: nothing says that all was well before, and mitigation cannot be measured. For instance:
# steady_state: [{http: {url: "https://…/health", status: 200}}]
{{- end}}
faults:
  - {id: {{.Fault.ID}}, {{.Fault.Kind}}: {{.Params}}}
{{- if .Alarm}}
watch: # detection: {{oneline .Why}}
  - alarm: {{quote .Alarm}}
{{- else}}
# Nothing under watch: {{oneline .Why}}
{{- end}}
{{- if .Ripples}}
ripples: [{{range $i, $r := .Ripples}}{{if $i}}, {{end}}{{quote $r}}{{end}}] # moved too: noted, never a reason to abort
{{- end}}
{{- if and .Alarm .Pages}}
page: {when: alarm, fallback: {{minutes .Expect.Detect}}} # the alarm pages; if it stays silent, we do
{{- else}}
page: {when: direct} # we page as soon as the fault is felt: no alarm would
{{- end}}
expect: {{.Expectations}}
limit: {{minutes .Limit}} # nothing is left in place beyond it
`

// writeFirst writes what init has made, both or none.
func (d *Deps) writeFirst(path string, src []byte, first *firstDrill) error {
	folder := filepath.Join(filepath.Dir(path), "drills")
	_, err := os.Lstat(folder)
	made := errors.Is(err, os.ErrNotExist)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make the folder of drills: %w", err)
	}
	undo := func(err error) error {
		if made {
			err = errors.Join(err, os.Remove(folder))
		}
		return err
	}
	drill := ""
	if first != nil {
		drill = filepath.Join(folder, first.Name+".yaml")
		if err := writeNew(drill, first.src); err != nil {
			return undo(err)
		}
	}
	if err := writeNew(path, src); err != nil {
		if drill != "" {
			err = errors.Join(err, os.Remove(drill))
		}
		return undo(err)
	}
	for _, p := range []string{path, drill} {
		if p != "" {
			fmt.Fprintln(d.Out, d.short(p))
		}
	}
	return nil
}

// initDrill writes a drill for an environment that stands in a file already.
func (d *Deps) initDrill(ctx context.Context, path string, e environmentDraft) error {
	f, err := drills.LoadConfig(path)
	if err != nil {
		return badInput(err)
	}
	name, err := d.environmentName(f)
	if err != nil {
		return err
	}
	env, ok := f.Environments[name]
	if !ok {
		return unknownEnvironment(f, name)
	}
	teams := slices.Sorted(maps.Keys(env.Teams))
	if len(teams) == 1 && !e.teamGiven {
		e.Team = teams[0]
	}
	if !slices.Contains(teams, e.Team) {
		return usage("environment %s has no team %q. Try: --team %s", name, e.Team, strings.Join(teams, " or --team "))
	}
	e.Env, e.Tags, e.Regions = name, env.Tags, env.AWS.Regions
	a := d.lookInto(ctx, &env)
	if a.lost != nil {
		fmt.Fprintf(d.Err, "the account is not reached, so nothing is looked at: %v\n", a.lost)
	}
	first, err := d.firstDrill(ctx, a, e)
	if err != nil {
		return err
	}
	folder := filepath.Join(filepath.Dir(path), "drills")
	if len(f.Drills) > 0 {
		folder = f.Drills[0]
	}
	file := filepath.Join(folder, first.Name+".yaml")
	if err := writeNew(file, first.src); err != nil {
		return err
	}
	fmt.Fprintln(d.Out, d.short(file))
	return d.afterInit(ctx, a, &env, first)
}

// afterInit says what stands between what was written and the first run, with the command that mends each.
func (d *Deps) afterInit(ctx context.Context, a *account, env *drills.Environment, first *firstDrill) error {
	if first == nil {
		fmt.Fprintf(d.Err, "Try next: firedrill init --target dynamodb:TABLE for a first drill · firedrill new NAME --from orders-write-throttle · firedrill doctor --env %s\n", env.Name)
		return nil
	}
	if a.lost != nil {
		fmt.Fprintf(d.Err, "nothing was looked at, so whether it may run is not known.\nTry next: firedrill doctor --env %s, then firedrill plan %s --env %[1]s\n", env.Name, first.Name)
		return nil
	}
	if first.Target.Unread != "" {
		fmt.Fprintf(d.Err, "%s was not read: %s\n", first.Words().Noun, first.Target.Unread)
	} else {
		fmt.Fprintf(d.Err, "%s: %s\n", first.Words().Noun, first.Target.Says)
	}
	if first.Alarm != "" {
		fmt.Fprintf(d.Err, "watches alarm %s: %s\n", first.Alarm, first.Why)
	} else {
		fmt.Fprintf(d.Err, "watches nothing, and firedrill pages by itself: %s\n", first.Why)
	}
	untagged := first.Target.Untagged(env.Tags)
	if at := env.AWS.Endpoint; at != "" {
		for i := range untagged {
			untagged[i] += " --endpoint-url " + at
		}
	}
	if len(untagged) > 0 {
		fmt.Fprintf(d.Err, "in the way: it does not carry the environment's tags. Try, if it may be broken on purpose:\n  %s\n", strings.Join(untagged, "\n  "))
	}
	if no := d.tryPlan(ctx, env, first); no != nil {
		if !(no.Code == "tags" && len(untagged) > 0) {
			fmt.Fprintf(d.Err, "%s: %s. Try: %s\n", cmp.Or(map[bool]string{true: "not now"}[no.Later], "in the way"), no.Why, no.Try)
		}
		fmt.Fprintf(d.Err, "Try next: firedrill doctor --env %s, then firedrill plan %s --env %[1]s\n", env.Name, first.Name)
		return nil
	}
	fmt.Fprintf(d.Err, "planned: it may run.\nTry next: firedrill plan %s --env %s to see what it would do, firedrill doctor --env %[2]s for all around it\n", first.Name, env.Name)
	return nil
}

// tryPlan plans what was written, and tells what refuses it first; nil: nothing does.
func (d *Deps) tryPlan(ctx context.Context, env *drills.Environment, first *firstDrill) *drills.Refusal {
	defer d.meanwhile("trying a plan")()
	spec, err := drills.ReadDrill(first.Name+".yaml", first.src, d.kinds())
	if err == nil {
		_, err = d.prepareIn(ctx, env.AnyTime(), spec, d.newRun(), false) // that it is night hides nothing else
	}
	var no *drills.Refusal
	if err != nil && !errors.As(err, &no) {
		no = &drills.Refusal{Why: err.Error(), Try: cmp.Or(tryOf(err), "firedrill plan "+first.Name)}
	}
	return no
}
