package observe

import (
	"fmt"
	"time"
)

// Span is a duration as people write it in a drill file: 3s, 2m. It is text in YAML and in JSON.
type Span time.Duration

// UnmarshalText reads "3s". A bare number is refused: nobody knows its unit.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 3s or 2m", text)
	}
	*s = Span(d)
	return nil
}

// MarshalText writes "3s".
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// or gives d where nothing was written.
func (s Span) or(d time.Duration) time.Duration {
	if s == 0 {
		return d
	}
	return time.Duration(s)
}
