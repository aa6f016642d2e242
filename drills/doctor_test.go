package drills_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// examine has a doctor look at the scene.
func (s *scene) examine(t *testing.T, more ...func(*drills.Examination)) []drills.Finding {
	t.Helper()
	x := drills.Examination{Run: runID, Drills: []*drills.Spec{&s.spec}}
	for _, m := range more {
		m(&x)
	}
	found, err := s.steps().Doctor(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	s.untouched(t)
	for _, f := range found {
		if ill := f.Health == drills.Ailing || f.Health == drills.Wrong; ill && f.Try == "" || f.Group == "" || f.Check == "" || f.Found == "" {
			t.Errorf("a finding that helps nobody: %+v", f)
		}
	}
	return found
}

// with are the findings of one health, or of one check.
func with(found []drills.Finding, keep func(drills.Finding) bool) (list []drills.Finding) {
	for _, f := range found {
		if keep(f) {
			list = append(list, f)
		}
	}
	return list
}

func isWrong(f drills.Finding) bool  { return f.Health == drills.Wrong }
func isAiling(f drills.Finding) bool { return f.Health == drills.Ailing }

func TestDoctorOfAScene(t *testing.T) {
	s := newScene(t)
	found := s.examine(t)
	if list := with(found, isWrong); len(list) > 0 {
		t.Errorf("wrong: %+v", list)
	}
	plans := with(found, func(f drills.Finding) bool { return f.Check == "plan" })
	if len(plans) != 1 || plans[0].Health != drills.Healthy {
		t.Errorf("plans: %+v", plans)
	}
	var checks []string
	for _, f := range found {
		if !slices.Contains(checks, f.Check) {
			checks = append(checks, f.Check)
		}
	}
	for i, c := range drills.DoctorChecks() {
		if i >= len(checks) || checks[i] != c.Name {
			t.Fatalf("told are %q; check %d is %s", checks, i, c.Name)
		}
	}
}

// A doctor that says ok where run refuses is a lie: whatever a guard refuses is found, and is as bad as the guard says. In
// the wrong place nothing is looked at.
func TestDoctorFindsWhatRunRefuses(t *testing.T) {
	for _, row := range guardRows() {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			row.spoil(s)
			found := s.examine(t)
			if closed := row.code == "window" && row.later; closed { // no fault of the set-up: it says when it opens
				told := with(found, func(f drills.Finding) bool { return f.Check == "window" })
				if len(told) != 1 || told[0].Health != drills.Healthy || !strings.Contains(told[0].Found, row.words[len(row.words)-1]) {
					t.Errorf("told: %+v", told)
				}
				return
			}
			bad, other := with(found, isWrong), with(found, isAiling)
			if row.later {
				bad, other = other, bad
			}
			if len(bad) == 0 || len(with(other, isWrong)) > 0 {
				t.Fatalf("run would refuse (%s); found were %+v", row.code, found)
			}
			text := ""
			for _, f := range bad {
				text += f.Found + "\nTry: " + f.Try + "\n"
			}
			for _, word := range row.words {
				word = word[strings.LastIndex(word, ": ")+1:] // of a risk what it is, not what a page would meet with
				if !strings.Contains(text, strings.Trim(word, " []{}")) {
					t.Errorf("%q does not stand in\n%s", word, text)
				}
			}
			if slices.Contains([]string{"account", "region", "production"}, row.code) && strings.HasPrefix(row.name, "wrong") && s.looks > 0 {
				t.Errorf("%d looks at the target in the wrong place", s.looks)
			}
		})
	}
}

// Every finding is told once, in order, as soon as it can be; whoever waits hears how far it is.
func TestDoctorTellsInOrder(t *testing.T) {
	s := newScene(t)
	var told []drills.Finding
	last := -1
	found := s.examine(t, func(x *drills.Examination) {
		x.Tell = func(f drills.Finding) { told = append(told, f) }
		x.Progress = func(done, all int) {
			if done != last+1 || all != len(drills.DoctorChecks()) {
				t.Errorf("%d of %d after %d", done, all, last)
			}
			last = done
		}
	})
	if len(told) != len(found) || last != len(drills.DoctorChecks()) {
		t.Fatalf("%d told of %d, %d checks done", len(told), len(found), last)
	}
	for i := range told {
		if told[i].Check != found[i].Check || told[i].Found != found[i].Found {
			t.Errorf("told %d is %+v, found %+v", i, told[i], found[i])
		}
	}
}

