package debrief

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"

	"github.com/firedrill/firedrill/observe/timeline"
)

//go:embed debrief.md.tmpl
var defaultTemplate string

// DefaultTemplate is the template that ships: copy it and change it.
func DefaultTemplate() string { return defaultTemplate }

// Parse reads a template of the user's own. It is executed with a Debrief, and has the functions of the default one:
// escape (text of others), code, link, duration, seconds, clock, since, bar, because, how, fate.
func Parse(name, text string) (*template.Template, error) {
	t, err := template.New(name).Funcs(template.FuncMap{
		"escape": Escape, "code": code, "link": link, "duration": Duration, "seconds": Seconds,
		"clock": clock, "since": since, "bar": bar, "because": because, "how": how, "actual": actual, "took": took, "fate": fate,
	}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read debrief template %s: %w", name, err)
	}
	return t, nil
}

// Markdown writes the debrief. A nil template is the default one.
func Markdown(w io.Writer, d Debrief, tmpl *template.Template) error {
	if tmpl == nil {
		var err error
		if tmpl, err = Parse("debrief.md", defaultTemplate); err != nil {
			return err
		}
	}
	if err := tmpl.Execute(w, d); err != nil {
		return fmt.Errorf("write debrief of run %s: %w", d.Timeline.Run, err)
	}
	return nil
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("15:04:05")
}

// since is an offset from t0, with its sign.
func since(d time.Duration) string {
	sign := "+"
	if d < 0 {
		sign, d = "−", -d
	}
	d = d.Round(100 * time.Millisecond)
	if d >= time.Hour {
		return fmt.Sprintf("%s%d:%02d:%04.1f", sign, d/time.Hour, d%time.Hour/time.Minute, (d % time.Minute).Seconds())
	}
	return fmt.Sprintf("%s%d:%04.1f", sign, d/time.Minute, (d % time.Minute).Seconds())
}

// bar is an instant's error bar: how much earlier or later it may have been.
func bar(i timeline.Instant) string {
	switch e, l := i.Early.Seconds(), i.Late.Seconds(); {
	case i.At.IsZero():
		return ""
	case e < 0.05 && l < 0.05:
		return "± 0.0 s"
	case e-l < 0.05 && l-e < 0.05:
		return fmt.Sprintf("± %.1f s", max(e, l))
	default:
		return fmt.Sprintf("−%.1f s / +%.1f s", e, l)
	}
}

// took is an interval with its error bar.
func took(i timeline.Interval) string {
	if !i.Known {
		return "–"
	}
	return WithBar(i.Seconds, i.ErrorS)
}

func actual(v timeline.Verdict) string {
	if v.Known {
		return WithBar(v.ActualS, v.ErrorS)
	}
	return "– (" + because(timeline.Instant{Reason: v.Reason}) + ")"
}

func how(f timeline.Fault) string {
	switch {
	case f.Left != "":
		return "**still in place**"
	case f.State == "idle":
		return "nothing was changed"
	}
	switch f.How {
	case "restored":
		return "we put it back, and read it back as before"
	case "already_restored":
		return "somebody had put it back before us; it read back as before"
	case "never_applied":
		return "it never went in"
	case "diverged":
		return "**somebody changed it meanwhile: their change stays**, only our share was taken out"
	}
	return strings.ReplaceAll(f.How, "_", " ")
}
