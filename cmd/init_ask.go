package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"

	"github.com/firedrill/firedrill/drills"
)

// question is one thing that init must know.
type question struct {
	flag, title, example string
	into                 *string
	open                 bool // may be left empty
	valid                func(string) error
}

// check says what is wrong with an answer while it can still be mended.
func (q question) check(s string) error {
	s = strings.TrimSpace(s)
	switch {
	case s == "" && q.open:
		return nil
	case s == "":
		return errors.New("it is needed")
	case q.valid != nil:
		return q.valid(s)
	}
	return nil
}

// digits is the form of an AWS account.
func digits(s string) error {
	if len(s) != 12 || strings.Trim(s, "0123456789") != "" {
		return errors.New("an account is twelve digits")
	}
	return nil
}

// complete finds out what the draft leaves open: from the account and PagerDuty where they can be reached, from the
// person at the terminal, and where nobody can answer it names the flags.
func (d *Deps) complete(ctx context.Context, e *environmentDraft) (*account, error) {
	if len(e.Regions) == 0 && d.Terminal() {
		region := ""
		if err := d.ask(e.must(&region)[1:2]); err != nil {
			return nil, err
		}
		e.Regions = regionsOf(region)
	}
	a := &account{lost: errors.New("it was not looked into")}
	if len(e.Regions) > 0 && (d.Terminal() || e.Target != "" || e.Account == "") {
		if a = d.lookInto(ctx, e.draft()); ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := d.greet(a, e); err != nil {
			return nil, err
		}
	}
	if !d.Terminal() {
		return a, e.known()
	}
	return a, d.askAll(ctx, a, e)
}

// greet says which account it is, and takes it over.
func (d *Deps) greet(a *account, e *environmentDraft) error {
	if a.lost != nil {
		fmt.Fprintf(d.Err, "the account is not reached, so nothing is listed: %v\n", a.lost)
		return nil
	}
	if word, yes := drills.NamesProduction(a.who.Alias); yes {
		return usage("the account of these credentials is called %q, which says %q: firedrill never touches production. Try: credentials of staging", a.who.Alias, word)
	}
	e.Account = a.who.Account
	alias := ""
	if a.who.Alias != "" {
		alias = " (" + a.who.Alias + ")"
	}
	fmt.Fprintf(d.Err, "account %s%s in %s, as %s\n", a.who.Account, alias, e.Regions[0], a.who.ARN)
	return nil
}

// must are the questions that have to be answered.
func (e *environmentDraft) must(region *string) []question {
	return []question{
		{"account", "AWS account of staging (twelve digits)", "123456789012", &e.Account, false, digits},
		{"region", "AWS region", "eu-west-1", region, false, e.fits(func(e *environmentDraft, s string) { e.Regions = regionsOf(s) })},
		{"service", "Id of the PagerDuty service of team " + e.Team, "PORDERS", &e.Service, false, e.fits(func(e *environmentDraft, s string) { e.Service = s })},
		{"from", "E-mail address of firedrill's own PagerDuty user", "drills@example.com", &e.From, false, e.fits(func(e *environmentDraft, s string) { e.From = s })},
	}
}

// known names the flags that are missing where nobody is here to ask.
func (e *environmentDraft) known() error {
	region := strings.Join(e.Regions, ",")
	var flags []string
	must := e.must(&region)
	for _, q := range must {
		if *q.into == "" {
			flags = append(flags, "--"+q.flag+" "+q.example)
		}
	}
	switch len(flags) {
	case 0:
		return nil
	case len(must):
	default:
		return usage("not enough is known of the environment, and nobody is here to ask. Try: add %s", strings.Join(flags, " "))
	}
	if e.Target == "" {
		flags = append(flags, "--target dynamodb:orders")
	}
	return usage("not enough is known of the environment, and nobody is here to ask. Try: firedrill init %s", strings.Join(flags, " "))
}

