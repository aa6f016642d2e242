package aws

import (
	"context"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"
)

// dynamodbService keeps tables: their capacity, and items enough for an application to use them.
type dynamodbService struct {
	d      deps
	mu     sync.Mutex
	tables map[string]*table
}

func newDynamoDB(d deps) *dynamodbService {
	return &dynamodbService{d: d, tables: map[string]*table{}}
}

func (*dynamodbService) id() string { return "dynamodb" }

func (s *dynamodbService) config() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]any{}
	for name, t := range s.tables {
		if t.settle(s.d.now(), s.d.options) && t.status != "DELETING" {
			out[name] = t.config()
		}
	}
	return out
}

func (s *dynamodbService) operations() map[string]operation {
	byArn := func(in *tagInput) string { return in.ResourceArn }
	byPolicy := func(in *policyInput) string { return in.ResourceArn }
	byTable := func(in *tableInput) string { return in.TableName }
	byKey := func(in *keyInput) string { return in.TableName }
	bySearch := func(in *searchInput) string { return in.TableName }
	return map[string]operation{
		"CreateTable":               on(true, func(in *createTableInput) string { return in.TableName }, s.createTable),
		"DeleteTable":               on(true, byTable, s.deleteTable),
		"DescribeTable":             on(false, byTable, s.describeTable),
		"ListTables":                on(false, nil, s.listTables),
		"UpdateTable":               on(true, func(in *updateTableInput) string { return in.TableName }, s.updateTable),
		"DescribeLimits":            on(false, nil, s.describeLimits),
		"DescribeContinuousBackups": on(false, byTable, s.describeBackups),
		"UpdateContinuousBackups":   on(true, func(in *backupsInput) string { return in.TableName }, s.updateBackups),
		"TagResource":               on(true, byArn, s.tagResource),
		"UntagResource":             on(true, func(in *untagInput) string { return in.ResourceArn }, s.untagResource),
		"ListTagsOfResource":        on(false, func(in *listTagsInput) string { return in.ResourceArn }, s.listTags),
		"PutResourcePolicy":         on(true, byPolicy, s.putPolicy),
		"GetResourcePolicy":         on(false, byPolicy, s.getPolicy),
		"DeleteResourcePolicy":      on(true, byPolicy, s.deletePolicy),
		"PutItem":                   on(true, byKey, s.putItem),
		"GetItem":                   on(false, byKey, s.getItem),
		"UpdateItem":                on(true, byKey, s.updateItem),
		"DeleteItem":                on(true, byKey, s.deleteItem),
		"Query":                     on(false, bySearch, s.query),
		"Scan":                      on(false, bySearch, s.scan),
	}
}

// find is the table of that name or ARN, brought to now. The lock is held.
func (s *dynamodbService) find(name string, now time.Time) (*table, error) {
	if i := strings.Index(name, ":table/"); i >= 0 {
		if !strings.HasPrefix(name, s.d.arn("dynamodb", "table/")) {
			return nil, &apiError{Code: "AccessDeniedException", Message: "the resource is not of this account and region: " + name}
		}
		name = name[i+len(":table/"):]
	}
	t := s.tables[name]
	if t != nil && !t.settle(now, s.d.options) {
		delete(s.tables, name)
		t = nil
	}
	if t == nil {
		return nil, notFound("Requested resource not found: Table: " + name + " not found")
	}
	return t, nil
}

