package aws

import (
	"net/http"
	"net/url"
	"strings"
)

// restWire is REST-JSON: method and path name the operation, and what a path or a query says joins the body's members.
type restWire struct{ jsonWire }

func newRESTWire() restWire { return restWire{jsonWire{contentType: "application/json"}} }

// schedulePath begins the paths of EventBridge Scheduler.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html
const schedulePath = "/schedules"

// isScheduler says whether a request is for EventBridge Scheduler: signed for it, or on its path.
func isScheduler(r *http.Request, scope string) bool {
	_, rest, ok := strings.Cut(r.URL.EscapedPath(), schedulePath)
	return scope == "scheduler" || ok && (rest == "" || rest[0] == '/')
}

// rest reads a request of EventBridge Scheduler.
func (q *request) rest(r *http.Request, body []byte) (any, error) {
	q.service, q.wire = "scheduler", newRESTWire()
	_, name, ok := strings.Cut(r.URL.EscapedPath(), schedulePath)
	name, err := url.PathUnescape(strings.Trim(name, "/"))
	if err != nil {
		return nil, err
	}
	q.operation = map[string]string{http.MethodPost: "CreateSchedule", http.MethodGet: "GetSchedule",
		http.MethodPut: "UpdateSchedule", http.MethodDelete: "DeleteSchedule"}[r.Method]
	if r.Method == http.MethodGet && name == "" {
		q.operation = "ListSchedules"
	}
	if !ok || q.operation == "" || name == "" && q.operation != "ListSchedules" {
		return nil, &apiError{Code: "UnknownOperationException", Status: http.StatusNotFound,
			Message: "the sandbox's Scheduler does not know " + r.Method + " " + r.URL.Path}
	}
	tree, err := readJSON(body)
	if err != nil {
		return nil, err
	}
	in, ok := tree.(object)
	if !ok {
		return nil, &apiError{Code: "SerializationException", Message: "expected a structure"}
	}
	if name != "" {
		in["Name"] = name
	}
	for key, value := range map[string]string{"groupName": "GroupName", "clientToken": "ClientToken", "ScheduleGroup": "GroupName",
		"MaxResults": "MaxResults", "NamePrefix": "NamePrefix", "NextToken": "NextToken", "State": "State"} {
		if said := r.URL.Query().Get(key); said != "" {
			in[value] = said
		}
	}
	return in, nil
}
