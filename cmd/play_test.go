package cmd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox/hands"
	"github.com/firedrill/firedrill/observe/timeline"
)

// playable is how each drill of the library is played to its end, as somebody does who knows the answer.
var playable = []struct {
	drill string
	full  bool // of the long tests alone
	words []string
	shows []string
}{
	{drill: "orders-write-throttle", words: nil, // those of docs/play.md
		shows: []string{`writes +maximum 1 a second`, `\d+ throttled`, `hint 1 of 2: Look at the throttle metrics`,
			`\$ aws dynamodb update-table --table-name orders --on-demand-throughput MaxWriteRequestUnits=-1,MaxReadRequestUnits=-1`,
			`you had put it back\s+yourself`, `You made it well \d`}},
	{drill: "orders-dead-letters", words: []string{"wait page", "ack", "look queue", "look logs", "note left for the owners", "resolve"},
		shows: []string{`the first is +"not an order`, `consumer: cannot read order`, `You did what there was to do`}},
	{drill: "user-api-500s", words: []string{"wait page", "ack", "look rules", "look app", "note the balancer answers in its place", "fix rule delete 9", "wait well", "resolve"},
		shows: []string{`9 +path /users\* +500 by the load balancer itself`, `/users +500 +load balancer`, `\$ aws elbv2 delete-rule --rule-arn arn:`}},
	{drill: "orders-writes-denied", full: true, words: []string{"wait page", "ack", "look logs", "look table", "note denied", "fix policy allow table orders", "wait well", "resolve"},
		shows: []string{`explicit\s+deny`, `policy +Deny dynamodb:PutItem`, `\$ aws dynamodb delete-resource-policy`}},
	{drill: "orders-queue-stalled", full: true, words: []string{"wait page", "ack", "look queue", "note denied", "fix policy allow queue orders", "wait well", "resolve"},
		shows: []string{`policy +Deny sqs:ReceiveMessage`, `\$ aws sqs set-queue-attributes`}},
	{drill: "web-page-errors-no-alarm", full: true, words: []string{"wait page", "ack", "look rules", "fix rule delete 50000", "wait well", "ack", "resolve"},
		shows: []string{`path / +503 by the load balancer itself`, `detected +– +no alarm was expected: you were told`}},
}

// TestEveryDrillIsPlayable plays the library without a terminal. A drill that is not in the table is a mistake.
func TestEveryDrillIsPlayable(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, p := range playable {
		known[p.drill] = true
		t.Run(p.drill, func(t *testing.T) {
			if p.full && os.Getenv("FIREDRILL_FULL") == "" {
				t.Skip("of the long tests: FIREDRILL_FULL=1")
			}
			t.Parallel()
			d := newDesk(t)
			page := transcript(t)
			if p.words == nil {
				p.words = page.words
			}
			d.In = strings.NewReader(strings.Join(p.words, "\n") + "\n")
			code := d.run(t, "play", p.drill)
			said := d.out.String()
			if slices.Equal(p.words, page.words) {
				page.holds(t, said)
			}
			for _, want := range append(p.shows, `(?m)^PAGE #1 `, `your times begin`, `acknowledged +\+0:\d\d\.\d  you were on it`,
				`resolved +(\+0:\d\d\.\d  you said|– +the alarm fell silent)`, `restored +\+`, `Next: firedrill play\s+\S+-`, `(?m)^`+p.drill+`: met$`) {
				if !regexp.MustCompile(want).MatchString(said) {
					t.Errorf("no %q", want)
				}
			}
			if code != exitMet || t.Failed() || strings.Contains(said, "\x1b") || strings.Contains(said, "\a") {
				t.Errorf("exit code %d:\n%s%s", code, said, d.err.String())
			}
			note := ""
			if i := slices.IndexFunc(p.words, func(w string) bool { return strings.HasPrefix(w, "note ") }); i >= 0 {
				note = strings.TrimPrefix(p.words[i], "note ")
			}
			events := d.isTheirs(t, note)
			asked := slices.Contains(p.words, "hint") // as by a note: it is told, and counted
			if asked != slices.ContainsFunc(events, func(e journal.Event) bool { return e.Kind == journal.NoteSent && e.Fact.Reason == journal.AboutHint }) {
				t.Error("a hint that was asked for is not told, or the other way round")
			}
		})
	}
	d := newDesk(t)
	f, err := d.file()
	if err != nil {
		t.Fatal(err)
	}
	list, _ := d.library(f).List()
	for _, l := range list {
		if !known[l.Name] {
			t.Errorf("nobody has played %s", l.Name)
		}
	}
}

// shownGame is what docs/play.md shows of one.
type shownGame struct{ words, lines []string }

