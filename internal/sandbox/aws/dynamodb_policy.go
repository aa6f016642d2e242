package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// maxTablePolicy is how many bytes a table's policy may have, white space included.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
const maxTablePolicy = 20 << 10

// noPolicy as ExpectedRevisionId means: only where there is no policy yet.
const noPolicy = "NO_POLICY"

// tablePolicy is a table's resource policy. The zero value is none.
type tablePolicy struct {
	policyHistory
	text, revision string
	changed        time.Time // of the last change that succeeded; zero for never
}

// policyHistory is a policy that is enforced only a little after it was changed.
type policyHistory struct {
	now, before *policy
	since       time.Time
}

// change makes p the policy from an instant on.
func (h *policyHistory) change(p *policy, at time.Time) {
	h.now, h.before, h.since = p, h.now, at
}

// enforced is the policy that requests meet at an instant.
func (h policyHistory) enforced(at time.Time, delay time.Duration) *policy {
	if at.Before(h.since.Add(delay)) {
		return h.before
	}
	return h.now
}

// expect compares a policy's revision with the one the caller expects; a mismatch has the name AWS gave it.
func (t *table) expect(revision string) error {
	if revision == "" || revision == t.policy.revision || revision == noPolicy && t.policy.revision == "" {
		return nil
	}
	return noSuchPolicy(t)
}

func noSuchPolicy(t *table) error {
	return &apiError{Code: "PolicyNotFoundException", Message: "The operation tried to access a resource-based policy that is not there, or not at that revision: " + t.arn}
}

// unlocked says that the policy may be changed again. AWS blocks further updates for 15 seconds after one, and does not
// say with which error; this is one of those that the operation lists.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
func (t *table) unlocked(now time.Time, lock time.Duration) error {
	if t.policy.changed.IsZero() || !now.Before(t.policy.changed.Add(lock)) {
		return nil
	}
	return inUse("The resource-based policy of " + t.arn + " was updated a moment ago: it cannot be updated again yet")
}

func (s *dynamodbService) putPolicy(_ context.Context, _ caller, in *policyInput) (*policyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.d.now()
	t, err := s.find(in.ResourceArn, now)
	if err != nil {
		return nil, err
	}
	if err := t.expect(in.ExpectedRevisionId); err != nil {
		return nil, err
	}
	if in.Policy == t.policy.text {
		return &policyOutput{RevisionId: t.policy.revision}, nil // the same again is no update
	}
	if err := t.unlocked(now, s.d.options.PolicyLock); err != nil {
		return nil, err
	}
	if len(in.Policy) > maxTablePolicy {
		return nil, invalid(fmt.Sprintf("Resource policy: it has %d bytes, more than %d", len(in.Policy), maxTablePolicy))
	}
	p, err := parsePolicy(in.Policy)
	if err != nil {
		return nil, invalid("Resource policy: " + err.Error())
	}
	sum := sha256.Sum256([]byte(in.Policy + now.String()))
	t.policy.change(p, now)
	t.policy.text, t.policy.revision, t.policy.changed = in.Policy, hex.EncodeToString(sum[:8]), now
	return &policyOutput{RevisionId: t.policy.revision}, nil
}

func (s *dynamodbService) getPolicy(_ context.Context, _ caller, in *policyInput) (*policyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(in.ResourceArn, s.d.now())
	if err != nil {
		return nil, err
	}
	if t.policy.text == "" {
		return nil, noSuchPolicy(t)
	}
	return &policyOutput{Policy: t.policy.text, RevisionId: t.policy.revision}, nil
}

// deletePolicy deletes the policy; where there is none it succeeds all the same.
func (s *dynamodbService) deletePolicy(_ context.Context, _ caller, in *policyInput) (*policyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.d.now()
	t, err := s.find(in.ResourceArn, now)
	if err != nil {
		return nil, err
	}
	if err := t.expect(in.ExpectedRevisionId); err != nil {
		return nil, err
	}
	out := &policyOutput{RevisionId: t.policy.revision}
	if t.policy.text == "" {
		return out, nil
	}
	if err := t.unlocked(now, s.d.options.PolicyLock); err != nil {
		return nil, err
	}
	t.policy.change(nil, now)
	t.policy.text, t.policy.revision, t.policy.changed = "", "", now
	return out, nil
}

// denied refuses a request for data and counts it: UserErrors takes in every answer with status 400 but throttles and
// failed conditions, of the whole region.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
func (s *dynamodbService) denied(t *table, c caller, op string, now time.Time) error {
	s.d.meter.observe(sample{Namespace: "AWS/DynamoDB", Metric: "UserErrors", Value: 1, At: now, Dimensions: map[string]string{}})
	return &apiError{Code: "AccessDeniedException", Message: fmt.Sprintf(
		"User: %s is not authorized to perform: dynamodb:%s on resource: %s with an explicit deny in a resource-based policy", c.ARN, op, t.arn)}
}