// What breaks in one check keeps no other from being made.
func TestDoctorOutlivesAPanic(t *testing.T) {
	s := newScene(t)
	st := s.steps()
	st.World.Secret = func(context.Context, string) (string, error) { panic("no memory") }
	found, err := st.Doctor(t.Context(), drills.Examination{Run: runID, Drills: []*drills.Spec{&s.spec}})
	broke := with(found, func(f drills.Finding) bool { return strings.Contains(f.Found, "the check broke: no memory") })
	if err != nil || len(broke) == 0 || len(with(found, func(f drills.Finding) bool { return f.Check == "tags" && f.Health == drills.Healthy })) == 0 {
		t.Errorf("%v: %+v", err, found)
	}
}

func TestDoctorCalledOff(t *testing.T) {
	s := newScene(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	found, err := s.steps().Doctor(ctx, drills.Examination{Run: runID, Drills: []*drills.Spec{&s.spec}})
	if !errors.Is(err, context.Canceled) || len(with(found, isWrong)) > 0 {
		t.Errorf("err %v, found %+v", err, found)
	}
}

// The commands that mend tags are those of each service, with the target's own ids.
func TestDoctorTagging(t *testing.T) {
	const queue, dlq = "arn:aws:sqs:eu-west-1:" + account + ":orders", "arn:aws:sqs:eu-west-1:" + account + ":orders-dlq"
	const listener = "arn:aws:elasticloadbalancing:eu-west-1:" + account + ":listener/app/web/1/2"
	for name, row := range map[string]struct {
		target inject.Target
		spoil  func(*scene)
		want   string
	}{
		"table": {inject.Target{ARN: tableARN}, func(*scene) {},
			"aws dynamodb tag-resource --resource-arn " + tableARN + " --tags Key=environment,Value=staging Key=firedrill,Value=allowed --region eu-west-1"},
		"queues": {inject.Target{ARN: queue, Also: []string{dlq}}, func(*scene) {},
			"aws sqs tag-queue --queue-url https://sqs.eu-west-1.amazonaws.com/" + account + "/orders --tags environment=staging,firedrill=allowed --region eu-west-1 && " +
				"aws sqs tag-queue --queue-url https://sqs.eu-west-1.amazonaws.com/" + account + "/orders-dlq --tags environment=staging,firedrill=allowed --region eu-west-1"},
		"listener": {inject.Target{ARN: listener}, func(s *scene) { s.tags["environment"] = "staging" },
			"aws elbv2 add-tags --resource-arns " + strings.Replace(listener, "listener/app/web/1/2", "loadbalancer/app/web/1", 1) + " " + listener + " --tags Key=firedrill,Value=allowed --region eu-west-1"},
		"another endpoint, and a value that a shell would cut": {inject.Target{ARN: tableARN}, func(s *scene) {
			s.env.AWS.Endpoint, s.env.Tags = "http://127.0.0.1:1/aws", map[string]string{"note": "may break; ask 'Ann'"}
		}, "aws dynamodb tag-resource --resource-arn " + tableARN + ` --tags 'Key=note,Value=may break; ask '\''Ann'\''' --region eu-west-1 --endpoint-url http://127.0.0.1:1/aws`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			row.target.Account, row.target.Region = account, "eu-west-1"
			s.target, s.tags = row.target, map[string]string{}
			row.spoil(s)
			tags := with(s.examine(t), func(f drills.Finding) bool { return f.Check == "tags" })
			if len(tags) != 1 || tags[0].Health != drills.Wrong || tags[0].Try != row.want {
				t.Errorf("found %+v\nwant %s", tags, row.want)
			}
		})
	}
}

// Alarms of each sort get the command that lets them tell somebody.
func TestDoctorGivesAnAlarmItsAction(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(a *observe.Alarm)
		want  string
	}{
		"plain": {func(a *observe.Alarm) { a.Statistic, a.Period = "Sum", 0; a.Period += 60e9 },
			"aws cloudwatch put-metric-alarm --alarm-name throttled --namespace AWS/DynamoDB --metric-name WriteThrottleEvents --dimensions Name=TableName,Value=orders" +
				" --statistic Sum --period 60 --evaluation-periods 1 --datapoints-to-alarm 1 --threshold 0 --comparison-operator GreaterThanThreshold --treat-missing-data notBreaching" +
				" --actions-enabled --alarm-actions " + topic + " --ok-actions " + topic + " --region eu-west-1"},
		"percentile": {func(a *observe.Alarm) { a.Statistic = "p99" }, " --extended-statistic p99 "},
		"composite": {func(a *observe.Alarm) { a.Composite, a.Metric, a.Rule = true, "", `ALARM("other")` },
			`aws cloudwatch put-composite-alarm --alarm-name throttled --alarm-rule 'ALARM("other")' --actions-enabled --alarm-actions ` + topic},
		"mathematics": {func(a *observe.Alarm) { a.Metric, a.Expression = "", "a/b" }, "add alarm action " + topic + " to alarm throttled"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			other := alarmOn("other", "WriteThrottleEvents", "TableName", "orders")
			a := &s.alarms.list[0]
			a.Actions, a.OKActions = nil, nil
			row.spoil(a)
			s.alarms.list = append(s.alarms.list, other)
			actions := with(s.examine(t), func(f drills.Finding) bool { return f.Check == "actions" && f.Health == drills.Wrong })
			if len(actions) != 1 || !strings.Contains(actions[0].Try, row.want) {
				t.Errorf("found %+v\nwant %s", actions, row.want)
			}
		})
	}
}