func transcript(t *testing.T) (g shownGame) {
	t.Helper()
	page, err := os.ReadFile("../docs/play.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```console\n")
	block, _, _ = strings.Cut(block, "```")
	for line := range strings.Lines(block) {
		if word, ok := strings.CutPrefix(line, prompt); ok {
			g.words = append(g.words, strings.TrimSpace(word))
		}
		g.lines = append(g.lines, line)
	}
	if len(g.words) < 10 || len(g.lines) < 50 {
		t.Fatalf("docs/play.md shows no game: %+v", g)
	}
	return g
}

// measured is what is another in every game: names of things, times, counts, and how wide they make a column.
var measured = regexp.MustCompile(`\b[0-9a-f]{16}\b|\(± [0-9.]+ s\)|\d+m\d*s?|\d+(\.\d+)?( s\b)?|\s+`)

func normal(line string) string {
	out := measured.ReplaceAllStringFunc(line, func(s string) string {
		switch {
		case strings.TrimSpace(s) == "" || s[0] == '(':
			return " "
		case len(s) == 16:
			return "H"
		}
		return "0"
	})
	return strings.Join(strings.Fields(out), " ")
}

// holds says which lines of the page no game says. When it was resolved, and by whom, is for the game to say.
func (g shownGame) holds(t *testing.T, said string) {
	t.Helper()
	came := map[string]bool{}
	for line := range strings.Lines(said) {
		came[normal(line)] = true
	}
	for _, line := range g.lines {
		if !came[normal(line)] && !strings.Contains(line, "resolve") {
			t.Errorf("docs/play.md shows %q, and the game did not", line)
		}
	}
}

// isTheirs holds the last run to its word: a person answered, by phone, the note is part of it, and everything is put
// back.
func (d *desk) isTheirs(t *testing.T, note string) []journal.Event {
	t.Helper()
	store, err := d.store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	runs, err := store.Runs(t.Context(), journal.Filter{})
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	_, events, err := journal.Tail(t.Context(), store, journal.Position{Run: runs[0].Run, After: journal.Start})
	if err != nil {
		t.Fatal(err)
	}
	phone, noted := false, note == ""
	for _, e := range events {
		noted = noted || e.Kind == journal.IncidentNoted && e.Fact.Text == note
		phone = phone || e.Kind == journal.IncidentAcknowledged && e.Fact.Human != nil && *e.Fact.Human && e.Fact.Channel == "mobile"
	}
	if s := timeline.Of(events, d.Now()); !phone || !noted || s.Left() || s.Outcome != timeline.Met {
		t.Errorf("by phone: %v, noted: %v, left: %v, %s", phone, noted, s.Left(), s.Outcome)
	}
	return events
}

func TestPlayIsOnASandboxOnly(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if code := d.run(t, "play", "--env", "staging"); code != exitUsage || !strings.Contains(d.err.String(), "Try: firedrill run orders-write-throttle --env staging") {
		t.Errorf("exit code %d: %s", code, d.err.String())
	}
	if code := d.run(t, "play", "orders-write-throtle"); code != exitUsage || !strings.Contains(d.err.String(), "orders-write-throttle") {
		t.Errorf("exit code %d: %s", code, d.err.String())
	}
}

// TestKeys: ^C is an interrupt wherever it is typed, and everything else is what was typed.
func TestPlayKeys(t *testing.T) {
	n := 0
	k := &keys{strings.NewReader("\x03ac\x03k\r\x03"), func() { n++ }}
	got, err := io.ReadAll(k)
	if err != nil || string(got) != "ack\r" || n != 3 {
		t.Errorf("got %q, %v, %d interrupts", got, err, n)
	}
}

func TestPlayWraps(t *testing.T) {
	for _, x := range []struct {
		lead, text string
		width      int
		want       string
	}{
		{"· ", "one two", 80, "· one two"},
		{"  ", "aaaaaaaaaa bbbbbbbbbb cc", 24, "  aaaaaaaaaa bbbbbbbbbb\n  cc"},
		{"– ", "", 80, "– "},
		{"", "a-word-that-is-longer-than-any-line-may-be and more", 25, "a-word-that-is-longer-than-any-line-may-be\nand more"},
	} {
		if got := wrap(x.lead, x.text, x.width); got != x.want {
			t.Errorf("got %q, want %q", got, x.want)
		}
	}
	if got := plain("a\x1b[2Jb\nc"); got != "a [2Jb c" {
		t.Errorf("got %q", got)
	}
}

