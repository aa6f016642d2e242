package drills

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sandboxVars are the variables of the sandbox.
func sandboxVars() map[string]string {
	return map[string]string{
		"orders_table": "orders", "stock_table": "stock", "orders_queue": "http://127.0.0.1:1/aws/111122223333/orders",
		"orders_dlq": "http://127.0.0.1:1/aws/111122223333/orders-dlq", "orders_url": "http://127.0.0.1:2",
		"lb_url": "http://127.0.0.1:3", "listener": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/orders/1/2",
		"users_url": "http://127.0.0.1:3/users", "home_url": "http://127.0.0.1:3/",
	}
}

func TestEveryShippedDrillRunsOnTheSandboxsVariables(t *testing.T) {
	list, err := NewLibrary(nil, testKinds()).List()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range list {
		names = append(names, l.Name)
		if l.Broken != nil || l.Title == "" || l.Source != "" || l.Hides {
			t.Errorf("%+v", l)
			continue
		}
		s, err := NewLibrary(nil, testKinds()).Find(l.Name)
		if err != nil || s.Drill != l.Name || s.Source != "" {
			t.Errorf("%s: %v", l.Name, err)
			continue
		}
		if s, err = s.Resolve(sandboxVars()); err != nil {
			t.Error(err)
			continue
		}
		if len(s.Hints) < 2 || len(s.Evidence) < 2 || len(s.Look) < 2 || len(s.SteadyState) == 0 || len(s.StopConditions) != 1 || s.Runbook == "" || len(s.Scenario) < 80 {
			t.Errorf("%s is too thin for a card: %+v", l.Name, s)
		}
		if s.StopConditions[0].Label() != "alarm checkout-customers-hurt" {
			t.Errorf("%s stops at %s", l.Name, s.StopConditions[0].Label())
		}
	}
	want := []string{"orders-dead-letters", "orders-queue-stalled", "orders-write-throttle", "orders-writes-denied", "user-api-500s", "web-page-errors-no-alarm"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestOwnDrillsHideThoseOfTheLibrary(t *testing.T) {
	dir := t.TempDir()
	mine := write(t, filepath.Join(dir, "mine.yml"), strings.Replace(small, "drill: small", "drill: user-api-500s", 1))
	write(t, filepath.Join(dir, "small.yaml"), small)
	write(t, filepath.Join(dir, "broken.yaml"), "drill: broken\nlimit: 5\n")
	write(t, filepath.Join(dir, "notes.txt"), "no drill")
	write(t, filepath.Join(dir, ".hidden.yaml"), "no drill")
	l := NewLibrary([]string{dir}, testKinds())
	s, err := l.Find("user-api-500s")
	if err != nil || s.Title != "A title" || s.Source != mine {
		t.Errorf("find: %v %+v", err, s)
	}
	list, err := l.List()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range list {
		line := l.Name
		if l.Hides {
			line += " hides"
		}
		if l.Broken != nil {
			line += " broken"
		}
		if l.Source != "" {
			line += " " + filepath.Base(l.Source)
		}
		got = append(got, line)
	}
	want := []string{"broken broken broken.yaml", "small small.yaml", "user-api-500s hides mine.yml", "orders-dead-letters", "orders-queue-stalled",
		"orders-write-throttle", "orders-writes-denied", "web-page-errors-no-alarm"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var found *Mistakes
	if _, err := l.Find("broken"); !errors.As(err, &found) || !strings.HasPrefix(err.Error(), filepath.Join(dir, "broken.yaml")+":1:1: ") {
		t.Errorf("broken: %v", err)
	}
	if s, err := l.Find(mine); err != nil || s.Source != mine {
		t.Errorf("by path: %v", err)
	}
}

func TestTheSameNameTwiceIsAnError(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	first, second := write(t, filepath.Join(one, "a.yaml"), small), write(t, filepath.Join(two, "b.yaml"), small)
	l := NewLibrary([]string{one, two}, testKinds())
	want := "drill small stands twice: in " + first + " and in " + second + ". Try: rename one"
	if _, err := l.Find("small"); err == nil || err.Error() != want {
		t.Errorf("find: %v", err)
	}
	if list, err := l.List(); err == nil || err.Error() != want || len(list) != 8 {
		t.Errorf("list: %d %v", len(list), err)
	}
	if _, err := l.Find("user-api-500s"); err != nil {
		t.Errorf("another drill suffers: %v", err)
	}
}

func TestFindTellsWhatIsNotThere(t *testing.T) {
	l := NewLibrary(nil, testKinds())
	for name, want := range map[string]string{
		"user-api-50s":       `there is no drill "user-api-50s". Try: did you mean user-api-500s?`,
		"zzz":                "firedrill list",
		"./none.yaml":        "no such file",
		"none.yml":           "no such file",
		t.TempDir() + "/a/b": "no such file",
	} {
		if _, err := l.Find(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	gone := NewLibrary([]string{"testdata/none"}, nil)
	if list, err := gone.List(); err == nil || !strings.Contains(err.Error(), "testdata/none") || len(list) != 6 {
		t.Errorf("a folder that is gone: %d %v", len(list), err)
	}
	if _, err := gone.Find("user-api-500s"); err == nil {
		t.Error("a folder that is gone may hide what was asked for, and was passed over")
	}
}

func TestNewFromKeepsAllButTheName(t *testing.T) {
	l := NewLibrary(nil, testKinds())
	for _, name := range []string{"orders-dead-letters", "orders-queue-stalled", "orders-write-throttle", "orders-writes-denied", "user-api-500s", "web-page-errors-no-alarm"} {
		src, _, err := l.Source(name)
		if err != nil {
			t.Fatal(err)
		}
		out, err := NewFrom(src, "ours", nil)
		if err != nil {
			t.Fatal(err)
		}
		header, rest, _ := strings.Cut(string(out), "\n")
		if !strings.HasPrefix(header, "# ours, made from "+name) || rest != strings.Replace(string(src), "drill: "+name, "drill: ours", 1) {
			t.Errorf("%s became\n%s", name, out)
		}
	}
}

func TestNewFromExchangesVariables(t *testing.T) {
	src := strings.Replace(small, "title: A title", "title: ${orders_table} $${orders_table} # ${orders_table}", 1)
	out, err := NewFrom([]byte(src), "ours", map[string]string{"orders_table": "carts"})
	if err != nil || !regexp.MustCompile(`title: carts \$\$\{orders_table\} # carts\n(?s).*table: "carts"`).Match(out) {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = NewFrom([]byte(src), "ours", map[string]string{"orders_table": "${carts}"})
	if err != nil || !strings.Contains(string(out), `table: "${carts}"`) {
		t.Errorf("%v\n%s", err, out)
	}
	for name, vars := range map[string]map[string]string{
		"no variable": {"order_table": "x"}, "cannot stand": {"orders_table": "a: b"}, "not the name": nil,
	} {
		as := map[bool]string{true: "Ours", false: "ours"}[vars == nil]
		if _, err := NewFrom([]byte(src), as, vars); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	quoted := strings.Replace(small, "drill: small", "{}: # \"drill\": ", 1)
	if _, err := NewFrom([]byte(quoted), "ours", nil); err == nil {
		t.Error("a broken drill was copied")
	}
	if out, err := NewFrom([]byte(strings.Replace(small, "drill: small", `"drill":  "small" # small`, 1)), "ours", nil); err != nil || !strings.Contains(string(out), `"drill":  "ours" # small`) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestSkeletonIsADrill(t *testing.T) {
	s, err := ReadDrill("new.yaml", Skeleton("carts-throttle"), testKinds())
	if err != nil || s.Drill != "carts-throttle" {
		t.Fatal(err)
	}
	if _, err := s.Resolve(sandboxVars()); err != nil {
		t.Error(err)
	}
}
