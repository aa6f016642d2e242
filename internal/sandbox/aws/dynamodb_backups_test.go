package aws

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// pointInTime asks for point-in-time recovery, and reads it back.
func (t *testTables) pointInTime(name string, on bool) (types.PointInTimeRecoveryStatus, error) {
	t.Helper()
	_, err := t.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{TableName: &name,
		PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: &on}})
	out, lost := t.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
	if lost != nil {
		return "", errors.Join(err, lost)
	}
	return out.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus, err
}

func (t *testTables) config() string {
	t.Helper()
	b, err := t.cloud.ConfigJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTablePointInTimeRecovery(t *testing.T) {
	tables := newTestTables(t, Options{UpdateDelay: time.Second})
	tables.create(&dynamodb.CreateTableInput{TableName: awssdk.String("orders"), BillingMode: types.BillingModePayPerRequest})
	tables.clock.move(-time.Second)
	var notYet *types.ContinuousBackupsUnavailableException
	if got, err := tables.pointInTime("orders", true); got != types.PointInTimeRecoveryStatusDisabled || !errors.As(err, &notYet) {
		t.Errorf("of a table in the making: %s, %v", got, err)
	}
	tables.clock.move(time.Second)
	before := tables.config()
	if got, err := tables.pointInTime("orders", true); got != types.PointInTimeRecoveryStatusEnabled || err != nil {
		t.Errorf("turned on: %s, %v", got, err)
	}
	if tables.config() == before {
		t.Error("the configuration does not show it")
	}
	if got, err := tables.pointInTime("orders", false); got != types.PointInTimeRecoveryStatusDisabled || err != nil || tables.config() != before {
		t.Errorf("turned off: %s, %v", got, err)
	}
	var none *types.TableNotFoundException
	if _, err := tables.pointInTime("nothing", true); !errors.As(err, &none) {
		t.Errorf("of no table: %v", err)
	}
}

func TestTableDeletionProtection(t *testing.T) {
	tables := newTestTables(t, Options{UpdateDelay: -1})
	tables.onDemand("orders")
	protect := func(on bool) {
		if _, err := tables.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: awssdk.String("orders"), DeletionProtectionEnabled: &on}); err != nil {
			t.Fatal(err)
		}
	}
	protect(true)
	if !awssdk.ToBool(tables.describe("orders").DeletionProtectionEnabled) {
		t.Error("it is not protected")
	}
	if _, err := tables.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: awssdk.String("orders")}); err == nil {
		t.Error("a protected table was deleted")
	}
	protect(false)
	if _, err := tables.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: awssdk.String("orders")}); err != nil {
		t.Error(err)
	}
}

// A query reads a megabyte for one answer, and says where it stopped.
func TestQueryPages(t *testing.T) {
	tables := newTestTables(t, Options{UpdateDelay: -1})
	tables.onDemand("orders")
	for i := range 5 {
		if _, err := tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: awssdk.String("orders"), Item: map[string]types.AttributeValue{
			"id":   &types.AttributeValueMemberS{Value: fmt.Sprint(i)},
			"text": &types.AttributeValueMemberS{Value: strings.Repeat("x", 300<<10)}}}); err != nil {
			t.Fatal(err)
		}
	}
	var got []int
	p := dynamodb.NewScanPaginator(tables.Client, &dynamodb.ScanInput{TableName: awssdk.String("orders")})
	for p.HasMorePages() {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, len(page.Items))
	}
	if fmt.Sprint(got) != "[3 2]" {
		t.Errorf("pages of %v items, want 3 and 2", got)
	}
}
