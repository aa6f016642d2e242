package pager

import "time"

// Account is what an administrator has set up before the first event arrives.
type Account struct {
	Users    []User
	Policies []Policy
	Services []Service
	Tokens   []Token
	// Abilities are the account's features, as GET /abilities lists them.
	Abilities []string
	// Types are the incident types beside PagerDuty's own base one.
	Types      []Type
	Priorities []Priority
	// Analytics says whether the account may read them; BareAnalytics answers for one incident as the schema has it,
	// not as PagerDuty's example does.
	Analytics, BareAnalytics bool
	// History is what the analytics tell beside the incidents that are here.
	History []Past
}

// User is somebody who can be paged, or a bot that signs its notes.
type User struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	// Contacts are the notification rules, in order; a user without one of an incident's urgency is assigned, but
	// never notified.
	Contacts []Contact `json:"contacts"`
}

// Contact is one notification rule: a way to reach a user, and how soon it is used.
type Contact struct {
	// Type is push, sms, phone or email.
	Type string `json:"type"`
	// Address is a number or an e-mail address; a push has none.
	Address string `json:"address"`
	// Urgency is high, which is the default, or low.
	Urgency string `json:"urgency"`
	// After is how long the rule waits. The API tells it in minutes, rounded up.
	After Seconds `json:"after_s"`
	// Status is what becomes of what is sent this way: success unless said otherwise.
	Status string `json:"status"`
}

func (c Contact) urgency() string {
	if c.Urgency == "" {
		return "high"
	}
	return c.Urgency
}

// Seconds is a duration as the sandbox's own settings write it.
type Seconds float64

// Duration is the same as Go counts it.
func (s Seconds) Duration() time.Duration { return seconds(float64(s)) }

// Minutes is the same as PagerDuty's API tells delays: whole minutes, rounded up.
func (s Seconds) Minutes() int { return int((s.Duration() + time.Minute - 1) / time.Minute) }

// Policy is an escalation policy: who is on call, level by level.
type Policy struct {
	ID     string     `json:"id"`
	Name   string     `json:"name"`
	Levels [][]string `json:"levels"` // user ids
	// Loops is how often the levels are gone through again after the last.
	Loops int `json:"loops"`
}

// Service is what incidents belong to.
type Service struct {
	ID           string        `json:"id"`
	Name         string        `json:"name"`
	Description  string        `json:"description"`
	Policy       string        `json:"policy"`
	Team         string        `json:"team"` // id; may be empty
	Disabled     bool          `json:"disabled"`
	Integrations []Integration `json:"integrations"`

	Urgency       Urgency       `json:"urgency"`
	Pause         Pause         `json:"auto_pause"`
	Grouping      Grouping      `json:"grouping"`
	Orchestration Orchestration `json:"orchestration"`
	Workflows     []Workflow    `json:"workflows"`
}

// Integration is a door through which events of one source reach a service.
type Integration struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Type is events_api_v2_inbound_integration or aws_cloudwatch_inbound_integration.
	Type string `json:"type"`
	// Key is the 32-character routing key.
	Key string `json:"key"`
}

// The kinds of integration the pager takes events from.
const (
	EventsV2   = "events_api_v2_inbound_integration"
	CloudWatch = "aws_cloudwatch_inbound_integration"
)

// Token is a REST API key. Without a user it is an account key, which has no /users/me.
type Token struct {
	Value    string
	User     string
	ReadOnly bool
}

func (a *Account) user(id string) *User {
	for i := range a.Users {
		if a.Users[i].ID == id {
			return &a.Users[i]
		}
	}
	return nil
}

func (a *Account) userByEmail(email string) *User {
	for i := range a.Users {
		if email != "" && a.Users[i].Email == email {
			return &a.Users[i]
		}
	}
	return nil
}

func (a *Account) policy(id string) *Policy {
	for i := range a.Policies {
		if a.Policies[i].ID == id {
			return &a.Policies[i]
		}
	}
	return nil
}

func (a *Account) service(id string) *Service {
	for i := range a.Services {
		if a.Services[i].ID == id {
			return &a.Services[i]
		}
	}
	return nil
}

// door finds the integration behind a routing key, and its service.
func (a *Account) door(key string) (*Service, *Integration) {
	for i := range a.Services {
		s := &a.Services[i]
		for j := range s.Integrations {
			if s.Integrations[j].Key == key {
				return s, &s.Integrations[j]
			}
		}
	}
	return nil, nil
}

func (a *Account) token(value string) *Token {
	for i := range a.Tokens {
		if a.Tokens[i].Value == value {
			return &a.Tokens[i]
		}
	}
	return nil
}
