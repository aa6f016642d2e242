package killtest

import (
	"fmt"
	"slices"
	"strings"
)

// Staging is a real environment called staging, as an environment file tells it, that stands on the sandbox: it is reached
// over loopback as AWS is, and its journal is in DynamoDB. More lines stand in it as they are given.
func (w World) Staging(more ...string) string {
	var vars []string
	for k, v := range w.Vars {
		vars = append(vars, fmt.Sprintf("%s: %q", k, v))
	}
	slices.Sort(vars)
	lines := []string{
		fmt.Sprintf("aws: {account: %q, regions: [%s], endpoint: %q}", w.Account, w.Region, w.AWS),
		"tags: {environment: sandbox, firedrill: allowed}",
		`window: {days: mon-sun, hours: "00:00-24:00", zone: UTC}`,
		fmt.Sprintf(`pagerduty: {token: "env:PAGERDUTY_TOKEN", from: %s, bots: [%s]}`, w.From, w.Bot),
		`owner: {key: "env:OWNER_KEY"}`,
		fmt.Sprintf(`teams: {orders: {service: %s, key: "env:ORDERS_KEY"}}`, w.Teams["orders"].Service),
		fmt.Sprintf("store: {dynamodb: {table: firedrill, region: %s}}", w.Region),
		"settle: 20s",
		"undo_patience: 1m",
		"vars: {" + strings.Join(vars, ", ") + "}",
	}
	return "environments:\n  staging:\n    " + strings.Join(append(lines, more...), "\n    ") + "\n"
}

// Secrets are the variables that a process in that environment needs: keys and tokens, as a CI job has them.
func (w World) Secrets() []string {
	return []string{"CI=true", "PAGERDUTY_TOKEN=" + w.Token, "ORDERS_KEY=" + w.Teams["orders"].Key, "OWNER_KEY=" + w.Owner,
		"AWS_ACCESS_KEY_ID=" + w.Keys["firedrill"].ID, "AWS_SECRET_ACCESS_KEY=" + w.Keys["firedrill"].Secret}
}
