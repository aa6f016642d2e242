// Command schema makes PagerDuty's published OpenAPI files usable as a contract: it fetches them at a pinned commit,
// checks their sha256, keeps what firedrill calls, mends what contradicts PagerDuty's own documentation, and writes the
// result where git does not look. The files are PagerDuty's and carry no licence: they are never committed.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

// commit is the one of https://github.com/PagerDuty/api-schema that is meant.
const commit = "91a06fb3c64b0ab2b2bd6c485d12b327dfb55c18"

// source is one published file, and what becomes of it.
type source struct {
	path, sha256, out string
	make              func(document) (document, map[string]int)
}

func sources() []source {
	return []source{
		{"reference/REST/openapiv3.json", "b2e80f8b83b170f29702e96a69adf230702b4ec43dddab7e348a2985c707ef35", "rest.json",
			func(d document) (document, map[string]int) { d = prune(d, kept()); return d, mend(d) }},
		{"reference/events-v2/openapiv3.json", "f5570ec1049850501363447415a9202118586281286c3ccc8cd996f8429d1908", "events.json",
			func(d document) (document, map[string]int) { return d, map[string]int{} }},
	}
}

func main() {
	from := flag.String("from", "", "a folder with the published files, instead of the network: reference/REST/openapiv3.json below it")
	out := flag.String("o", "bin/pagerduty-schema", "the folder to write to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *from, *out)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "schema: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, from, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, s := range sources() {
		raw, err := s.read(ctx, from)
		if err != nil {
			return err
		}
		if got := sum(raw); got != s.sha256 {
			return fmt.Errorf("%s at %s: sha256 is %s, pinned is %s", s.path, commit, got, s.sha256)
		}
		made, fixes, err := s.convert(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
		if err := os.WriteFile(filepath.Join(out, s.out), made, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d bytes of %d, sha256 %s, mended %v\n", filepath.Join(out, s.out), len(made), len(raw), sum(made), fixes)
	}
	return os.WriteFile(filepath.Join(out, "commit"), []byte(commit+"\n"), 0o644)
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// convert is the same bytes for the same bytes.
func (s source) convert(raw []byte) ([]byte, map[string]int, error) {
	d, err := decode(raw)
	if err != nil {
		return nil, nil, err
	}
	d, fixes := s.make(d)
	made, err := json.MarshalIndent(d, "", " ")
	return append(made, '\n'), fixes, err
}

func (s source) read(ctx context.Context, from string) ([]byte, error) {
	if from != "" {
		return os.ReadFile(filepath.Join(from, filepath.FromSlash(s.path)))
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	at := "https://raw.githubusercontent.com/PagerDuty/api-schema/" + commit + "/" + s.path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", at, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 16<<20))
}
