package drills

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	Status   int               `json:"status,omitempty"`
	Body     string            `json:"body,omitempty"`
}

type poisonParams struct {
	Queue    string `json:"queue"`
	Messages int    `json:"messages,omitempty"`
	Body     string `json:"body,omitempty"`
}

func testKinds() Kinds {
	return Kinds{
		"dynamodb.throttle": func() any { return &throttleParams{} },
		"http.error":        func() any { return &errorParams{} },
		"sqs.poison":        func() any { return &poisonParams{} },
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
