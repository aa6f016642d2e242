package aws

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// sessions are the role sessions that STS has given out, by access key. Whoever holds one acts under the role's name,
// until it ends.
type sessions struct {
	mu    sync.Mutex
	given int
	open  map[string]session
}

// session is one of them.
type session struct {
	by, arn, token string
	ends           time.Time
}

// find is the session of an access key.
func (s *sessions) find(key string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[key]
	return found, ok
}

type assumeInput struct {
	RoleArn, RoleSessionName string
	DurationSeconds          int
}

type assumedRole struct {
	Credentials struct {
		AccessKeyId, SecretAccessKey, SessionToken string
		Expiration                                 time.Time
	}
	AssumedRoleUser struct{ Arn, AssumedRoleId string }
}

var sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// The ends of a session's length; what is not said is an hour.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	sessionLeast   = 15 * 60
	sessionMost    = 12 * 60 * 60
	sessionDefault = 60 * 60
)

// assume gives out a session of a role. Every role of the account is there, and trusts everybody in it.
func (s *stsService) assume(_ context.Context, who caller, in *assumeInput) (*assumedRole, error) {
	account, role, ok := strings.Cut(strings.TrimPrefix(in.RoleArn, "arn:aws:iam::"), ":role/")
	seconds := in.DurationSeconds
	if seconds == 0 {
		seconds = sessionDefault
	}
	switch {
	case !ok || role == "" || !sessionName.MatchString(in.RoleSessionName):
		return nil, &apiError{Code: "ValidationError", Message: fmt.Sprintf("%q as %q is no role and session", in.RoleArn, in.RoleSessionName)}
	case seconds < sessionLeast || seconds > sessionMost:
		return nil, &apiError{Code: "ValidationError", Message: fmt.Sprintf("a session lasts from %d to %d seconds, not %d", sessionLeast, sessionMost, seconds)}
	case account != s.d.account:
		return nil, &apiError{Code: "AccessDenied", Status: http.StatusForbidden,
			Message: fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", who.ARN, in.RoleArn)}
	}
	role = role[strings.LastIndexByte(role, '/')+1:] // a path is no part of a session's name
	out := &assumedRole{}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	s.sessions.given++
	n := s.sessions.given
	out.Credentials.AccessKeyId = fmt.Sprintf("ASIASANDBOX%09d", n)
	out.Credentials.SecretAccessKey = fmt.Sprintf("sandbox-secret-of-session-%d", n)
	out.Credentials.SessionToken = fmt.Sprintf("sandbox-token-of-session-%d", n)
	out.Credentials.Expiration = s.d.now().UTC().Add(time.Duration(seconds) * time.Second).Truncate(time.Second)
	out.AssumedRoleUser.Arn = "arn:aws:sts::" + s.d.account + ":assumed-role/" + role + "/" + in.RoleSessionName
	out.AssumedRoleUser.AssumedRoleId = "AROASANDBOX:" + in.RoleSessionName
	if s.sessions.open == nil {
		s.sessions.open = map[string]session{}
	}
	s.sessions.open[out.Credentials.AccessKeyId] = session{by: who.By, arn: out.AssumedRoleUser.Arn, token: out.Credentials.SessionToken, ends: out.Credentials.Expiration}
	return out, nil
}

// sts is the account's.
func (c *Cloud) sts() *stsService {
	for _, s := range c.list {
		if t, ok := s.(*stsService); ok {
			return t
		}
	}
	return nil
}

// hold makes whoever signed with a session's key act under the role's name.
func (q *request) hold(c *Cloud, authorization, token string) {
	_, rest, _ := strings.Cut(authorization, "Credential=")
	key, _, _ := strings.Cut(rest, "/")
	if held, ok := c.sts().sessions.find(key); ok {
		q.who.By, q.who.ARN, q.session, q.token = held.by, held.arn, &held, token
	}
}

// sessionEnded refuses what was signed in a session that has ended, or with another session's token.
func (c *Cloud) sessionEnded(q *request) error {
	e := &apiError{Code: "ExpiredTokenException", Message: "The security token included in the request is expired", Status: http.StatusBadRequest}
	query := "ExpiredToken"
	switch {
	case q.session == nil:
		return nil
	case q.token != q.session.token:
		e.Code, e.Message, query = "UnrecognizedClientException", "The security token included in the request is invalid.", "InvalidClientTokenId"
	case c.options.Now().Before(q.session.ends):
		return nil
	}
	if _, ok := q.wire.(queryWire); ok {
		e.Code, e.Status = query, http.StatusForbidden
	}
	return e
}

// EndSessions ends every role session now, whatever was said when it was given out; whoever assumes the role anew has
// another one. It says how many there were.
func (c *Cloud) EndSessions() (n int) {
	s := &c.sts().sessions
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, held := range s.open {
		if now := c.options.Now(); now.Before(held.ends) {
			held.ends = now
			s.open[key] = held
			n++
		}
	}
	return n
}

// Sessions answers DELETE /_sandbox/sessions: every role session ends, as if its hour were over.
func (c *Cloud) Sessions(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodDelete {
		http.Error(w, "Try: DELETE", http.StatusMethodNotAllowed)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int{"ended": c.EndSessions()})
}
