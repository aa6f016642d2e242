package journal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/journal/journaltest"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// cloud is a sandbox whose tables stand at once.
func cloud(t *testing.T) (*sandbox.Sandbox, *dynamodb.Client) {
	t.Helper()
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	w := box.World()
	return box, dynamodb.New(dynamodb.Options{Region: w.Region, BaseEndpoint: aws.String(w.AWS),
		Credentials: credentials.NewStaticCredentialsProvider(w.Keys["firedrill"].ID, w.Keys["firedrill"].Secret, "")})
}

func newTable(t *testing.T, client *dynamodb.Client) string {
	t.Helper()
	name := "journal-" + strings.NewReplacer("/", "-", "'", "", "#", "-").Replace(t.Name())
	if _, err := journal.CreateDynamoDB(t.Context(), journal.TableOptions{Client: client, Table: name}); err != nil {
		t.Fatal(err)
	}
	return name
}

func openDynamoDB(t *testing.T, client *dynamodb.Client, table string) *journal.DynamoDB {
	t.Helper()
	s, err := journal.OpenDynamoDB(journal.DynamoDBOptions{Client: client, Table: table})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDynamoDB(t *testing.T) {
	_, client := cloud(t)
	journaltest.Run(t, func(t *testing.T) journal.Store { return openDynamoDB(t, client, newTable(t, client)) })
}

func TestDynamoDBHandles(t *testing.T) {
	_, client := cloud(t)
	journaltest.RunHandles(t, func(t *testing.T) (a, b journal.Store) {
		name := newTable(t, client)
		return openDynamoDB(t, client, name), openDynamoDB(t, client, name)
	})
}
