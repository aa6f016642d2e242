package sandbox

import "github.com/firedrill/firedrill/internal/sandbox/pager"

// Who is who at the sandbox's pager. The keys and tokens are no secrets: they open nothing but this.
const (
	pagerToken     = "sandbox-pager-token"
	responderToken = "sandbox-responder-token"

	firstResponder  = "PRESP01"
	secondResponder = "PRESP02"
	botUser         = "PFDRILL"
	botEmail        = "drills@firedrill.invalid"
	ownerUser       = "POWN01"

	slackToken    = "xoxb-sandbox"
	slackHook     = "TSANDBOX/BSANDBOX/sandboxwebhook"
	ordersChannel = "orders-alerts"
	webChannel    = "web-alerts"

	ordersService = "PORDERS"
	webService    = "PWEB"
	ownerService  = "POWNER"

	ordersKey     = "f1ed0000000000000000000000000001"
	webKey        = "f1ed0000000000000000000000000002"
	ownerKey      = "f1ed0000000000000000000000000003"
	cloudWatchKey = "c10d0000000000000000000000000001"
	// monitoringKey is an Events v2 door that is not firedrill's: for what real monitoring would send.
	monitoringKey = "a1e40000000000000000000000000001"
)

// callers tells callers of AWS apart by access key id; every other is "other".
func callers() map[string]string {
	return map[string]string{
		"AKIAFIREDRILL00000": "firedrill",
		"AKIAORDERS00000000": "orders",
		"AKIARESPONDER00000": "responder",
		"AKIAALARM000000000": "alarm",
	}
}

// newWorld is all that is known before anything stands.
func newWorld(url string) World {
	w := World{
		Instance: newInstance(), URL: url, PID: pid(),
		Account: "111122223333", Alias: "firedrill-sandbox", Region: "eu-west-1", AWS: url + "/aws",
		Pager: url + "/pagerduty", Events: url + "/events", Token: pagerToken, From: botEmail, Bot: botUser,
		Teams: map[string]Team{
			"orders": {Service: ordersService, Key: ordersKey, Slack: "#" + ordersChannel},
			"web":    {Service: webService, Key: webKey, Slack: "#" + webChannel},
		},
		Slack: Slack{API: url + "/slack/api", Token: slackToken, Webhook: url + "/slack/services/" + slackHook},
		Keys:  map[string]Key{"other": {ID: "AKIAOTHER000000000", Secret: "sandbox"}},
		Vars:  map[string]string{}, Owner: ownerKey,
		OnCall: OnCall{User: firstResponder, Token: responderToken, Phone: url + "/app/" + firstResponder},
	}
	w.Deadman = Deadman{Role: "arn:aws:iam::" + w.Account + ":role/firedrill-deadman", DLQ: "arn:aws:sqs:" + w.Region + ":" + w.Account + ":" + deadmanDLQ}
	for id, by := range callers() {
		w.Keys[by] = Key{ID: id, Secret: "sandbox"}
	}
	return w
}

// channels are those of the workspace; the incoming webhook's is the first.
func channels() []string { return []string{ordersChannel, webChannel} }

// people is the pager's account.
func people(w World) pager.Account {
	door := func(id, name, key string) pager.Integration {
		return pager.Integration{ID: id, Name: name, Type: pager.EventsV2, Key: key}
	}
	return pager.Account{
		Users: []pager.User{
			{ID: firstResponder, Name: "First Responder", Email: "first@firedrill.invalid",
				Contacts: []pager.Contact{{Type: "push"}, {Type: "sms", Address: "+353 1 555 0101"}}},
			{ID: secondResponder, Name: "Second Responder", Email: "second@firedrill.invalid",
				Contacts: []pager.Contact{{Type: "push"}, {Type: "phone", Address: "+353 1 555 0102"}}},
			{ID: ownerUser, Name: "Staging Owner", Email: "owner@firedrill.invalid", Contacts: []pager.Contact{{Type: "push"}}},
			{ID: botUser, Name: "Firedrill", Email: w.From},
		},
		Policies: []pager.Policy{
			{ID: "PEPORD", Name: "Orders on call", Levels: [][]string{{firstResponder}, {secondResponder}}},
			{ID: "PEPOWN", Name: "Staging owner", Levels: [][]string{{ownerUser}}},
		},
		Services: []pager.Service{
			{ID: ordersService, Name: "Orders (staging)", Description: "The sandbox's shop", Policy: "PEPORD", Team: "PTEAMORD", Integrations: []pager.Integration{
				door("PIORDFD", "firedrill", ordersKey),
				{ID: "PIORDCW", Name: "Amazon CloudWatch", Type: pager.CloudWatch, Key: cloudWatchKey},
				door("PIORDMON", "Monitoring", monitoringKey),
			}},
			{ID: webService, Name: "Web (staging)", Description: "The sandbox's home page", Policy: "PEPORD",
				Integrations: []pager.Integration{door("PIWEBFD", "firedrill", webKey)}},
			{ID: ownerService, Name: "Staging owner", Description: "Paged when something is left in place", Policy: "PEPOWN",
				Integrations: []pager.Integration{door("PIOWNFD", "firedrill", ownerKey)}},
		},
		Tokens: []pager.Token{
			{Value: w.Token},
			{Value: responderToken, User: firstResponder},
			{Value: "sandbox-readonly-token", ReadOnly: true},
		},
		Abilities:  []string{"teams", "urgencies", "event_rules", "manage_schedules"},
		Types:      []pager.Type{{ID: "PTDRILL", Name: "drill", Display: "Drill"}},
		Priorities: []pager.Priority{{ID: "PPRIO1", Name: "P1"}, {ID: "PPRIO2", Name: "P2"}},
	}
}
