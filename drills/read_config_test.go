package drills

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFindConfig(t *testing.T) {
	top := t.TempDir()
	stray := write(t, filepath.Join(top, ConfigName), staging)
	repo, deep := filepath.Join(top, "repo"), filepath.Join(top, "repo", "services", "orders")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := FindConfig(deep, ""); !errors.Is(err, ErrNoConfig) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("outside a repository a parent's file was found: %v", err)
	}
	if got, err := FindConfig(top, ""); err != nil || got != stray {
		t.Errorf("here: %q %v", got, err)
	}
	write(t, filepath.Join(repo, ".git"), "gitdir: elsewhere\n")
	if got, err := FindConfig(deep, ""); !errors.Is(err, ErrNoConfig) {
		t.Errorf("a file above the repository was found: %q %v", got, err)
	}
	want := write(t, filepath.Join(repo, ConfigName), staging)
	if got, err := FindConfig(deep, ""); err != nil || got != want {
		t.Errorf("in the repository's root: %q %v", got, err)
	}
	nearer := write(t, filepath.Join(repo, "services", ConfigName), staging)
	if got, err := FindConfig(deep, ""); err != nil || got != nearer {
		t.Errorf("the nearer one: %q %v", got, err)
	}
	if got, err := FindConfig(deep, stray); err != nil || got != stray {
		t.Errorf("the explicit one: %q %v", got, err)
	}
	if _, err := FindConfig(deep, filepath.Join(top, "none.yaml")); err == nil || errors.Is(err, ErrNoConfig) {
		t.Errorf("an explicit one that is not there: %v", err)
	}
}

func TestLoadConfigMakesFoldersAbsolute(t *testing.T) {
	dir := t.TempDir()
	f, err := LoadConfig(write(t, filepath.Join(dir, ConfigName), staging))
	if err != nil || len(f.Drills) != 1 || f.Drills[0] != filepath.Join(dir, "drills") {
		t.Errorf("%v %v", f, err)
	}
	if _, err := LoadConfig(filepath.Join(dir, "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
}
