package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// pageRoom is how much is added to the page of a job: GitHub shows 1 MiB a step, and nothing at all of more.
// https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
const pageRoom = 1000 << 10

// replace writes a file, without secrets, as a whole or not at all.
func (d *Deps) replace(path, text string) error {
	wrap := func(err error) error { return fmt.Errorf("write %s: %w", path, err) }
	if at, err := os.Stat(path); err == nil && !at.Mode().IsRegular() {
		return wrap(errors.New("it is there, and no file"))
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".firedrill-*")
	if err != nil {
		return wrap(err)
	}
	_, err = f.WriteString(d.known.clean(text))
	// What a CI job keeps is read by others than who wrote it.
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(wrap(err), os.Remove(f.Name()))
	}
	return nil
}

// appendTo adds to a file, as far as there is room for it.
func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	if at, err := f.Stat(); err == nil && at.Mode().IsRegular() && at.Size()+int64(len(text)) > pageRoom {
		text = ""
		if at.Size() < pageRoom {
			text = "\nThere is more than fits here: see the debriefs.\n" + strings.Repeat("\n", max(0, int(pageRoom-at.Size())))
		}
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write summary %s: %w", path, err)
	}
	return nil
}

// clear makes the directory of the artifacts, without what an earlier run may have said of itself there.
func (p *papers) clear() error {
	if err := os.MkdirAll(p.artifacts, 0o755); err != nil {
		return fmt.Errorf("write artifacts: %w", err)
	}
	for _, name := range []string{"exit", "runs"} {
		if err := os.Remove(filepath.Join(p.artifacts, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("write artifacts: %w", err)
		}
	}
	return p.d.replace(filepath.Join(p.artifacts, "runs"), "")
}

// keep writes what is known of a run into a directory of its drill's name.
func (p *papers) keep(t timeline.Timeline, told debrief.Debrief) error {
	dir := p.dir(t.Brief.Drill)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write artifacts: %w", err)
	}
	var story, numbers strings.Builder
	err := errors.Join(debrief.Markdown(&story, told, nil), writeMetrics(&numbers, []timeline.Timeline{t}))
	status, lost := timeline.StatusJSON(t)
	err = errors.Join(err, lost)
	for name, text := range map[string]string{"debrief.md": story.String(), "status.json": string(status), "metrics.prom": numbers.String()} {
		err = errors.Join(err, p.d.replace(filepath.Join(dir, name), text))
	}
	return err
}

// dir is where the artifacts of a drill are.
func (p *papers) dir(drill string) string { return filepath.Join(p.artifacts, filepath.Base(drill)) }

// export writes the journals of the runs that have ended: all that was recorded, which is more than a run keeps in mind.
func (p *papers) export(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pushBy)
	defer cancel()
	store, err := p.d.reading(ctx)
	if err != nil {
		return fmt.Errorf("export journal: %w", err)
	}
	defer store.Close()
	for _, r := range p.runs {
		if r.suite == nil {
			continue
		}
		events, lost := eventsOf(ctx, store, r.run)
		var text strings.Builder
		for _, e := range events {
			line, unwritten := json.Marshal(e)
			lost = errors.Join(lost, unwritten)
			fmt.Fprintf(&text, "%s\n", line)
		}
		if lost == nil {
			lost = p.d.replace(filepath.Join(p.dir(r.drill), "journal.jsonl"), text.String())
		}
		err = errors.Join(err, lost)
	}
	if err != nil {
		return fmt.Errorf("export journal: %w", err)
	}
	return nil
}

// link says on the page of a job where the debrief is.
func (p *papers) link(t timeline.Timeline) string {
	env := p.d.Getenv
	url := ""
	switch {
	case p.artifacts == "":
		return "The whole debrief: `firedrill debrief " + t.Run + "`"
	case env("GITHUB_RUN_ID") != "":
		url = fmt.Sprintf("%s/%s/actions/runs/%s#artifacts", env("GITHUB_SERVER_URL"), env("GITHUB_REPOSITORY"), env("GITHUB_RUN_ID"))
	case env("CI_JOB_URL") != "":
		url = env("CI_JOB_URL") + "/artifacts/browse"
	}
	file := filepath.Base(t.Brief.Drill) + "/debrief.md"
	if url == "" {
		return "The whole debrief: `" + filepath.Join(p.artifacts, file) + "`"
	}
	return fmt.Sprintf("The whole debrief: `%s` among [the job's artifacts](<%s>)", file, url)
}
