package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// proof is what became of one part.
type proof struct {
	Part    drills.SelftestPart
	Run     string
	Broken  time.Time // the process said that its fault was felt
	Killed  time.Time
	Back    time.Time // read back
	Changed []string  // during against before
	Left    []string  // after against before; empty: as before
	Outcome string
	Err     error
}

func (p proof) proven() bool { return p.Err == nil && len(p.Left) == 0 && len(p.Changed) > 0 }

func (p proof) why() string {
	switch {
	case p.Err != nil:
		return p.Err.Error()
	case len(p.Left) > 0:
		return "not as before: " + strings.Join(p.Left, "; ")
	case len(p.Changed) == 0:
		return "nothing was seen to change"
	}
	return ""
}

func (p proof) verdict() string {
	if !p.proven() {
		return p.why()
	}
	return fmt.Sprintf("broken, killed, and as before %s later", p.Back.Sub(p.Killed).Round(100*time.Millisecond))
}

// order is what a child is told to do.
type order struct {
	Part drills.SelftestPart `json:"part"`
	Run  string              `json:"run"`
	Dir  string              `json:"dir"`
}

// one breaks one thing in a process of its own, kills that process, and has another put it back.
func (s *selftest) one(ctx context.Context, part drills.SelftestPart) (p proof) {
	p = proof{Part: part, Run: strings.ToLower(ulid.MustNewDefault(s.Now()).String())}
	if p.Err = s.ready(ctx, part, p.Run); p.Err != nil {
		return p
	}
	before, err := s.things.State(ctx)
	if err != nil {
		p.Err = err
		return p
	}
	killed := s.breakAndKill(ctx, &p, before)
	back := s.putBack(ctx, &p, before)
	after, err := s.things.State(context.WithoutCancel(ctx))
	if p.Left = same(before, after); p.Back.IsZero() {
		p.Back = s.Now()
	}
	p.Err = errors.Join(killed, back, err)
	return p
}

// ready waits until a drill of the part would be let: CloudWatch takes its time to tell of the consumer.
func (s *selftest) ready(ctx context.Context, part drills.SelftestPart, run string) error {
	patience := 20 * time.Minute
	if s.sandbox {
		patience = time.Minute
	}
	for end := s.Now().Add(patience); ; {
		_, err := s.steps().Rehearse(ctx, part, run)
		if err == nil || s.Now().After(end) {
			return err
		}
		if err := (clock{s.Now}).Wait(ctx, time.Second); err != nil {
			return err
		}
	}
}

// breakAndKill starts the child, waits until its fault is felt, looks, and kills it as nothing can refuse.
func (s *selftest) breakAndKill(ctx context.Context, p *proof, before []string) error {
	child, lines, err := s.start(ctx, p)
	if err != nil {
		return err
	}
	defer func() { _ = child.Wait() }()
	err = s.awaitFelt(ctx, lines, p)
	if err == nil {
		var during []string
		during, err = s.things.State(ctx)
		p.Changed = same(before, during)
	}
	p.Killed = s.Now()
	return errors.Join(err, child.Process.Kill())
}

