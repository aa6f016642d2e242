package aws

import "context"

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
