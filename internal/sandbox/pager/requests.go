package pager

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// request is one request that somebody made, whatever became of it.
type request struct {
	At        time.Time `json:"at"`
	Token     string    `json:"token"`     // of the REST API; the sandbox's are no secrets
	Operation string    `json:"operation"` // GET /incidents/{id}/log_entries
	Path      string    `json:"path"`      // with its query
	Status    int       `json:"status"`    // 0: the connection broke, or it is under way
}

const requestsKept = 100_000

// asked writes a request down. The phones' and the backstage's are not counted: they are no part of PagerDuty's limits.
func (p *Pager) asked(r *http.Request) *request {
	if strings.HasPrefix(r.URL.Path, "/app/") {
		return nil
	}
	_, pattern := p.mux.Handler(r)
	path := strings.TrimPrefix(r.URL.Path, "/pagerduty")
	if r.URL.RawQuery != "" {
		query, err := url.QueryUnescape(r.URL.RawQuery)
		if err != nil {
			query = r.URL.RawQuery
		}
		path += "?" + query
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &request{At: p.o.Now(), Token: credential(r), Operation: strings.Replace(pattern, " /pagerduty", " ", 1), Path: path}
	if len(p.requests) >= requestsKept {
		p.requests = slices.Delete(p.requests, 0, requestsKept/10)
	}
	p.requests = append(p.requests, out)
	return out
}

// answered notes how a request ended.
func (p *Pager) answered(r *request, status int) {
	if r == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r.Status = status
}

// minute is what one token asked for within one minute of the clock.
type minute struct {
	From       time.Time      `json:"from"`
	Token      string         `json:"token"`
	Total      int            `json:"total"`
	Operations map[string]int `json:"operations"`
}

// ledger is what GET /requests tells.
type ledger struct {
	Requests []*request `json:"requests"`
	Minutes  []*minute  `json:"minutes"`
	// Busiest is the most requests of one token within any sixty seconds, wherever they begin.
	Busiest map[string]int `json:"busiest_minute"`
}

// tellRequests answers GET /requests, optionally ?since=, ?token= and ?list=false. DELETE /requests forgets them.
func (p *Pager) tellRequests(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	since, err := time.Parse(time.RFC3339, q.Get("since"))
	if err != nil && q.Get("since") != "" {
		http.Error(w, "since is no time", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := ledger{Requests: []*request{}, Minutes: []*minute{}, Busiest: map[string]int{}}
	for _, r := range p.requests {
		if r.At.Before(since) || q.Get("token") != "" && q.Get("token") != r.Token {
			continue
		}
		out.Requests = append(out.Requests, r)
	}
	out.count()
	if q.Get("list") == "false" {
		out.Requests = nil
	}
	answer(w, http.StatusOK, out)
}

// count adds up minutes of the clock, and finds the busiest sixty seconds of each token.
func (l *ledger) count() {
	recent := map[string][]time.Time{}
	at := map[string]*minute{}
	for _, r := range l.Requests {
		from := r.At.Truncate(time.Minute)
		m := at[r.Token]
		if m == nil || !m.From.Equal(from) {
			m = &minute{From: from, Token: r.Token, Operations: map[string]int{}}
			at[r.Token] = m
			l.Minutes = append(l.Minutes, m)
		}
		m.Total++
		m.Operations[r.Operation]++
		last := append(recent[r.Token], r.At)
		for !last[0].After(r.At.Add(-time.Minute)) {
			last = last[1:]
		}
		recent[r.Token] = last
		l.Busiest[r.Token] = max(l.Busiest[r.Token], len(last))
	}
}

// watched remembers the status of an answer.
type watched struct {
	http.ResponseWriter
	status int
}

func (w *watched) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find what is underneath.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
