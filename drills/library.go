package drills

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// shipped holds the drills that come with firedrill. The compiler fills it: nothing else may.
//
//go:embed library/*.yaml
var shipped embed.FS

// Library finds drills: in a team's own folders first, then among those that come with firedrill.
type Library struct {
	folders []string
	kinds   Kinds
}

// NewLibrary looks into folders before the built-in library. kinds are the faults a drill may hold, nil for any.
func NewLibrary(folders []string, kinds Kinds) *Library {
	return &Library{folders: folders, kinds: kinds}
}

// Listed is one drill of a library.
type Listed struct {
	Name  string
	Title string // empty when the file cannot be read
	Team  string
	Tags  []string
	// Source is the file it was read from; empty for one that comes with firedrill.
	Source string
	// Hides says that it stands before one of the same name that comes with firedrill.
	Hides bool
	// Broken is why the file cannot be used, as a rule *Mistakes; nil when it can.
	Broken error
}

// card is a drill file, not read yet but for its name.
type card struct {
	name string
	file string // as mistakes name it
	own  bool
	src  []byte
}

// Find returns a drill by its name, or by the path of its file. A file's mistakes come as *Mistakes.
func (l *Library) Find(nameOrPath string) (*Spec, error) {
	c, err := l.find(nameOrPath)
	if err != nil {
		return nil, err
	}
	return l.read(c)
}

// Source returns a drill's file as it is written, and the name its mistakes are told under.
func (l *Library) Source(nameOrPath string) (src []byte, file string, err error) {
	c, err := l.find(nameOrPath)
	return c.src, c.file, err
}

// List returns every drill, own ones first, each sorted by name, without those that are hidden. The error tells a
// folder that cannot be read, or a name that stands twice; what could be read is listed all the same.
func (l *Library) List() ([]Listed, error) {
	own, err := l.own()
	out := []Listed{}
	names := map[string]string{}
	builtin := l.builtin()
	for _, c := range own {
		if first, twice := names[c.name]; twice {
			err = errors.Join(err, twiceError(c.name, first, c.file))
		}
		names[c.name] = c.file
		hides := slices.ContainsFunc(builtin, func(b card) bool { return b.name == c.name })
		out = append(out, l.listed(c, hides))
	}
	for _, c := range builtin {
		if _, hidden := names[c.name]; !hidden {
			out = append(out, l.listed(c, false))
		}
	}
	return out, err
}

func (l *Library) listed(c card, hides bool) Listed {
	out := Listed{Name: c.name, Hides: hides}
	if c.own {
		out.Source = c.file
	}
	s, err := l.read(c)
	if err != nil {
		out.Broken = err
		return out
	}
	out.Title, out.Team, out.Tags = s.Title, s.Team, s.Tags
	return out
}

func (l *Library) read(c card) (*Spec, error) {
	s, err := ReadDrill(c.file, c.src, l.kinds)
	if err == nil && c.own {
		s.Source = c.file
	}
	return s, err
}

// find looks a drill up. Whatever looks like a path is one.
func (l *Library) find(nameOrPath string) (card, error) {
	if strings.ContainsAny(nameOrPath, `/\`) || isDrillFile(nameOrPath) {
		src, err := readFile(nameOrPath)
		return card{file: nameOrPath, own: true, src: src}, err
	}
	own, err := l.own()
	if err != nil {
		return card{}, err
	}
	var found []card
	known := []string{}
	for _, c := range append(own, l.builtin()...) {
		known = append(known, c.name)
		if c.name == nameOrPath && (c.own || len(found) == 0) {
			found = append(found, c)
		}
	}
	switch {
	case len(found) > 1:
		return card{}, twiceError(nameOrPath, found[0].file, found[1].file)
	case len(found) == 1:
		return found[0], nil
	}
	try := "firedrill list, or the path of a file"
	if k, ok := nearest(nameOrPath, known); ok {
		try = "did you mean " + k + "?"
	}
	return card{}, fmt.Errorf("there is no drill %q. Try: %s", nameOrPath, try)
}

func twiceError(name, first, second string) error {
	return fmt.Errorf("drill %s stands twice: in %s and in %s. Try: rename one", name, first, second)
}

// own reads the folders' files, in the order of their names.
func (l *Library) own() ([]card, error) {
	var out []card
	var wrong []error
	for _, folder := range l.folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("read the drills in %s: %w. Try: make the folder, or mend drills: in firedrill.yaml", folder, bare(err)))
		}
		for _, e := range entries {
			file := filepath.Join(folder, e.Name())
			if info, err := os.Stat(file); !isDrillFile(e.Name()) || strings.HasPrefix(e.Name(), ".") || err == nil && !info.Mode().IsRegular() {
				continue
			}
			src, err := readFile(file)
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			out = append(out, card{name: peek(file, src), file: file, own: true, src: src})
		}
	}
	slices.SortStableFunc(out, func(a, b card) int { return strings.Compare(a.name, b.name) })
	return out, errors.Join(wrong...)
}

// builtin reads what comes with firedrill.
func (l *Library) builtin() []card {
	var out []card
	files, _ := fs.Glob(shipped, "library/*.yaml") // the pattern is a good one, and an embedded folder can be read
	for _, file := range files {
		src, _ := shipped.ReadFile(file)
		out = append(out, card{name: strings.TrimSuffix(path.Base(file), ".yaml"), file: file, src: src})
	}
	return out
}

// isDrillFile goes by the ending of a file's name.
func isDrillFile(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// peek reads a drill's name alone; a file without one goes by its own name.
func peek(file string, src []byte) string {
	if tree, _ := parse(file, src); tree != nil {
		for _, p := range tree.pairs {
			if p.key == "drill" && nameForm.MatchString(p.value.text) {
				return p.value.text
			}
		}
	}
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
