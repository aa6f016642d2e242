package sandbox

// World tells a client of the sandbox where everything is: GET /_sandbox/world answers it, and the built-in
// environment "sandbox" is made of it. Nothing here is secret; it is a toy staging on loopback.
type World struct {
	Instance string `json:"instance"`
	URL      string `json:"url"` // base of everything: http://127.0.0.1:PORT
	PID      int    `json:"pid"`

	Account string `json:"account"`
	Alias   string `json:"alias"` // account alias, as IAM tells it
	Region  string `json:"region"`
	AWS     string `json:"aws"` // endpoint of every AWS service

	Pager  string            `json:"pager"`  // endpoint of the PagerDuty REST API
	Events string            `json:"events"` // base of the Events API v2; the SDK and we add /v2/enqueue
	Token  string            `json:"token"`  // of the REST API
	From   string            `json:"from"`   // our bot user's e-mail address
	Bot    string            `json:"bot"`    // our bot user's id
	Teams  map[string]Team   `json:"teams"`
	Keys   map[string]Key    `json:"keys"` // by caller: firedrill, orders, responder, alarm, other
	Vars   map[string]string `json:"vars"` // what drills may name as ${…}
	Owner  string            `json:"owner_key"`

	Deadman Deadman `json:"deadman"`
	// Unhurried: it is looked at as often as a real environment is, and not as its own short times would have it.
	Unhurried bool  `json:"unhurried,omitempty"`
	Slack     Slack `json:"slack"`

	OnCall OnCall `json:"on_call"`
}

// OnCall is the person whom the pager calls first: whoever has their phone is them.
type OnCall struct {
	User    string `json:"user"`    // id
	Token   string `json:"token"`   // a key of theirs for the pager's REST API
	Phone   string `json:"phone"`   // base of their phone's app: POST PHONE/acknowledge …
	Answers bool   `json:"answers"` // the sandbox's own responder has the phone
}

// Slack is how to speak to the teams' channels: as a bot, or through an incoming webhook.
type Slack struct {
	API     string `json:"api"` // base of its web API
	Token   string `json:"token"`
	Webhook string `json:"webhook"` // its channel is that of the orders team
}

// Deadman is who may make the calls of a dead-man's switch, and where those that fail end up.
type Deadman struct {
	Role string `json:"role"` // ARN
	DLQ  string `json:"dlq"`  // ARN of a standard queue
}

// Team is one team of the sandbox's pager.
type Team struct {
	Service string `json:"service"` // id of its PagerDuty service
	Key     string `json:"key"`     // Events v2 integration key of firedrill's own integration there
	Slack   string `json:"slack"`   // its channel, by name
}

// Key is an AWS access key; the call log tells callers apart by it.
type Key struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}
