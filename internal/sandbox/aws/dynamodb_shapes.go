package aws

import "time"

// The shapes of DynamoDB's table operations, with the members that the sandbox honours.

type keyElement struct{ AttributeName, KeyType string }

type attributeDefinition struct{ AttributeName, AttributeType string }

type capacity struct{ ReadCapacityUnits, WriteCapacityUnits int64 }

type onDemandMax struct{ MaxReadRequestUnits, MaxWriteRequestUnits *int64 }

type tag struct {
	Key   string
	Value *string
}

type createTableInput struct {
	TableName                 string
	AttributeDefinitions      []attributeDefinition
	KeySchema                 []keyElement
	BillingMode               string
	ProvisionedThroughput     *capacity
	OnDemandThroughput        *onDemandMax
	DeletionProtectionEnabled bool
	Tags                      []tag
}

type updateTableInput struct {
	TableName             string
	BillingMode           string
	ProvisionedThroughput *capacity
	OnDemandThroughput    *onDemandMax
	AttributeDefinitions  []attributeDefinition

	DeletionProtectionEnabled *bool
}

type tableInput struct{ TableName string }

type listTablesInput struct {
	ExclusiveStartTableName string
	Limit                   int
}

type listTablesOutput struct {
	TableNames             []string
	LastEvaluatedTableName string
}

type provisionedDescription struct {
	ReadCapacityUnits, WriteCapacityUnits      int64
	NumberOfDecreasesToday                     int64
	LastDecreaseDateTime, LastIncreaseDateTime time.Time
}

type billingModeSummary struct {
	BillingMode                       string
	LastUpdateToPayPerRequestDateTime time.Time
}

type tableDescription struct {
	TableName, TableArn, TableId, TableStatus string
	CreationDateTime                          time.Time
	AttributeDefinitions                      []attributeDefinition
	KeySchema                                 []keyElement
	BillingModeSummary                        *billingModeSummary
	ProvisionedThroughput                     provisionedDescription
	OnDemandThroughput                        *onDemandMax
	ItemCount, TableSizeBytes                 int64
	DeletionProtectionEnabled                 bool
}

type describeTableOutput struct{ Table *tableDescription }

type tableDescriptionOutput struct{ TableDescription *tableDescription }

type tagInput struct {
	ResourceArn string
	Tags        []tag
}

type untagInput struct {
	ResourceArn string
	TagKeys     []string
}

type listTagsInput struct{ ResourceArn, NextToken string }

type listTagsOutput struct{ Tags []tag }

type empty struct{}

type describeLimitsOutput struct {
	AccountMaxReadCapacityUnits, AccountMaxWriteCapacityUnits int64
	TableMaxReadCapacityUnits, TableMaxWriteCapacityUnits     int64
}

type policyInput struct {
	ResourceArn, Policy, ExpectedRevisionId string
	ConfirmRemoveSelfResourceAccess         bool
}

type policyOutput struct{ Policy, RevisionId string }
