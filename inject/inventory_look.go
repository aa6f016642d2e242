package inject

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func (i *Inventory) tableNames(ctx context.Context) (names []string, more bool, err error) {
	in := &dynamodb.ListTablesInput{}
	for {
		out, err := i.s.c.DynamoDB.ListTables(ctx, in)
		if err != nil {
			return nil, false, fmt.Errorf("list tables: %w", err)
		}
		names = append(names, out.TableNames...)
		in.ExclusiveStartTableName = out.LastEvaluatedTableName
		if cut, more, done := bounded(names, aws.ToString(in.ExclusiveStartTableName)); done {
			return cut, more, nil
		}
	}
}

// bounded says that a list is complete, or as long as one may be.
func bounded(names []string, next string) (cut []string, more, done bool) {
	if len(names) > maxCandidates {
		return names[:maxCandidates], true, true
	}
	return names, next != "" && len(names) == maxCandidates, next == "" || len(names) == maxCandidates
}

func (i *Inventory) table(ctx context.Context, name string) ([]Candidate, error) {
	t, err := i.s.tables.readTable(ctx, name)
	if errors.Is(err, ErrGone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := Candidate{Service: ServiceTables, Name: name, ARN: aws.ToString(t.TableArn), Says: "on demand"}
	if !t.onDemand() {
		c.Writes = t.units("writes")
		c.Says = fmt.Sprintf("provisioned, %d writes a second", c.Writes)
	}
	tags, err := i.s.tagsOfTable(ctx, c.ARN)
	if err != nil {
		return nil, err
	}
	c.Holders = []Holder{{Name: "table " + name, Tags: tags, tag: func(lacks map[string]string) string {
		return i.at.command(append([]string{"dynamodb", "tag-resource", "--resource-arn", c.ARN, "--tags"}, pairs(lacks, "Key=%s,Value=%s")...)...)
	}}}
	for _, no := range []error{refuseTable(t), refuseMarked("table "+name, tags)} {
		if err := c.ruledOut(no); err != nil {
			return nil, err
		}
	}
	return []Candidate{c}, nil
}

func (i *Inventory) queueNames(ctx context.Context) (urls []string, more bool, err error) {
	in := &sqs.ListQueuesInput{MaxResults: aws.Int32(maxCandidates)} // without it no further page is told
	for {
		out, err := i.s.c.SQS.ListQueues(ctx, in)
		if err != nil {
			return nil, false, fmt.Errorf("list queues: %w", err)
		}
		urls = append(urls, out.QueueUrls...)
		in.NextToken = out.NextToken
		if cut, more, done := bounded(urls, aws.ToString(in.NextToken)); done {
			return cut, more, nil
		}
	}
}

// queue looks at a queue, and at the DLQ that its redrive policy names: an environment's tags stand on both.
func (i *Inventory) queue(ctx context.Context, name string) ([]Candidate, error) {
	url, err := i.s.queues.queueURL(ctx, name)
	if errors.Is(err, ErrGone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	q, err := i.s.readMarked(ctx, url)
	if q == nil || err != nil {
		return nil, err
	}
	c := Candidate{Service: ServiceQueues, Name: q.name(), ARN: q.arn(), Says: "no dead-letter queue", Holders: []Holder{i.queueHolder(*q)}}
	if own, most, ok := q.redrive(); ok {
		c.Says = fmt.Sprintf("dead letters go to %s after %d receives", lastPart(own, ":"), most)
		if strings.HasPrefix(own, strings.TrimSuffix(q.arn(), q.name())) { // of this account and region
			if err := i.deadLetters(ctx, own, &c); err != nil {
				return nil, err
			}
		}
	}
	no := refuseMarked("queue "+q.name(), q.tags)
	if no == nil {
		_, _, _, no = (&poison{poisoning: i.s.queues, params: PoisonParams{Queue: url}}).readPair(ctx)
	}
	return []Candidate{c}, c.ruledOut(no)
}

// deadLetters adds the DLQ to what must carry the tags.
func (i *Inventory) deadLetters(ctx context.Context, own string, c *Candidate) error {
	url, err := i.s.queues.queueURL(ctx, own)
	if errors.Is(err, ErrGone) {
		return nil // readPair says so
	}
	if err != nil {
		return err
	}
	dlq, err := i.s.readMarked(ctx, url)
	if dlq == nil || err != nil {
		return err
	}
	c.Holders = append(c.Holders, i.queueHolder(*dlq))
	return c.ruledOut(refuseMarked("queue "+dlq.name(), dlq.tags))
}

func (i *Inventory) queueHolder(q markedQueue) Holder {
	return Holder{Name: "queue " + q.name(), Tags: q.tags, tag: func(lacks map[string]string) string {
		return i.at.command("sqs", "tag-queue", "--queue-url", q.url, "--tags", strings.Join(pairs(lacks, "%s=%s"), ","))
	}}
}

// balancerNames are ARNs: two calls tell everything of a balancer by its own.
func (i *Inventory) balancerNames(ctx context.Context) (arns []string, more bool, err error) {
	in := &elb.DescribeLoadBalancersInput{}
	for {
		out, err := i.s.c.ELB.DescribeLoadBalancers(ctx, in)
		if err != nil {
			return nil, false, fmt.Errorf("describe load balancers: %w", err)
		}
		for _, b := range out.LoadBalancers {
			arns = append(arns, aws.ToString(b.LoadBalancerArn))
		}
		in.Marker = out.NextMarker
		if cut, more, done := bounded(arns, aws.ToString(in.Marker)); done {
			return cut, more, nil
		}
	}
}

// balancer looks at every listener of a load balancer, by its ARN or name.
func (i *Inventory) balancer(ctx context.Context, name string) ([]Candidate, error) {
	in := &elb.DescribeLoadBalancersInput{Names: []string{name}}
	if strings.HasPrefix(name, "arn:") {
		in = &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{name}}
	}
	out, err := i.s.c.ELB.DescribeLoadBalancers(ctx, in)
	if hasCode(err, "LoadBalancerNotFound") || err == nil && len(out.LoadBalancers) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describe load balancer %s: %w", name, err)
	}
	b := out.LoadBalancers[0]
	own := aws.ToString(b.LoadBalancerArn)
	listeners, err := i.listeners(ctx, own)
	if err != nil {
		return nil, err
	}
	if len(listeners) == 0 {
		return []Candidate{{Service: ServiceBalancers, Name: aws.ToString(b.LoadBalancerName), Says: "no listener",
			Out: "it has no listener", Mend: "use one that serves something"}}, nil
	}
	arns := []string{own}
	for _, l := range listeners {
		arns = append(arns, aws.ToString(l.ListenerArn))
	}
	tags, err := i.s.rules.readTags(ctx, arns)
	if err != nil {
		return nil, err
	}
	var all []Candidate
	for _, l := range listeners {
		c := Candidate{Service: ServiceBalancers, Name: fmt.Sprintf("%s/%d", aws.ToString(b.LoadBalancerName), aws.ToInt32(l.Port)),
			ARN: aws.ToString(l.ListenerArn), Says: string(l.Protocol)}
		// A listener's tags and its balancer's count together, and a wrong value may stand on either.
		c.Holders = []Holder{{Name: "load balancer " + aws.ToString(b.LoadBalancerName), Tags: bothTags(tags[own], tags[c.ARN]),
			tag: func(lacks map[string]string) string {
				return i.at.command(append([]string{"elbv2", "add-tags", "--resource-arns", own, c.ARN, "--tags"}, pairs(lacks, "Key=%s,Value=%s")...)...)
			}}}
		if err := c.ruledOut((&reply{replying: i.s.rules}).refuseListener(ctx, listener{l, b})); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func (i *Inventory) listeners(ctx context.Context, balancer string) (all []types.Listener, err error) {
	in := &elb.DescribeListenersInput{LoadBalancerArn: &balancer}
	for {
		out, err := i.s.c.ELB.DescribeListeners(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("describe listeners of %s: %w", balancer, err)
		}
		all = append(all, out.Listeners...)
		if aws.ToString(out.NextMarker) == "" || len(all) > maxCandidates {
			return all, nil
		}
		in.Marker = out.NextMarker
	}
}
