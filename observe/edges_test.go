package observe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
)

func TestSupportHoursEndWhereTheySay(t *testing.T) {
	hours := pd.SupportHours{Timezone: "America/New_York", StartTime: "09:00:00", EndTime: "17:00:00", DaysOfWeek: []uint{1, 2, 3, 4, 5}}
	zone, err := time.LoadLocation(hours.Timezone)
	if err != nil {
		t.Fatal(err)
	}
	for at, inside := range map[time.Time]bool{
		time.Date(2026, 11, 23, 8, 59, 59, 0, zone):  false, // a Monday
		time.Date(2026, 11, 23, 9, 0, 0, 0, zone):    true,
		time.Date(2026, 11, 27, 16, 59, 59, 0, zone): true,
		time.Date(2026, 11, 27, 17, 0, 0, 0, zone):   false,
		time.Date(2026, 11, 28, 12, 0, 0, 0, zone):   false,
		time.Date(2026, 11, 29, 12, 0, 0, 0, zone):   false,
	} {
		if got, known := within(&hours, at.UTC()); !known || got != inside {
			t.Errorf("%v: inside %v, known %v", at, got, known)
		}
	}
	for name, change := range map[string]func(*pd.SupportHours){
		"no such zone": func(h *pd.SupportHours) { h.Timezone = "Mars/Olympus" },
		"no start":     func(h *pd.SupportHours) { h.StartTime = "" },
		"over night":   func(h *pd.SupportHours) { h.StartTime, h.EndTime = "22:00:00", "06:00:00" },
	} {
		odd := hours
		change(&odd)
		if _, known := within(&odd, time.Now()); known {
			t.Errorf("%s: known", name)
		}
	}
}

func TestFindLooksAtEveryAlert(t *testing.T) {
	p, _ := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/alerts") {
			reply(w, 200, `{"incidents":[`+incident("PSTORM", "PORDERS", "2026-11-22T10:00:00Z")+`]}`)
			return
		}
		if r.URL.Query().Get("offset") == "100" {
			reply(w, 200, `{"alerts":[`+alert("AOURS", testPage)+`],"more":false}`)
			return
		}
		many := make([]string, 100)
		for i := range many {
			many[i] = alert(fmt.Sprint("A", i), fmt.Sprint("storm-", i))
		}
		reply(w, 200, `{"alerts":[`+strings.Join(many, ",")+`],"more":true}`)
	})
	got, err := p.Find(t.Context(), "PORDERS", testPage, time.Now())
	if err != nil || got == nil || len(got.Alerts) != 101 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFindGivesUpOnManyStrangers(t *testing.T) {
	var list []string
	for i := range 90 {
		list = append(list, incident(fmt.Sprint("P", i), "PORDERS", "2026-11-22T10:00:00Z"))
	}
	p, f := newFake(t, desk{incidents: list}.ServeHTTP)
	if got, err := p.Find(t.Context(), "PORDERS", testPage, time.Now()); got != nil || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if f.count() > manyMatches+1 {
		t.Errorf("%d requests for one key", f.count())
	}
}

func TestWaitingForATurnHonoursTheCaller(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		reply(w, 200, `{"log_entries":[]}`)
	})
	var first sync.WaitGroup
	first.Go(func() {
		if _, err := p.Log(context.Background(), "P1"); err != nil {
			t.Error(err)
		}
	})
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := p.Log(ctx, "P1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("in the queue: %v", err)
	}
	close(release)
	first.Wait()
	if f.count() != 1 {
		t.Errorf("%d requests", f.count())
	}
}

func TestBackingOffGrows(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 503, ``) })
	if err := p.Send(t.Context(), testKey, Page{Key: testPage, Title: "x"}); err == nil {
		t.Fatal("sent")
	}
	for i, least := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
		if i >= len(f.waits) || f.waits[i] < least || f.waits[i] > least+500*time.Millisecond {
			t.Fatalf("waited %v", f.waits)
		}
	}
	for try, least := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, 30 * time.Second} {
		got, again := p.wire.again(call{}, &answer{status: 429, header: http.Header{}}, try+1)
		if !again || got < least || got > least+500*time.Millisecond {
			t.Errorf("rate limit, try %d: %v", try+1, got)
		}
	}
}

func TestAlarmErrorsKeepTheirCause(t *testing.T) {
	cause := errors.New("expired credentials")
	api := &cloud{
		alarms: func(*cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) { return nil, cause },
		history: func(*cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
			return nil, cause
		},
	}
	_, first := NewAlarms(api).Describe(t.Context(), []string{"a"})
	_, second := NewAlarms(api).Describe(t.Context(), []string{"a*"})
	_, third := NewAlarms(api).History(t.Context(), "a", time.Time{})
	_, fourth := CloudWatchDate(api)(t.Context())
	for i, err := range []error{first, second, third, fourth} {
		if !errors.Is(err, cause) || strings.Contains(err.Error(), "failed") {
			t.Errorf("%d: %v", i, err)
		}
	}
	api.alarms = func(*cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
		return &cloudwatch.DescribeAlarmsOutput{}, nil
	}
	if _, err := CloudWatchDate(api)(t.Context()); !errors.Is(err, errNoDate) {
		t.Errorf("an answer without a date: %v", err)
	}
}

func TestAProbeThatIsCalledOffIsUnknown(t *testing.T) {
	c := &cloud{queue: func(ctx context.Context, _ string) (map[string]string, error) { return nil, ctx.Err() }}
	p, err := NewProbe(specOf(t, `sqs: {queue: q, visible: "<= 5"}`), Clients{SQS: c, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := p.Read(ctx); got.Value != Unknown || got.Why != "the look was called off" {
		t.Errorf("%+v", got)
	}
	if p.Label() != "sqs q visible <= 5" || (ProbeSpec{}).Label() != "nothing" {
		t.Errorf("label %q", p.Label())
	}
}

func TestTheShelfIsSharedSafely(t *testing.T) {
	s := &alertShelf{}
	i := incidentJSON{ID: "P1", UpdatedAt: "x"}
	i.Counts.All = 1
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				s.put(i, []Alert{{Key: testPage}})
				if got, ok := s.get(i); !ok || got[0].Key != testPage {
					t.Error("lost")
				} else {
					got[0].Key = "mine now"
				}
			}
		})
	}
	all.Wait()
}