// askAll asks the person at the terminal for what is open.
func (d *Deps) askAll(ctx context.Context, a *account, e *environmentDraft) error {
	var open []question
	region := strings.Join(e.Regions, ",")
	for _, q := range e.must(&region) {
		if *q.into != "" {
			continue
		}
		if q.flag == "service" {
			if err := d.askService(ctx, a, e); err != nil {
				return err
			}
			if e.Service != "" {
				continue
			}
		}
		open = append(open, q)
	}
	if !e.keyGiven {
		open = append(open, question{"key", "Where firedrill's integration key of that service is kept", "ssm:/firedrill/" + e.Team + " or env:PAGERDUTY_KEY: a reference, never the key itself", &e.Key, false,
			e.fits(func(e *environmentDraft, s string) { e.Key = s })})
	}
	if err := d.ask(open); err != nil {
		return err
	}
	if e.Target == "" {
		if err := d.askTarget(ctx, a, e); err != nil {
			return err
		}
	}
	if e.Target == "" || e.URL != "" {
		return nil
	}
	return d.ask([]question{{"url", "Address that answers 200 while all is well (nothing: none)", "https://orders.staging.example.com/health", &e.URL, true, func(s string) error { _, err := pathOf(s); return err }}})
}

// askService lets a person choose a service of PagerDuty's, where it lists them.
func (d *Deps) askService(ctx context.Context, a *account, e *environmentDraft) error {
	if a.services == nil {
		return nil
	}
	told := d.meanwhile("asking PagerDuty for its services")
	list, err := a.services(ctx)
	told()
	if err != nil || len(list) == 0 {
		if err != nil {
			fmt.Fprintf(d.Err, "PagerDuty's services are not listed: %v\n", err)
		}
		return nil
	}
	var options []huh.Option[string]
	for _, s := range list {
		text := s.Name + "  " + s.ID
		if s.Status == "disabled" {
			text += "  (disabled: nobody would be paged)"
		}
		options = append(options, huh.NewOption(text, s.ID))
	}
	return d.choose("PagerDuty service of team "+e.Team, "", options, &e.Service)
}

// noTarget is the answer of who wants no drill yet.
const noTarget = "none"

// askTarget lets a person choose what the first drill breaks, of what is listed.
func (d *Deps) askTarget(ctx context.Context, a *account, e *environmentDraft) error {
	if a.lost != nil {
		return d.ask([]question{{"target", "What shall the first drill break? (nothing: no drill yet)", "dynamodb:TABLE, sqs:QUEUE or alb:BALANCER/PORT", &e.Target, true, isTarget}})
	}
	service := ""
	said := []string{"a table: DynamoDB takes fewer writes", "a queue: messages that nobody can read", "a load balancer: it answers with an error"}
	var kinds []huh.Option[string]
	for i, s := range targetServices() {
		kinds = append(kinds, huh.NewOption(said[i], s))
	}
	if err := d.choose("What shall the first drill break?", "", append(kinds, huh.NewOption("nothing yet", noTarget)), &service); err != nil || service == noTarget {
		return err
	}
	told := d.meanwhile("listing what the account has")
	list, err := a.things.List(ctx, service)
	told()
	if err != nil {
		fmt.Fprintf(d.Err, "not listed: %v\n", err)
		return d.ask([]question{{"target", "What shall it break? (nothing: no drill yet)", service + ":NAME", &e.Target, true, isTarget}})
	}
	options, out := targetOptions(list.Candidates, e.wanted())
	if len(options) == 0 {
		fmt.Fprintln(d.Err, "there is none in this account and region: no drill is written")
		return nil
	}
	about := ""
	if list.More {
		about = fmt.Sprintf("the first %d of them; any other: --target %s:NAME", len(list.Candidates), service)
	}
	name := ""
	err = d.choose("Which one?", about, append(options, huh.NewOption("none of them: no drill yet", noTarget)), &name, func(n string) error {
		if why := out[n]; why != "" {
			return errors.New(why)
		}
		return nil
	})
	if name != noTarget && name != "" {
		e.Target = service + ":" + name
	}
	return err
}

