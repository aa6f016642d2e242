package cmd_test

import (
	"io"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdSetup sets something of the sandbox's pager up, as its administrator: setup services/PORDERS JSON.
func cmdSetup(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: setup PATH JSON")
	}
	req, err := http.NewRequest(http.MethodPut, ts.Getenv("FIREDRILL_SANDBOX")+"/_sandbox/pager/"+args[0], strings.NewReader(args[1]))
	ts.Check(err)
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	ts.Check(res.Body.Close())
	if res.StatusCode != http.StatusOK {
		ts.Fatalf("setup %s: %s %s", args[0], res.Status, body)
	}
}
