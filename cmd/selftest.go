package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
)

const selftestHelp = `Prove on your own account that firedrill puts back what it breaks, also when it is killed.

It makes a table and two queues of its own, named firedrill-selftest-…, breaks them one way after the other, kills the
process that did it (SIGKILL), and puts everything back from another one; once it recovers nothing at all, and waits for the
dead-man's switch. Then it deletes what it made, and prints a page of proof: what was made, broken, killed and put back,
with times and differences. Nobody is paged, and nothing of yours is touched.

It must be allowed to create and delete tables and queues of that name, which no drill needs and firedrill's own policies
deny: run it with credentials of a person.`

type selftestOptions struct {
	yes       bool
	noDeadman bool
	child     string
}

func newSelftestCommand(d *Deps) *cobra.Command {
	var o selftestOptions
	c := &cobra.Command{
		Use: "selftest", Short: "Prove on your own account that everything is put back",
		Long: selftestHelp + exits("4 refused", "5 something is left in place"), Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.child != "" {
				return runSelftestChild(c.Context(), d, o.child)
			}
			return runSelftest(c.Context(), d, o)
		},
	}
	c.Flags().BoolVar(&o.yes, "yes", false, "do not ask for the environment's name")
	c.Flags().BoolVar(&o.noDeadman, "no-deadman", false, "leave the dead-man's switch out: on AWS it takes a quarter of an hour")
	c.Flags().StringVar(&o.child, "child", "", "")
	_ = c.Flags().MarkHidden("child")
	return c
}

// selftest is one on its way.
type selftest struct {
	*Deps
	id      string
	dir     string // its own state directory: its runs are no drills of the team
	env     *drills.Environment
	out     *outside
	things  *drills.Throwaway
	began   time.Time
	proofs  []proof
	deleted error
	sandbox bool
}

func runSelftest(ctx context.Context, d *Deps, o selftestOptions) error {
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	if err := d.answerable(o.yes); err != nil {
		return err
	}
	f, err := d.file()
	if err != nil {
		return err
	}
	env, stop, err := d.environment(ctx, f, sandboxUse{start: true, responder: "none"})
	defer func() { stop() }()
	if err != nil {
		return err
	}
	if err := strayed(env); err != nil {
		return err
	}
	s, err := d.newSelftest(ctx, env)
	if err != nil {
		return err
	}
	if err := d.agreed(ctx, env, o.yes, fmt.Sprintf("This makes, breaks and deletes table and queues %s in %s", s.things.Table, env.Name)); err != nil {
		return interrupted(ctx, err)
	}
	_, err = sig.wait(func() (*drills.State, error) { return nil, s.prove(ctx, !o.noDeadman && env.Deadman.Role != "") })
	return interrupted(ctx, err)
}

func (d *Deps) newSelftest(ctx context.Context, env *drills.Environment) (*selftest, error) {
	state, err := d.stateDir()
	if err != nil {
		return nil, err
	}
	s := &selftest{Deps: d, id: strings.ToLower(ulid.MustNewDefault(d.Now()).String()), began: d.Now(), sandbox: env.Sandbox != nil}
	s.dir = filepath.Join(state, "selftest", s.id)
	if s.env, err = drills.Rehearsing(*env); err != nil {
		return nil, err
	}
	if s.out, err = d.connect(ctx, s.env, s.id); err != nil {
		return nil, err
	}
	s.out.world.Pager = nil // nobody is paged, whatever becomes of it
	s.things = drills.NewThrowaway(s.out.clients, s.id)
	return s, nil
}

// steps are those of one run; each run asks who it is anew.
func (s *selftest) steps() *drills.Steps {
	return &drills.Steps{World: s.out.world, Env: s.env, Outcome: outcome}
}

// longest is when a selftest has surely ended.
const longest = 3 * time.Hour

// prove makes the things, breaks them, and deletes them whatever happens.
func (s *selftest) prove(ctx context.Context, withSwitch bool) error {
	if err := s.steps().Suits(ctx); err != nil {
		return err
	}
	s.clearForgotten(ctx)
	if err := s.things.Allowed(ctx); err != nil {
		return &exitError{exitRefused, &hinted{fmt.Errorf("not testing: these credentials may not make and delete what a selftest needs: %w", err),
			"credentials that may dynamodb:CreateTable, DeleteTable, sqs:CreateQueue, DeleteQueue, and tag both, on firedrill-selftest-*"}}
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", s.dir, err)
	}
	fmt.Fprintf(s.Err, "making table %s, its queue and its DLQ in %s\n", s.things.Table, s.env.Name)
	err := s.things.Make(ctx, s.env.Tags, s.Now().Add(longest))
	if err == nil {
		err = s.breakAll(ctx, withSwitch)
	}
	fmt.Fprintln(s.Err, "deleting them")
	s.deleted = s.delete(ctx)
	path, written := s.writePage(err)
	if written == nil {
		fmt.Fprintf(s.Err, "the page is kept in %s\n", path)
	}
	switch {
	case s.deleted != nil:
		return &exitError{exitDirty, &hinted{fmt.Errorf("left behind: %w", s.deleted), "firedrill selftest again, which deletes it first"}}
	case err != nil:
		return errors.Join(err, written)
	}
	for _, p := range s.proofs {
		if !p.proven() {
			return errors.Join(fmt.Errorf("%s: not proven: %s", p.Part.Name, p.why()), written)
		}
	}
	return written
}

// delete deletes the things on a context that nothing ends.
func (s *selftest) delete(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Minute)
	defer cancel()
	return s.things.Delete(ctx)
}

// clearForgotten deletes what earlier selftests have left that were killed themselves.
func (s *selftest) clearForgotten(ctx context.Context) {
	old, err := drills.Forgotten(ctx, s.out.clients, s.Now())
	if err != nil {
		fmt.Fprintf(s.Err, "firedrill: whether an earlier selftest has left something is unknown: %v\n", err)
	}
	for _, w := range old {
		if err := w.Delete(ctx); err != nil {
			fmt.Fprintf(s.Err, "firedrill: %v\n", err)
			continue
		}
		fmt.Fprintf(s.Err, "deleted what selftest %s had left\n", w.ID)
	}
}

// breakAll breaks the things one way after the other, with a consumer at work that fails at every message.
func (s *selftest) breakAll(ctx context.Context, withSwitch bool) error {
	consuming, end := context.WithCancel(ctx)
	var consumer sync.WaitGroup
	consumer.Go(func() { s.things.Consume(consuming) })
	defer func() { end(); consumer.Wait() }()
	limit := 30 * time.Minute
	if s.sandbox {
		limit = 2 * time.Minute
	}
	for _, part := range drills.SelftestParts(s.things, limit, withSwitch) {
		fmt.Fprintf(s.Err, "%s: breaking it, to be killed\n", part.Name)
		p := s.one(ctx, part)
		s.proofs = append(s.proofs, p)
		if p.Err != nil {
			fmt.Fprintf(s.Err, "%s: %v\n", part.Name, p.Err)
		} else {
			fmt.Fprintf(s.Err, "%s: %s\n", part.Name, p.verdict())
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// same says what differs between two states, a line each.
func same(before, now []string) (diff []string) {
	for _, line := range before {
		if !slices.Contains(now, line) {
			diff = append(diff, "- "+line)
		}
	}
	for _, line := range now {
		if !slices.Contains(before, line) {
			diff = append(diff, "+ "+line)
		}
	}
	return diff
}
