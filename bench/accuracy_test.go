package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	staging "github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/observe/timeline"
)

// maxBar is how wide the bar of an interval may be where the pager is polled, in seconds to either side.
const maxBar = 1.5

// Both sources' clocks are off, each way: every interval's truth, as the sandbox itself knows it, is inside the bar that
// is printed, and no bar is wide.
func TestAccuracyOfIntervals(t *testing.T) {
	worst, outside := 0.0, 0
	for _, skew := range []struct{ aws, pager float64 }{{90, -90}, {-90, 90}, {90, 90}, {-90, -90}} {
		told, truth := drillOnSkewedClocks(t, skew.aws, skew.pager, false)
		for _, name := range []string{"detect", "page", "acknowledge", "resolve"} {
			i := told.Interval(name)
			if !i.Known {
				t.Errorf("aws %+.0f s, pager %+.0f s: %s is not known: %s (%s)", skew.aws, skew.pager, name, i.Reason, told.Outcome)
				continue
			}
			off := math.Abs(i.Seconds - truth[name])
			worst = max(worst, i.ErrorS)
			if off > i.ErrorS {
				outside++
			}
			t.Logf("aws %+.0f s, pager %+.0f s: %-12s %7.3f s ± %.3f, truly %7.3f", skew.aws, skew.pager, name, i.Seconds, i.ErrorS, truth[name])
		}
	}
	row(t, "intervals outside of their bar, clocks ± 90 s", float64(outside), 0, "")
	row(t, "widest bar, polled", worst, maxBar, "s")
}

// maxPushedBar is the same where the pager sends by itself what happens, in milliseconds.
const maxPushedBar = 0.2

// What webhooks tell is as exact as both clocks are known. When somebody was notified stands in the log alone, in whole
// seconds: so it is the resolve, from the first answer that showed the fault, that is held against the limit.
func TestAccuracyWithWebhooks(t *testing.T) {
	worst, outside := 0.0, 0
	for _, skew := range []struct{ aws, pager float64 }{{90, -90}, {-90, 90}} {
		told, truth := drillOnSkewedClocks(t, skew.aws, skew.pager, true)
		for _, name := range []string{"detect", "page", "acknowledge", "resolve"} {
			i := told.Interval(name)
			if !i.Known || math.Abs(i.Seconds-truth[name]) > i.ErrorS {
				outside++
			}
			if name == "resolve" {
				worst = max(worst, i.ErrorS)
			}
			t.Logf("aws %+.0f s, pager %+.0f s, webhooks: %-12s %7.3f s ± %.3f, truly %7.3f", skew.aws, skew.pager, name, i.Seconds, i.ErrorS, truth[name])
		}
	}
	row(t, "intervals outside of their bar, with webhooks", float64(outside), 0, "")
	row(t, "bar of the resolve, with webhooks", worst, maxPushedBar, "s")
}

// takeWebhooks has a process of its own take the pager's webhooks into the journal, until stop is called.
func takeWebhooks(t *testing.T, url, state string) (stop func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), "serve", "--webhooks", "--env", "sandbox", "--listen", "127.0.0.1:0", "--state", state)
	cmd.Env = append(os.Environ(), "FIREDRILL_SANDBOX="+url)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "taking webhooks at") {
	}
	read := make(chan struct{})
	go func() { defer close(read); _, _ = io.Copy(io.Discard, out) }()
	return func() {
		ok(t, cmd.Process.Signal(os.Interrupt))
		<-read
		ok(t, cmd.Wait())
	}
}

// drillOnSkewedClocks runs the first drill in a sandbox whose cloud and pager tell wrong times, and returns what the
// program made of it and what really happened.
func drillOnSkewedClocks(t *testing.T, aws, pager float64, webhooks bool) (timeline.Timeline, map[string]float64) {
	t.Helper()
	box, err := staging.Start(t.Context(), staging.Options{Now: time.Now, Log: io.Discard})
	ok(t, err)
	defer func() { _ = box.Close() }()
	url := box.World().URL
	post(t, url+"/_sandbox/knobs", map[string]any{"by": "firedrill", "effect": "skew", "skew_s": aws})
	post(t, url+"/_sandbox/pager/knobs", map[string]any{"effect": "skew", "skew_s": pager})
	state := t.TempDir()
	if webhooks {
		defer takeWebhooks(t, url, state)()
	}
	cmd := exec.CommandContext(t.Context(), program(t), "run", "orders-write-throttle", "--env", "sandbox", "--state", state, "-o", "json")
	cmd.Env = append(os.Environ(), "FIREDRILL_SANDBOX="+url)
	var notices bytes.Buffer
	cmd.Stderr = &notices
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, notices.String())
	}
	var events []journal.Event
	for line := range bytes.Lines(out) {
		var e journal.Event
		ok(t, json.Unmarshal(line, &e))
		events = append(events, e)
	}
	return timeline.Of(events, time.Now()), truth(t, url)
}

// truth are the intervals by the sandbox's own clock, which no knob shifts: the first write that was throttled, the
// alarm that was set, and what happened to the incident.
func truth(t *testing.T, url string) map[string]float64 {
	t.Helper()
	var calls []struct {
		At                        time.Time
		Operation, Resource, Code string
		By                        string
	}
	read(t, url+"/_sandbox/calls", &calls)
	at := map[string]time.Time{}
	first := func(name string, when time.Time) {
		if at[name].IsZero() || when.Before(at[name]) {
			at[name] = when
		}
	}
	for _, c := range calls {
		switch {
		case strings.Contains(c.Code, "Throttling"):
			first("effective", c.At)
		case c.Operation == "SetAlarmState" && c.Resource == "orders-write-throttled":
			first("detected", c.At)
		}
	}
	var pager struct {
		Incidents []struct {
			Title   string
			Entries []struct {
				Type, Channel string
				At            time.Time
			}
		}
	}
	read(t, url+"/_sandbox/pager/truth", &pager)
	for _, in := range pager.Incidents {
		for _, e := range in.Entries {
			if !strings.Contains(in.Title, "orders-write-throttled") {
				continue
			}
			switch e.Type {
			case "notify_log_entry":
				first("paged", e.At)
			case "acknowledge_log_entry":
				first("acknowledged", e.At)
			case "resolve_log_entry":
				at["resolved"] = e.At
			}
		}
	}
	for _, name := range []string{"effective", "detected", "paged", "acknowledged", "resolved"} {
		if at[name].IsZero() {
			t.Fatalf("the sandbox knows of no %s: %v", name, at)
		}
	}
	between := func(from, to string) float64 { return at[to].Sub(at[from]).Seconds() }
	return map[string]float64{"detect": between("effective", "detected"), "page": between("effective", "paged"),
		"acknowledge": between("paged", "acknowledged"), "resolve": between("effective", "resolved")}
}

func read(t *testing.T, url string, into any) {
	t.Helper()
	res, err := http.Get(url)
	ok(t, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", url, res.Status)
	}
	ok(t, json.NewDecoder(res.Body).Decode(into))
}

func post(t *testing.T, url string, body map[string]any) {
	t.Helper()
	b, err := json.Marshal(body)
	ok(t, err)
	res, err := http.Post(url, "application/json", bytes.NewReader(b))
	ok(t, err)
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		said, _ := io.ReadAll(res.Body)
		t.Fatalf("POST %s: %s", url, fmt.Sprint(res.Status, " ", string(said)))
	}
}
