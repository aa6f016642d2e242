package aws

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// others is what a service may do to the others, as any client would: logged, and under the knobs' hands.
type others interface {
	has(service, operation string) bool
	invoke(who caller, service, operation string, in object) *apiError
}

func (c *Cloud) has(service, operation string) bool {
	_, ok := c.ops[service][operation]
	return ok
}

// invoke makes a call from within, and waits for its answer.
func (c *Cloud) invoke(who caller, service, operation string, in object) (refused *apiError) {
	answer := &answered{}
	defer func() {
		if gone := recover(); gone != nil {
			if gone != http.ErrAbortHandler { //nolint:errorlint // a panic's value, compared as net/http does
				panic(gone)
			}
			refused = &apiError{Code: "InternalFailure", Message: "the connection broke", Status: http.StatusInternalServerError}
		}
	}()
	c.serve(nowhere{}, &http.Request{}, &request{id: requestID(), service: service, operation: operation, wire: answer, input: in, who: who, region: c.options.Region})
	return answer.refused
}

// answered is a wire that ends at the caller's own door.
type answered struct{ refused *apiError }

func (a *answered) ok(http.ResponseWriter, *request, any)                         {}
func (a *answered) fail(_ http.ResponseWriter, _ *request, e *apiError, _ object) { a.refused = e }

// nowhere takes an answer's header, and nothing else.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}

// Waiting is a schedule that has not been made a call of yet.
type Waiting struct {
	Schedule string    `json:"schedule"`
	At       time.Time `json:"at"` // its minute
	Target   string    `json:"target"`
	Input    string    `json:"input"`
}

// Advance moves Scheduler's own clock ahead, makes the calls that are due by then, and tells which.
func (c *Cloud) Advance(by time.Duration) []Made { return c.scheduler().advance(by) }

// Waiting lists the schedules that are still to be made, the first first, and tells the time by Scheduler's own clock.
func (c *Cloud) Waiting() (time.Time, []Waiting) {
	s := c.scheduler()
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Waiting{}
	for _, one := range s.list {
		if !one.at.IsZero() && one.State == "ENABLED" {
			list = append(list, Waiting{one.Name, one.at.UTC(), one.Target.Arn, one.Target.Input})
		}
	}
	slices.SortFunc(list, func(a, b Waiting) int {
		if d := a.At.Compare(b.At); d != 0 {
			return d
		}
		return strings.Compare(a.Schedule, b.Schedule)
	})
	return s.clock().UTC(), list
}

func (c *Cloud) scheduler() *scheduler {
	i := slices.IndexFunc(c.list, func(s service) bool { return reflect.TypeOf(s) == reflect.TypeFor[*scheduler]() })
	return c.list[i].(*scheduler)
}

// Schedules serves /_sandbox/schedules: GET lists what waits, POST …/advance {"by": "10m"} moves Scheduler's clock ahead
// (nobody else's) and answers the calls that were made.
func (c *Cloud) Schedules(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && !strings.HasSuffix(r.URL.Path, "/advance"):
		now, list := c.Waiting()
		writeJSON(w, http.StatusOK, map[string]any{"now": now, "waiting": list})
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/advance"):
		var in struct {
			By string `json:"by"`
		}
		d := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			http.Error(w, "read how far: "+err.Error()+`. Try: {"by": "10m"}`, http.StatusBadRequest)
			return
		}
		by, err := time.ParseDuration(in.By)
		if err != nil || by < 0 {
			http.Error(w, `by is a duration, not below zero. Try: {"by": "10m"}`, http.StatusBadRequest)
			return
		}
		writeJSON(w, http.StatusOK, c.Advance(by))
	default:
		http.Error(w, "Try: GET, or POST …/advance", http.StatusMethodNotAllowed)
	}
}
