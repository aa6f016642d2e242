package inject

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// The services in which a first drill finds something to break, as people call them.
const (
	ServiceTables    = "dynamodb"
	ServiceQueues    = "sqs"
	ServiceBalancers = "alb"
)

// maxCandidates bounds a list that people choose from.
const maxCandidates = 500

// Candidate is one table, queue or listener that a drill could break, as it stands.
type Candidate struct {
	Service string // ServiceTables, ServiceQueues or ServiceBalancers
	Name    string // what people call it: a table, a queue, or BALANCER/PORT
	ARN     string // of the table, the queue or the listener; empty where it was not looked at
	Says    string // what it is, in a few words: "on demand", "dead letters go to orders-dlq", "HTTP"
	Writes  int64  // write units of a provisioned table; 0 for every other candidate
	// Out says why no drill can break it, and Mend what would change that; both empty: nothing rules it out.
	Out, Mend string
	// Later says that what rules it out passes by itself.
	Later bool
	// Unread says why it could not be looked at; nothing else is known of it then.
	Unread string
	// Holders are what must carry an environment's tags: the thing itself, a queue's DLQ too, a listener's balancer.
	Holders []Holder
}

// Holder is one resource that carries tags.
type Holder struct {
	Name string
	Tags map[string]string
	tag  func(pairs map[string]string) string
}

// Untagged are the commands that give a candidate the tags it lacks, as the AWS CLI takes them; none where it carries
// them all. A tag of another value is one that it lacks: the command would overwrite it, and whoever reads it sees that.
func (c Candidate) Untagged(want map[string]string) (commands []string) {
	for _, h := range c.Holders {
		lacks := map[string]string{}
		for k, v := range want {
			if got, has := h.Tags[k]; !has || got != v {
				lacks[k] = v
			}
		}
		if len(lacks) > 0 {
			commands = append(commands, h.tag(lacks))
		}
	}
	return commands
}

// Listing is what one service has to choose from.
type Listing struct {
	Candidates []Candidate // by name
	More       bool        // there are more than were listed
}

// Inventory lists what an account and region has to break. It only reads.
type Inventory struct {
	s      *Sweeper
	at     home
	budget time.Duration
}

// NewInventory makes one. budget bounds a whole listing: what was not looked at by then is listed by its name alone, for
// AWS tells the tags of ten tables a second.
func NewInventory(c *Clients, budget time.Duration) *Inventory {
	return &Inventory{s: NewSweeper(c, CatalogOptions{}), at: home{region: c.Config.Region}, budget: budget}
}

// shelf is how one service's things are listed and looked at.
type shelf struct {
	names func(ctx context.Context) (names []string, more bool, err error)
	look  func(ctx context.Context, name string) ([]Candidate, error) // none: it is not there
}

func (i *Inventory) of(service string) (shelf, error) {
	switch service {
	case ServiceTables:
		return shelf{i.tableNames, i.table}, nil
	case ServiceQueues:
		return shelf{i.queueNames, i.queue}, nil
	case ServiceBalancers:
		return shelf{i.balancerNames, i.balancer}, nil
	}
	return shelf{}, fmt.Errorf("list targets: there is no service %q. Try: %s, %s or %s", service, ServiceTables, ServiceQueues, ServiceBalancers)
}

// List lists what a service has: the first 500, each looked at, a few at a time, for as long as the budget lasts.
func (i *Inventory) List(ctx context.Context, service string) (Listing, error) {
	from, err := i.of(service)
	if err != nil {
		return Listing{}, err
	}
	names, more, err := from.names(ctx)
	if err != nil {
		return Listing{}, err
	}
	inner, cancel := context.WithTimeout(ctx, i.budget)
	defer cancel()
	all := Listing{More: more}
	var mu sync.Mutex
	seen := map[string]bool{}
	each(inner, names, func(name string) {
		found, err := from.look(inner, name)
		if err != nil {
			found = []Candidate{{Service: service, Name: called(name), Unread: unreadWhy(inner, err)}}
		}
		mu.Lock()
		defer mu.Unlock()
		seen[name] = true
		all.Candidates = append(all.Candidates, found...)
	})
	for _, name := range names { // those that the budget left no time for
		if !seen[name] {
			all.Candidates = append(all.Candidates, Candidate{Service: service, Name: called(name), Unread: tooLong})
		}
	}
	slices.SortFunc(all.Candidates, func(a, b Candidate) int { return strings.Compare(a.Name, b.Name) })
	return all, ctx.Err()
}

// tooLong is why the rest of a long list was not looked at.
const tooLong = "the list is long: it is looked at when it is chosen"

func unreadWhy(inner context.Context, err error) string {
	if inner.Err() != nil {
		return tooLong
	}
	return err.Error()
}

// Find looks at one thing by its name; a load balancer's listener as BALANCER/PORT, or by the balancer's name alone where
// it has but one. A *Refusal says that there is none, or more than one.
func (i *Inventory) Find(ctx context.Context, service, name string) (Candidate, error) {
	from, err := i.of(service)
	if err != nil {
		return Candidate{}, err
	}
	base, port, _ := strings.Cut(name, "/")
	if service != ServiceBalancers {
		base, port = name, ""
	}
	found, err := from.look(ctx, base)
	if err != nil {
		return Candidate{}, err
	}
	var names []string
	for _, c := range found {
		if port == "" && len(found) == 1 || c.Name == name {
			return c, nil
		}
		names = append(names, service+":"+c.Name)
	}
	if len(found) > 0 && port == "" {
		return Candidate{}, Refuse(strings.Join(names, " or "), "load balancer %s has %d listeners", base, len(found))
	}
	if len(found) > 0 {
		return Candidate{}, Refuse(strings.Join(names, " or "), "load balancer %s has no listener on port %s", base, port)
	}
	return Candidate{}, i.missing(ctx, from, service, name)
}

// missing says that there is no such thing, and what comes nearest.
func (i *Inventory) missing(ctx context.Context, from shelf, service, name string) error {
	try := "mend the name, or the account and region"
	if names, _, err := from.names(ctx); err == nil {
		var near []string
		for _, n := range names {
			if n = called(n); strings.Contains(n, name) || strings.Contains(name, n) {
				near = append(near, service+":"+n)
			}
		}
		if len(near) > 0 {
			try = strings.Join(near[:min(3, len(near))], " or ")
		}
	}
	return Refuse(try, "there is no %s %s in region %s of this account", nounOf(service), name, i.at.region)
}

func nounOf(service string) string {
	return map[string]string{ServiceTables: "table", ServiceQueues: "queue", ServiceBalancers: "load balancer"}[service]
}

// called is what people call a thing: the last word of a queue's URL, the name in a balancer's ARN.
func called(name string) string {
	if part := strings.Split(name, "/"); strings.HasPrefix(name, "arn:") && len(part) > 2 {
		return part[len(part)-2]
	}
	return lastPart(name, "/")
}

// ruledOut puts a fault's own refusal beside a candidate; any other error is the caller's.
func (c *Candidate) ruledOut(err error) error {
	var no *Refusal
	if !errors.As(err, &no) {
		return err
	}
	if c.Out == "" || c.Later {
		c.Out, c.Mend, c.Later = no.Why, no.Try, no.Later
	}
	return nil
}

// pairs writes tags as one of the AWS CLI's commands wants them.
func pairs(tags map[string]string, form string) (words []string) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		words = append(words, fmt.Sprintf(form, k, tags[k]))
	}
	return words
}
