package pager

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds the body of a REST request.
const maxBody = 1 << 20

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// problem is a refusal of the REST API.
type problem struct {
	status  int
	code    int
	message string
	errors  []string
}

func (e *problem) write(w http.ResponseWriter) {
	type inner struct {
		Message string   `json:"message"`
		Code    int      `json:"code"`
		Errors  []string `json:"errors,omitempty"`
	}
	answer(w, e.status, struct {
		Error inner `json:"error"`
	}{inner{e.message, e.code, e.errors}})
}

func notFound() *problem {
	return &problem{status: http.StatusNotFound, code: 2100, message: "Not Found"}
}

func invalid(errors ...string) *problem {
	return &problem{status: http.StatusBadRequest, code: 2001, message: "Invalid Input Provided", errors: errors}
}

// requestSkew is where the skew of a request travels.
type requestSkew struct{}

func skewOf(r *http.Request) time.Duration {
	d, _ := r.Context().Value(requestSkew{}).(time.Duration)
	return d
}

// ServeHTTP serves REST, events and phones, in whatever trouble the knobs prescribe, and counts what was asked.
func (p *Pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen, told := p.asked(r), &watched{ResponseWriter: w}
	defer func() { p.answered(seen, told.status) }()
	p.serve(told, r)
}

func (p *Pager) serve(w http.ResponseWriter, r *http.Request) {
	t := p.troubleFor(r)
	w.Header().Set("Date", p.o.Now().Add(t.skew).UTC().Format(http.TimeFormat))
	if t.delay > 0 {
		timer := time.NewTimer(t.delay)
		defer timer.Stop()
		select {
		case <-r.Context().Done():
			return
		case <-timer.C:
		}
		w.Header().Set("Date", p.o.Now().Add(t.skew).UTC().Format(http.TimeFormat))
	}
	switch {
	case t.down:
		panic(http.ErrAbortHandler)
	case t.status != 0:
		refuse(w, t)
		return
	case t.lost:
		p.mux.ServeHTTP(discard{http.Header{}}, r)
		panic(http.ErrAbortHandler)
	}
	if t.skew != 0 {
		r = r.WithContext(context.WithValue(r.Context(), requestSkew{}, t.skew))
	}
	if t.hold != nil {
		p.held(w, r, t.hold)
		return
	}
	p.mux.ServeHTTP(w, r)
}

// held serves a request that a knob holds. It is on its way: it takes effect even when its client has gone.
func (p *Pager) held(w http.ResponseWriter, r *http.Request, k *knob) {
	client := r.Context()
	body, err := io.ReadAll(r.Body) // the server sees a client leave only when the body is read
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r = r.WithContext(context.WithoutCancel(client))
	r.Body = io.NopCloser(bytes.NewReader(body))
	if k.When == "after" {
		p.mux.ServeHTTP(w, r) // a small answer stays in its buffer until this returns
		p.wait(client, k)
		return
	}
	p.wait(client, k)
	p.mux.ServeHTTP(w, r)
}

// refuse answers with the status a knob asks for, in the words of the API where it has any.
func refuse(w http.ResponseWriter, t trouble) {
	switch {
	case t.bare:
		http.Error(w, http.StatusText(t.status), t.status)
	case t.status >= 500:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(t.status)
		_, _ = io.WriteString(w, "<html>"+http.StatusText(t.status)+"</html>")
	case t.status == http.StatusTooManyRequests:
		w.Header().Set("ratelimit-limit", "960")
		w.Header().Set("ratelimit-remaining", "0")
		w.Header().Set("ratelimit-reset", "1")
		tooMany().write(w)
	case t.status == http.StatusUnauthorized:
		unauthorized().write(w)
	case t.status == http.StatusForbidden:
		forbidden().write(w)
	case t.status == http.StatusPaymentRequired:
		lacking().write(w)
	case t.status == http.StatusNotFound:
		notFound().write(w)
	default:
		(&problem{status: t.status, code: 2000, message: http.StatusText(t.status)}).write(w)
	}
}

func tooMany() *problem {
	return &problem{status: http.StatusTooManyRequests, code: 2020, message: "Rate Limit Exceeded"}
}

func unauthorized() *problem {
	return &problem{status: http.StatusUnauthorized, code: 2006, message: "Authentication failed"}
}

func forbidden() *problem {
	return &problem{status: http.StatusForbidden, code: 2010, message: "Access Denied"}
}

// lacking is the answer to whoever asks for what the account has not bought.
func lacking() *problem {
	return &problem{status: http.StatusPaymentRequired, code: 2014, message: "Missing Account Ability"}
}

// discard is a response that nobody reads.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// quota is how much of a minute's allowance is left.
type quota struct {
	ok        bool
	limit     int
	remaining int
	reset     time.Duration
	began     time.Time
}

