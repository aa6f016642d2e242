package aws

import (
	"context"
	"maps"
	"slices"
	"strings"
)

type (
	elbTag       struct{ Key, Value string }
	addTagsInput struct {
		ResourceArns []string
		Tags         []elbTag
	}
	removeTagsInput struct {
		ResourceArns []string
		TagKeys      []string
	}
	describeTagsInput  struct{ ResourceArns []string }
	describeTagsOutput struct{ TagDescriptions []tagDescription }
	tagDescription     struct {
		ResourceArn string
		Tags        []elbTag
	}
)

func (e *elb) addTags(_ context.Context, _ caller, in *addTagsInput) (*elbEmpty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []map[string]string
	for _, arn := range in.ResourceArns {
		tags, err := e.tagsOf(arn)
		if err != nil {
			return nil, err
		}
		if _, err := mergedTags(tags, in.Tags); err != nil {
			return nil, err
		}
		all = append(all, tags)
	}
	for _, tags := range all {
		for _, t := range in.Tags {
			tags[t.Key] = t.Value
		}
	}
	return &elbEmpty{}, nil
}

func (e *elb) removeTags(_ context.Context, _ caller, in *removeTagsInput) (*elbEmpty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, arn := range in.ResourceArns {
		tags, err := e.tagsOf(arn)
		if err != nil {
			return nil, err
		}
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	}
	return &elbEmpty{}, nil
}

func (e *elb) describeTags(_ context.Context, _ caller, in *describeTagsInput) (*describeTagsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(in.ResourceArns) == 0 || len(in.ResourceArns) > 20 {
		return nil, elbError("ValidationError", "1 to 20 resource ARNs must be specified")
	}
	out := &describeTagsOutput{}
	for _, arn := range in.ResourceArns {
		tags, err := e.tagsOf(arn)
		if err != nil {
			return nil, err
		}
		d := tagDescription{ResourceArn: arn, Tags: []elbTag{}}
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			d.Tags = append(d.Tags, elbTag{key, tags[key]})
		}
		out.TagDescriptions = append(out.TagDescriptions, d)
	}
	return out, nil
}

// tagsOf finds a resource's tags by its ARN; the map is the resource's own.
func (e *elb) tagsOf(arn string) (map[string]string, error) {
	kind, _, _ := strings.Cut(field(arn, 5), "/")
	switch kind {
	case "loadbalancer":
		b, err := e.balancer(arn)
		if err != nil {
			return nil, err
		}
		return b.tags, nil
	case "targetgroup":
		g, err := e.group(arn)
		if err != nil {
			return nil, err
		}
		return g.tags, nil
	case "listener":
		l, err := e.listener(arn)
		if err != nil {
			return nil, err
		}
		return l.tags, nil
	case "listener-rule":
		r, err := e.rule(arn)
		if err != nil {
			return nil, err
		}
		return r.tags, nil
	}
	return nil, elbError("ValidationError", "'%s' is not a valid resource ARN", arn)
}

// mergedTags is a copy of have with more in it, or the refusal: each key once, none of AWS's own, at most 50.
func mergedTags(have map[string]string, more []elbTag) (map[string]string, error) {
	out, seen := map[string]string{}, map[string]bool{}
	maps.Copy(out, have)
	for _, t := range more {
		if seen[t.Key] {
			return nil, elbError("DuplicateTagKeys", "A tag key was specified more than once: %s", t.Key)
		}
		if t.Key == "" || len(t.Key) > 128 || len(t.Value) > 256 || strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, elbError("ValidationError", "Tag key '%s' is not legal: 1 to 128 characters, not beginning with aws:, with a value of at most 256", t.Key)
		}
		seen[t.Key], out[t.Key] = true, t.Value
	}
	if len(out) > 50 {
		return nil, elbError("TooManyTags", "The maximum number of tags on a resource is 50")
	}
	return out, nil
}