func (s *dynamodbService) createTable(_ context.Context, _ caller, in *createTableInput) (*tableDescriptionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.d.now()
	if !regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`).MatchString(in.TableName) {
		return nil, invalid("TableName must be 3 to 255 of a-z, A-Z, 0-9, '_', '-' and '.': " + in.TableName)
	}
	if _, err := s.find(in.TableName, now); err == nil {
		return nil, inUse("Table already exists: " + in.TableName)
	}
	if err := checkKeys(in); err != nil {
		return nil, err
	}
	t := &table{name: in.TableName, arn: s.d.arn("dynamodb", "table/"+in.TableName), tableID: requestID(), created: now,
		keys: in.KeySchema, attributes: in.AttributeDefinitions, protected: in.DeletionProtectionEnabled, billed: in.BillingMode == onDemandMode,
		boundOnce: in.OnDemandThroughput != nil, items: map[string]item{}, tags: map[string]string{}}
	c := capacities{mode: in.BillingMode, maxRead: -1, maxWrite: -1}
	if c.mode == "" {
		c.mode = provisionedMode
	}
	c, err := c.with(in.ProvisionedThroughput, in.OnDemandThroughput)
	if err != nil {
		return nil, err
	}
	for _, g := range in.Tags {
		t.tags[g.Key] = deref(g.Value)
	}
	t.now = c
	t.change("CREATING", c, now, s.d.options)
	s.tables[t.name] = t
	return &tableDescriptionOutput{t.describe(now)}, nil
}

func checkKeys(in *createTableInput) error {
	types := map[string]string{}
	for _, a := range in.AttributeDefinitions {
		if a.AttributeType != "S" && a.AttributeType != "N" && a.AttributeType != "B" {
			return invalid("Member must satisfy enum value set: [B, N, S]: " + a.AttributeType)
		}
		types[a.AttributeName] = a.AttributeType
	}
	want := []string{"HASH", "RANGE"}
	if len(in.KeySchema) == 0 || len(in.KeySchema) > 2 || len(types) != len(in.KeySchema) {
		return invalid("One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	for i, k := range in.KeySchema {
		if k.KeyType != want[i] || types[k.AttributeName] == "" {
			return invalid(fmt.Sprintf("Invalid KeySchema: element %d must be the %s key and be defined: %s", i+1, want[i], k.AttributeName))
		}
	}
	return nil
}

func (s *dynamodbService) deleteTable(_ context.Context, _ caller, in *tableInput) (*tableDescriptionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.d.now()
	t, err := s.find(in.TableName, now)
	if err != nil {
		return nil, err
	}
	if t.protected {
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	if t.status != "ACTIVE" {
		return nil, inUse("Attempt to change a resource which is still in use: Table is being " + t.busy() + ": " + t.name)
	}
	t.change("DELETING", t.now, now, s.d.options)
	return &tableDescriptionOutput{t.describe(now)}, nil
}

func (s *dynamodbService) describeTable(_ context.Context, _ caller, in *tableInput) (*describeTableOutput, error) {
	d, err := s.describe(in.TableName)
	if err != nil {
		return nil, err
	}
	return &describeTableOutput{d}, nil
}

func (s *dynamodbService) describe(name string) (*tableDescription, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.d.now()
	t, err := s.find(name, now)
	if err != nil {
		return nil, err
	}
	return t.describe(now), nil
}

func (s *dynamodbService) updateTable(_ context.Context, _ caller, in *updateTableInput) (*tableDescriptionOutput, error) {
	d, err := s.update(in)
	if err != nil {
		return nil, err
	}
	return &tableDescriptionOutput{d}, nil
}

func (s *dynamodbService) update(in *updateTableInput) (*tableDescription, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.d.now()
	t, err := s.find(in.TableName, now)
	if err != nil {
		return nil, err
	}
	if err := t.update(in, now, s.d.options); err != nil {
		return nil, err
	}
	return t.describe(now), nil
}

func (s *dynamodbService) listTables(_ context.Context, _ caller, in *listTablesInput) (*listTablesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{}
	for name := range s.tables {
		if _, err := s.find(name, s.d.now()); err == nil && name > in.ExclusiveStartTableName {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	out := &listTablesOutput{TableNames: names}
	if in.Limit > 0 && len(names) > in.Limit {
		out.TableNames, out.LastEvaluatedTableName = names[:in.Limit], names[in.Limit-1]
	}
	return out, nil
}

func (s *dynamodbService) describeLimits(context.Context, caller, *empty) (*describeLimitsOutput, error) {
	return &describeLimitsOutput{AccountMaxReadCapacityUnits: 2 * tableQuota, AccountMaxWriteCapacityUnits: 2 * tableQuota,
		TableMaxReadCapacityUnits: tableQuota, TableMaxWriteCapacityUnits: tableQuota}, nil
}

func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}
