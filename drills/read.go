package drills

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ReadDrill reads a drill file. name is what its mistakes are told under; kinds are the faults it may hold, nil for
// any. The error is *Mistakes, with everything wrong in it. Variables stay as they are written: see Resolve.
func ReadDrill(name string, src []byte, kinds Kinds) (*Spec, error) {
	tree, found := parse(name, src)
	if tree == nil {
		return nil, asError(found)
	}
	r := &reader{file: name, kinds: kinds, found: found}
	s := r.drill(tree)
	if err := asError(r.found); err != nil {
		return nil, err
	}
	s.tree, s.file, s.kinds = tree, name, kinds
	return s, nil
}

// ReadEnvironments reads firedrill.yaml. The error is *Mistakes, with everything wrong in it, and never a secret.
func ReadEnvironments(name string, src []byte) (*File, error) {
	tree, found := parse(name, src)
	if tree == nil {
		return nil, asError(found)
	}
	r := &reader{file: name, noVars: true, found: found}
	f := r.environments(tree)
	if err := asError(r.found); err != nil {
		return nil, err
	}
	f.Source = name
	return f, nil
}

// readFile reads a file, but no more of it than a drill may be long.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, bare(err))
	}
	src, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, bare(err))
	}
	return src, nil
}

// bare takes operation and path off an error that is about to be told with both.
func bare(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
