package killtest_test

import (
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/killtest"
)

func TestStagingIsAnEnvironment(t *testing.T) {
	w := killtest.World{AWS: "http://127.0.0.1:1/aws", Region: "eu-west-1", Account: "111122223333", From: "drills@example.com", Bot: "PBOT1",
		Token: "a-token", Vars: map[string]string{"orders_table": "orders"}}
	w.Teams = map[string]struct {
		Service string `json:"service"`
		Key     string `json:"key"`
	}{"orders": {Service: "PORDERS", Key: "a-key"}}
	f, err := drills.ReadEnvironments("firedrill.yaml", []byte(w.Staging(`metrics: {pushgateway: "http://127.0.0.1:9091"}`)))
	if err != nil {
		t.Fatal(err)
	}
	env := f.Environments["staging"]
	if env.Metrics.Pushgateway == "" || env.Vars["orders_table"] != "orders" || env.Store.Kind != "dynamodb" {
		t.Errorf("%+v", env)
	}
	if all := strings.Join(w.Secrets(), " "); strings.Contains(w.Staging(), "a-key") || !strings.Contains(all, "ORDERS_KEY=a-key") {
		t.Errorf("%s", all)
	}
}
