package aws

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// maxCalls bounds the call log; the oldest calls are forgotten first.
const maxCalls = 50_000

// Call is one request that reached the account.
type Call struct {
	// N counts calls from 1, in the order they arrived.
	N int `json:"n"`
	// At is the sandbox's own clock when it arrived; no knob shifts it.
	At time.Time `json:"at"`
	// By is who signed it: firedrill, orders, responder, alarm or other; scheduler is EventBridge Scheduler itself.
	By string `json:"by"`
	// Service and Operation are AWS's own names, such as dynamodb and UpdateTable.
	Service   string `json:"service"`
	Operation string `json:"operation"`
	// Writes says whether the operation may change the account; a refused call keeps it.
	Writes bool `json:"writes"`
	// Resource is what it was about: a name or an ARN, as the request named it.
	Resource string `json:"resource"`
	// Status is the HTTP status of the answer; 0 while there is none yet.
	Status int `json:"status"`
	// Code is the error the answer named, such as ThrottlingException; empty where there was none.
	Code string `json:"code,omitempty"`
	// Principal is the ARN of who signed it, and Agent their User-Agent, as CloudTrail tells both.
	Principal string `json:"principal,omitempty"`
	Agent     string `json:"agent,omitempty"`
	// Needs are what IAM asks for it: "dynamodb:UpdateTable on arn:…".
	Needs []string `json:"needs,omitempty"`
	// Unauthorized says that the caller's own policies refused it, and no policy of the resource.
	Unauthorized bool `json:"unauthorized,omitempty"`
}

// callLog remembers the last calls. The zero value is ready.
type callLog struct {
	mu    sync.Mutex
	next  int
	calls []Call
}

func (l *callLog) begin(c Call) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	c.N = l.next
	c.At = c.At.UTC()
	if len(l.calls) >= maxCalls {
		l.calls = append(l.calls[:0], l.calls[maxCalls/10:]...)
	}
	l.calls = append(l.calls, c)
	return c.N
}

func (l *callLog) end(n, status int, code string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.calls) == 0 {
		return
	}
	// Numbers are consecutive, so the place of one follows from the first.
	if i := n - l.calls[0].N; i >= 0 && i < len(l.calls) {
		l.calls[i].Status, l.calls[i].Code = status, code
	}
}

// asked notes what a call needed, and whether its caller's policies gave it.
func (l *callLog) asked(n int, needs []string, refused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.calls) == 0 {
		return
	}
	if i := n - l.calls[0].N; i >= 0 && i < len(l.calls) {
		l.calls[i].Needs, l.calls[i].Unauthorized = needs, refused
	}
}

// CallLog lists the calls so far, oldest first.
func (c *Cloud) CallLog() []Call {
	c.calls.mu.Lock()
	defer c.calls.mu.Unlock()
	return append([]Call{}, c.calls.calls...)
}

// ResetCalls forgets the calls so far; numbers go on.
func (c *Cloud) ResetCalls() {
	c.calls.mu.Lock()
	defer c.calls.mu.Unlock()
	c.calls.calls = nil
}

// Calls answers GET /_sandbox/calls with the call log as a JSON list.
func (c *Cloud) Calls(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		http.Error(w, "calls can only be read. Try: GET", http.StatusMethodNotAllowed)
		return
	}
	writeJSON(w, http.StatusOK, c.CallLog())
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(b, '\n'))
}
