package journal

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Append is Store's: one PutItem that holds only where nothing stands. A batch that begins, ends or reopens its run
// takes a second call, for the run's head.
func (s *DynamoDB) Append(ctx context.Context, run string, after int64, gen int, b Batch) error {
	events, data, err := encodeBatch(run, after, gen, b)
	if err != nil {
		return s.fail("append to", err)
	}
	turn := turnOf(events)
	if turn.opens {
		if err := s.openHead(ctx, events); err != nil {
			return s.fail("append to", err)
		}
	}
	it := keyOf(partOf(run), nameAt(after+1))
	it["action"], it["gen"] = text(b.Action), whole(int64(gen))
	if turn.opens || turn.closes {
		it["turn"] = truth(true)
	}
	if err := it.setEvents(data); err != nil {
		return s.fail("append to", err)
	}
	taken, err := s.write(ctx, func(ctx context.Context) error {
		_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: it,
			ConditionExpression: aws.String("attribute_not_exists(#p)"), ExpressionAttributeNames: map[string]string{"#p": keyPart}})
		return err
	})
	switch {
	case err != nil:
		return s.fail("append to", err)
	case taken:
		return ErrConflict
	case turn.closes:
		last := summarize(Summary{}, events)
		s.closeHead(ctx, run, after+1, last.Outcome)
	}
	return nil
}

// Load is Store's.
func (s *DynamoDB) Load(ctx context.Context, run string, after int64) ([]Event, error) {
	items, err := s.all(ctx, batchesBehind(run, after))
	if err != nil {
		return nil, s.fail("read", err)
	}
	var events []Event
	for _, it := range items {
		batch, err := it.events(run)
		if err != nil {
			return nil, s.fail("read", err)
		}
		events = append(events, batch...)
	}
	return events, nil
}

func batchesBehind(run string, after int64) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		KeyConditionExpression:   aws.String("#p = :p and #n between :from and :to"),
		ExpressionAttributeNames: map[string]string{"#p": keyPart, "#n": keyName},
		ExpressionAttributeValues: fields{":p": text(partOf(run)), ":from": text(nameAt(after + 1)),
			":to": text(nameAt(math.MaxInt64))},
	}
}

// Runs is Store's. It reads the heads; of a run whose head says that it goes on, its own batches are asked.
func (s *DynamoDB) Runs(ctx context.Context, f Filter) ([]Summary, error) {
	q := &dynamodb.QueryInput{KeyConditionExpression: aws.String("#p = :p"),
		ExpressionAttributeNames: map[string]string{"#p": keyPart}, ExpressionAttributeValues: fields{":p": text(partRuns)}}
	if f.Prefix != "" {
		q.KeyConditionExpression = aws.String("#p = :p and begins_with(#n, :n)")
		q.ExpressionAttributeNames["#n"], q.ExpressionAttributeValues[":n"] = keyName, text(f.Prefix)
	}
	heads, err := s.all(ctx, q)
	if err != nil {
		return nil, s.fail("read", err)
	}
	var out []Summary
	for _, h := range heads {
		sum := headOf(h)
		if f.takes(sum) && !(sum.Finished && h.has("planned")) {
			if sum, err = s.asked(ctx, sum.Run); err != nil {
				return nil, s.fail("read", err)
			}
		}
		if sum.Run != "" && f.takes(sum) {
			out = append(out, sum)
		}
	}
	slices.SortFunc(out, func(a, b Summary) int {
		return cmp.Or(b.Planned.Compare(a.Planned), cmp.Compare(b.Run, a.Run))
	})
	if f.Limit > 0 && len(out) > f.Limit {
		out = out[:f.Limit]
	}
	return out, nil
}

// A head is written so that one which says "ended" can be believed: before the batch that begins or reopens the run,
// and after the one that ends it. Whatever crash falls between, a run that goes on is never hidden: at worst a head
// says "goes on" of a run that has ended or never began, and then the batches know better.

// turn is what a batch does to its run's head.
type turn struct{ opens, closes bool }

func turnOf(events []Event) (t turn) {
	if isLever(events[0].Run) {
		return t
	}
	t.opens = events[0].Seq == 0
	for _, e := range events {
		switch e.Kind {
		case RunPlanned:
			t.opens = true
		case RunReopened:
			t.opens, t.closes = true, false
		case RunFinished:
			t.closes = true
		}
	}
	return t
}

func headOf(it fields) Summary {
	return Summary{Run: it.text(keyName), Drill: it.text("drill"), Environment: it.text("environment"),
		Planned: it.instant("planned"), Finished: it.truth("finished"), Outcome: it.text("outcome")}
}

// openHead says that the run goes on, before the batch says it.
func (s *DynamoDB) openHead(ctx context.Context, events []Event) error {
	first := events[0]
	set := fields{"finished": truth(false), "outcome": text("")}
	if sum := summarize(Summary{}, events); first.Seq == 0 || sum.Drill != "" {
		set["drill"], set["environment"], set["planned"] = text(sum.Drill), text(sum.Environment), instant(sum.Planned)
	}
	return s.putHead(ctx, first.Run, first.Seq, set)
}

// closeTime bounds what is only a convenience: the batch that ends the run stands already.
const closeTime = 3 * time.Second

// closeHead says that the run has ended. Where it cannot be said now, Runs finds it out.
func (s *DynamoDB) closeHead(ctx context.Context, run string, seq int64, outcome string) {
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	_ = s.putHead(ctx, run, seq, fields{"finished": truth(true), "outcome": text(outcome)})
}

// putHead sets attributes of a head as of a position; one that tells of a later position stays.
func (s *DynamoDB) putHead(ctx context.Context, run string, seq int64, set fields) error {
	set["through"] = whole(seq)
	holds := "attribute_not_exists(#through) or #through <= :through"
	if seq == 0 && !set.truth("finished") {
		holds = "attribute_not_exists(#through)"
	}
	in := &dynamodb.UpdateItemInput{TableName: &s.table, Key: keyOf(partRuns, run), ConditionExpression: &holds,
		ExpressionAttributeNames: map[string]string{}, ExpressionAttributeValues: fields{}}
	update := ""
	for _, name := range sortedNames(set) {
		update += ", #" + name + " = :" + name
		in.ExpressionAttributeNames["#"+name], in.ExpressionAttributeValues[":"+name] = name, set[name]
	}
	in.UpdateExpression = aws.String("set " + update[2:])
	_, err := s.write(ctx, func(ctx context.Context) error {
		_, err := s.client.UpdateItem(ctx, in)
		return err
	})
	return err
}

// asked is the run at a glance as its batches tell it, empty where nobody began it.
func (s *DynamoDB) asked(ctx context.Context, run string) (Summary, error) {
	q := batchesBehind(run, Start)
	q.FilterExpression, q.ExpressionAttributeNames["#turn"] = aws.String("attribute_exists(#turn)"), "turn"
	items, err := s.all(ctx, q)
	if err != nil {
		return Summary{}, err
	}
	var sum Summary
	var seq int64
	for _, it := range items {
		events, err := it.events(run)
		if err != nil {
			return Summary{}, err
		}
		sum, seq = summarize(sum, events), events[0].Seq
	}
	if sum.Finished && !s.readOnly {
		s.closeHead(ctx, run, seq, sum.Outcome)
	}
	return sum, nil
}
