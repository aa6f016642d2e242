package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/drills"
)

// TestFirstDrillMeansWhatTheAccountSays: names of the account cannot become anything but names in the file, whatever is in
// them, and what was proposed is what is read.
func TestFirstDrillMeansWhatTheAccountSays(t *testing.T) {
	kinds := newDesk(t).kinds()
	rapid.Check(t, func(t *rapid.T) {
		odd := func(label string) string {
			return rapid.StringMatching(`[ -~äß"\\#:{}$&*!|>%@\t\n-]{1,30}`).Draw(t, label)
		}
		service := rapid.SampledFrom([]string{"dynamodb", "sqs", "alb"}).Draw(t, "service")
		name := rapid.StringMatching(`[A-Za-z0-9_.-]{3,60}`).Draw(t, "name")
		tgt := target{Service: service, Name: name, ARN: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/x/1/2"}
		f := &firstDrill{Team: "orders", Target: tgt, Name: drillName(tgt), First: drills.FirstDrill(drills.FirstFault(tgt, "/x"))}
		f.Alarm, f.Why, f.Pages = "alarm "+strings.ReplaceAll(odd("alarm"), "*", ""), odd("why"), rapid.Bool().Draw(t, "pages")
		if rapid.Bool().Draw(t, "rippled") {
			f.Ripples = []string{"ripple " + strings.ReplaceAll(odd("ripple"), "*", "")}
		}
		if rapid.Bool().Draw(t, "url") {
			f.URL = "https://orders.example.com/health?q=" + odd("query")
		}
		src, err := f.render()
		if err != nil {
			t.Fatal(err)
		}
		spec, err := drills.ReadDrill("first.yaml", src, kinds)
		if err != nil {
			if f.URL != "" {
				return // an address that is none is refused with its place; init then writes nothing
			}
			t.Fatalf("%v\n%s", err, src)
		}
		if spec, err = spec.Resolve(map[string]string{}); err != nil {
			t.Fatalf("%v\n%s", err, src)
		}
		var want, got map[string]any
		if err := json.Unmarshal(f.Fault.Params, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(spec.Faults[0].Params, &got); err != nil {
			t.Fatal(err)
		}
		for k, v := range want {
			if got[k] != v {
				t.Fatalf("%s is %v, want %v, in\n%s", k, got[k], v, src)
			}
		}
		if string(*spec.Watch[0].Alarm) != f.Alarm || len(spec.Ripples) != len(f.Ripples) || len(f.Ripples) == 1 && spec.Ripples[0] != f.Ripples[0] {
			t.Fatalf("%q %q in\n%s", *spec.Watch[0].Alarm, spec.Ripples, src)
		}
		if f.URL != "" && spec.SteadyState[0].HTTP.URL != f.URL || (spec.Page.When == drills.PageAlarm) != f.Pages || spec.Limit != f.Limit {
			t.Fatalf("%+v in\n%s", spec, src)
		}
	})
}

// TestInitWritesBothOrNone: whatever cannot be written, nothing of init's is left.
func TestInitWritesBothOrNone(t *testing.T) {
	first := &firstDrill{Name: "orders-throttled", src: []byte("drill: x\n")}
	for name, spoil := range map[string]func(dir string) error{
		"the drill is there": func(dir string) error {
			return writeNew(filepath.Join(dir, "drills", "orders-throttled.yaml"), []byte("theirs"))
		},
		"the file is there":   func(dir string) error { return writeNew(filepath.Join(dir, "firedrill.yaml"), []byte("theirs")) },
		"drills is a file":    func(dir string) error { return writeNew(filepath.Join(dir, "drills"), []byte("theirs")) },
		"a link to elsewhere": func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "firedrill.yaml")) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			if err := spoil(d.Dir); err != nil {
				t.Fatal(err)
			}
			before := tree(t, d.Dir)
			if err := d.writeFirst(filepath.Join(d.Dir, "firedrill.yaml"), []byte("environments:\n"), first); err == nil {
				t.Error("it was written")
			}
			if after := tree(t, d.Dir); after != before {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
			if d.out.Len() > 0 {
				t.Errorf("told as written: %s", d.out.String())
			}
		})
	}
}

// tree is what stands in a folder.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		content := ""
		if e.Type().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = string(b)
		}
		all = append(all, strings.TrimPrefix(path, dir)+" "+e.Type().String()+" "+content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}

func TestDrillNames(t *testing.T) {
	for _, row := range []struct{ service, name, want string }{
		{"dynamodb", "orders", "orders-throttled"},
		{"dynamodb", "Staging_Orders.v2", "staging-orders-v2-throttled"},
		{"dynamodb", "2fa", "first-2fa-throttled"},
		{"dynamodb", "...", "first-throttled"},
		{"sqs", "orders", "orders-poisoned"},
		{"alb", "shop/443", "shop-errors"},
		{"dynamodb", strings.Repeat("a", 255), strings.Repeat("a", 40) + "-throttled"},
	} {
		got := drillName(target{Service: row.service, Name: row.name})
		if got != row.want {
			t.Errorf("%s %s: %s, want %s", row.service, row.name, got, row.want)
		}
	}
	if minutes(90*time.Second) != "1m30s" || minutes(2*time.Hour) != "120m" {
		t.Error(minutes(90*time.Second), minutes(2*time.Hour))
	}
}

// TestTargetRows: what can be drilled stands first, and what rules the others out beside them.
func TestTargetRows(t *testing.T) {
	options, out := targetOptions([]target{
		{Name: "alpha", Says: "on demand", Out: "it is a global table", Mend: "use a table of one region"},
		{Name: "beta", Says: "on demand"},
		{Name: "orders-prod", Says: "on demand"},
		{Name: "slow", Unread: "not looked at"},
		{Name: "updating", Says: "on demand", Out: "it is UPDATING", Later: true},
	}, nil)
	var rows []string
	for _, o := range options {
		rows = append(rows, o.Key)
	}
	want := "beta  on demand\nslow  (not looked at)\nupdating  on demand\nalpha  NOT: it is a global table\norders-prod  NOT: its name says \"prod\": firedrill never touches production"
	if got := strings.Join(rows, "\n"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if len(out) != 2 || out["alpha"] != "it is a global table. Try: use a table of one region" {
		t.Errorf("%v", out)
	}
}
