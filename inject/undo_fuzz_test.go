package inject_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/inject"
)

// FuzzUndoRecord reads records that somebody or something has damaged, of every kind, on an account that has nothing and
// may answer nothing: no panic, no call that writes, and an error where the record cannot be read, before any call.
func FuzzUndoRecord(f *testing.F) {
	for i := range len(inject.NewCatalog(nil, inject.CatalogOptions{})) {
		for _, data := range []string{``, `null`, `{}`, `[]`, `{"table":1}`, `{"table":"orders","mode":"on-demand","writes":{"before":-1,"during":1}}`,
			`{"listener":"l","rule":"r","priority":3,"status":500}`, `{"queue":"q","queue_url":"http://q","dlq_url":"http://d","count":-1,"visibility_s":1e300}`,
			`{"count":9999999999}`, `{"policy":"{","statement":{}}`} {
			f.Add(byte(i), 1, "arn:aws:dynamodb:eu-west-1:111122223333:table/orders", []byte(data), false)
			f.Add(byte(i), 1, "", []byte(data), true)
			f.Add(byte(i), 99, "arn", []byte(data), false)
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, v int, arn string, data []byte, empty bool) {
		wire := &nothing{t: t, empty: empty}
		c, err := inject.Open(t.Context(), inject.Options{Endpoint: "http://nothing/aws", Region: "eu-west-1", AccessKey: "AKIAFIREDRILL00000", Secret: "secret",
			Now: time.Now, HTTPClient: &http.Client{Transport: wire}})
		must(t, 0, err)
		pace := inject.SandboxTiming()
		pace.Again, pace.Poll, pace.Patience = time.Microsecond, time.Microsecond, time.Microsecond
		all := inject.NewCatalog(c, inject.CatalogOptions{Timing: pace})
		names := slices.Sorted(maps.Keys(all))
		name := names[int(kind)%len(names)]
		u := inject.Undo{Kind: name, V: v, Mark: testMark(), Target: inject.Target{ARN: arn}, Data: data}
		k := all[name]
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		readable := v == 1 && json.Unmarshal(data, &map[string]any{}) == nil
		_, err = k.Revert(ctx, u)
		_, _, lost := k.Settled(ctx, u)
		_ = k.Describe(u)
		if !readable && (err == nil || lost == nil || wire.calls > 0) {
			t.Fatalf("%s of %q version %d: reverted (%v), settled (%v), %d calls", name, data, v, err, lost, wire.calls)
		}
		if _, _, err := k.Identity(ctx, u.Target); err == nil {
			t.Fatalf("%s: %q is somebody", name, arn)
		}
	})
}

// nothing is an account with nothing in it, which refuses or answers nothing, and takes no writes.
type nothing struct {
	t     *testing.T
	empty bool
	calls int
}

// RoundTrip answers as the protocol of the request asks.
func (n *nothing) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	n.calls++
	operation := operationOf(r, body)
	if !slices.ContainsFunc([]string{"Describe", "Get", "List", "Receive"}, func(p string) bool { return strings.HasPrefix(operation, p) }) && operation != "" {
		n.t.Errorf("called %s", operation)
	}
	if n.calls > 1000 {
		return nil, errors.New("no end of calls")
	}
	status, text := http.StatusBadRequest, `{"__type":"ValidationException","message":"no"}`
	if r.Header.Get("X-Amz-Target") == "" {
		text = `<ErrorResponse><Error><Code>ValidationError</Code><Message>no</Message></Error></ErrorResponse>`
	}
	if n.empty {
		status, text = http.StatusOK, `{}`
		if r.Header.Get("X-Amz-Target") == "" {
			text = `<` + operation + `Response><` + operation + `Result></` + operation + `Result></` + operation + `Response>`
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

// FuzzSchedules lays out a dead-man's switch of any calls: whole minutes, never early, in order, each by a name of its own.
func FuzzSchedules(f *testing.F) {
	f.Add("01jd2222222222222222222222", "throttle", int64(1_700_000_000_000), uint32(0), byte(2))
	f.Add("r", strings.Repeat("long", 40), int64(1_699_999_980_000), uint32(61), byte(99))
	f.Fuzz(func(t *testing.T, run, fault string, due int64, after uint32, n byte) {
		if due < 0 || due > 4_000_000_000_000 || n > 99 || run == "" || len(run) > 26 {
			t.Skip()
		}
		calls := make([]inject.Call, n)
		for i := range calls {
			calls[i].After = time.Duration(after) * time.Second
		}
		m, at := inject.Mark{Run: run, Fault: fault}, time.UnixMilli(due)
		list := inject.Schedules(m, at, calls)
		names := map[string]bool{}
		for i, s := range list {
			least := at
			if i > 0 {
				least = list[i-1].At.Add(time.Minute + s.Call.After)
			}
			if s.At.Before(least) || s.At.Sub(least) >= time.Minute || !s.At.Equal(s.At.Truncate(time.Minute)) || s.At.Location() != time.UTC {
				t.Fatalf("%d is at %s, and may be at %s or later", i+1, s.At, least)
			}
			names[s.Name] = true
			if len(s.Name) > 64 || s.Name != inject.ScheduleName(m, i+1) {
				t.Fatalf("name %q", s.Name)
			}
		}
		if len(names) != int(n) {
			t.Fatalf("%d names of %d calls", len(names), n)
		}
	})
}
