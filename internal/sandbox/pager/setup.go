package pager

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
)

// room is how many users, policies and services an account may have. Incidents point at them: they never move.
const room = 4096

// settle makes room for what is set up later, and checks what was set up before.
func (a *Account) settle() {
	a.Users = slices.Grow(slices.Clone(a.Users), max(0, room-len(a.Users)))
	a.Policies = slices.Grow(slices.Clone(a.Policies), max(0, room-len(a.Policies)))
	a.Services = slices.Grow(slices.Clone(a.Services), max(0, room-len(a.Services)))
	for i := range a.Services {
		if a.Services[i].Orchestration.Sets == nil {
			a.Services[i].Orchestration.Sets = []RuleSet{{ID: "start", Rules: []Rule{}}}
		}
	}
}

// settings are the account's own, as PUT /account takes them.
type settings struct {
	Abilities  []string   `json:"abilities"`
	Types      []Type     `json:"types"`
	Priorities []Priority `json:"priorities"`
	Analytics  bool       `json:"analytics"`
	Bare       bool       `json:"analytics_bare"`
	History    []Past     `json:"history"`
	Pace       Pace       `json:"pace"`
}

// setupRoutes are an administrator's hand: PUT /services/ID, /users/ID, /policies/ID and /account change the members
// that they name and leave the others; what is not there yet is made. GET tells them.
func (p *Pager) setupRoutes(mux *http.ServeMux) {
	a := &p.o.Account
	setup(p, mux, "/services/{id}", register[Service]{&a.Services, func(s *Service) *string { return &s.ID },
		func(s *Service) error { return s.check(a) }})
	setup(p, mux, "/users/{id}", register[User]{&a.Users, func(u *User) *string { return &u.ID }, (*User).check})
	setup(p, mux, "/policies/{id}", register[Policy]{&a.Policies, func(e *Policy) *string { return &e.ID },
		func(e *Policy) error { return e.check(a) }})
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		answer(w, http.StatusOK, p.settings())
	})
	mux.HandleFunc("PUT /account", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		s, err := overlay(p.settings(), r.Body)
		if err == nil {
			err = p.o.setPace(s.Pace)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a.Abilities, a.Types, a.Priorities = s.Abilities, s.Types, s.Priorities
		a.Analytics, a.BareAnalytics, a.History = s.Analytics, s.Bare, s.History
		answer(w, http.StatusOK, p.settings())
	})
}

func (p *Pager) settings() settings {
	a := &p.o.Account
	return settings{a.Abilities, a.Types, a.Priorities, a.Analytics, a.BareAnalytics, a.History, p.o.pace()}
}

// register is all there is of one sort.
type register[T any] struct {
	all   *[]T
	id    func(t *T) *string // where its id stands
	check func(t *T) error
}

func (g register[T]) find(id string) *T {
	for i := range *g.all {
		if *g.id(&(*g.all)[i]) == id {
			return &(*g.all)[i]
		}
	}
	return nil
}

// put changes the one with this id, or makes it.
func (g register[T]) put(id string, body io.Reader) (T, error) {
	is := g.find(id)
	var old T
	if is != nil {
		old = *is
	}
	t, err := overlay(old, body)
	if err != nil {
		return t, err
	}
	if own := g.id(&t); *own != "" && *own != id {
		return t, errors.New("an id does not change")
	}
	*g.id(&t) = id
	switch err := g.check(&t); {
	case err != nil:
		return t, err
	case is != nil:
		*is = t
	case len(*g.all) == cap(*g.all):
		return t, fmt.Errorf("there is room for %d", cap(*g.all))
	default:
		*g.all = append(*g.all, t)
	}
	return t, nil
}

// setup serves one sort of thing.
func setup[T any](p *Pager, mux *http.ServeMux, path string, g register[T]) {
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if t := g.find(r.PathValue("id")); t != nil {
			answer(w, http.StatusOK, t)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	mux.HandleFunc("PUT "+path, func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		t, err := g.put(r.PathValue("id"), r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer(w, http.StatusOK, t)
	})
}

// overlay is old with the members that a body names. What it does not know is refused.
func overlay[T any](old T, body io.Reader) (T, error) {
	var out T
	b, err := json.Marshal(old)
	if err != nil {
		return out, err
	}
	var is, want map[string]json.RawMessage
	if err := json.Unmarshal(b, &is); err != nil {
		return out, err
	}
	if err := json.NewDecoder(body).Decode(&want); err != nil {
		return out, err
	}
	maps.Copy(is, want)
	if b, err = json.Marshal(is); err != nil {
		return out, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err = d.Decode(&out)
	return out, err
}

func (s *Service) check(a *Account) error {
	if a.policy(s.Policy) == nil {
		return fmt.Errorf("service %s: there is no escalation policy %q", s.ID, s.Policy)
	}
	for _, i := range s.Integrations {
		if i.Type != EventsV2 && i.Type != CloudWatch || len(i.Key) != keyLength || i.ID == "" {
			return fmt.Errorf("service %s: integration %q needs an id, a type and a key of %d characters", s.ID, i.ID, keyLength)
		}
		if other, _ := a.door(i.Key); other != nil && other.ID != s.ID {
			return fmt.Errorf("service %s: key of integration %s belongs to service %s", s.ID, i.ID, other.ID)
		}
	}
	for _, w := range s.Workflows {
		if err := w.check(); err != nil {
			return fmt.Errorf("service %s: %w", s.ID, err)
		}
	}
	return errors.Join(s.Urgency.check(), s.Grouping.check(), s.Orchestration.check(a))
}

func (u *User) check() error {
	for _, c := range u.Contacts {
		if !slices.Contains([]string{"push", "sms", "phone", "email"}, c.Type) || c.urgency() != "high" && c.urgency() != "low" {
			return fmt.Errorf("user %s: a contact is push, sms, phone or email, and high or low", u.ID)
		}
	}
	return nil
}

func (e *Policy) check(a *Account) error {
	for _, level := range e.Levels {
		for _, id := range level {
			if a.user(id) == nil {
				return fmt.Errorf("policy %s: there is no user %q", e.ID, id)
			}
		}
	}
	return nil
}
