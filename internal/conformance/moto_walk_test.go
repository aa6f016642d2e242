package conformance

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/internal/docrun"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// TestMotoWalk walks docs/first-real-drill.md with the program itself on moto's account: its DynamoDB, SQS, STS, IAM and
// Scheduler. moto's CloudWatch evaluates no alarm and speaks another protocol than ours, it has neither FIS's lever nor a
// trail, and it knows no pager: these are the sandbox's. Nothing throttles in moto, so the drill ends as invalid, claims
// no times, and puts everything back. Its load balancer carries no traffic: users-unreachable is left out.
func TestMotoWalk(t *testing.T) {
	program := part(t, "moto_server", installMoto)
	m := &moto{url: serve(t, serving, program, "-H", "127.0.0.1", "-p", "0")[1]}
	w := m.staging(t)
	before := w.table.state()
	seen := map[string]bool{}
	for _, c := range must(docrun.Commands("docs/first-real-drill.md", string(must(os.ReadFile("../../docs/first-real-drill.md"))(t))))(t) {
		verb := c.Args[0]
		if c.Inline || strings.Contains(strings.Join(c.Args, " "), "users-unreachable") && verb == "plan" {
			continue
		}
		args, want := slices.DeleteFunc(slices.Clone(c.Args), func(a string) bool { return a == "users-unreachable" }), map[string]int{"run": 7}[verb]
		if verb == "run" {
			args = append(args, "--yes")
		}
		code, said := w.firedrill(t, args...)
		t.Logf("firedrill %s: %d", strings.Join(args, " "), code)
		if code != want {
			t.Fatalf("%s: firedrill %s ends with %d, want %d\n%s", c.Place(), strings.Join(args, " "), code, want, said)
		}
		for _, line := range motoSays()[verb] {
			if !strings.Contains(said, line) {
				t.Errorf("firedrill %s does not say %q:\n%s", verb, line, said)
			}
		}
		seen[verb] = true
	}
	for verb := range motoSays() {
		if !seen[verb] {
			t.Errorf("the page does not show %s", verb)
		}
	}
	if after := w.table.state(); after != before {
		t.Errorf("the table is not as before:\n%s\nwas\n%s", after, before)
	}
}

// motoSays are lines of the walk that count, by verb.
func motoSays() map[string][]string {
	return map[string][]string{
		"validate": {"environment is fine", "drill orders-throttled is fine"},
		"policy":   {`resource "aws_iam_role" "firedrill_deadman"`},
		"doctor":   {"account         123456789012 (acme-staging) in eu-west-1", "table/orders: environment=staging, firedrill=allowed", "0 wrong"},
		"plan":     {"in staging: account 123456789012, region eu-west-1", "Nothing was changed, nobody was told."},
		"run":      {"undo recorded: throttle", "dead-man's switch armed: throttle", "fault applied: throttle", "dead-man's switch deleted: throttle", "finished: invalid"},
		"status":   {"orders-throttled in staging: invalid"},
		"recover":  {"nothing to recover: every run has ended with nothing in place"},
	}
}

// walker is the page's reader, at a desk of their own.
type walker struct {
	table *stock
	dir   string
	env   []string
}

