package aws

import (
	"context"
	"sort"
	"strings"
)

// alarmTag is a tag as CloudWatch spells it.
type alarmTag struct{ Key, Value string }

type alarmTagResourceInput struct {
	ResourceARN string
	Tags        []alarmTag
}

func (c *cloudWatch) tagResource(_ context.Context, _ caller, in *alarmTagResourceInput) (*cloudWatchEmpty, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.taggable(in.ResourceARN); err != nil {
		return nil, err
	}
	c.retag(in.ResourceARN, in.Tags)
	return &cloudWatchEmpty{}, nil
}

type alarmUntagResourceInput struct {
	ResourceARN string
	TagKeys     []string
}

func (c *cloudWatch) untagResource(_ context.Context, _ caller, in *alarmUntagResourceInput) (*cloudWatchEmpty, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.taggable(in.ResourceARN); err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(c.tags[in.ResourceARN], key)
	}
	return &cloudWatchEmpty{}, nil
}

type alarmListTagsInput struct{ ResourceARN string }

type alarmListTagsOutput struct{ Tags []alarmTag }

func (c *cloudWatch) listTagsForResource(_ context.Context, _ caller, in *alarmListTagsInput) (*alarmListTagsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.taggable(in.ResourceARN); err != nil {
		return nil, err
	}
	out := &alarmListTagsOutput{Tags: []alarmTag{}}
	for k, v := range c.tags[in.ResourceARN] {
		out.Tags = append(out.Tags, alarmTag{k, v})
	}
	sort.Slice(out.Tags, func(i, j int) bool { return out.Tags[i].Key < out.Tags[j].Key })
	return out, nil
}

// retag adds tags; the caller holds the lock.
func (c *cloudWatch) retag(arn string, tags []alarmTag) {
	if c.tags[arn] == nil {
		c.tags[arn] = map[string]string{}
	}
	for _, t := range tags {
		c.tags[arn][t.Key] = t.Value
	}
}

func (c *cloudWatch) taggable(arn string) error {
	name, ok := strings.CutPrefix(arn, c.alarmARN(""))
	if !ok || c.alarms[name] == nil {
		return &apiError{Code: "ResourceNotFoundException", Status: 404, Message: "The resource " + arn + " does not exist."}
	}
	return nil
}
