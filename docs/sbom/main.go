// Command sbom writes what a built firedrill is made of, as CycloneDX: every module that the linker has put in, with its
// version, checksum and licence, and the Go it was built with. It reads the binary itself, so the list is of what is
// delivered and not of what was meant to be.
//
//	go run ./docs/sbom -licences docs/licences.md -o dist/firedrill-linux-amd64.cdx.json dist/firedrill-linux-amd64
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

func main() {
	out := flag.String("o", "", "file to write")
	licences := flag.String("licences", "docs/licences.md", "page that tells the licence of each module")
	version := flag.String("version", "dev", "version of firedrill")
	flag.Parse()
	if err := run(flag.Arg(0), *out, *licences, *version); err != nil {
		fmt.Fprintln(os.Stderr, "sbom: "+err.Error())
		os.Exit(1)
	}
}

func run(binary, out, licences, version string) error {
	if binary == "" || out == "" {
		return errors.New("usage: sbom -o FILE BINARY")
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("read %s: %w", binary, err)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	page, err := os.ReadFile(licences)
	if err != nil {
		return err
	}
	known := licencesOf(string(page))
	if known[info.Main.Path] == "" {
		known[info.Main.Path] = "MIT"
	}
	b, err := billOf(info, filepath.Base(binary), content, version, known)
	if err != nil {
		return err
	}
	b.Metadata.Timestamp, err = stamp(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(raw, '\n'), 0o644)
}

// bill is a CycloneDX document of version 1.6: https://cyclonedx.org/docs/1.6/json/
type bill struct {
	BOMFormat    string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	SerialNumber string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp,omitempty"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licenses   []licence  `json:"licenses,omitempty"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type licence struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// billOf lists what is in a binary. A module whose licence nobody has looked up is an error: then the page is behind.
func billOf(info *debug.BuildInfo, file string, content []byte, version string, licences map[string]string) (*bill, error) {
	sum := sha256.Sum256(content)
	main := component{Type: "application", Name: file, Version: version, PURL: purl(info.Main.Path, version),
		Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}}, Licenses: licensed(licences[info.Main.Path])}
	main.Ref = main.PURL
	for _, s := range info.Settings { // what makes another binary of the same source
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "-trimpath", "-tags", "GOAMD64", "GOARM64":
			main.Properties = append(main.Properties, property{"go:build:" + s.Key, s.Value})
		}
	}
	b := &bill{BOMFormat: "CycloneDX", SpecVersion: "1.6", SerialNumber: uuid(sum), Version: 1, Metadata: metadata{Component: main}}
	std := strings.TrimPrefix(info.GoVersion, "go")
	b.Components = []component{{Type: "library", Name: "std", Version: std, PURL: "pkg:golang/std@" + std, Ref: "pkg:golang/std@" + std, Licenses: licensed("BSD-3-Clause")}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		id := licences[m.Path]
		if id == "" {
			return nil, fmt.Errorf("the licence of %s is not told. Try: a line in docs/licences.md", m.Path)
		}
		c := component{Type: "library", Name: m.Path, Version: m.Version, PURL: purl(m.Path, m.Version), Ref: purl(m.Path, m.Version), Licenses: licensed(id)}
		if raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:")); err == nil && len(raw) == sha256.Size {
			c.Hashes = []hash{{"SHA-256", hex.EncodeToString(raw)}} // of the module's files, as go.sum has it
		}
		b.Components = append(b.Components, c)
	}
	all := dependency{Ref: main.Ref}
	for _, c := range b.Components {
		all.DependsOn = append(all.DependsOn, c.Ref)
	}
	b.Dependencies = []dependency{all}
	return b, nil
}

func licensed(id string) []licence {
	var l licence
	l.License.ID = id
	return []licence{l}
}

// purl is a package URL: https://github.com/package-url/purl-spec
func purl(path, version string) string {
	return "pkg:golang/" + strings.ToLower(path) + "@" + strings.ReplaceAll(version, "+", "%2B")
}

// uuid names the document by the binary: the same one has the same name.
func uuid(sum [sha256.Size]byte) string {
	u := sum[:16]
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80 // version 8: of our own making (RFC 9562)
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// stamp is the time of the source; without one the document has none.
func stamp(epoch string) (string, error) {
	if epoch == "" {
		return "", nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return "", fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339), nil
}

// row is a line of the page of licences.
var row = regexp.MustCompile(`(?m)^\| ([a-z0-9][^ |]*/[^ |]*) \| ([A-Za-z0-9.-]+) \|`)

func licencesOf(page string) map[string]string {
	known := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(page, -1) {
		known[m[1]] = m[2]
	}
	return known
}
