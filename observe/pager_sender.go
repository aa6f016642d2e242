package observe

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	pd "github.com/PagerDuty/go-pagerduty"
)

// Sender is the user in whose name our notes are written: the one whose address is PagerOptions.From. A *Problem with
// status 404 says that there is none; PagerDuty takes no note of a user it does not know. The user's name is all that is
// told.
func (p *PagerDuty) Sender(ctx context.Context) (string, error) {
	const op = "look for the user of pagerduty.from"
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	var got struct {
		Users []pd.User `json:"users"`
	}
	q := url.Values{"query": {p.from}, "limit": {"100"}} // a query matches parts of names and addresses
	if err := p.wire.get(ctx, op, p.api+"/users?"+q.Encode(), &got); err != nil {
		return "", err
	}
	for _, u := range got.Users {
		if strings.EqualFold(u.Email, p.from) {
			return word(cmp.Or(u.Name, u.Summary)), nil
		}
	}
	return "", &Problem{Op: op, Why: fmt.Sprintf("PagerDuty has no user %s: it takes no notes of theirs", plain(p.from)), Status: http.StatusNotFound,
		Try: "make a user of that address who is never on call, or write another under pagerduty: {from: …}"}
}
