package debrief

import (
	"strings"
	"unicode"
)

// longest is how much of one text of theirs is shown.
const longest = 2000

// clean makes one line of a text and drops what would steer a terminal or turn text around.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > longest {
		s = string(r[:longest]) + " …"
	}
	return s
}

// Escape makes text of others harmless in Markdown: it shows as it was written, on one line, links nowhere by itself,
// calls nobody, and breaks no table.
func Escape(s string) string {
	var b strings.Builder
	for _, r := range clean(s) {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '@':
			b.WriteString("&#64;")
		case '\\', '`', '*', '_', '[', ']', '|', '#', '~', '!', '$':
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// link is a Markdown link to a web page; anything else stays text.
func link(text, url string) string {
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") || strings.ContainsAny(url, " \t\r\n<>()\\`|\"") {
		if url == "" {
			return Escape(text)
		}
		return Escape(text + " " + url)
	}
	return "[" + Escape(text) + "](<" + url + ">)"
}

// code shows a name or an ARN as it is.
func code(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", "¦").Replace(clean(s)) + "`"
}
