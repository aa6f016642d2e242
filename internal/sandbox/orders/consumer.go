package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// rest is how long the consumer waits after a receive that failed.
const rest = 200 * time.Millisecond

// consume reads the queue until ctx ends. What it cannot digest it leaves where it is, as most consumers do: the
// queue's redrive policy decides what becomes of it.
//
// Its first look does not wait: CloudWatch shows at once that the queue has a consumer.
func (s *Service) consume(ctx context.Context) {
	for patience := int32(0); ctx.Err() == nil; patience = 1 {
		out, err := s.mq.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &s.o.Queue, MaxNumberOfMessages: 10, WaitTimeSeconds: patience})
		if err != nil {
			if ctx.Err() == nil {
				s.log.say(s.o.Now(), true, fmt.Sprintf("consumer: %v", err))
			}
			wait(ctx, rest)
			continue
		}
		for _, m := range out.Messages {
			s.digest(ctx, m)
		}
	}
}

// ship puts one order into the queue.
func (s *Service) ship(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := s.mq.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &s.o.Queue, MessageBody: aws.String(`{"order":"` + heartbeat + `"}`)}); err != nil {
		s.fail()
	}
}

// digest takes one message {"order": "…"} and deletes it.
func (s *Service) digest(ctx context.Context, m types.Message) {
	var in struct {
		Order string `json:"order"`
	}
	if m.Body == nil || json.Unmarshal([]byte(*m.Body), &in) != nil || in.Order == "" {
		s.log.say(s.o.Now(), true, fmt.Sprintf("consumer: cannot read order %.60q: not deleted", aws.ToString(m.Body)))
		s.fail()
		return
	}
	if _, err := s.mq.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &s.o.Queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
		s.fail()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.digested++
}

// publish tells CloudWatch how many requests have failed since it was last told; a count that could not be told
// is told next time.
func (s *Service) publish(ctx context.Context) {
	s.mu.Lock()
	n := s.errors
	s.mu.Unlock()
	_, err := s.tell(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("Orders"), MetricData: []cwtypes.MetricDatum{{
		MetricName: aws.String("Errors"), Unit: cwtypes.StandardUnitCount,
		Dimensions: []cwtypes.Dimension{{Name: aws.String("Service"), Value: aws.String("orders")}},
		Timestamp:  aws.Time(s.o.Now()), Value: aws.Float64(float64(n)),
	}}})
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors -= n
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
