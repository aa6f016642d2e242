package contract

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestContract drives every call of our client against the sandbox's pager, and holds both sides against our own list
// and against what PagerDuty publishes.
func TestContract(t *testing.T) {
	d := newDesk(t)
	d.drive()
	all := d.all()

	t.Run("required", func(t *testing.T) {
		tell(t, all, lacks)
	})
	t.Run("every call was made", func(t *testing.T) {
		seen := map[string]bool{}
		for _, x := range all {
			if x.Status/100 == 2 {
				seen[x.shape()] = true
			}
		}
		for call := range must() {
			if !seen[call] && !slices.Contains(notPretended(), call) {
				t.Errorf("%s was never answered: nothing is known of it", call)
			}
		}
		for _, call := range notPretended() {
			if seen[call] {
				t.Errorf("%s is answered now: take it from the list of what the sandbox's pager has not", call)
			}
		}
	})
	t.Run("secrets", func(t *testing.T) { // a token goes into its header, a routing key into its body, and nowhere else
		for _, x := range all {
			for name, values := range x.Header {
				if name != "Authorization" && strings.Contains(fmt.Sprint(values), rest) {
					t.Errorf("%s: the token stands in %s", x, name)
				}
			}
			if strings.Contains(x.Query.Encode()+x.Path, rest) || strings.Contains(x.Query.Encode()+x.Path, ourKey) || x.Events && x.Header.Get("Authorization") != "" {
				t.Errorf("%s: a secret stands in the address", x)
			}
		}
	})
	t.Run("openapi", func(t *testing.T) {
		p := schema(t)
		tell(t, all, func(x exchange) []string { return p.complaints(t.Context(), x) })
		if os.Getenv("FIREDRILL_CONTRACT") != "" {
			proof(t, os.Getenv("FIREDRILL_CONTRACT"), p.commit, all)
		}
	})
}

// notPretended are calls of our client that the sandbox's pager does not know: of these only the request is checked.
func notPretended() []string {
	return []string{"GET /event_orchestrations/{id}/router", "GET /event_orchestrations/{id}/global"} // there are no global ones in it
}

// tell tells each complaint once, with how often it came.
func tell(t *testing.T, all []exchange, look func(exchange) []string) {
	t.Helper()
	count := map[string]int{}
	var order []string
	for _, x := range all {
		for _, c := range look(x) {
			_, what, _ := strings.Cut(c, ": ")
			first, _, _ := strings.Cut(what, "\n")
			key := x.shape() + ": " + first
			if count[key]++; count[key] == 1 {
				order = append(order, key+"\n\tas in "+cut(c, 1500))
			}
		}
	}
	slices.Sort(order)
	for _, c := range order {
		t.Error(c)
	}
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n] + " …"
	}
	return s
}

// proof writes what was checked.
func proof(t *testing.T, path, commit string, all []exchange) {
	t.Helper()
	type tally struct{ requests, refused int }
	calls := map[string]*tally{}
	var names []string
	for _, x := range all {
		c := calls[x.shape()]
		if c == nil {
			c = &tally{}
			calls[x.shape()] = c
			names = append(names, x.shape())
		}
		if c.requests++; x.Status >= 400 {
			c.refused++
		}
	}
	slices.Sort(names)
	var b strings.Builder
	fmt.Fprintf(&b, `<!-- written by TestContract of internal/contract -->
# PagerDuty's contract

Every request that firedrill's PagerDuty client sends, and every answer that the sandbox's pager gives, held against what
PagerDuty publishes: [PagerDuty/api-schema](https://github.com/PagerDuty/api-schema) at commit %s,
pruned and mended by internal/contract/schema (which has the sha256 of both files), and against the list of required fields of internal/contract. The published
files carry no licence, so they are not kept here. To see it again, and write this page:

`+"```\nmake pagerduty-schema\nFIREDRILL_CONTRACT=$PWD/docs/proofs/pagerduty-contract.md go test -count=1 -run TestContract ./internal/contract\n```"+`

In the last run %d requests and as many answers were checked, with no complaint: a few more or less each time, for the
client asks until something has happened.

What was mended in the published file, because PagerDuty's own documentation, examples or recorded answers have it so: an
acknowledge entry's type, whose enum no entry can meet; the overlapping branches of a channel; an incident body's details,
a string; an agent without a type; objects that include[] puts in place of references; a trigger's workflow and a grouping
setting's services, as the examples have them; changed fields in the account's log, as in an incident's; overlapping references; null where the documentation allows it, in answers
only. Entries of the types merge_log_entry and priority_change_log_entry, which PagerDuty sends and does not publish, are
checked against our own list only, and so are refusals that are not documented for their call.

What it found in the sandbox's pager, since mended: a push told as push_contact_method instead of push_notification_contact_method, a
service without created_at and html_url, a trigger's services as references, an escalation rule without targets, a rule
without conditions as null.

| call | answered | refused too |
|---|---|---|
`, commit, len(all))
	for _, n := range names {
		refused, made := "–", "yes"
		if calls[n].refused > 0 {
			refused = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", n, made, refused)
	}
	if t.Failed() {
		t.Error("there are complaints: no proof is written")
		return
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
