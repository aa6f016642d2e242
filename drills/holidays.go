package drills

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// calendarTime bounds the reading of one calendar.
const calendarTime = 5 * time.Second

// remote says that a calendar is fetched, and not read from a file.
func remote(source string) bool {
	return strings.HasPrefix(source, "https://") || strings.HasPrefix(source, "http://")
}

// holidays reads one of the environment's calendars, from yesterday on.
func (st *Steps) holidays(ctx context.Context, source string, zone *time.Location, now time.Time) ([]DayOff, error) {
	name, src, err := sourceName(source), []byte(nil), error(nil)
	if !remote(source) {
		src, err = readHolidays(st.Env.Source, source)
	} else if st.World.Calendar == nil {
		err = errors.New("fetch " + name + ": nobody can, from here")
	} else {
		src, err = st.World.Calendar(ctx, source)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, calendarTime)
	defer cancel()
	return ReadCalendar(ctx, name, src, zone, Span{now.Add(-day), now.AddDate(0, 0, horizonDays+1)})
}

// sourceName is how people are told of a calendar: the address of a private one is a secret but for its host.
func sourceName(source string) string {
	if u, err := url.Parse(source); err == nil && remote(source) {
		return "the calendar at " + u.Host
	}
	return source
}

// readHolidays reads a calendar's file, beside the environment file that names it.
func readHolidays(beside, source string) ([]byte, error) {
	path := source
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(beside), path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read holidays: %w", err)
	}
	defer func() { _ = f.Close() }()
	src, err := io.ReadAll(io.LimitReader(f, maxCalendar+1))
	if err != nil {
		return nil, fmt.Errorf("read holidays %s: %w", source, err)
	}
	return src, nil
}

// CheckHolidays reads the calendar files that an environment names, and says what is wrong with each. Addresses are not
// fetched: validate reaches nobody.
func CheckHolidays(ctx context.Context, env *Environment, now time.Time) (wrong []error) {
	ctx, cancel := context.WithTimeout(ctx, calendarTime)
	defer cancel()
	zone := NewCalendar(env).Zone()
	for _, source := range env.Holidays {
		if remote(source) {
			continue
		}
		src, err := readHolidays(env.Source, source)
		if err == nil {
			_, err = ReadCalendar(ctx, source, src, zone, Span{now.Add(-day), now.AddDate(0, 0, horizonDays+1)})
		}
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	return wrong
}
