package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// sandboxName is the built-in environment. No file may define it.
const sandboxName = "sandbox"

// file reads firedrill.yaml, if there is one: here or in a parent up to the repository root.
func (d *Deps) file() (*drills.File, error) {
	explicit := d.config
	if explicit == "" {
		explicit = d.Getenv("FIREDRILL_CONFIG")
	}
	path, err := drills.FindConfig(d.Dir, explicit)
	if errors.Is(err, drills.ErrNoConfig) {
		return &drills.File{}, nil
	}
	if err != nil {
		return nil, badInput(err)
	}
	f, err := drills.LoadConfig(path)
	return f, badInput(err)
}

// library is the team's own drills before those that we ship.
func (d *Deps) library(f *drills.File) *drills.Library {
	return drills.NewLibrary(f.Drills, d.kinds())
}

// drill finds a drill by its name or path.
func (d *Deps) drill(f *drills.File, nameOrPath string) (*drills.Spec, error) {
	spec, err := d.library(f).Find(nameOrPath)
	return spec, badInput(err)
}

// environmentName is the one that is meant: by flag, variable, or because there is one only.
func (d *Deps) environmentName(f *drills.File) (string, error) {
	for _, name := range []string{d.env, d.Getenv("FIREDRILL_ENV")} {
		if name != "" {
			return name, nil
		}
	}
	switch names := slices.Sorted(maps.Keys(f.Environments)); len(names) {
	case 0:
		return sandboxName, nil
	case 1:
		return names[0], nil
	default:
		return "", usage("which environment? Try: --env %s", strings.Join(append(names, sandboxName), " or --env "))
	}
}

// answerable says no where a real environment is meant and nobody is here to name it: before anything is reached.
func (d *Deps) answerable(yes bool) error {
	if yes || d.Terminal() {
		return nil
	}
	f, err := d.file()
	if err != nil {
		return err
	}
	name, err := d.environmentName(f)
	if _, real := f.Environments[name]; err == nil && real {
		err = usage("%s is a real environment, and nobody is here to confirm. Try: --yes", name)
	}
	return err
}

// environment finds the environment that is meant. For the sandbox it finds the instance, or starts one in this
// process; stop ends what it started.
func (d *Deps) environment(ctx context.Context, f *drills.File, o sandboxUse) (env *drills.Environment, stop func(), err error) {
	stop = func() {}
	name, err := d.environmentName(f)
	if err != nil {
		return nil, stop, err
	}
	if name == sandboxName {
		return d.sandboxEnvironment(ctx, o)
	}
	e, ok := f.Environments[name]
	if !ok {
		return nil, stop, unknownEnvironment(f, name)
	}
	return &e, stop, nil
}

func unknownEnvironment(f *drills.File, name string) error {
	return usage("no environment is called %q. Try: %s", name, strings.Join(append(slices.Sorted(maps.Keys(f.Environments)), sandboxName), ", "))
}

// sandboxUse says how a verb uses the sandbox.
type sandboxUse struct {
	start     bool   // plan, run: start one in this process where none answers
	responder string // for one that is started
	own       bool   // play: not one that another process has started, unless FIREDRILL_SANDBOX names it
}

// sandboxEnvironment is the built-in environment, made of what a sandbox tells of itself.
func (d *Deps) sandboxEnvironment(ctx context.Context, o sandboxUse) (*drills.Environment, func(), error) {
	stop := func() {}
	if url := d.Getenv("FIREDRILL_SANDBOX"); url != "" {
		w, err := askWorld(ctx, url)
		if err != nil {
			return nil, stop, &hinted{fmt.Errorf("reach the sandbox of FIREDRILL_SANDBOX: %w", err), "firedrill sandbox, or unset FIREDRILL_SANDBOX"}
		}
		return sandboxOf(w), stop, nil
	}
	if w, err := d.runningSandbox(ctx); err == nil && !o.own {
		return sandboxOf(w), stop, nil
	}
	if !o.start {
		return nil, stop, &hinted{errors.New("no sandbox is running"), "firedrill sandbox"}
	}
	s, err := sandbox.Start(context.WithoutCancel(ctx), sandbox.Options{Responder: o.responder, Now: d.Now, Log: d.Err})
	if err != nil {
		return nil, stop, fmt.Errorf("start the sandbox: %w", err)
	}
	w := s.World()
	fmt.Fprintf(d.Err, "sandbox ready %s instance %s\n", w.URL, w.Instance)
	return sandboxOf(w), func() { _ = s.Close() }, nil
}

// sandboxFile is where a sandbox of its own process writes its address.
func (d *Deps) sandboxFile() (string, error) {
	dir, err := d.stateDir()
	return filepath.Join(dir, "sandbox.json"), err
}

// runningSandbox is the instance that the state directory names, if it answers.
func (d *Deps) runningSandbox(ctx context.Context) (sandbox.World, error) {
	path, err := d.sandboxFile()
	if err != nil {
		return sandbox.World{}, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return sandbox.World{}, err
	}
	var at sandbox.World
	if err := json.Unmarshal(b, &at); err != nil {
		return at, fmt.Errorf("read %s: %w", path, err)
	}
	return askInstance(ctx, at.URL, at.Instance)
}

// errGone: the instance does not exist any more. One that only does not answer may.
var errGone = errors.New("it is gone")

// askInstance asks for one instance: another one on the same port is not it.
func askInstance(ctx context.Context, url, instance string) (sandbox.World, error) {
	w, err := askWorld(ctx, url)
	if err == nil && w.Instance != instance {
		err = fmt.Errorf("sandbox at %s is instance %s, not %s: %w", url, w.Instance, instance, errGone)
	}
	return w, err
}

func askWorld(ctx context.Context, url string) (w sandbox.World, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(url, "/")+"/_sandbox/world", nil)
	if err != nil {
		return w, err
	}
	res, err := http.DefaultClient.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		err = fmt.Errorf("%w: %w", errGone, err)
	}
	if err != nil {
		return w, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return w, fmt.Errorf("GET %s: %s", req.URL, res.Status)
	}
	return w, json.NewDecoder(res.Body).Decode(&w)
}

// sandboxOf makes the environment of a world. Its times are short, and nothing in it is secret.
func sandboxOf(w sandbox.World) *drills.Environment {
	env := &drills.Environment{
		Name: sandboxName,
		AWS:  drills.AWSSpec{Account: w.Account, Regions: []string{w.Region}, Endpoint: w.AWS},
		Tags: map[string]string{"environment": "sandbox", "firedrill": "allowed"},
		PagerDuty: drills.PagerSpec{Region: "us", Token: "plain:" + w.Token, From: w.From, Bots: []string{w.Bot},
			API: w.Pager, Events: w.Events},
		Owner: "plain:" + w.Owner, Teams: map[string]drills.Team{}, Store: drills.StoreSpec{Kind: "sqlite"}, Vars: w.Vars,
		Slack:        drills.SlackSpec{Token: "plain:" + w.Slack.Token, API: w.Slack.API},
		Deadman:      drills.DeadmanSpec{Role: w.Deadman.Role, DLQ: w.Deadman.DLQ},
		UndoPatience: time.Minute, Settle: 20 * time.Second,
		Sandbox: &drills.SandboxRef{Instance: w.Instance, URL: w.URL, KeyID: w.Keys["firedrill"].ID, Secret: w.Keys["firedrill"].Secret, Unhurried: w.Unhurried},
	}
	for name, t := range w.Teams {
		env.Teams[name] = drills.Team{Service: t.Service, Key: "plain:" + t.Key, Slack: t.Slack}
	}
	return env
}
