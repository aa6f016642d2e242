package drills

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Person is how a pager's user stands in the journal of a run: as the pager calls them, or, where the environment asks
// for it, by a name that is the same throughout the run, differs from run to run, and leads to nobody without the run
// and the list of all users.
func (p *Plan) Person(id, name string) (user, shown string) {
	if p.People != PeoplePseudonyms || id == "" {
		return id, name
	}
	h := hmac.New(sha256.New, []byte(p.Run))
	h.Write([]byte(id))
	short := hex.EncodeToString(h.Sum(nil))[:6]
	return "person-" + short, "responder " + short
}

// persons are several users, with blanks between, as Person has each.
func (p *Plan) persons(ids string) string {
	list := strings.Fields(ids)
	for i, id := range list {
		list[i], _ = p.Person(id, "")
	}
	return strings.Join(list, " ")
}
