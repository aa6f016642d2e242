package observe

import (
	"strings"
	"testing"
)

func TestSlackTextNamesNobody(t *testing.T) {
	for in, want := range map[string]string{
		"plain *bold* `code`":                                     "plain *bold* `code`",
		"a < b & c > d":                                           "a &lt; b &amp; c &gt; d",
		"<!channel> <!here> <@U024BE7LH>":                         "&lt;!channel&gt; &lt;!here&gt; &lt;@U024BE7LH&gt;",
		"@channel @Here @everyone @herewith":                      "@\u2060channel @\u2060Here @\u2060everyone @herewith",
		"see https://a.example.com/x?a=1&b=2.":                    "see <https://a.example.com/x?a=1&amp;b=2>.",
		"(https://a.example.com)\nhttp://b.example.com ":          "(<https://a.example.com>)\n<http://b.example.com> ",
		"https://a.example.com|<!channel>":                        "<https://a.example.com>|&lt;!channel&gt;",
		"<https://a.example.com|click>":                           "&lt;<https://a.example.com>|click&gt;",
		"two https://a.example.com/1 and https://a.example.com/2": "two <https://a.example.com/1> and <https://a.example.com/2>",
		"":         "",
		"https://": "https://",
	} {
		if got := slackText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSlackTextFits(t *testing.T) {
	for _, long := range []string{strings.Repeat("<", 5000), strings.Repeat("ä", 5000), strings.Repeat("https://a.example.com ", 300)} {
		got := fitSlack(long)
		if n := len([]rune(got)); n > slackSection || n < slackSection/10 || !strings.HasSuffix(got, " …") {
			t.Errorf("%d characters, ends in %q", n, got[len(got)-10:])
		}
	}
	if got := fitSlack(strings.Repeat("x", slackSection)); len(got) != slackSection {
		t.Errorf("cut what fits: %d", len(got))
	}
}

func TestReadSlack(t *testing.T) {
	for in, want := range map[string]string{
		"a &lt;b&gt; &amp;amp; c":                           "a <b> &amp; c",
		"<@U1> <@U2|anna> <!subteam^S1|@team>":              "@somebody @somebody @somebody",
		"<!here> <!date^1|then>":                            "@here @date",
		"<#C1|orders> <#C2>":                                "#orders #a-channel",
		"<tel:+491|+49 1>, <mailto:a@example.com|me>":       "[address], [address]",
		"<https://a.example.com> <https://b.example.com|b>": "https://a.example.com b (https://b.example.com)",
	} {
		if got := readSlack(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// What people write comes back as they wrote it, but for what calls people.
func FuzzSlackText(f *testing.F) {
	f.Add("a <b> https://a.example.com/?x=1&y=2 @here")
	f.Fuzz(func(t *testing.T, in string) {
		out := slackText(in)
		for _, ref := range slackRefForm.FindAllString(out, -1) {
			if !strings.HasPrefix(ref, "<http://") && !strings.HasPrefix(ref, "<https://") {
				t.Errorf("%q became a reference: %q", in, out)
			}
		}
		if strings.Count(out, "<") != len(slackRefForm.FindAllString(out, -1)) {
			t.Errorf("%q leaves a bracket: %q", in, out)
		}
	})
}

func TestSlackTime(t *testing.T) {
	if at, ok := slackTime("1700000000.000100"); !ok || at.UnixMicro() != 1700000000000100 {
		t.Errorf("%v %v", at, ok)
	}
	for _, bad := range []string{"", ".1", "1.", "x.1", "-1.000000", "1.2/3"} {
		if _, ok := slackTime(bad); ok {
			t.Errorf("%q is a stamp", bad)
		}
	}
}
