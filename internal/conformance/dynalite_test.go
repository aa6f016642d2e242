package conformance

import (
	"net"
	"net/http"
	"regexp"
	"strconv"
	"testing"

	"github.com/firedrill/firedrill/internal/journal/journaltest"
)

const installDynalite = "npm install --global dynalite@4.0.0"

// dynaliteAt is the line in which dynalite tells its address. It prints the port it was given, so it is given a free one.
var dynaliteAt = regexp.MustCompile(`[Ll]istening at: (http://\S+)`)

// TestDynalite holds the shared store against dynalite, a DynamoDB that others wrote in JavaScript on LevelDB. It has
// neither deletion protection nor point-in-time recovery; the store says so, and works without.
func TestDynalite(t *testing.T) {
	program := part(t, "dynalite", installDynalite)
	port := strconv.Itoa(freePort(t))
	serve(t, dynaliteAt, program, "--host", "127.0.0.1", "--port", port, "--createTableMs", "0", "--deleteTableMs", "0", "--updateTableMs", "0")
	tables := storeTables{client: storeClient("http://127.0.0.1:"+port, http.DefaultTransport)}
	made := tables.make(t, "told")
	if len(made.Unset) == 0 {
		t.Error("dynalite has learned point-in-time recovery: hold it to that")
	}
	journaltest.Run(t, tables.fresh())
}

// freePort is one that nobody listens at just now.
func freePort(t *testing.T) int {
	t.Helper()
	l := must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
