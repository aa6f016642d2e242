package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TableOptions say which table CreateDynamoDB makes.
type TableOptions struct {
	Client *dynamodb.Client // of its account and region
	Table  string
	Tags   map[string]string // beside ours
}

// Table is what stands after CreateDynamoDB.
type Table struct {
	ARN   string
	Made  bool     // it was not there before
	Set   []string // what was changed of one that was there, or made complete, in words
	Unset []string // what could not be set, in words: the store works without
}

// tableTag marks the store's own table.
const tableTag, tableTagValue = "firedrill", "journal"

// tablePause is how long a table in the making is left alone between two looks.
const tablePause = 500 * time.Millisecond

// ErrNotOurs says that a table of that name holds something else.
var ErrNotOurs = errors.New("it is no journal of firedrill's")

// CreateDynamoDB makes the store's table where there is none, and makes one that is there complete: billed by the
// request, protected against deletion, with point-in-time recovery, tagged firedrill=journal. It returns once the
// table can be used. It changes no table that holds something else (ErrNotOurs), and may be called again and again.
func CreateDynamoDB(ctx context.Context, o TableOptions) (Table, error) {
	m := &maker{o: o}
	for _, step := range []func(context.Context) error{m.create, m.await, m.check, m.protect, m.tag} {
		if err := step(ctx); err != nil {
			return m.made, &Error{Op: "create", Path: "table " + o.Table, Err: err, Try: adviceTable(err)}
		}
	}
	m.recoverable(ctx)
	return m.made, nil
}

func adviceTable(err error) string {
	if errors.Is(err, ErrNotOurs) {
		return "another name: --table NAME"
	}
	return adviceDynamoDB(err)
}

// maker makes one table.
type maker struct {
	o     TableOptions
	made  Table
	found *types.TableDescription
}

func (m *maker) tags() []types.Tag {
	tags := []types.Tag{{Key: aws.String(tableTag), Value: aws.String(tableTagValue)}}
	for k, v := range m.o.Tags {
		if k != tableTag {
			tags = append(tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
		}
	}
	slices.SortFunc(tags, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	return tags
}

func (m *maker) create(ctx context.Context) error {
	err := m.look(ctx)
	var none *types.ResourceNotFoundException
	if !errors.As(err, &none) {
		return err
	}
	_, err = m.o.Client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &m.o.Table, BillingMode: types.BillingModePayPerRequest, DeletionProtectionEnabled: aws.Bool(true), Tags: m.tags(),
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(keyPart), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(keyName), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(keyPart), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(keyName), KeyType: types.KeyTypeRange}},
	})
	var raced *types.ResourceInUseException
	if errors.As(err, &raced) { // somebody else makes it at this very moment
		return nil
	}
	m.made.Made = err == nil
	return err
}

func (m *maker) look(ctx context.Context) error {
	out, err := m.o.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &m.o.Table})
	if err != nil {
		return err
	}
	m.found, m.made.ARN = out.Table, aws.ToString(out.Table.TableArn)
	return nil
}

// await waits until the table can be used and changed.
func (m *maker) await(ctx context.Context) error {
	for {
		err := m.look(ctx)
		var none *types.ResourceNotFoundException // a table just made may not be seen for a moment
		switch {
		case err == nil && m.found.TableStatus == types.TableStatusActive:
			return nil
		case err != nil && !errors.As(err, &none):
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for it to become active: %w", ctx.Err())
		case <-time.After(tablePause):
		}
	}
}

// check refuses a table that is not ours: by its keys, and where we did not make it by its tag.
func (m *maker) check(ctx context.Context) error {
	var keys []string
	for _, k := range m.found.KeySchema {
		keys = append(keys, string(k.KeyType)+" "+aws.ToString(k.AttributeName))
	}
	want := []string{"HASH " + keyPart, "RANGE " + keyName}
	if !slices.Equal(keys, want) {
		return fmt.Errorf("%w: its keys are %v, not %v", ErrNotOurs, keys, want)
	}
	if m.made.Made {
		return nil
	}
	out, err := m.o.Client.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: m.found.TableArn})
	if err != nil {
		return err
	}
	for _, g := range out.Tags {
		if aws.ToString(g.Key) == tableTag && aws.ToString(g.Value) == tableTagValue {
			return nil
		}
	}
	return fmt.Errorf("%w: it is not tagged %s=%s", ErrNotOurs, tableTag, tableTagValue)
}

func (m *maker) protect(ctx context.Context) error {
	if aws.ToBool(m.found.DeletionProtectionEnabled) {
		return nil
	}
	if m.made.Made { // asked for when it was made, and not there: this service does not know it
		m.made.Unset = append(m.made.Unset, "deletion protection")
		return nil
	}
	if _, err := m.o.Client.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &m.o.Table, DeletionProtectionEnabled: aws.Bool(true)}); err != nil {
		return fmt.Errorf("protect it against deletion: %w", err)
	}
	m.made.Set = append(m.made.Set, "deletion protection")
	return m.await(ctx)
}

// tag adds the tags asked for; ours stands already.
func (m *maker) tag(ctx context.Context) error {
	if m.made.Made || len(m.o.Tags) == 0 {
		return nil
	}
	_, err := m.o.Client.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: m.found.TableArn, Tags: m.tags()})
	return err
}

// recoverable turns point-in-time recovery on. A table just made is not ready for it for a while.
func (m *maker) recoverable(ctx context.Context) {
	out, err := m.o.Client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &m.o.Table})
	if err == nil && pointInTime(out.ContinuousBackupsDescription) {
		return
	}
	for err == nil {
		var set *dynamodb.UpdateContinuousBackupsOutput
		set, err = m.o.Client.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{TableName: &m.o.Table,
			PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}})
		var notYet *types.ContinuousBackupsUnavailableException
		switch {
		case err == nil && pointInTime(set.ContinuousBackupsDescription):
			m.made.Set = append(m.made.Set, "point-in-time recovery")
			return
		case err == nil:
			err = errors.New("it was accepted, and is not on")
		case errors.As(err, &notYet):
			select {
			case <-ctx.Done():
			case <-time.After(tablePause):
				err = nil
			}
		}
	}
	m.made.Unset = append(m.made.Unset, fmt.Sprintf("point-in-time recovery (%v)", err))
}

func pointInTime(d *types.ContinuousBackupsDescription) bool {
	return d != nil && d.PointInTimeRecoveryDescription != nil &&
		d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled
}