// A topic whose subscriptions may be read is followed; where they may not, it stands for PagerDuty as in the plan.
func TestDoctorFollowsTopics(t *testing.T) {
	sub := func(protocol, endpoint string, confirmed bool) []inject.Subscription {
		return []inject.Subscription{{Protocol: protocol, Endpoint: endpoint, Confirmed: confirmed}}
	}
	for name, row := range map[string]struct {
		subs []inject.Subscription
		err  error
		want drills.Health
	}{
		"nobody listens":           {nil, nil, drills.Ailing},
		"PagerDuty":                {sub("https", "https://events.eu.pagerduty.com/integration/x/enqueue", true), nil, drills.Healthy},
		"PagerDuty, not confirmed": {sub("https", "https://events.pagerduty.com/integration/x/enqueue", false), nil, drills.Ailing},
		"a chat":                   {sub("https", "https://chat.example.com/hook", true), nil, drills.Ailing},
		"a function":               {sub("lambda", "arn:aws:lambda:eu-west-1:"+account+":function:forward", true), nil, drills.Healthy},
		"may not be read":          {nil, errors.New("AccessDenied"), drills.Healthy},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			found := s.examine(t, func(x *drills.Examination) {
				x.Eyes.Topic = func(_ context.Context, arn string) ([]inject.Subscription, error) {
					if arn != topic {
						t.Errorf("asked for %s", arn)
					}
					return row.subs, row.err
				}
			})
			actions := with(found, func(f drills.Finding) bool { return f.Check == "actions" })
			if len(actions) != 1 || actions[0].Health != row.want {
				t.Errorf("%+v, want %s", actions, row.want)
			}
		})
	}
}

// The shared journal's table is held to what init sets.
func TestDoctorLooksAtTheTable(t *testing.T) {
	for name, row := range map[string]struct {
		look journal.TableLook
		err  error
		want []string // health and a word of each finding
	}{
		"complete":           {journal.TableLook{Protected: true, Recoverable: true}, nil, []string{"ok protected"}},
		"bare":               {journal.TableLook{}, nil, []string{"warn not protected", "warn point-in-time"}},
		"somebody else's":    {journal.TableLook{Other: "it is no journal of firedrill's"}, nil, []string{"wrong no journal"}},
		"may not be read":    {journal.TableLook{}, errors.New("AccessDenied"), []string{"ok cannot be told"}},
		"in another region":  {journal.TableLook{Recoverable: true}, nil, []string{"warn not protected"}},
		"only not protected": {journal.TableLook{Recoverable: true}, nil, []string{"warn not protected"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.env.Store = drills.StoreSpec{Kind: "dynamodb", Table: "firedrill", Region: "eu-central-1"}
			st := s.steps()
			st.Lever = func(context.Context) (drills.Lever, error) { return drills.Lever{}, nil }
			found, err := st.Doctor(t.Context(), drills.Examination{Run: runID, Drills: []*drills.Spec{&s.spec},
				Eyes: drills.Eyes{Table: func(context.Context) (journal.TableLook, error) { return row.look, row.err }}})
			if err != nil {
				t.Fatal(err)
			}
			store := with(found, func(f drills.Finding) bool { return f.Check == "store" })
			if len(store) != len(row.want) {
				t.Fatalf("%+v", store)
			}
			for i, want := range row.want {
				health, word, _ := strings.Cut(want, " ")
				if string(store[i].Health) != health || !strings.Contains(store[i].Found, word) {
					t.Errorf("%+v, want %s", store[i], want)
				}
				if health == "warn" && !strings.Contains(store[i].Try, "--region eu-central-1") {
					t.Errorf("it is mended in another region: %s", store[i].Try)
				}
			}
		})
	}
}
