package pager

import (
	"net/http"
	"strings"
)

// listUsers lists the users whose name or address holds what is asked for; all of them where nothing is.
// https://developer.pagerduty.com/api-reference/c96e889522dd6-list-users
func (p *Pager) listUsers(q *query) (int, any, *problem) {
	want := strings.ToLower(q.view.q.Get("query"))
	var found []*User
	for i := range p.o.Account.Users {
		u := &p.o.Account.Users[i]
		if strings.Contains(strings.ToLower(u.Name+"\n"+u.Email), want) {
			found = append(found, u)
		}
	}
	g, bad := q.view.page(len(found))
	if bad != nil {
		return 0, nil, bad
	}
	out := struct {
		Users []userShape `json:"users"`
		page
	}{[]userShape{}, g}
	for _, u := range found[g.from:g.to] {
		out.Users = append(out.Users, q.view.user(u))
	}
	return http.StatusOK, out, nil
}
