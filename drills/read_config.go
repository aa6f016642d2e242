package drills

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ConfigName is what the file with the environments is called.
const ConfigName = "firedrill.yaml"

// ErrNoConfig says that there is no firedrill.yaml where it is looked for. It is an fs.ErrNotExist.
var ErrNoConfig = fmt.Errorf("%s: %w", ConfigName, fs.ErrNotExist)

// FindConfig returns the path of firedrill.yaml: the explicit one where given, else the one in start or a parent, up to
// the root of the repository. Outside a repository it looks in start alone: a stray file in a home directory must not
// decide what is broken. None is ErrNoConfig.
func FindConfig(start, explicit string) (string, error) {
	if explicit != "" {
		if _, err := os.Stat(explicit); err != nil {
			return "", fmt.Errorf("read %s: %w", explicit, bare(err))
		}
		return explicit, nil
	}
	start, err := filepath.Abs(start)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", ConfigName, err)
	}
	root := repository(start)
	for dir := start; ; dir = filepath.Dir(dir) {
		file := filepath.Join(dir, ConfigName)
		info, err := os.Stat(file)
		switch {
		case err == nil && !info.IsDir():
			return file, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("read %s: %w", file, bare(err))
		}
		if dir == root || root == "" {
			break
		}
	}
	where := "in " + start
	if root != "" && root != start {
		where += " or a parent up to " + root
	}
	return "", fmt.Errorf("find %w %s. Try: firedrill init, or --env sandbox", ErrNoConfig, where)
}

// repository is the nearest parent that holds .git (a file in a work tree of its own); empty when there is none.
func repository(dir string) string {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// LoadConfig reads firedrill.yaml, with its folders of drills as paths that can be opened from anywhere.
func LoadConfig(path string) (*File, error) {
	src, err := readFile(path)
	if err != nil {
		return nil, err
	}
	f, err := ReadEnvironments(path, src)
	if err != nil {
		return nil, err
	}
	for i, folder := range f.Drills {
		if !filepath.IsAbs(folder) {
			f.Drills[i] = filepath.Join(filepath.Dir(path), folder)
		}
	}
	return f, nil
}
