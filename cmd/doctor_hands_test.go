package cmd

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// tagBalancer tags a listener and its load balancer as an administrator would.
func (c *clinic) tagBalancer(arns []string) {
	c.t.Helper()
	_, err := elb.NewFromConfig(c.aws).AddTags(c.t.Context(), &elb.AddTagsInput{ResourceArns: arns,
		Tags: []elbtypes.Tag{{Key: aws.String("firedrill"), Value: aws.String("allowed")}}})
	c.must(err)
}

// topic makes a topic to which nobody listens.
func (c *clinic) topic(name string) string {
	c.t.Helper()
	out, err := sns.NewFromConfig(c.aws).CreateTopic(c.t.Context(), &sns.CreateTopicInput{Name: &name})
	c.must(err)
	return *out.TopicArn
}

// protect sets the protection of the journal's table.
func (c *clinic) protect(yes bool) {
	c.t.Helper()
	name := "firedrill"
	_, err := dynamodb.NewFromConfig(c.aws).UpdateTable(c.t.Context(), &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: &yes})
	c.must(err)
}
