package cmd

import (
	"context"
	"slices"

	"github.com/firedrill/firedrill/observe"
)

// clearPager tells people no secret.
type clearPager struct {
	observe.Pager
	secrecy *secrecy
}

// Send is the pager's, without secrets. The key is not part of what is told.
func (c *clearPager) Send(ctx context.Context, key string, p observe.Page) error {
	p.Title, p.Source = c.secrecy.clean(p.Title), c.secrecy.clean(p.Source)
	details := make(map[string]any, len(p.Details))
	for k, v := range p.Details {
		details[k] = c.secrecy.value(v)
	}
	p.Details, p.Links = details, slices.Clone(p.Links)
	for i := range p.Links {
		p.Links[i].Href, p.Links[i].Text = c.secrecy.clean(p.Links[i].Href), c.secrecy.clean(p.Links[i].Text)
	}
	return c.Pager.Send(ctx, key, p)
}

// value takes secrets out of the texts of a value, however deep they stand.
func (s *secrecy) value(v any) any {
	switch v := v.(type) {
	case string:
		return s.clean(v)
	case []string:
		return s.cleanAll(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = s.value(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = s.value(v[k])
		}
		return out
	}
	return v
}

// Note is the pager's, without secrets.
func (c *clearPager) Note(ctx context.Context, incident, text string) error {
	return c.Pager.Note(ctx, incident, c.secrecy.clean(text))
}