// spend takes one request from an allowance. The lock is held.
func (p *Pager) spend(who string, limit int, now time.Time) quota {
	q := p.quotas[who]
	if q == nil || now.Sub(q.began) >= time.Minute {
		q = &quota{limit: limit, remaining: limit, began: now}
		p.quotas[who] = q
	}
	q.ok = q.remaining > 0
	if q.ok {
		q.remaining--
	}
	q.reset = time.Minute - now.Sub(q.began)
	return *q
}

// limited says whether an operation has a limit of its own beside the key's. PagerDuty marks three so, the third being
// POST /incidents, and says no number; the headers tell of the limit that is nearest.
func limited(r *http.Request) bool {
	switch r.Pattern {
	case "GET /pagerduty/oncalls", "PUT /pagerduty/incidents":
		return true
	}
	return false
}

func (q quota) tell(h http.Header) {
	h.Set("ratelimit-limit", strconv.Itoa(q.limit))
	h.Set("ratelimit-remaining", strconv.Itoa(q.remaining))
	h.Set("ratelimit-reset", strconv.Itoa(int((q.reset+time.Second-1)/time.Second)))
}

// credential is the REST key of a request, however it is presented.
func credential(r *http.Request) string {
	a := r.Header.Get("Authorization")
	if v, ok := strings.CutPrefix(a, "Token token="); ok {
		return strings.Trim(v, `"`)
	}
	v, _ := strings.CutPrefix(a, "Bearer ")
	return v
}

// query is one REST request whose sender is known; the pager is locked while it is answered.
type query struct {
	r     *http.Request
	token *Token
	now   time.Time
	view  view
}

// restHandler does one REST operation; a nil body is an answer without one.
type restHandler func(q *query) (status int, body any, err *problem)

// rest serves one REST operation.
func (p *Pager) rest(pattern string, do restHandler) {
	method, path, _ := strings.Cut(pattern, " ")
	p.mux.Handle(method+" /pagerduty"+path, unhurried(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.handle(w, r, do)
	})))
}

// handle looks who asks and how often, and does the operation under the lock.
func (p *Pager) handle(w http.ResponseWriter, r *http.Request, do restHandler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Now()
	token := p.o.Account.token(credential(r))
	if token == nil {
		unauthorized().write(w)
		return
	}
	who := "rest " + token.Value
	if token.User != "" {
		who = "rest user " + token.User
	}
	limit := p.spend(who, p.o.RequestsPerMinute, now)
	if limited(r) {
		if own := p.spend(who+" "+r.Pattern, p.o.OperationPerMinute, now); own.remaining < limit.remaining || !own.ok {
			limit = own
		}
	}
	limit.tell(w.Header())
	switch {
	case !limit.ok:
		tooMany().write(w)
		return
	case token.ReadOnly && r.Method != http.MethodGet:
		forbidden().write(w)
		return
	}
	q := &query{r: r, token: token, now: now, view: p.viewFor(r)}
	status, body, bad := do(q)
	switch {
	case bad != nil:
		bad.write(w)
	case body == nil:
		w.WriteHeader(status)
	default:
		answer(w, status, body)
	}
}

// lateWriter keeps an answer until it may be sent.
type lateWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (l *lateWriter) Header() http.Header         { return l.header }
func (l *lateWriter) Write(b []byte) (int, error) { return l.body.Write(b) }
func (l *lateWriter) WriteHeader(status int)      { l.status = status }

// unhurried reads a request whole before next sees it and sends the answer when next has ended: next may lock the pager,
// and a client that has stopped must not stop it for all.
func unhurried(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			invalid("Body cannot be read").write(w)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		late := &lateWriter{header: w.Header(), status: http.StatusOK}
		next.ServeHTTP(late, r)
		w.WriteHeader(late.status)
		_, _ = w.Write(late.body.Bytes())
	})
}

// sender is the user in whose name a write is made: From is required, and must be somebody of the account.
func (p *Pager) sender(q *query) (*User, *problem) {
	from := q.r.Header.Get("From")
	if from == "" && q.token.User != "" {
		return p.o.Account.user(q.token.User), nil
	}
	if from == "" {
		return nil, &problem{status: http.StatusBadRequest, code: 2016,
			message: `You must specify a user's email address in the "From" header`}
	}
	if !strings.Contains(from, "@") {
		return nil, &problem{status: http.StatusBadRequest, code: 1028, message: "From header is malformed"}
	}
	u := p.o.Account.userByEmail(from)
	if u == nil {
		return nil, &problem{status: http.StatusBadRequest, code: 1008, message: "Requester User Not Found"}
	}
	return u, nil
}
