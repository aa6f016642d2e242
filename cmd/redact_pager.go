package cmd

import (
	"context"
	"fmt"

	"github.com/firedrill/firedrill/observe"
)

// clearPager tells people no secret.
type clearPager struct {
	observe.Pager
	secrecy *secrecy
}

// Send is the pager's, without secrets. The key is not part of what is told.
func (c *clearPager) Send(ctx context.Context, key string, p observe.Page) error {
	clean, err := cleaned(c.secrecy, p)
	if err != nil {
		return fmt.Errorf("take secrets out of a page: %w", err)
	}
	return c.Pager.Send(ctx, key, clean)
}

// Note is the pager's, without secrets.
func (c *clearPager) Note(ctx context.Context, incident, text string) error {
	return c.Pager.Note(ctx, incident, c.secrecy.clean(text))
}
