package aws

import (
	"context"
	"net/http"
	"strings"
	"sync"
)

// fisService is AWS FIS as far as everybody who breaks things must ask it: its safety lever.
// https://docs.aws.amazon.com/fis/latest/userguide/safety-lever.html
type fisService struct {
	deps
	mu      sync.Mutex
	engaged bool
	reason  string
}

func newFIS(d deps) *fisService { return &fisService{deps: d} }

func (*fisService) id() string { return "fis" }

// config is nil: a lever is a state, nobody configures it.
func (*fisService) config() any { return nil }

type leverInput struct {
	ID    string     `json:"id"`
	State leverState `json:"state"`
}

type leverState struct {
	Status string `json:"status"`
	Reason string `json:"reason"`
}

type leverOutput struct {
	SafetyLever leverShape `json:"safetyLever"`
}

type leverShape struct {
	ARN   string     `json:"arn"`
	ID    string     `json:"id"`
	State leverState `json:"state"`
}

func (f *fisService) operations() map[string]operation {
	named := func(in *leverInput) string { return in.ID }
	return map[string]operation{
		"GetSafetyLever":         on(false, named, f.get),
		"UpdateSafetyLeverState": on(true, named, f.update),
	}
}

func (f *fisService) get(_ context.Context, _ caller, in *leverInput) (*leverOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shape(in.ID)
}

func (f *fisService) shape(id string) (*leverOutput, error) {
	if id != "default" {
		return nil, &apiError{Code: "ResourceNotFoundException", Status: http.StatusNotFound, Message: "there is one safety lever: default"}
	}
	s := leverState{Status: "disengaged", Reason: f.reason}
	if f.engaged {
		s.Status = "engaged"
	}
	return &leverOutput{leverShape{ARN: f.arn("fis", "safety-lever/default"), ID: id, State: s}}, nil
}

// update moves the lever. AWS wants a reason, and refuses to move it where it is.
func (f *fisService) update(_ context.Context, _ caller, in *leverInput) (*leverOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.shape(in.ID); err != nil {
		return nil, err
	}
	engage := in.State.Status == "engaged"
	switch {
	case !engage && in.State.Status != "disengaged", strings.TrimSpace(in.State.Reason) == "":
		return nil, &apiError{Code: "ValidationException", Message: "a state needs a status (engaged or disengaged) and a reason"}
	case engage == f.engaged:
		return nil, &apiError{Code: "ConflictException", Status: http.StatusConflict, Message: "the safety lever is " + in.State.Status + " already"}
	}
	f.engaged, f.reason = engage, in.State.Reason
	return f.shape(in.ID)
}

// leverPath begins the paths of the lever.
const leverPath = "/safetyLevers/"

func isFIS(r *http.Request) bool { return strings.Contains(r.URL.EscapedPath(), leverPath) }

// lever reads a request about the lever.
func (q *request) lever(r *http.Request, body []byte) (any, error) {
	q.service, q.wire = "fis", newRESTWire()
	_, name, _ := strings.Cut(r.URL.Path, leverPath)
	id, moves := strings.CutSuffix(strings.Trim(name, "/"), "/state")
	switch {
	case r.Method == http.MethodGet && !moves:
		q.operation = "GetSafetyLever"
	case r.Method == http.MethodPatch && moves:
		q.operation = "UpdateSafetyLeverState"
	default:
		return nil, &apiError{Code: "UnknownOperationException", Status: http.StatusNotFound, Message: "the sandbox's FIS knows its safety lever only"}
	}
	tree, err := readJSON(body)
	if err != nil {
		return nil, err
	}
	in, ok := tree.(object)
	if !ok {
		return nil, &apiError{Code: "SerializationException", Message: "expected a structure"}
	}
	in["id"] = id
	return in, nil
}
