package journal_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/firedrill/firedrill/internal/journal"
)

// A look tells what making the table would set, and sets nothing.
func TestLookDynamoDB(t *testing.T) {
	box, client := cloud(t)
	if _, err := journal.LookDynamoDB(t.Context(), journal.TableOptions{Client: client, Table: "none"}); err == nil {
		t.Error("a table that is not there was seen")
	}
	if look, err := journal.LookDynamoDB(t.Context(), journal.TableOptions{Client: client, Table: "orders"}); err != nil || look.Other == "" {
		t.Errorf("somebody else's table: %+v, %v", look, err)
	}
	table := newTable(t, client)
	whole, err := journal.LookDynamoDB(t.Context(), journal.TableOptions{Client: client, Table: table})
	if err != nil || !whole.Protected || !whole.Recoverable || whole.Other != "" || whole.ARN == "" {
		t.Errorf("a new table: %+v, %v", whole, err)
	}
	if _, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, DeletionProtectionEnabled: aws.Bool(false)}); err != nil {
		t.Fatal(err)
	}
	before := len(calls(t, box, 0))
	if look, err := journal.LookDynamoDB(t.Context(), journal.TableOptions{Client: client, Table: table}); err != nil || look.Protected || !look.Recoverable {
		t.Errorf("one that is not protected any more: %+v, %v", look, err)
	}
	want := []string{"DescribeTable", "ListTagsOfResource", "DescribeContinuousBackups"}
	if asked := calls(t, box, before); !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}
