package pager

import (
	"encoding/json"
	"net/http"
)

// phoneRoutes serve the phone app: POST /app/USER/acknowledge, /resolve and /note {incident, content}. What is
// done there is done by a person, by the channel mobile.
func (p *Pager) phoneRoutes() {
	p.mux.HandleFunc("POST /app/{user}/{action}", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Incident string `json:"incident"`
			Content  string `json:"content"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			invalid(err.Error()).write(w)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		u, i := p.o.Account.user(r.PathValue("user")), p.incident(in.Incident)
		if u == nil || i == nil {
			notFound().write(w)
			return
		}
		if bad := p.tap(u, i, r.PathValue("action"), in.Content); bad != nil {
			bad.write(w)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// tap is one touch of the phone. Its acknowledgements name their agent without a type, as recorded ones do.
func (p *Pager) tap(u *User, i *incident, action, content string) *problem {
	now := p.o.Now()
	by := actor{user: u, as: userRef(u), channel: channel{Type: "mobile"}}
	switch action {
	case "acknowledge":
		if i.status == resolved {
			return &problem{status: http.StatusBadRequest, code: 1001, message: "Incident Already Resolved"}
		}
		by.as.Type = ""
		return p.change(i, change{Status: acknowledged}, by, now)
	case "resolve":
		return p.change(i, change{Status: resolved, Resolution: content}, by, now)
	case "note":
		if content == "" {
			return invalid("Content cannot be empty")
		}
		p.annotate(i, u, "mobile", content, now)
		return nil
	default:
		return notFound()
	}
}
