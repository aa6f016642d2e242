package killtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build builds the program into dir, as it ships; FIREDRILL_BINARY names one that is built already.
func Build(ctx context.Context, dir string) (string, error) {
	return build(ctx, os.Getenv("FIREDRILL_BINARY"), filepath.Join(dir, "firedrill"), "")
}

// BuildPlanted builds the program with crash points and planted panics; FIREDRILL_PLANTED names one that is built
// already.
func BuildPlanted(ctx context.Context, dir string) (string, error) {
	return build(ctx, os.Getenv("FIREDRILL_PLANTED"), filepath.Join(dir, "firedrill-planted"), "crashpoints")
}

func build(ctx context.Context, built, path, tags string) (string, error) {
	if built != "" {
		return filepath.Abs(built)
	}
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", tags, "-o", path, "github.com/firedrill/firedrill/cmd/firedrill")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build firedrill: %w\n%s", err, out)
	}
	return path, nil
}
