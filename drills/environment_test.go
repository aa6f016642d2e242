package drills

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const staging = `drills: [./drills]
environments:
  staging:
    aws: {account: "123456789012", regions: [eu-west-1], role: "arn:aws:iam::123456789012:role/firedrill"}
    tags: {environment: staging, firedrill: allowed}
    window: {days: mon-fri, hours: "10:00-16:00", zone: Europe/Berlin}
    pagerduty: {region: eu, token: "env:PAGERDUTY_TOKEN", from: drills@example.com, bots: [PBOT1], accept: [automation_fires], webhook_secrets: ["env:HOOK_NEW", "env:HOOK_OLD"]}
    owner: {key: "file:/run/secrets/owner key"}
    teams: {orders: {service: PORDERS, key: "ssm:/firedrill/orders", slack: "#orders-alerts"}}
    store: {dynamodb: {table: firedrill, region: eu-west-1}}
    deadman: {role: "arn:aws:iam::123456789012:role/firedrill-deadman", required: true}
    vars: {orders_table: staging-orders, orders_url: "https://orders.staging.example.com"}
    undo_patience: 20m
    settle: 0s
    open_incidents: high
    surprise: allowed
    slack: {token: "env:SLACK_BOT_TOKEN"}
    people: pseudonyms
`

func TestReadsEverythingOfAnEnvironment(t *testing.T) {
	f, err := ReadEnvironments("firedrill.yaml", []byte(staging))
	if err != nil {
		t.Fatal(err)
	}
	want := Environment{
		Name: "staging", Source: "firedrill.yaml",
		AWS:    AWSSpec{Account: "123456789012", Regions: []string{"eu-west-1"}, Role: "arn:aws:iam::123456789012:role/firedrill"},
		Tags:   map[string]string{"environment": "staging", "firedrill": "allowed"},
		Window: mustWindow(t, "mon-fri", "10:00-16:00", "Europe/Berlin"),
		PagerDuty: PagerSpec{Region: "eu", Token: "env:PAGERDUTY_TOKEN", From: "drills@example.com", Bots: []string{"PBOT1"},
			WebhookSecrets: []string{"env:HOOK_NEW", "env:HOOK_OLD"}, Accept: []string{"automation_fires"}},
		Owner:        "file:/run/secrets/owner key",
		Teams:        map[string]Team{"orders": {Service: "PORDERS", Key: "ssm:/firedrill/orders", Slack: "#orders-alerts"}},
		Store:        StoreSpec{Kind: "dynamodb", Table: "firedrill", Region: "eu-west-1"},
		Deadman:      DeadmanSpec{Role: "arn:aws:iam::123456789012:role/firedrill-deadman", Required: true},
		Vars:         map[string]string{"orders_table": "staging-orders", "orders_url": "https://orders.staging.example.com"},
		UndoPatience: 20 * time.Minute, Settle: 0, OpenIncidents: "high", Surprise: "allowed",
		Slack: SlackSpec{Token: "env:SLACK_BOT_TOKEN"}, People: PeoplePseudonyms,
	}
	if diff := cmp.Diff(want, f.Environments["staging"], cmpopts.IgnoreUnexported(time.Location{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"./drills"}, f.Drills); diff != "" || f.Source != "firedrill.yaml" {
		t.Error(diff, f.Source)
	}
}

func TestEnvironmentHasDefaults(t *testing.T) {
	src := staging
	for _, line := range []string{"drills: [./drills]\n", "    window:", "    store:", "    deadman:", "    vars:", "    undo_patience:", "    settle:", "    open_incidents:", "    surprise:"} {
		at := strings.Index(src, line)
		end := at + strings.Index(src[at:], "\n") + 1
		src = src[:at] + src[end:]
	}
	f, err := ReadEnvironments("e", []byte(strings.Replace(src, "region: eu, ", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	e := f.Environments["staging"]
	if e.Store.Kind != "sqlite" || e.UndoPatience != 15*time.Minute || e.Settle != 10*time.Minute || e.PagerDuty.Region != "us" || e.Window != nil {
		t.Errorf("%+v", e)
	}
}

// Whatever is wrong beside it, a secret that stands in the file is never told.
func TestMistakesNeverTellASecret(t *testing.T) {
	const canary = "u+wz5DTuNWJfZNfsMdsA"
	for _, key := range []string{"env:PAGERDUTY_TOKEN", "file:/run/secrets/owner key", "ssm:/firedrill/orders"} {
		for _, written := range []string{canary, `"` + canary + `"`, "[" + canary + "]", "{" + canary + ": 1}", "&a " + canary, "|\n      " + canary, "'" + canary, "env:" + canary, "${" + canary + "}"} {
			src := strings.Replace(staging, `"`+key+`"`, written, 1)
			_, err := ReadEnvironments("e", []byte(src))
			if err == nil {
				t.Errorf("%s was read as a reference", written)
			} else if strings.Contains(err.Error(), canary) {
				t.Errorf("written as %s: %v", written, err)
			}
		}
	}
}

func TestNamesProduction(t *testing.T) {
	for s, want := range map[string]string{
		"live-orders": "live", "Prod2": "Prod", "orders_prd_eu": "prd", "PRODUCTION": "PRODUCTION", "eu1prod": "prod", "a/live": "live",
		"delivery": "", "reproduction": "", "staging": "", "product": "", "alive": "", "": "", "prods": "", "pröd": "", "preprod": "",
	} {
		if got, yes := NamesProduction(s); got != want || yes != (want != "") {
			t.Errorf("NamesProduction(%q) = %q, %t, want %q", s, got, yes, want)
		}
	}
}