// aGame is one without a run: what it writes, and nobody at the other end.
func aGame(t *testing.T) (*game, *bytes.Buffer) {
	t.Helper()
	d := newDesk(t)
	var out bytes.Buffer
	d.Out = &out
	c := newConsole(d.Deps)
	return &game{d: d.Deps, console: c, news: make(chan struct{}, 1), begun: make(chan struct{}), mine: map[string]bool{}}, &out
}

func TestLookFitsTheTerminal(t *testing.T) {
	g, out := aGame(t)
	g.d.Width = func() int { return 40 }
	g.console.tty = true
	g.tables([]hands.Table{
		{Title: "aws", Head: []string{"NAME", "WHY"}, Rows: [][]hands.Cell{
			{{Text: "orders"}, {Text: "one out of the last one datapoints was greater"}}, {{Text: "x\x1b[31m"}, {Text: ""}}}},
		{Title: "nothing", Empty: "no queues"},
	})
	want := "  aws\n  NAME    WHY\n  orders  one out of the last one\n          datapoints was greater\n  x [31m\n  nothing\n  no queues\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	out.Reset()
	g.style = colours() // colour adds nothing that takes room
	g.tables([]hands.Table{{Title: "aws", Rows: [][]hands.Cell{{{Text: "orders"}, {Text: "one out of the last one datapoints was greater", Tone: hands.Bad}}}}})
	if got := regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(out.String(), ""); got != "  aws\n  orders  one out of the last one\n          datapoints was greater\n" {
		t.Errorf("%q", got)
	}
}

// TestPlayEndsWithItsWords: whoever has no more to say stops the drill, also before it has begun.
func TestPlayEndsWithItsWords(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.In = strings.NewReader("")
	if code := d.run(t, "play"); code != exitAborted || !strings.Contains(d.out.String(), "You stopped; everything is put back") {
		t.Errorf("exit code %d:\n%s%s", code, d.out.String(), d.err.String())
	}
}

func TestPlayCompletes(t *testing.T) {
	g, out := aGame(t)
	g.menu = []hands.Fix{{Words: "table orders on-demand-maximum off"}, {Words: "rule delete 9"}}
	for _, x := range []struct{ line, want string }{
		{"a", "ack "}, {"look t", "look table "}, {"look x", "look x"}, {"fix t", "fix table orders on-demand-maximum off "}, {"wait ", "wait "}, {"st", "st"},
	} {
		got, pos, ok := g.console.completed(x.line, g.complete(x.line))
		if got != x.want || pos != len(got) || !ok {
			t.Errorf("%q becomes %q", x.line, got)
		}
	}
	if s := out.String(); !strings.Contains(s, "wait page\n  wait well") || !strings.Contains(s, "status\n") {
		t.Errorf("the choice is shown where there is one: %q", s)
	}
}

// TestObey is what a line that is nothing, or wrong, is answered.
func TestPlayObeys(t *testing.T) {
	g, out := aGame(t)
	g.tell = func(context.Context, string, journal.Event) error { return errors.New("the journal is gone") }
	for _, x := range []struct{ line, want string }{
		{"", ""}, {"# a remark", ""}, {"frobnicate", `"frobnicate" is no word here. Try: help`}, {"look", "look at what? Try: look alarms"},
		{"look moon", "look at what?"}, {"wait", "wait for what?"}, {"note", "a note without words"}, {"note " + strings.Repeat("x", longestNote+1), "too long"},
		{"note something", "the journal is gone"}, {"fix 7", "there is no 7 in the list"}, {"ack", "nothing calls you now"},
	} {
		out.Reset()
		g.obey(t.Context(), x.line)
		if got := out.String(); !strings.Contains(got, x.want) || x.want == "" && got != "" {
			t.Errorf("%.40q: got %q", x.line, got)
		}
	}
}

// TestTheNextGameIsOneOfOurs: a drill of somebody's own may break what no sandbox has.
func TestTheNextGameIsOneOfOurs(t *testing.T) {
	d := newDesk(t)
	own := filepath.Join(d.Dir, "drills")
	if err := os.MkdirAll(own, 0o755); err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile("../examples/staging/drills/stock-reads-throttled.yaml")
	if err == nil {
		err = os.WriteFile(filepath.Join(own, "stock-reads-throttled.yaml"), src, 0o600)
	}
	if err == nil {
		src, err = os.ReadFile("../examples/staging/firedrill.yaml")
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(d.Dir, "firedrill.yaml"), src, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.file()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for next := d.nextDrill(f, "stock-reads-throttled"); !seen[next]; next = d.nextDrill(f, next) {
		seen[next] = true
	}
	if seen["stock-reads-throttled"] || len(seen) != len(playable) {
		t.Errorf("%v", seen)
	}
}
