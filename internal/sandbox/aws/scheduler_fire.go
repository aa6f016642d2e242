package aws

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// invocation is a target's call that is due, or failed and is due again.
type invocation struct {
	schedule
	due   time.Time // of the next try
	first time.Time // when it was due at first
	tries int
}

// Made is a call that Scheduler made, or tried to.
type Made struct {
	Schedule string    `json:"schedule"`
	At       time.Time `json:"at"` // by Scheduler's own clock
	Target   string    `json:"target"`
	Try      int       `json:"try"`            // from 1
	Code     string    `json:"code,omitempty"` // of the refusal
	Message  string    `json:"message,omitempty"`
	Ends     bool      `json:"ends"` // done, or given up: no further try
}

// clock is Scheduler's own. The lock is held.
func (s *scheduler) clock() time.Time { return s.now().Add(s.ahead) }

// second is when within its minute a schedule is due: some time, and always the same.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
func (one *schedule) second() time.Time {
	h := fnv.New32()
	h.Write([]byte(one.Name))
	return one.at.Truncate(time.Minute).Add(time.Duration(h.Sum32()%60) * time.Second)
}

// next takes what is due first; nil when nothing is.
func (s *scheduler) next() *invocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	var found *invocation
	earlier := func(i *invocation) {
		if !i.due.After(now) && (found == nil || i.due.Before(found.due) || i.due.Equal(found.due) && i.Name < found.Name) {
			found = i
		}
	}
	for _, one := range s.list {
		if one.State == "ENABLED" && !one.at.IsZero() {
			earlier(&invocation{schedule: *one, due: one.second(), first: one.second()})
		}
	}
	for _, i := range s.late {
		earlier(i)
	}
	if found == nil {
		return nil
	}
	if one := s.list[found.Name]; found.tries == 0 && one != nil {
		one.at = time.Time{} // it happens once
	}
	s.late = slices.DeleteFunc(s.late, func(i *invocation) bool { return i == found })
	return found
}

// tick fires what is due, beside whoever ticks: a call may be held.
func (s *scheduler) tick(time.Time) {
	if !s.firing.TryLock() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished || len(s.list)+len(s.late) == 0 {
		s.firing.Unlock()
		return
	}
	s.wait.Go(func() {
		defer s.firing.Unlock()
		s.fire()
	})
}

// advance moves the clock ahead and fires what is due by then, one after the other, retries included.
func (s *scheduler) advance(by time.Duration) []Made {
	s.firing.Lock()
	defer s.firing.Unlock()
	s.mu.Lock()
	s.ahead += by
	s.mu.Unlock()
	return s.fire()
}

func (s *scheduler) close() error {
	s.mu.Lock()
	s.finished = true
	s.mu.Unlock()
	s.wait.Wait()
	return nil
}

// fire makes every call that is due. firing is held.
func (s *scheduler) fire() []Made {
	made := []Made{}
	for i := s.next(); i != nil; i = s.next() {
		i.tries++
		refused := s.call(i)
		m := Made{Schedule: i.Name, At: i.due.UTC(), Target: i.Target.Arn, Try: i.tries, Ends: true}
		why := ""
		if refused != nil {
			m.Code, m.Message = refused.Code, refused.Message
			why, m.Ends = s.giveUp(i, refused)
		}
		if m.Ends {
			s.end(i, refused, why)
		}
		made = append(made, m)
	}
	return made
}

// call makes one try as the schedule's role.
func (s *scheduler) call(i *invocation) *apiError {
	action := universalTarget.FindStringSubmatch(i.Target.Arn)
	text := i.Target.Input
	if text == "" {
		text = "{}"
	}
	tree, err := readJSON([]byte(text))
	in, ok := tree.(object)
	if err != nil || !ok {
		return &apiError{Code: "SerializationException", Message: "Input is no JSON structure: " + text}
	}
	return s.others.invoke(caller{By: "scheduler", ARN: i.Target.RoleArn}, targetServices()[action[1]], operationOf(action[2]), in)
}

// giveUp says whether a refused call is over, and which limit ended its tries. Otherwise it is tried again, later and
// later. Only errors that pass are tried again; that a resource is in use is not said to be one.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
func (s *scheduler) giveUp(i *invocation, refused *apiError) (why string, over bool) {
	if !passes(refused) {
		return "", true
	}
	most, age := 185, 86400
	if p := i.Target.RetryPolicy; p != nil && p.MaximumRetryAttempts != nil {
		most = *p.MaximumRetryAttempts
	}
	if p := i.Target.RetryPolicy; p != nil && p.MaximumEventAgeInSeconds != nil {
		age = *p.MaximumEventAgeInSeconds
	}
	again := *i
	again.due = i.due.Add(min(time.Second<<min(i.tries-1, 6), time.Minute))
	switch {
	case i.tries > most:
		return "MaximumRetryAttempts", true
	case again.due.Sub(i.first) > time.Duration(age)*time.Second:
		return "MaximumEventAgeInSeconds", true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = append(s.late, &again)
	return "", false
}

// passes says whether an error may be gone at the next try.
func passes(e *apiError) bool {
	switch e.Code {
	case "Throttling", "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "TooManyRequestsException":
		return true
	}
	status := statusOf(e)
	return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests
}

// end sends what failed for good to the schedule's dead-letter queue, and removes a schedule that asked for it.
func (s *scheduler) end(i *invocation, refused *apiError, why string) {
	if dlq := i.Target.DeadLetterConfig; refused != nil && dlq != nil {
		text := func(v string) object { return object{"DataType": "String", "StringValue": v} }
		told := object{"ERROR_CODE": text(refused.Code), "ERROR_MESSAGE": text(refused.Message), "TARGET_ARN": text(i.Target.Arn),
			"SCHEDULE_ARN": text(s.arnOf(i.Name)), "RETRY_ATTEMPTS": text(strconv.Itoa(i.tries - 1))}
		if why != "" {
			told["EXHAUSTED_RETRY_CONDITION"] = text(why)
		}
		body := i.Target.Input
		if body == "" {
			body = "{}"
		}
		at := fmt.Sprintf("%s/%s/%s", s.base(), s.account, url.PathEscape(lastSegment(dlq.Arn)))
		// What cannot be told is lost: a queue that is not there, or a policy that refuses.
		_ = s.others.invoke(caller{By: "scheduler", ARN: i.Target.RoleArn}, "sqs", "SendMessage",
			object{"QueueUrl": at, "MessageBody": body, "MessageAttributes": told})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.list[i.Name]; one != nil && i.ActionAfterCompletion == "DELETE" && one.made.Equal(i.made) && one.at.IsZero() {
		delete(s.list, i.Name)
	}
}
