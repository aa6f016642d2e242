// Package contract holds firedrill's PagerDuty client, and the sandbox's pager, against what PagerDuty publishes. It has
// tests only: every request that the client sends and every answer that the pager gives is checked against a list of
// our own, always, and against PagerDuty's OpenAPI where `make pagerduty-schema` has fetched it (or
// FIREDRILL_PD_SCHEMA names the folder); it is PagerDuty's and carries no licence, so it is never committed. It also holds
// the known mistakes of go-pagerduty in the version we link, so that a mended one is noticed.
package contract
