package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// sandbox starts a sandbox process, and returns its address. It ends with the test.
func sandbox(t *testing.T, firedrill, state string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), firedrill, "sandbox", "--state", state)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	words := strings.Fields(must(bufio.NewReader(out).ReadString('\n'))(t))
	if len(words) != 5 || words[1] != "ready" {
		t.Fatalf("the sandbox said %q", words)
	}
	return words[2]
}

type call struct {
	N                      int
	By, Service, Operation string
}

func calls(t *testing.T, url string) (ours []call, last int) {
	t.Helper()
	resp := must(http.Get(url + "/_sandbox/calls"))(t)
	defer resp.Body.Close()
	var all []call
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		last = max(last, c.N)
		if c.By == "firedrill" {
			ours = append(ours, c)
		}
	}
	return ours, last
}

func lastCall(t *testing.T, url string) int {
	t.Helper()
	_, last := calls(t, url)
	return last
}

// replay makes, one after the other and with the SDK alone, the calls that a drill made from call number after until
// its fault was in, and says how long that took. What it writes it puts back.
func replay(t *testing.T, url string, after int) time.Duration {
	t.Helper()
	ours, _ := calls(t, url)
	ctx := t.Context()
	const table, arn, tag = "orders", "arn:aws:dynamodb:eu-west-1:111122223333:table/orders", "bench"
	began := time.Now()
	cfg := aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(url + "/aws"), Credentials: credentials.NewStaticCredentialsProvider("AKIAOTHER000000000", "sandbox", "")}
	db, cw := dynamodb.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg)
	ops := map[string]func() error{
		"sts GetCallerIdentity":  func() error { _, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil); return err },
		"iam ListAccountAliases": func() error { _, err := iam.NewFromConfig(cfg).ListAccountAliases(ctx, nil); return err },
		"dynamodb DescribeTable": func() error {
			_, err := db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(table)})
			return err
		},
		"dynamodb ListTagsOfResource": func() error {
			_, err := db.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: aws.String(arn)})
			return err
		},
		"dynamodb TagResource": func() error {
			_, err := db.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: aws.String(arn), Tags: []types.Tag{{Key: aws.String(tag), Value: aws.String("1")}}})
			return err
		},
		"dynamodb UpdateTable": func() error { return limitWrites(ctx, db, table, 40_000) },
		"application-autoscaling DescribeScalableTargets": func() error {
			_, err := applicationautoscaling.NewFromConfig(cfg).DescribeScalableTargets(ctx,
				&applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: scaling.ServiceNamespaceDynamodb})
			return err
		},
		"cloudwatch DescribeAlarms":       func() error { _, err := cw.DescribeAlarms(ctx, nil); return err },
		"cloudwatch DescribeAlarmHistory": func() error { _, err := cw.DescribeAlarmHistory(ctx, nil); return err },
	}
	made := 0
	for _, c := range ours {
		if c.N <= after {
			continue
		}
		name := strings.ToLower(c.Service) + " " + c.Operation
		op, ok := ops[name]
		if !ok {
			op = ops["sts GetCallerIdentity"] // the cheapest there is: the drill's own is no quicker
		}
		if err := op(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		made++
		if c.Operation == "UpdateTable" {
			break
		}
	}
	took := time.Since(began)
	t.Logf("%d calls made bare: %v", made, took)
	putBack(t, db, table, arn, tag)
	return took
}

func limitWrites(ctx context.Context, db *dynamodb.Client, table string, most int64) error {
	_, err := db.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &table, OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: &most}})
	return err
}

func putBack(t *testing.T, db *dynamodb.Client, table, arn, tag string) {
	t.Helper()
	var err error
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		if err = limitWrites(t.Context(), db, table, -1); err == nil {
			break
		}
		select {
		case <-t.Context().Done():
		case <-time.After(50 * time.Millisecond): // the table is UPDATING
		}
	}
	if err == nil {
		_, err = db.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{tag}})
	}
	for until := time.Now().Add(10 * time.Second); err == nil && time.Now().Before(until); {
		d := must(db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table}))(t)
		if d.Table.TableStatus == types.TableStatusActive {
			return
		}
	}
	t.Fatalf("put back after the replay: %v", err)
}

// must ends the test on an error.
func must[T any](out T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}
