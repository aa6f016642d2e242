package pager

// Account is what an administrator has set up before the first event arrives.
type Account struct {
	Users    []User
	Policies []Policy
	Services []Service
	Tokens   []Token
	// Abilities are the account's features, as GET /abilities lists them.
	Abilities []string
}

// User is somebody who can be paged, or a bot that signs its notes.
type User struct {
	ID    string
	Name  string
	Email string
	// Contacts are how a high-urgency page reaches the user, in order; a user without any is assigned, but
	// never notified.
	Contacts []Contact
}

// Contact is one way to reach a user.
type Contact struct {
	// Type is push, sms, phone or email.
	Type string
	// Address is a number or an e-mail address; a push has none.
	Address string
}

// Policy is an escalation policy: who is on call, level by level.
type Policy struct {
	ID     string
	Name   string
	Levels [][]string // user ids
	// Loops is how often the levels are gone through again after the last.
	Loops int
}

// Service is what incidents belong to.
type Service struct {
	ID           string
	Name         string
	Description  string
	Policy       string
	Team         string // id; may be empty
	Disabled     bool
	Integrations []Integration
}

// Integration is a door through which events of one source reach a service.
type Integration struct {
	ID   string
	Name string
	// Type is events_api_v2_inbound_integration or aws_cloudwatch_inbound_integration.
	Type string
	// Key is the 32-character routing key.
	Key string
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
