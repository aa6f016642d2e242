package journal

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// TableLook is how the store's table stands.
type TableLook struct {
	ARN         string
	Protected   bool   // against deletion
	Recoverable bool   // to any moment: point-in-time recovery is on
	Other       string // why it is no journal of firedrill's; empty: it is one
}

// LookDynamoDB looks at the store's table, and changes nothing of it. What CreateDynamoDB would set is told.
func LookDynamoDB(ctx context.Context, o TableOptions) (TableLook, error) {
	m := &maker{o: o}
	fail := func(err error) (TableLook, error) {
		return TableLook{}, &Error{Op: "look at", Path: "table " + o.Table, Err: err, Try: adviceTable(err)}
	}
	if err := m.look(ctx); err != nil {
		return fail(err)
	}
	out := TableLook{ARN: m.made.ARN, Protected: aws.ToBool(m.found.DeletionProtectionEnabled)}
	if err := m.check(ctx); errors.Is(err, ErrNotOurs) {
		out.Other = err.Error()
	} else if err != nil {
		return fail(err)
	}
	backups, err := o.Client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &o.Table})
	if err != nil {
		return fail(err)
	}
	out.Recoverable = pointInTime(backups.ContinuousBackupsDescription)
	return out, nil
}
