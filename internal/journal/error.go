package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode"

	"modernc.org/sqlite"
)

// Error says what could not be done with a journal, and what to do about it.
type Error struct {
	Op   string // open, append to, read, lease in, close
	Path string // of its file, or which table it is
	Err  error
	Try  string // the next step, for people; may be empty
}

func (e *Error) Error() string {
	msg := fmt.Sprintf("%s journal %s: %v", e.Op, e.Path, e.Err)
	msg = strings.Map(func(r rune) rune { // one line, whatever a damaged file says
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, msg)
	if e.Try != "" {
		msg += ". Try: " + e.Try
	}
	return msg
}

func (e *Error) Unwrap() error { return e.Err }

var (
	errForeign  = errors.New("the file belongs to another program")
	errNewer    = errors.New("the file was written by a newer firedrill")
	errReadOnly = errors.New("it was opened for reading")
	errReplaced = errors.New("another file stands there now")
	// ErrDamaged says that the journal file cannot be read as one.
	ErrDamaged = errors.New("the file is damaged or no journal")
)

// Result codes of SQLite that need a word of advice: https://www.sqlite.org/rescode.html
const (
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeIO       = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

// fail makes an *Error of err with the advice that belongs to it. The store's own answers pass as they are.
func (s *SQLite) fail(op string, err error) error {
	if err == nil || answers(err) {
		return err
	}
	e := &Error{Op: op, Path: s.path, Err: err}
	code := codeOf(err)
	switch {
	case errors.Is(err, errNewer):
		e.Try = "use the newer firedrill"
	case errors.Is(err, errForeign):
		e.Try = "name another directory with --state"
	case errors.Is(err, errReplaced), errors.Is(err, fs.ErrNotExist):
		e.Try = "put the file back and run firedrill recover"
	case errors.Is(err, fs.ErrPermission), code == codeReadOnly, code == codeCantOpen:
		e.Try = "make " + filepath.Dir(s.path) + " writable for you, or name another directory with --state"
	case code == codeFull, code == codeIO:
		e.Try = "free space on the disk of " + filepath.Dir(s.path)
	case code == codeBusy, code == codeLocked:
		e.Try = "again; another process keeps the file locked"
	case errors.Is(err, ErrDamaged), code == codeCorrupt, code == codeNotADB:
		if e.Err = err; !errors.Is(err, ErrDamaged) {
			e.Err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		e.Try = "restore it from a copy, or move it away and put back what a run has left by its firedrill tags"
	}
	return e
}

// answers says that err is what a store may answer, no trouble of its own.
func answers(err error) bool {
	var held *HeldError
	return errors.Is(err, ErrConflict) || errors.Is(err, ErrStale) || errors.As(err, &held)
}

// codeOf is the primary result code of SQLite in err, 0 where there is none.
func codeOf(err error) int {
	var driver *sqlite.Error
	if !errors.As(err, &driver) {
		return 0
	}
	return driver.Code() & 0xff
}
