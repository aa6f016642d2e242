package inject

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Leftover is one thing in the account that carries our mark, found without asking any journal.
type Leftover struct {
	Thing string // for people: "table orders"
	ARN   string
	// Mark is whose it is. Until is zero where nothing tells it.
	Mark  Mark
	Finds string // what the mark says: "writes were 100, auto scaling of writes was acting"
	Undo  *Undo  // what puts it back; nil where the mark does not suffice, or where there is a Schedule
	// Schedule is the name of a dead-man's call that still stands; it is deleted, not put back.
	Schedule string
	// Selftest is the id of a selftest that has made the thing for itself; it is deleted with all that this one made.
	Selftest string
	Why      string   // why the mark does not suffice
	ByHand   []string // the commands with which a person puts it back
}

// Unread is a part of the account that could not be looked at: what stands there is unknown.
type Unread struct {
	What string // "tags of table orders"
	Err  error
}

func (u Unread) String() string { return u.What + ": " + u.Err.Error() }

// Survey is one look through an account and region.
type Survey struct {
	Leftovers []Leftover // those of one run stand together, its schedules last
	Unread    []Unread
	Looked    map[string]int // how many tables, queues, listeners and schedules were looked at
}

// Sweeper finds what is ours by its marks, and puts back what they suffice for. It lives on what stands in the account
// alone, so it works where the journal is lost.
type Sweeper struct {
	c       *Clients
	catalog Catalog
	timing  Timing
	tables  *throttling
	queues  *poisoning
	rules   *replying
}

// NewSweeper makes one on these clients. It changes nothing but what PutBack is handed.
func NewSweeper(c *Clients, o CatalogOptions) *Sweeper {
	if o.Timing == (Timing{}) {
		o.Timing = AWSTiming()
	}
	return &Sweeper{c: c, catalog: NewCatalog(c, o), timing: o.Timing,
		tables: newThrottling(c, o.Timing), queues: newPoisoning(c, o.Timing), rules: newReplying(c, o.Timing)}
}

// atOnce bounds the calls of one service that are on their way: listing tags is throttled at a few a second.
const atOnce = 4

// errNotOurs is the answer to a mark that firedrill never wrote.
var errNotOurs = errors.New("not a mark of firedrill's")

// Find looks through the account and region: the services side by side, each a few things at a time. What it cannot
// read it tells; the rest is found all the same. It only reads.
func (s *Sweeper) Find(ctx context.Context) (Survey, error) {
	who, err := s.c.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Survey{}, fmt.Errorf("ask STS who we are: %w", err)
	}
	at := home{partition: "aws", region: s.c.Config.Region, account: aws.ToString(who.Account)}
	if a, err := arn.Parse(aws.ToString(who.Arn)); err == nil {
		at.partition = a.Partition
	}
	f := &finding{survey: Survey{Looked: map[string]int{}}}
	var all sync.WaitGroup
	for _, look := range []func(context.Context, home, *finding){s.findTables, s.findQueues, s.findRules, s.findSchedules} {
		all.Go(func() { look(ctx, at, f) })
	}
	all.Wait()
	f.order()
	return f.survey, ctx.Err()
}

// Schedules finds the dead-man's calls alone: one listing, where Find reads every table, queue and listener.
func (s *Sweeper) Schedules(ctx context.Context) (Survey, error) {
	f := &finding{survey: Survey{Looked: map[string]int{}}}
	s.findSchedules(ctx, home{region: s.c.Config.Region}, f)
	f.order()
	return f.survey, ctx.Err()
}

// home is where an account's things are.
type home struct{ partition, region, account string }

func (h home) arn(service, resource string) string {
	return strings.Join([]string{"arn", h.partition, service, h.region, h.account, resource}, ":")
}

// finding is a survey being made, by several at once.
type finding struct {
	mu     sync.Mutex
	survey Survey
}

func (f *finding) found(l Leftover) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.survey.Leftovers = append(f.survey.Leftovers, l)
}

func (f *finding) unread(what string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.survey.Unread = append(f.survey.Unread, Unread{What: what, Err: err})
}