// staging is the example's environment on moto: what its Terraform looks up and makes, and a folder with its files.
func (m *moto) staging(t *testing.T) *walker {
	t.Helper()
	box := must(sandbox.Start(t.Context(), sandbox.Options{Responder: "auto", Now: time.Now, Log: io.Discard}))(t)
	t.Cleanup(func() { _ = box.Close() })
	world := box.World()
	front := m.front(t, world)
	w := &walker{dir: t.TempDir(), table: &stock{T: t, Clients: m.clients(t), name: "orders"}}
	made := must(w.table.DynamoDB.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: aws.String("orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		Tags:                 []types.Tag{{Key: aws.String("environment"), Value: aws.String("staging")}, {Key: aws.String("firedrill"), Value: aws.String("allowed")}}}))(t)
	w.table.arn = *made.TableDescription.TableArn
	q := &queues{T: t, Clients: w.table.Clients, name: "orders"}
	q.dlq = q.create("orders-dlq", nil)
	q.url = q.create("orders", map[string]string{"VisibilityTimeout": "1", "RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":2}`, q.arn()+"-dlq")})
	for _, at := range []string{q.url, q.dlq} {
		must(q.SQS.TagQueue(t.Context(), &sqs.TagQueueInput{QueueUrl: &at, Tags: map[string]string{"environment": "staging", "firedrill": "allowed"}}))(t)
	}
	must(journal.CreateDynamoDB(t.Context(), journal.TableOptions{Client: storeClient(m.url, http.DefaultTransport), Table: "firedrill"}))(t)
	q.create("firedrill-deadman-dlq", nil)
	must(iam.NewFromConfig(w.table.Config).CreateAccountAlias(t.Context(), &iam.CreateAccountAliasInput{AccountAlias: aws.String("acme-staging")}))(t)
	w.files(t, front, world)
	return w
}

// files makes the desk: the example's drills and environment, with moto's address and the sandbox's people.
func (w *walker) files(t *testing.T, front string, world sandbox.World) {
	t.Helper()
	const example = "../../examples/first-real-drill/"
	text := string(must(os.ReadFile(example + "firedrill.yaml"))(t))
	for _, one := range [][2]string{
		{"      role: arn:aws:iam::123456789012:role/firedrill\n", "      endpoint: " + front + "/aws\n"}, // whose sessions the sandbox does not know
		{text[strings.Index(text, "      oidc: "):strings.Index(text, "    tags:")], ""},
		{text[strings.Index(text, "      listener_arn: "):strings.Index(text, "      service_url:")], ""},
		{`{days: mon-thu, hours: "10:00-16:00", zone: Europe/Berlin}`, `{days: mon-sun, hours: "00:00-24:00", zone: UTC}`},
		{"from: drills@example.com", "from: " + world.From},
		{"https://orders.staging.example.com", world.Vars["orders_url"]},
	} {
		if !strings.Contains(text, one[0]) {
			t.Fatalf("firedrill.yaml of the example has no %q", one[0])
		}
		text = strings.Replace(text, one[0], one[1], 1)
	}
	links := strings.NewReplacer("https://wiki.example.com/orders/throttling", world.Vars["orders_url"]+"/health", "https://wiki.example.com/orders/dead-letters",
		world.Vars["orders_url"]+"/health", "https://dash.example.com/orders", world.Vars["orders_url"]+"/health", "effective: 10m", "effective: 6s")
	drill := links.Replace(string(must(os.ReadFile(example + "drills/orders-throttled.yaml"))(t)))
	letters := links.Replace(string(must(os.ReadFile(example + "drills/orders-unreadable.yaml"))(t)))
	for name, text := range map[string]string{"firedrill.yaml": text, "drills/orders-throttled.yaml": drill, "drills/orders-unreadable.yaml": letters} {
		path := filepath.Join(w.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k := world.Keys["firedrill"]
	w.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NO_COLOR=1", "AWS_ACCESS_KEY_ID=" + k.ID, "AWS_SECRET_ACCESS_KEY=" + k.Secret,
		"PAGERDUTY_TOKEN=" + world.Token, "FIREDRILL_ORDERS_KEY=" + world.Teams["orders"].Key, "FIREDRILL_OWNER_KEY=" + world.Owner}
}

// firedrill is the program, typed at the desk.
func (w *walker) firedrill(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	name := filepath.Join(w.dir, "firedrill")
	if _, err := os.Lstat(name); err != nil {
		must(0, os.Symlink(must(os.Executable())(t), name))(t)
	}
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir, c.Env = w.dir, w.env
	out, err := c.CombinedOutput()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// front is one address for both: moto's services but for what it lacks, and the sandbox for the rest. What stands in moto
// was made an hour ago there: what has just been made is left alone.
func (m *moto) front(t *testing.T, world sandbox.World) string {
	t.Helper()
	toMoto, toBox := httputil.NewSingleHostReverseProxy(must(url.Parse(m.url))(t)), httputil.NewSingleHostReverseProxy(must(url.Parse(world.URL))(t))
	toMoto.Transport, toMoto.ModifyResponse = gaps{http.DefaultTransport}, older
	srv := httptest.NewUnstartedServer(nil)
	front := "http://" + srv.Listener.Addr().String()
	toBox.ModifyResponse = func(r *http.Response) error {
		if r.Request.URL.Path != "/_sandbox/world" {
			return nil
		}
		return rewritten(r, func(body string) string { return strings.ReplaceAll(body, world.URL, front) })
	}
	srv.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		path, aws := strings.CutPrefix(r.URL.Path, "/aws")
		lacks := r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor" || strings.HasPrefix(path, "/safetyLevers") || strings.Contains(r.Header.Get("X-Amz-Target"), "LookupEvents")
		if !aws || lacks {
			toBox.ServeHTTP(rw, r)
			return
		}
		r.URL.Path = "/" + strings.TrimPrefix(path, "/")
		toMoto.ServeHTTP(rw, r)
	})
	srv.Start()
	t.Cleanup(srv.Close)
	return front
}

// older makes tables an hour older.
func older(r *http.Response) error {
	if r.Request.Header.Get("X-Amz-Target") != "DynamoDB_20120810.DescribeTable" {
		return nil
	}
	return rewritten(r, func(body string) string {
		before, rest, found := strings.Cut(body, `"CreationDateTime": `)
		end := strings.IndexAny(rest, ",}")
		if !found || end < 0 {
			return body
		}
		at, err := strconv.ParseFloat(rest[:end], 64)
		if err != nil {
			return body
		}
		return before + `"CreationDateTime": ` + strconv.FormatFloat(at-3600, 'f', 3, 64) + rest[end:]
	})
}

// rewritten is an answer with another body.
func rewritten(r *http.Response, as func(string) string) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	text := as(string(body))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader([]byte(text))), int64(len(text))
	r.Header.Set("Content-Length", strconv.Itoa(len(text)))
	r.Header.Del("X-Amz-Crc32")
	return r.Body.Close()
}
