package inject

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// Subscription is one way on which an SNS topic delivers.
type Subscription struct {
	Protocol  string // https, sqs, lambda, …
	Endpoint  string
	Confirmed bool // until then nothing is delivered
}

// pendingSubscription stands in the place of an ARN until the subscriber has confirmed.
// https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html
const pendingSubscription = "PendingConfirmation"

// mostSubscriptions bounds the pages of subscriptions that are read: a hundred to a page.
const mostSubscriptions = 20

// Subscriptions lists where a topic delivers to. It only reads.
// https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
func (c *Clients) Subscriptions(ctx context.Context, topic string) (list []Subscription, err error) {
	ask := sns.NewFromConfig(c.Config).ListSubscriptionsByTopic
	in := &sns.ListSubscriptionsByTopicInput{TopicArn: &topic}
	for range mostSubscriptions {
		out, err := ask(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list subscriptions of %s: %w", topic, err)
		}
		for _, s := range out.Subscriptions {
			list = append(list, Subscription{Protocol: aws.ToString(s.Protocol), Endpoint: aws.ToString(s.Endpoint),
				Confirmed: aws.ToString(s.SubscriptionArn) != pendingSubscription})
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			break
		}
	}
	return list, nil
}

// HasQueue looks whether a queue is there, by its ARN. An error that wraps ErrGone says that it is not.
func (c *Clients) HasQueue(ctx context.Context, arn string) error {
	_, err := newPoisoning(c, AWSTiming()).queueURL(ctx, arn)
	return err
}