func (f *finding) looked(kind string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.survey.Looked[kind] += n
}

// order sorts what was found by run: what changes something first, schedules last, for they put back if all else fails.
func (f *finding) order() {
	slices.SortFunc(f.survey.Leftovers, func(a, b Leftover) int {
		return strings.Compare(sortKey(a), sortKey(b))
	})
	slices.SortFunc(f.survey.Unread, func(a, b Unread) int { return strings.Compare(a.What, b.What) })
}

func sortKey(l Leftover) string {
	last := "0"
	if l.Schedule != "" {
		last = "1"
	}
	return strings.Join([]string{l.Mark.Run, last, l.Mark.Fault, l.ARN}, "\x00")
}

// each calls do for every name, a few at a time, and returns when all calls have.
func each(ctx context.Context, names []string, do func(name string)) {
	var all sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for _, name := range names {
		select {
		case <-ctx.Done():
		case free <- struct{}{}:
			all.Go(func() {
				defer func() { <-free }()
				do(name)
			})
		}
	}
	all.Wait()
}

// runID is what every run is called: a ULID in lower case. Whatever else stands in a tag of our name is somebody's.
var runID = regexp.MustCompile(`^[0-7][0-9a-hjkmnp-tv-z]{25}$`)

// markOfTags reads the mark that tags carry. Tags without our run are no mark, whatever else they are called; a mark
// that cannot be one of ours is errNotOurs, with what is known of it.
func markOfTags(tags map[string]string) (m Mark, marked bool, err error) {
	run, marked := tags[TagRun]
	if !marked {
		return m, false, nil
	}
	m = Mark{Run: run, Fault: tags[TagFault]}
	if !runID.MatchString(run) || m.Fault == "" {
		return m, true, fmt.Errorf("%w: %s is %q, %s is %q", errNotOurs, TagRun, run, TagFault, m.Fault)
	}
	if m.Until, err = time.Parse(time.RFC3339, tags[TagUntil]); err != nil {
		return m, true, fmt.Errorf("%s is %q, no time", TagUntil, tags[TagUntil])
	}
	return m, true, nil
}

// PutBack puts one leftover back as recover would: it compares first, and somebody's later value stands. It may be
// called again and again.
func (s *Sweeper) PutBack(ctx context.Context, l Leftover) (Outcome, []Item, error) {
	if l.Schedule != "" {
		return s.dropSchedule(ctx, l)
	}
	if l.Selftest != "" {
		return Restored, nil, NewThrowaway(s.c, l.Selftest).Delete(ctx)
	}
	if l.Undo == nil {
		return "", nil, fmt.Errorf("put back %s: the mark does not suffice: %s", l.Thing, l.Why)
	}
	kind, ok := s.catalog[l.Undo.Kind]
	if !ok {
		return "", nil, fmt.Errorf("put back %s: this program knows no kind %q", l.Thing, l.Undo.Kind)
	}
	if kind.Account != nil {
		return kind.Account(ctx, *l.Undo)
	}
	how, err := kind.Revert(ctx, *l.Undo)
	return how, nil, err
}

// Settled reads back that nothing of a leftover is there any more.
func (s *Sweeper) Settled(ctx context.Context, l Leftover) (bool, string, error) {
	if l.Undo == nil {
		return true, "", nil // PutBack itself reads that a schedule is gone
	}
	return s.catalog[l.Undo.Kind].Settled(ctx, *l.Undo)
}

// Identity reads the ARN and the tags of what a leftover stands on, for the guard. A schedule has neither.
func (s *Sweeper) Identity(ctx context.Context, l Leftover) (own string, tags map[string]string, err error) {
	if l.Undo == nil {
		return l.ARN, nil, nil
	}
	return s.catalog[l.Undo.Kind].Identity(ctx, l.Undo.Target)
}

// command is one line for a person, with its words quoted where a shell would not take them as they are.
func (h home) command(words ...string) string {
	all := append([]string{"aws"}, words...)
	all = append(all, "--region", h.region)
	for i, w := range all {
		if strings.ContainsFunc(w, func(r rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@+", r)
		}) || w == "" {
			all[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(all, " ")
}