// targetOptions are the rows of the list, what can be drilled first, and why the others cannot.
func targetOptions(all []target, tags map[string]string) (options []huh.Option[string], out map[string]string) {
	out = map[string]string{}
	var ruled []huh.Option[string]
	for _, t := range all {
		text := t.Name + "  " + t.Says
		if word, yes := drills.NamesProduction(t.Name); yes {
			out[t.Name] = fmt.Sprintf("its name says %q: firedrill never touches production", word)
		} else if t.Out != "" && !t.Later {
			out[t.Name] = t.Out + ". Try: " + t.Mend
		}
		switch {
		case out[t.Name] != "":
			ruled = append(ruled, huh.NewOption(t.Name+"  NOT: "+strings.SplitN(out[t.Name], ". Try: ", 2)[0], t.Name))
			continue
		case t.Unread != "":
			text = t.Name + "  (" + t.Unread + ")"
		case len(t.Untagged(tags)) > 0:
			text += "  (needs tags)"
		}
		options = append(options, huh.NewOption(text, t.Name))
	}
	return slices.Concat(options, ruled), out
}

// choose puts a list to a person at a terminal: arrows, or / and a part of the name.
func (d *Deps) choose(title, about string, options []huh.Option[string], into *string, valid ...func(string) error) error {
	if d.plain() {
		return d.choosePlain(title, about, options, into, valid)
	}
	field := huh.NewSelect[string]().Title(title).Description(about).Options(options...).Value(into)
	if len(options) > 12 {
		field = field.Height(14)
	}
	for _, v := range valid {
		field = field.Validate(v)
	}
	if err := d.form(field); err != nil {
		return err
	}
	chosen := *into
	for _, o := range options {
		if o.Value == *into {
			chosen = o.Key
		}
	}
	fmt.Fprintf(d.Err, "%s  %s\n", title, chosen)
	return nil
}

// isTarget says whether --target would take it.
func isTarget(s string) error {
	_, _, err := splitTarget(s)
	return err
}

// ask puts questions to a person at a terminal.
func (d *Deps) ask(open []question) error {
	if len(open) == 0 {
		return nil
	}
	var fields []huh.Field
	for _, q := range open {
		if d.plain() {
			if err := d.askPlain(q); err != nil {
				return err
			}
			continue
		}
		// the example is no placeholder: huh cannot draw one on a terminal that is narrower
		fields = append(fields, huh.NewInput().Title(q.title).Description("such as "+q.example).Value(q.into).Validate(q.check))
	}
	if len(fields) == 0 {
		return nil
	}
	if err := d.form(fields...); err != nil {
		return err
	}
	for _, q := range open {
		*q.into = strings.TrimSpace(*q.into)
		fmt.Fprintf(d.Err, "%s  %s\n", q.title, *q.into)
	}
	return nil
}

// form runs a form on a screen of its own, which is gone afterwards: on the one below it leaves rows of its lists behind.
func (d *Deps) form(fields ...huh.Field) error {
	apart := func(v tea.View) tea.View {
		v.AltScreen = true
		return v
	}
	switch err := huh.NewForm(huh.NewGroup(fields...)).WithInput(d.In).WithOutput(screenOf(d.Err)).WithViewHook(apart).Run(); {
	case errors.Is(err, huh.ErrUserAborted):
		return errUnasked()
	case err != nil:
		return errors.Join(errUnasked(), err)
	}
	return nil
}

// plain asks for words alone: a question a line, for screen readers and dumb terminals.
func (d *Deps) plain() bool { return d.Getenv("TERM") == "dumb" || d.Getenv("ACCESSIBLE") != "" }

// screen is the terminal that forms are drawn on: it has a size, which they ask for, and takes no secret. The file is not
// embedded, for it has more ways to write than one.
type screen struct {
	file  *os.File
	clear io.Writer
}

func (s screen) Write(p []byte) (int, error) { return s.clear.Write(p) }
func (s screen) Read(p []byte) (int, error)  { return s.file.Read(p) }
func (s screen) Fd() uintptr                 { return s.file.Fd() }
func (s screen) Close() error                { return s.file.Close() }

// screenOf finds the terminal behind what takes secrets out: on a writer without a size a form draws nothing at all.
func screenOf(w io.Writer) io.Writer {
	if c, ok := w.(*clearWriter); ok {
		if f, ok := c.to.(*os.File); ok {
			return screen{f, c}
		}
	}
	return w
}
