package journal

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Take is Store's: read, decide as every store does, and write if nobody else has meanwhile. Each claim has a name of
// its own, so that one whose answer was lost knows itself again.
func (s *DynamoDB) Take(ctx context.Context, name, run string, h Holder, ttl time.Duration, now time.Time) (Lease, error) { //nolint:revive // a claim, spelled out by the contract
	id := rand.Text()
	for {
		o, by, err := s.office(ctx, name)
		if err != nil {
			return Lease{}, s.fail("lease in", err)
		}
		if o != nil && by == id {
			return o.Lease, nil
		}
		l, err := take(o, claim{Name: name, Run: run, Holder: h, TTL: ttl, Now: now}, s.Alive)
		if err != nil {
			return Lease{}, err
		}
		taken, err := s.claim(ctx, o, l, id)
		switch {
		case err != nil:
			return Lease{}, s.fail("lease in", err)
		case !taken:
			return l, nil
		}
	}
}

// claim writes l in place of what o says stands; taken: something else stands there by now.
func (s *DynamoDB) claim(ctx context.Context, o *office, l Lease, id string) (taken bool, err error) {
	it, err := leaseItem(l)
	if err != nil {
		return false, err
	}
	it["claim"] = text(id)
	in := &dynamodb.PutItemInput{TableName: &s.table, Item: it, ConditionExpression: aws.String("attribute_not_exists(#gen)"),
		ExpressionAttributeNames: map[string]string{"#gen": "gen"}}
	if o != nil {
		in.ConditionExpression = aws.String("#gen = :gen and #free = :free and #expires = :expires")
		in.ExpressionAttributeNames["#free"], in.ExpressionAttributeNames["#expires"] = "free", "expires"
		in.ExpressionAttributeValues = fields{":gen": whole(int64(o.Gen)), ":free": truth(o.Free), ":expires": instant(o.Expires)}
	}
	return s.write(ctx, func(ctx context.Context) error {
		_, err := s.client.PutItem(ctx, in)
		return err
	})
}

// Renew is Store's. Renewed twice is renewed: a lost answer does no harm.
func (s *DynamoDB) Renew(ctx context.Context, l Lease, ttl time.Duration, now time.Time) (Lease, error) {
	in := s.ifOwned(l, "set #expires = :expires")
	in.ExpressionAttributeNames["#expires"], in.ExpressionAttributeValues[":expires"] = "expires", instant(micros(now.Add(ttl)))
	in.ReturnValues = types.ReturnValueAllNew
	var out *dynamodb.UpdateItemOutput
	stale, err := s.write(ctx, func(ctx context.Context) (err error) {
		out, err = s.client.UpdateItem(ctx, in)
		return err
	})
	switch {
	case err != nil:
		return Lease{}, s.fail("lease in", err)
	case stale:
		return Lease{}, ErrStale
	}
	o, err := officeOf(out.Attributes)
	if err != nil {
		return Lease{}, s.fail("lease in", err)
	}
	return o.Lease, nil
}

// Release is Store's. Its item stays, for the generation's sake.
func (s *DynamoDB) Release(ctx context.Context, l Lease) error {
	in := s.ifOwned(l, "set #free = :true")
	in.ExpressionAttributeValues[":true"] = truth(true)
	_, err := s.write(ctx, func(ctx context.Context) error {
		_, err := s.client.UpdateItem(ctx, in)
		return err
	})
	return s.fail("lease in", err)
}

// ifOwned updates a lease while it is l.
func (s *DynamoDB) ifOwned(l Lease, update string) *dynamodb.UpdateItemInput {
	return &dynamodb.UpdateItemInput{TableName: &s.table, Key: keyOf(partOfLease(l.Name), l.Name), UpdateExpression: &update,
		ConditionExpression:       aws.String("#gen = :gen and #run = :run and #free = :false"),
		ExpressionAttributeNames:  map[string]string{"#gen": "gen", "#run": "run", "#free": "free"},
		ExpressionAttributeValues: fields{":gen": whole(int64(l.Gen)), ":run": text(l.Run), ":false": truth(false)}}
}

// Held is Store's. Of one run only its own lease and the targets' are read, however many runs there have been.
func (s *DynamoDB) Held(ctx context.Context, run string) ([]Lease, error) {
	var out []Lease
	parts := []string{partTargets, partHolders}
	if run != "" {
		parts = parts[:1]
		o, _, err := s.office(ctx, RunLease(run))
		if err != nil {
			return nil, s.fail("read", err)
		}
		if o != nil && !o.Free {
			out = append(out, o.Lease)
		}
	}
	for _, part := range parts {
		items, err := s.all(ctx, &dynamodb.QueryInput{KeyConditionExpression: aws.String("#p = :p"), FilterExpression: aws.String("#free = :false"),
			ExpressionAttributeNames:  map[string]string{"#p": keyPart, "#free": "free"},
			ExpressionAttributeValues: fields{":p": text(part), ":false": truth(false)}})
		if err != nil {
			return nil, s.fail("read", err)
		}
		for _, it := range items {
			o, err := officeOf(it)
			if err != nil {
				return nil, s.fail("read", err)
			}
			if run == "" || o.Run == run {
				out = append(out, o.Lease)
			}
		}
	}
	slices.SortFunc(out, func(a, b Lease) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// office reads one lease, and which claim it was taken by; nil where nobody ever had it.
func (s *DynamoDB) office(ctx context.Context, name string) (*office, string, error) {
	var out *dynamodb.GetItemOutput
	err := s.try(ctx, func(ctx context.Context) (err error) {
		out, err = s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: keyOf(partOfLease(name), name), ConsistentRead: aws.Bool(true)})
		return err
	})
	if err != nil || len(out.Item) == 0 {
		return nil, "", err
	}
	o, err := officeOf(out.Item)
	return &o, fields(out.Item).text("claim"), err
}

func leaseItem(l Lease) (fields, error) {
	holder, err := json.Marshal(l.Holder)
	if err != nil {
		return nil, fmt.Errorf("write holder of %s: %w", l.Name, err)
	}
	it := keyOf(partOfLease(l.Name), l.Name)
	it["run"], it["gen"], it["holder"] = text(l.Run), whole(int64(l.Gen)), text(string(holder))
	it["expires"], it["free"] = instant(l.Expires), truth(false)
	return it, nil
}

func officeOf(it fields) (office, error) {
	o := office{Lease: Lease{Name: it.text(keyName), Run: it.text("run"), Gen: int(it.whole("gen")), Expires: it.instant("expires")}, Free: it.truth("free")}
	if err := json.Unmarshal([]byte(it.text("holder")), &o.Holder); err != nil {
		return office{}, fmt.Errorf("read holder of %s: %w", o.Name, err)
	}
	return o, nil
}
