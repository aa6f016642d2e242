package privilege

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedules "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/internal/killtest"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// binary builds the program once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "firedrill-privilege-")
	if err != nil {
		return "", err
	}
	return killtest.Build(context.Background(), dir)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil && strings.Contains(path, "firedrill-privilege-") {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// patience bounds every wait of a test.
const patience = 4 * time.Minute

// role is one of a policy's, as `firedrill policy -o json` writes it.
type role struct {
	For      string
	Role     string
	Trust    json.RawMessage
	Policies []json.RawMessage
	Notes    []string
}

// allowed are the actions of a role's Allow statements, each with its resources.
func (r role) allowed(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, raw := range r.Policies {
		var doc struct {
			Statement []struct {
				Effect           string
				Action, Resource []string
			}
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		for _, s := range doc.Statement {
			for _, a := range s.Action {
				if s.Effect == "Allow" {
					all[a] = append(all[a], s.Resource...)
				}
			}
		}
	}
	return all
}

// place is a sandbox with the program and an account in which firedrill may do what a policy says, and no more.
type place struct {
	*testing.T
	killtest.Program
	stage  killtest.Stage
	box    *sandbox.Sandbox
	before killtest.Snapshot
	people *iam.Client
	ctx    context.Context
	held   []*string // what is attached to firedrill
	made   int
	since  int // calls of the log that do not count any more
	roles  map[string]role
	last   string // the drill's last fault
}

func newPlace(t *testing.T, d killtest.Drill, file, responder string) *place {
	t.Helper()
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	box, err := sandbox.Start(ctx, sandbox.Options{Responder: responder, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &place{T: t, stage: killtest.Stage{URL: box.World().URL}, box: box, ctx: ctx, roles: map[string]role{}}
	p.Program = killtest.Program{Path: path, State: t.TempDir(), Env: []string{"FIREDRILL_SANDBOX=" + box.World().URL}}
	cfg, err := p.stage.AWS(ctx)
	p.must(err)
	p.people = iam.NewFromConfig(cfg)
	table := "arn:aws:dynamodb:eu-west-1:111122223333:table/" + box.World().Vars["stock_table"]
	_, err = dynamodb.NewFromConfig(cfg).PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: &table, Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"dynamodb:GetItem","Resource":"` + table + `"}]}`)})
	p.must(err)
	p.before, err = p.stage.Set(ctx, d)
	p.must(err)
	var all struct{ Roles []role }
	out := p.verb([]int{0}, "policy", file, "--for", "plan,run,recover,deadman,sweep", "--env", "sandbox", "-o", "json")
	p.must(json.Unmarshal([]byte(out.Out.String()), &all))
	for _, r := range all.Roles {
		p.roles[r.For] = r
	}
	p.attach("deadman", func(arn *string) error {
		name := p.roles["deadman"].Role
		_, err := p.people.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: arn})
		return err
	})
	return p
}

// attach makes a role's policies and has them attached.
func (p *place) attach(name string, to func(arn *string) error) (arns []*string) {
	p.Helper()
	for _, doc := range p.roles[name].Policies {
		p.made++
		out, err := p.people.CreatePolicy(p.ctx, &iam.CreatePolicyInput{PolicyName: aws.String(fmt.Sprintf("%s-%d", name, p.made)), PolicyDocument: aws.String(string(doc))})
		p.must(err)
		p.must(to(out.Policy.Arn))
		arns = append(arns, out.Policy.Arn)
	}
	return arns
}

// as lets firedrill do what a role may, and begins the log anew.
func (p *place) as(name string) {
	p.Helper()
	us := aws.String("firedrill")
	for _, arn := range p.held {
		_, err := p.people.DetachUserPolicy(p.ctx, &iam.DetachUserPolicyInput{UserName: us, PolicyArn: arn})
		p.must(err)
	}
	p.held = p.attach(name, func(arn *string) error {
		_, err := p.people.AttachUserPolicy(p.ctx, &iam.AttachUserPolicyInput{UserName: us, PolicyArn: arn})
		return err
	})
	p.since = len(p.log())
}

// call is one of the sandbox's log.
type call struct {
	By, Service, Operation, Resource, Code, Principal, Agent string
	Needs                                                    []string
	Unauthorized                                             bool
}

// log is the whole log.
func (p *place) log() (list []call) {
	p.Helper()
	r, err := http.NewRequestWithContext(p.ctx, http.MethodGet, p.stage.URL+"/_sandbox/calls", nil)
	p.must(err)
	a, err := http.DefaultClient.Do(r)
	p.must(err)
	defer a.Body.Close()
	p.must(json.NewDecoder(a.Body).Decode(&list))
	return list
}

// calls says what the calls of a role have asked IAM for, and fails where one was not allowed.
func (p *place) calls(by string) map[string][]string {
	p.Helper()
	used := map[string][]string{}
	for _, c := range p.log()[p.since:] {
		if c.By != by {
			continue
		}
		if c.Unauthorized {
			p.Errorf("%s %s on %s is not allowed: it needs %v", c.Service, c.Operation, c.Resource, c.Needs)
		}
		for _, need := range c.Needs {
			action, resource, _ := strings.Cut(need, " on ")
			if !slices.Contains(used[action], resource) {
				used[action] = append(used[action], resource)
			}
		}
	}
	return used
}

// fire moves Scheduler's clock ahead, minute by minute, with the tables at rest in between.
func (p *place) fire() {
	p.Helper()
	cfg, err := p.stage.AWS(p.ctx)
	p.must(err)
	tables := dynamodb.NewFromConfig(cfg)
	// Its last call fails for good: the switch tells its dead-letter queue.
	for _, operation := range []string{"RegisterScalableTarget", "DeleteRule"} {
		_, err = p.stage.Turn(p.ctx, killtest.Knob{By: "scheduler", Operation: operation, Count: 1, Effect: "deny", Code: "ValidationException", Status: http.StatusBadRequest})
		p.must(err)
	}
	for range 12 {
		p.rest(tables)
		r, err := http.NewRequestWithContext(p.ctx, http.MethodPost, p.stage.URL+"/_sandbox/schedules/advance", strings.NewReader(`{"by":"1m"}`))
		p.must(err)
		a, err := http.DefaultClient.Do(r)
		p.must(err)
		p.must(a.Body.Close())
	}
	p.rest(tables)
	queue := p.box.World().Deadman.DLQ
	url, err := sqs.NewFromConfig(cfg).GetQueueUrl(p.ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(queue[strings.LastIndex(queue, ":")+1:])})
	p.must(err)
	_, err = sqs.NewFromConfig(cfg).PurgeQueue(p.ctx, &sqs.PurgeQueueInput{QueueUrl: url.QueueUrl}) // people have read it
	p.must(err)
}

// rest waits until no table is being updated.
func (p *place) rest(tables *dynamodb.Client) {
	p.Helper()
	for _, name := range []string{"orders", "stock"} {
		p.must(killtest.Until(p.ctx, func() (bool, error) {
			out, err := tables.DescribeTable(p.ctx, &dynamodb.DescribeTableInput{TableName: &name})
			return err == nil && out.Table.TableStatus == types.TableStatusActive, err
		}))
	}
}

// leftSchedule makes, or takes away, a dead-man's call of a run that nobody here knows: whoever plans a drill looks at it.
func (p *place) leftSchedule(there bool) {
	p.Helper()
	cfg, err := p.stage.AWS(p.ctx)
	p.must(err)
	client, name, w := scheduler.NewFromConfig(cfg), aws.String("firedrill-01k00000000000000000000000-throttle-1"), p.box.World()
	if !there {
		_, err = client.DeleteSchedule(p.ctx, &scheduler.DeleteScheduleInput{Name: name})
		p.must(err)
		return
	}
	_, err = client.CreateSchedule(p.ctx, &scheduler.CreateScheduleInput{Name: name, ScheduleExpression: aws.String("at(2099-01-01T00:00:00)"),
		FlexibleTimeWindow: &schedules.FlexibleTimeWindow{Mode: schedules.FlexibleTimeWindowModeOff}, Target: &schedules.Target{RoleArn: &w.Deadman.Role,
			Arn: aws.String("arn:aws:scheduler:::aws-sdk:dynamodb:updateTable"), Input: aws.String(`{"TableName":"orders"}`)}})
	p.must(err)
}

func (p *place) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// verb runs the program to its end; want are the exit codes it may have.
func (p *place) verb(want []int, args ...string) *killtest.Process {
	p.Helper()
	pr, code, err := p.Program.Run(p.ctx, args...)
	p.must(err)
	if !slices.Contains(want, code) {
		p.Fatalf("%s: exit %d, want %v\n%s%s", strings.Join(args, " "), code, want, pr.Err, pr.Out)
	}
	return pr
}

// killed starts a run and kills it with its faults in place. A target may need a moment to look as the run before found it.
func (p *place) killed(file string) {
	p.Helper()
	p.must(killtest.Until(p.ctx, func() (bool, error) {
		_, code, err := p.Program.Run(p.ctx, "plan", file)
		return code == 0, err
	}))
	var pr *killtest.Process
	p.must(killtest.Until(p.ctx, func() (ok bool, err error) {
		if pr, err = p.Start(p.ctx, "run", file); err != nil {
			return false, err
		}
		err = pr.Says(p.ctx, "fault applied: "+p.last)
		if err != nil && pr.Ended() && p.ctx.Err() == nil {
			return false, nil // a policy that was changed a moment ago cannot be changed again yet
		}
		return err == nil, err
	}))
	p.must(pr.Kill())
}
