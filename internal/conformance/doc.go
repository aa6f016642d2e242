// Package conformance holds firedrill against parts that others wrote: moto's AWS, a real Alertmanager, and the AWS
// CLI. It has tests only. A test whose part is not installed is skipped, by name and with the way to install it;
// with FIREDRILL_CONFORMANCE=required it fails instead.
package conformance
