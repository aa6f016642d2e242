package observe

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/slack-go/slack"
)

// What a message may hold: https://docs.slack.dev/reference/block-kit/blocks/section-block/ and image-block.
const (
	slackSection = 3000 // characters of a section's text
	slackAlt     = 2000 // characters of a picture's description
)

// slackText makes text of ours, or of others, safe in Slack: &, < and > are written out, so that nothing in it can
// name a user or a channel, and an @channel is no call. Addresses of the web become links; nothing else does.
// https://docs.slack.dev/messaging/formatting-message-text/
func slackText(text string) string {
	var b strings.Builder
	for _, line := range strings.SplitAfter(text, "\n") {
		rest := line
		for _, at := range webForm.FindAllStringIndex(line, -1) {
			from := at[0] - (len(line) - len(rest))
			b.WriteString(slackEscape(rest[:from]))
			b.WriteString("<" + slackEscape(line[at[0]:at[1]]) + ">")
			rest = line[at[1]:]
		}
		b.WriteString(slackEscape(rest))
	}
	return b.String()
}

// webForm finds addresses of the web as people write them; a full stop or bracket behind one is not a part of it.
var webForm = regexp.MustCompile(`https?://[^\s<>|"'` + "`" + `]*[^\s<>|"'` + "`" + `.,;:!?)\]]`)

// slackEscape writes out Slack's control characters, and takes the call out of what would call everybody.
func slackEscape(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	return callForm.ReplaceAllString(text, "@\u2060$1")
}

var callForm = regexp.MustCompile(`(?i)@(channel|here|everyone)\b`)

// fallbackText is what notifications and screen readers show.
func fallbackText(m Message) string {
	if strings.TrimSpace(m.Text) == "" {
		return m.Image
	}
	return m.Text
}

// slackSectionBlock is a section with nothing but a text. slack-go's own may hold every element there is, and the code
// to read them all would be linked with it.
type slackSectionBlock struct {
	Type slack.MessageBlockType `json:"type"`
	Text *slack.TextBlockObject `json:"text"`
}

// slackBlocks is a message in Slack's own form.
func slackBlocks(m Message) (json.RawMessage, error) {
	var blocks []any
	if text := strings.TrimSpace(m.Text); text != "" {
		// verbatim: Slack finds no names, channels or mentions in it by itself
		blocks = append(blocks, slackSectionBlock{slack.MBTSection, slack.NewTextBlockObject(slack.MarkdownType, fitSlack(text), false, true)})
	}
	if m.Image != "" {
		blocks = append(blocks, slack.NewImageBlock(m.Image, cutRunes(fallbackText(m), slackAlt), "", nil))
	}
	return json.Marshal(blocks)
}

// fitSlack cuts a text so that it fits as it will be written: never in the middle of an escape.
func fitSlack(text string) string {
	out := slackText(text)
	for n := slackSection; len([]rune(out)) > slackSection; n -= 100 {
		out = slackText(cutRunes(text, n))
	}
	return out
}

// cutRunes keeps the first n characters.
func cutRunes(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n-2]) + " …"
	}
	return text
}

// readSlack makes plain text of what people wrote: links are written out, mentions name nobody, and addresses and
// numbers of people are dropped.
func readSlack(text string) string {
	text = slackRefForm.ReplaceAllStringFunc(text, func(ref string) string {
		target, label, _ := strings.Cut(ref[1:len(ref)-1], "|")
		switch {
		case strings.HasPrefix(target, "@"), strings.HasPrefix(target, "!subteam"):
			return "@somebody"
		case strings.HasPrefix(target, "!"):
			word, _, _ := strings.Cut(target[1:], "^")
			return "@" + word
		case strings.HasPrefix(target, "#") && label != "":
			return "#" + label
		case strings.HasPrefix(target, "#"):
			return "#a-channel"
		case strings.HasPrefix(target, "mailto:"), strings.HasPrefix(target, "tel:"):
			return "[address]"
		case label == "" || label == target:
			return target
		}
		return label + " (" + target + ")"
	})
	return strings.TrimSpace(strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text))
}

var slackRefForm = regexp.MustCompile(`<[^<>\n]+>`)
