package drills

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/inject"
)

var update = flag.Bool("update-bad", false, "write the messages of testdata/bad anew: read every one of them before you commit")

// throttleParams and its kin stand for the parameters of the faults.
type throttleParams struct {
	Table  string `json:"table" jsonschema:"description=Name of the table"`
	Writes *int64 `json:"writes,omitempty" jsonschema:"minimum=1"`
	Reads  *int64 `json:"reads,omitempty" jsonschema:"minimum=1"`
	Load   string `json:"load,omitempty"`
}

type errorParams struct {
	Listener string            `json:"listener"`
	Path     string            `json:"path,omitempty"`
	Host     string            `json:"host,omitempty"`
	Header   map[string]string `json:"header,omitempty"`
	Status   int               `json:"status,omitempty" jsonschema:"minimum=400,maximum=599"`
	Body     string            `json:"body,omitempty" jsonschema:"maxLength=1024"`
}

type poisonParams struct {
	Queue    string `json:"queue"`
	Messages int    `json:"messages,omitempty"`
	Body     string `json:"body,omitempty"`
}

type denyParams struct {
	Table  string `json:"table"`
	Writes bool   `json:"writes,omitempty"`
	Reads  bool   `json:"reads,omitempty"`
}

type stallParams struct {
	Queue string `json:"queue"`
}

// oneScope refuses as a fault does.
func oneScope(params json.RawMessage) error {
	var p errorParams
	if err := json.Unmarshal(params, &p); err != nil {
		return err
	}
	if (p.Path == "") == (p.Host == "") {
		return inject.Refuse("path: /users*", "one of path and host")
	}
	return nil
}

func testKinds() Kinds {
	return Kinds{
		"dynamodb.throttle": {Params: func() any { return &throttleParams{} }},
		"http.error":        {Params: func() any { return &errorParams{} }, Check: oneScope},
		"sqs.poison":        {Params: func() any { return &poisonParams{} }},
		"dynamodb.deny":     {Params: func() any { return &denyParams{} }},
		"sqs.stall":         {Params: func() any { return &stallParams{} }},
	}
}

// readAny reads a file of testdata/bad by the first word of its name.
func readAny(name string, src []byte) error {
	if strings.HasPrefix(filepath.Base(name), "env-") {
		_, err := ReadEnvironments(name, src)
		return err
	}
	_, err := ReadDrill(name, src, testKinds())
	return err
}

func TestEachBadFileSaysWhatIsWrong(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 100 {
		t.Fatalf("testdata/bad holds %d files (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, rest, _ := bytes.Cut(src, []byte("\n"))
			want := strings.TrimPrefix(string(first), "# ")
			var found *Mistakes
			if err := readAny(file, src); !errors.As(err, &found) {
				t.Fatalf("read: %v, want mistakes", err)
			}
			got := strings.ReplaceAll(strings.ReplaceAll(found.Error(), "\n", " | "), file+":", "")
			if got != want {
				if !*update {
					t.Errorf("\n got %s\nwant %s", got, want)
				} else if err := os.WriteFile(file, append([]byte("# "+got+"\n"), rest...), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
