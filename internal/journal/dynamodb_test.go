package journal_test

import (
	"fmt"
	"sync"
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
func cloud(t testing.TB) (*sandbox.Sandbox, *dynamodb.Client) {
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
	return <-tables(t, client, 1)
}

// tables makes n at once, for each takes half a second.
func tables(t *testing.T, client *dynamodb.Client, n int) <-chan string {
	t.Helper()
	made := make(chan string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			name := fmt.Sprintf("journal-%d", i)
			if _, err := journal.CreateDynamoDB(t.Context(), journal.TableOptions{Client: client, Table: name}); err != nil {
				t.Error(err)
			}
			made <- name
		})
	}
	wg.Wait()
	return made
}

func openDynamoDB(t testing.TB, client *dynamodb.Client, table string) *journal.DynamoDB {
	t.Helper()
	s, err := journal.OpenDynamoDB(journal.DynamoDBOptions{Client: client, Table: table})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A handle on a table keeps nothing: two of them, as two machines have them, are no other than one.
func TestDynamoDB(t *testing.T) {
	_, client := cloud(t)
	made := tables(t, client, 40)
	journaltest.Run(t, func(t *testing.T) journal.Store { return openDynamoDB(t, client, <-made) })
}
