package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
)

// maxTags is how many tags AWS lets a resource have.
const maxTags = 50

func (s *dynamodbService) tagResource(_ context.Context, _ caller, in *tagInput) (*empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(in.ResourceArn, s.d.now())
	if err != nil {
		return nil, err
	}
	merged := map[string]string{}
	for k, v := range t.tags {
		merged[k] = v
	}
	for _, g := range in.Tags {
		if g.Key == "" || len(g.Key) > 128 || len(deref(g.Value)) > 256 {
			return nil, invalid("One or more parameter values were invalid: a tag's key has 1 to 128 characters, its value at most 256")
		}
		merged[g.Key] = deref(g.Value)
	}
	if len(merged) > maxTags {
		return nil, &apiError{Code: "LimitExceededException", Message: "Subscriber limit exceeded: a resource has at most 50 tags"}
	}
	t.tags = merged
	return &empty{}, nil
}

func (s *dynamodbService) untagResource(_ context.Context, _ caller, in *untagInput) (*empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(in.ResourceArn, s.d.now())
	if err != nil {
		return nil, err
	}
	for _, k := range in.TagKeys {
		delete(t.tags, k)
	}
	return &empty{}, nil
}

func (s *dynamodbService) listTags(_ context.Context, _ caller, in *listTagsInput) (*listTagsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(in.ResourceArn, s.d.now())
	if err != nil {
		return nil, err
	}
	out := &listTagsOutput{Tags: []tag{}}
	for k, v := range t.tags {
		out.Tags = append(out.Tags, tag{Key: k, Value: &v})
	}
	out.Tags = sortedBy(out.Tags, func(g tag) string { return g.Key })
	return out, nil
}

// noPolicy as ExpectedRevisionId means: only where there is no policy yet.
const noPolicy = "NO_POLICY"

// expect compares a policy's revision with the one the caller expects; a mismatch has the name AWS gave it.
func (t *table) expect(revision string) error {
	if revision == "" || revision == t.revision || revision == noPolicy && t.revision == "" {
		return nil
	}
	return noSuchPolicy(t)
}

func noSuchPolicy(t *table) error {
	return &apiError{Code: "PolicyNotFoundException", Message: "The operation tried to access a resource-based policy that is not there, or not at that revision: " + t.arn}
}

func (s *dynamodbService) putPolicy(_ context.Context, _ caller, in *policyInput) (*policyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(in.ResourceArn, s.d.now())
	if err != nil {
		return nil, err
	}
	if err := t.expect(in.ExpectedRevisionId); err != nil {
		return nil, err
	}
	p, err := parsePolicy(in.Policy)
	if err != nil {
		return nil, invalid("Resource policy: " + err.Error())
	}
	sum := sha256.Sum256([]byte(in.Policy))
	t.policy, t.policyText, t.revision = p, in.Policy, hex.EncodeToString(sum[:8])
	return &policyOutput{RevisionId: t.revision}, nil
}

func (s *dynamodbService) getPolicy(_ context.Context, _ caller, in *policyInput) (*policyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(in.ResourceArn, s.d.now())
	if err != nil {
		return nil, err
	}
	if t.policy == nil {
		return nil, noSuchPolicy(t)
	}
	return &policyOutput{Policy: t.policyText, RevisionId: t.revision}, nil
}

func (s *dynamodbService) deletePolicy(_ context.Context, _ caller, in *policyInput) (*policyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(in.ResourceArn, s.d.now())
	if err != nil {
		return nil, err
	}
	if err := t.expect(in.ExpectedRevisionId); err != nil {
		return nil, err
	}
	out := &policyOutput{RevisionId: t.revision}
	t.policy, t.policyText, t.revision = nil, "", ""
	return out, nil
}
