package cmd_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdAnswer lets somebody answer to what stands last: answer slack TEXT… under the newest message of ours in the
// channel, answer pager TEXT… as a note on the newest incident, answer phone TEXT… the same with the pager's app, where \n
// begins a new line.
func cmdAnswer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: answer slack|pager|phone TEXT…")
	}
	base, text := ts.Getenv("FIREDRILL_SANDBOX"), strings.Join(args[1:], " ")
	if args[0] == "slack" {
		var said []struct {
			TS     string
			Thread string `json:"thread_ts"`
			Name   string
			By     string
		}
		fetch(ts, base+"/_sandbox/slack", &said)
		for i := len(said) - 1; i >= 0; i-- {
			if m := said[i]; m.By == "bot" {
				thread := m.Thread
				if thread == "" {
					thread = m.TS
				}
				deliver(ts, base+"/_sandbox/slack/replies", map[string]string{"channel": m.Name, "thread": thread, "text": text})
				return
			}
		}
		ts.Fatalf("nothing was said in Slack")
	}
	var list struct{ Incidents []struct{ ID string } }
	fetch(ts, base+"/pagerduty/incidents?statuses[]=triggered&statuses[]=acknowledged&statuses[]=resolved&date_range=all&sort_by=created_at:desc", &list)
	if len(list.Incidents) == 0 {
		ts.Fatalf("there is no incident")
	}
	if args[0] == "phone" {
		deliver(ts, base+"/app/PRESP01/note", map[string]string{"incident": list.Incidents[0].ID, "content": strings.ReplaceAll(text, `\n`, "\n")})
		return
	}
	deliver(ts, base+"/pagerduty/incidents/"+list.Incidents[0].ID+"/notes", map[string]any{"note": map[string]string{"content": text}})
}

// fetch and deliver speak as the first responder.
func fetch(ts *testscript.TestScript, url string, into any) {
	body := call(ts, http.MethodGet, url, nil)
	ts.Check(json.Unmarshal(body, into))
}

func deliver(ts *testscript.TestScript, url string, what any) {
	raw, err := json.Marshal(what)
	ts.Check(err)
	call(ts, http.MethodPost, url, raw)
}

func call(ts *testscript.TestScript, method, url string, raw []byte) []byte {
	req, err := http.NewRequest(method, url, bytes.NewReader(raw))
	ts.Check(err)
	req.Header.Set("Authorization", "Token token=sandbox-responder-token")
	req.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("From", "first@firedrill.invalid")
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	if res.StatusCode/100 != 2 {
		ts.Fatalf("%s %s: %s: %s", method, url, res.Status, body)
	}
	return body
}
