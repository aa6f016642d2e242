package aws

import (
	"context"
	"sort"
	"strings"
)

// searchInput is Query and Scan at once.
type searchInput struct {
	TableName                 string
	KeyConditionExpression    string
	FilterExpression          string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]attr
	ExclusiveStartKey         item
	Limit                     int
	ScanIndexForward          *bool
	ConsistentRead            bool
	Select                    string
	ReturnConsumedCapacity    string
}

type searchOutput struct {
	Items               []item
	Count, ScannedCount int
	LastEvaluatedKey    item
	ConsumedCapacity    *consumed
}

func (s *dynamodbService) query(_ context.Context, c caller, in *searchInput) (*searchOutput, error) {
	if in.KeyConditionExpression == "" {
		return nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	return s.search(c, "Query", in)
}

func (s *dynamodbService) scan(_ context.Context, c caller, in *searchInput) (*searchOutput, error) {
	if in.KeyConditionExpression != "" {
		return nil, invalid("Scan has no KeyConditionExpression")
	}
	return s.search(c, "Scan", in)
}

func (s *dynamodbService) search(c caller, op string, in *searchInput) (*searchOutput, error) {
	now := s.d.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.open(c, op, in.TableName, now)
	if err != nil {
		return nil, err
	}
	if in.Select != "" && in.Select != "ALL_ATTRIBUTES" && in.Select != "COUNT" {
		return nil, invalid("the sandbox does not select " + in.Select)
	}
	p := newPlaceholders(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	keys, err := t.parseKeyCondition(in.KeyConditionExpression, p)
	if err != nil {
		return nil, err
	}
	filter, err := parseCondition(in.FilterExpression, p)
	if err != nil {
		return nil, err
	}
	if err := p.unused(); err != nil {
		return nil, err
	}
	page, more, err := t.page(in, keys)
	if err != nil {
		return nil, err
	}
	out := &searchOutput{Items: []item{}, ScannedCount: len(page)}
	size := 0
	for _, it := range page {
		size += sizeOf(it)
		ok, err := filter(it)
		if err != nil {
			return nil, err
		}
		if ok {
			out.Items = append(out.Items, it)
		}
	}
	if out.Count = len(out.Items); in.Select == "COUNT" {
		out.Items = nil
	}
	units, err := s.read(t, op, size, in.ConsistentRead, now)
	if err != nil {
		return nil, err
	}
	if more {
		out.LastEvaluatedKey = t.keyPart(page[len(page)-1])
	}
	if r := in.ReturnConsumedCapacity; r == "TOTAL" || r == "INDEXES" {
		out.ConsumedCapacity = &consumed{TableName: t.name, CapacityUnits: units}
	}
	return out, nil
}

// parseKeyCondition reads a key condition: the hash key equal to a value, and perhaps one comparison of the range key.
func (t *table) parseKeyCondition(s string, p *placeholders) (condition, error) {
	c, err := parseCondition(s, p)
	if err != nil || s == "" {
		return c, err
	}
	tokens, err := lex(s)
	if err != nil {
		return nil, err
	}
	pinned := false
	for i, tk := range tokens {
		name := string(tk)
		if strings.HasPrefix(name, "#") {
			name = p.names[name]
		}
		if tk.word("OR") || tk.word("NOT") || tk == "<>" {
			return nil, invalid("Invalid operator used in KeyConditionExpression: " + string(tk))
		}
		if name == t.keys[0].AttributeName && i+1 < len(tokens) && tokens[i+1] == "=" {
			pinned = true
		}
	}
	if !pinned {
		return nil, invalid("Query condition missed key schema element: " + t.keys[0].AttributeName)
	}
	return c, nil
}

// page is the matching items in key order after the start key, at most Limit; more says that others follow.
func (t *table) page(in *searchInput, keys condition) (page []item, more bool, err error) {
	var all []item
	for _, it := range t.items {
		ok, err := keys(it)
		if err != nil {
			return nil, false, err
		}
		if ok {
			all = append(all, it)
		}
	}
	back := in.ScanIndexForward != nil && !*in.ScanIndexForward
	less := func(a, b item) bool {
		for _, k := range t.keys {
			if n, _ := compareAttr(a[k.AttributeName], b[k.AttributeName]); n != 0 {
				return n < 0 != back
			}
		}
		return false
	}
	sort.Slice(all, func(i, j int) bool { return less(all[i], all[j]) })
	if in.ExclusiveStartKey != nil {
		if _, err := t.onlyKey(in.ExclusiveStartKey); err != nil {
			return nil, false, err
		}
		all = all[sort.Search(len(all), func(i int) bool { return less(in.ExclusiveStartKey, all[i]) }):]
	}
	if in.Limit > 0 && len(all) > in.Limit {
		all, more = all[:in.Limit], true
	}
	size := 0
	for i, it := range all {
		if size += sizeOf(it); size > pageSize && i > 0 {
			return all[:i], true, nil
		}
	}
	return all, more, nil
}

// pageSize is how much Query and Scan read for one answer, before any filter.
const pageSize = 1 << 20

func (t *table) keyPart(it item) item {
	key := item{}
	for _, k := range t.keys {
		key[k.AttributeName] = it[k.AttributeName]
	}
	return key
}
