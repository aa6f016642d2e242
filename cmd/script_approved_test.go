package cmd_test

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/firedrill/firedrill/internal/killtest"
)

// cmdCapped sets a table's on-demand maximum of writes, as somebody who has nothing to do with the drill, and waits until
// it stands: capped TABLE UNITS; -1 takes it off.
func cmdCapped(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	units, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	cfg, err := killtest.Stage{URL: ts.Getenv("FIREDRILL_SANDBOX")}.AWS(ctx)
	ts.Check(err)
	db := dynamodb.NewFromConfig(cfg)
	_, err = db.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &args[0], OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: &units}})
	ts.Check(err)
	ts.Check(dynamodb.NewTableExistsWaiter(db, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 50 * time.Millisecond }).
		Wait(ctx, &dynamodb.DescribeTableInput{TableName: &args[0]}, 20*time.Second))
}

// cmdWritten changes a word of a plan file, as a merge might.
func cmdWritten(ts *testscript.TestScript, _ bool, args []string) {
	src, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Replace(src, []byte(`"page"`), []byte(`"pages"`), 1), 0o600))
}
