package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The container is what docs/install.md promises: from scratch, nobody's user, built with the Go of go.mod, and of nothing
// that its first stage has not made.
func TestContainerfile(t *testing.T) {
	src, err := os.ReadFile("../../Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindStringSubmatch(string(mod))[1]
	build, image, ok := strings.Cut(strings.ReplaceAll(string(src), "\\\n", " "), "\nFROM scratch\n")
	if !ok || !strings.Contains(build, "\nFROM docker.io/library/golang:"+version+"-") {
		t.Errorf("not built with Go %s, or not from scratch", version)
	}
	for _, want := range []string{"\nUSER 65532:65532\n", "\nVOLUME /var/lib/firedrill\n", `ENTRYPOINT ["/usr/local/bin/firedrill"]`, "FIREDRILL_STATE=/var/lib/firedrill", "--chown=65532:65532 /out/state /var/lib/firedrill"} {
		if !strings.Contains(image, want) {
			t.Errorf("the image has no %q", want)
		}
	}
	if strings.Contains(image, "\nRUN ") {
		t.Error("there is no shell to run anything")
	}
	for _, m := range regexp.MustCompile(`(?m)^COPY (?:--\S+ )*(/out/\S+) `).FindAllStringSubmatch(image, -1) {
		if !strings.Contains(build, " "+m[1]) {
			t.Errorf("%s is copied, and nothing makes it", m[1])
		}
	}
}