// start starts this very program as a child. Its stdin is a pipe of ours: should we die, it ends by itself, and puts back.
func (s *selftest) start(ctx context.Context, p *proof) (*exec.Cmd, <-chan string, error) {
	raw, err := json.Marshal(order{Part: p.Part, Run: p.Run, Dir: s.dir})
	if err != nil {
		return nil, nil, fmt.Errorf("write order of %s: %w", p.Part.Name, err)
	}
	path := filepath.Join(s.dir, p.Part.Name+".json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return nil, nil, fmt.Errorf("write order of %s: %w", p.Part.Name, err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, fmt.Errorf("find this program: %w", err)
	}
	args := []string{"selftest", "--child", path, "--env", s.env.Name}
	if s.config != "" {
		args = append(args, "--config", s.config)
	}
	child := exec.CommandContext(context.WithoutCancel(ctx), self, args...)
	child.Args[0], child.Dir, child.Stderr = os.Args[0], s.Dir, s.Err
	child.Env = os.Environ()
	if s.sandbox {
		child.Env = append(child.Env, "FIREDRILL_SANDBOX="+s.env.Sandbox.URL)
	}
	if _, err := child.StdinPipe(); err != nil {
		return nil, nil, fmt.Errorf("start a process to be killed: %w", err)
	}
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("start a process to be killed: %w", err)
	}
	lines := make(chan string, 1000)
	go func() { // ends with the child
		defer close(lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	return child, lines, nil
}

// awaitFelt waits until the child has told that its fault is felt.
func (s *selftest) awaitFelt(ctx context.Context, lines <-chan string, p *proof) error {
	limit, cancel := context.WithTimeout(ctx, p.Part.Limit)
	defer cancel()
	last := "nothing"
	for {
		select {
		case <-limit.Done():
			return fmt.Errorf("its fault was not felt within %s; the last it said was %s", p.Part.Limit, last)
		case line, on := <-lines:
			if !on {
				return fmt.Errorf("it ended before its fault was felt; the last it said was %s", last)
			}
			if last = line; line == string(journal.FaultEffective) {
				p.Broken = s.Now()
				return nil
			}
		}
	}
}

// putBack has another process's work done by this one: it takes over the run that died. With a switch nobody does, until
// Scheduler has.
func (s *selftest) putBack(ctx context.Context, p *proof, before []string) error {
	ctx = context.WithoutCancel(ctx)
	var fired error
	if p.Part.Switch && !p.Killed.IsZero() && len(p.Changed) > 0 {
		fired = s.awaitSwitch(ctx, before)
		p.Back = s.Now()
	}
	store, err := journal.OpenSQLite(ctx, s.journal())
	if err != nil {
		return errors.Join(fired, err)
	}
	defer store.Close()
	e, err := s.engine(store, s.out, nil)
	if err != nil {
		return errors.Join(fired, err)
	}
	state, err := e.Recover(ctx, p.Run, drills.ReasonRecover, "a selftest recovers what it killed")
	if errors.Is(err, journal.ErrNoRun) {
		return fired // it never began
	}
	if state != nil {
		p.Outcome = state.Outcome
		if left := state.InPlace(); len(left) > 0 {
			err = errors.Join(err, fmt.Errorf("left in place: %s", strings.Join(left, ", ")))
		}
	}
	return errors.Join(fired, err)
}

func (s *selftest) journal() string { return filepath.Join(s.dir, "firedrill.db") }

// awaitSwitch waits until Scheduler has put everything back; the sandbox's clock is moved ahead.
func (s *selftest) awaitSwitch(ctx context.Context, before []string) error {
	fmt.Fprintln(s.Err, "deadman: nobody recovers; waiting for the dead-man's switch")
	patience := time.Hour
	if s.sandbox {
		patience = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var left []string
	for {
		if s.sandbox {
			if err := advance(ctx, s.env.Sandbox.URL, "20m"); err != nil {
				return err
			}
		}
		now, err := s.things.State(ctx)
		if err == nil {
			left = besidesTags(same(before, now))
		}
		if err == nil && len(left) == 0 {
			return nil
		}
		if err := (clock{s.Now}).Wait(ctx, time.Second); err != nil {
			return fmt.Errorf("the dead-man's switch has not put it back: %s", strings.Join(left, "; "))
		}
	}
}

// besidesTags leaves our tags out: the switch cannot take them off, and they only tell the next recover.
func besidesTags(diff []string) []string {
	return slices.DeleteFunc(diff, func(line string) bool { return strings.Contains(line, " tag firedrill:") })
}

// advance moves the sandbox's Scheduler ahead: its minutes are not waited for.
func advance(ctx context.Context, url, by string) error {
	body, err := json.Marshal(map[string]string{"by": by})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(url, "/")+"/_sandbox/schedules/advance", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("advance the sandbox's schedules: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("advance the sandbox's schedules: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		return fmt.Errorf("advance the sandbox's schedules: %s: %s", res.Status, text)
	}
	return nil
}

// runSelftestChild breaks what it is told, and tells what happens, a kind of event a line. It is killed in the middle; should
// its parent die first, it puts everything back.
func runSelftestChild(ctx context.Context, d *Deps, path string) error {
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	raw, err := os.ReadFile(path)
	var o order
	if err == nil {
		err = json.Unmarshal(raw, &o)
	}
	if err != nil {
		return fmt.Errorf("read order %s: %w", path, err)
	}
	f, err := d.file()
	if err != nil {
		return err
	}
	env, stop, err := d.environment(ctx, f, sandboxUse{})
	defer func() { stop() }()
	if err != nil {
		return err
	}
	s, err := d.newSelftest(ctx, env)
	if err != nil {
		return err
	}
	s.dir = o.Dir
	v, err := s.steps().Rehearse(ctx, o.Part, o.Run)
	if err != nil {
		return err
	}
	store, err := journal.OpenSQLite(ctx, s.journal())
	if err != nil {
		return err
	}
	defer store.Close()
	e, err := d.engine(store, s.out, func(events []journal.Event) {
		for _, ev := range events {
			fmt.Fprintln(d.Out, ev.Kind)
		}
	})
	if err != nil {
		return err
	}
	go func() { // ends with the process
		_, _ = io.Copy(io.Discard, d.In)
		sig.cancel(&interruption{"the selftest has died"})
	}()
	_, err = sig.wait(func() (*drills.State, error) { return e.Start(ctx, v.Plan, v.Brief) })
	return err
}
