package cmd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/fis"
	fistypes "github.com/aws/aws-sdk-go-v2/service/fis/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/firedrill/firedrill/internal/killtest"
)

// cmdShown writes into a file what the sandbox shows of itself, to be searched, or compared with later.
func cmdShown(ts *testscript.TestScript, _ bool, args []string) {
	res, err := http.Get(ts.Getenv("FIREDRILL_SANDBOX") + "/_sandbox/" + args[0])
	ts.Check(err)
	body, err := io.ReadAll(res.Body)
	ts.Check(errors.Join(err, res.Body.Close()))
	if res.StatusCode != http.StatusOK {
		ts.Fatalf("show %s: %s: %s", args[0], res.Status, body)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), body, 0o600))
}

// cmdRing keeps an alarm ringing for some seconds, as somebody who has nothing to do with the drill: set once, the next
// evaluation would make it OK again, perhaps between two looks at it.
func cmdRing(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	cfg, err := killtest.Stage{URL: ts.Getenv("FIREDRILL_SANDBOX")}.AWS(ctx)
	ts.Check(err)
	cw := cloudwatch.NewFromConfig(cfg)
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		_, err = cw.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
			AlarmName: &args[0], StateValue: types.StateValueAlarm, StateReason: aws.String("a customer called")})
		ts.Check(err)
	}
}

// cmdFIS moves the safety lever of AWS FIS, as somebody else.
func cmdFIS(ts *testscript.TestScript, _ bool, args []string) {
	cfg, err := killtest.Stage{URL: ts.Getenv("FIREDRILL_SANDBOX")}.AWS(context.Background())
	ts.Check(err)
	_, err = fis.NewFromConfig(cfg).UpdateSafetyLeverState(context.Background(), &fis.UpdateSafetyLeverStateInput{Id: aws.String("default"),
		State: &fistypes.UpdateSafetyLeverStateInput{Status: fistypes.SafetyLeverStatusInput(args[0]), Reason: aws.String(strings.Join(args[1:], " "))}})
	ts.Check(err)
}

// cmdPaged writes into a file what the on-call reads on our page: a line for each detail and link, as the pager's
// API tells them of its alert.
func cmdPaged(ts *testscript.TestScript, _ bool, args []string) {
	var open struct {
		Incidents []struct{ ID, Title string }
	}
	askPager(ts, "/incidents?limit=100&statuses[]=triggered&statuses[]=acknowledged&statuses[]=resolved", &open)
	var text strings.Builder
	for _, i := range open.Incidents {
		if !strings.HasPrefix(i.Title, "[DRILL] ") {
			continue
		}
		var answer struct {
			Alerts []struct {
				AlertKey string `json:"alert_key"`
				Body     struct {
					Contexts []struct{ Href, Text string }
					CEF      struct {
						Details map[string]any `json:"details"`
					} `json:"cef_details"`
				} `json:"body"`
			}
		}
		askPager(ts, "/incidents/"+i.ID+"/alerts", &answer)
		for _, a := range answer.Alerts {
			fmt.Fprintf(&text, "title: %s\nkey: %s\n", i.Title, a.AlertKey)
			for k, v := range a.Body.CEF.Details {
				fmt.Fprintf(&text, "%s: %v\n", k, v)
			}
			for _, c := range a.Body.Contexts {
				fmt.Fprintf(&text, "link: %s %s\n", c.Text, c.Href)
			}
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text.String()), 0o600))
}

func askPager(ts *testscript.TestScript, path string, into any) {
	w, err := killtest.Stage{URL: ts.Getenv("FIREDRILL_SANDBOX")}.World(context.Background())
	ts.Check(err)
	req, err := http.NewRequest(http.MethodGet, w.URL+"/pagerduty"+path, nil)
	ts.Check(err)
	req.Header.Set("Authorization", "Token token=sandbox-readonly-token")
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	body, err := io.ReadAll(res.Body)
	ts.Check(errors.Join(err, res.Body.Close()))
	if res.StatusCode != http.StatusOK {
		ts.Fatalf("GET %s: %s: %s", path, res.Status, body)
	}
	ts.Check(json.Unmarshal(body, into))
}
