// Command man writes the manual pages and the shells' completions of firedrill, from its own help: what a packager puts
// beside the binary. It is a program of its own, so that what writes manuals is no part of firedrill.
//
//	go run ./docs/man -o dist
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/firedrill/firedrill/cmd"
)

func main() {
	out := flag.String("o", "dist", "folder to write into")
	version := flag.String("version", "dev", "version that the pages name")
	flag.Parse()
	if err := run(*out, *version, os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		fmt.Fprintln(os.Stderr, "man: "+err.Error())
		os.Exit(1)
	}
}

// run writes man/*.1, and firedrill-manual.tar.gz with these and the completions. The same source gives the same bytes:
// the only time in them is that of the source.
func run(dir, version, epoch string) error {
	at := time.Unix(0, 0).UTC()
	if epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err)
		}
		at = time.Unix(seconds, 0).UTC()
	}
	pages, err := manual(version, at)
	if err != nil {
		return err
	}
	completions, err := completions()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "man"), 0o755); err != nil {
		return err
	}
	all := map[string][]byte{}
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(dir, "man", name), page, 0o644); err != nil {
			return err
		}
		all["man/man1/"+name] = page
	}
	for name, script := range completions {
		all["completions/"+name] = script
	}
	return os.WriteFile(filepath.Join(dir, "firedrill-manual.tar.gz"), pack(all, at), 0o644)
}

// manual is a page for firedrill, and one for each verb.
func manual(version string, at time.Time) (map[string][]byte, error) {
	pages := map[string][]byte{}
	var write func(c *cobra.Command) error
	write = func(c *cobra.Command) error {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		var b bytes.Buffer
		head := &doc.GenManHeader{Title: strings.ToUpper(name), Section: "1", Date: &at, Source: "firedrill " + version, Manual: "firedrill manual"}
		c.Long = markdown(c.Long)
		if err := doc.GenMan(c, head, &b); err != nil {
			return fmt.Errorf("write page %s: %w", name, err)
		}
		pages[name+".1"] = ascii(b.String())
		for _, below := range c.Commands() {
			if !below.IsAvailableCommand() || below.IsAdditionalHelpTopicCommand() {
				continue
			}
			if err := write(below); err != nil {
				return err
			}
		}
		return nil
	}
	root := cmd.Tree(cmd.NewDeps())
	root.DisableAutoGenTag = true // it has the time of day
	return pages, write(root)
}

// ascii spells every other character as troff does in every locale.
func ascii(page string) []byte {
	var b bytes.Buffer
	for _, r := range page {
		if r < 0x80 {
			b.WriteByte(byte(r))
			continue
		}
		fmt.Fprintf(&b, `\[u%04X]`, r)
	}
	return b.Bytes()
}

// special are the characters of help's plain words that Markdown would read as something else.
var special = regexp.MustCompile("[\\\\`*_<>#\\[\\]|~]")

// markdown makes of help's plain words what the page writer reads: indented lines are examples, and the exit codes are a
// chapter of their own.
func markdown(long string) string {
	text, codes, _ := strings.Cut(long, "\n\nExit codes: ")
	var out []string
	example := false
	for _, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "  "):
			if !example {
				out = append(out, "") // what is indented is an example after an empty line alone
			}
			out = append(out, "    "+strings.TrimPrefix(line, "  "))
		default:
			out = append(out, special.ReplaceAllString(line, `\$0`))
		}
		example = strings.HasPrefix(line, "  ")
	}
	if codes == "" {
		return strings.Join(out, "\n")
	}
	out = append(out, "", "# EXIT STATUS")
	for _, one := range strings.Split(codes, " · ") {
		code, means, _ := strings.Cut(one, " ")
		out = append(out, "**"+code+"**", ": "+special.ReplaceAllString(means, `\$0`), "")
	}
	return strings.Join(out, "\n")
}

// completions are the scripts of the three shells, under the names by which the shells find them.
func completions() (map[string][]byte, error) {
	root := cmd.Tree(cmd.NewDeps())
	var bash, zsh, fish bytes.Buffer
	err := errors.Join(root.GenBashCompletionV2(&bash, true), root.GenZshCompletion(&zsh), root.GenFishCompletion(&fish, true))
	return map[string][]byte{"bash/firedrill": bash.Bytes(), "zsh/_firedrill": zsh.Bytes(), "fish/firedrill.fish": fish.Bytes()}, err
}

// pack makes an archive that is the same wherever and whenever it is made.
func pack(files map[string][]byte, at time.Time) []byte {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		head := &tar.Header{Name: path.Join("firedrill-manual", name), Mode: 0o644, Size: int64(len(files[name])), ModTime: at, Format: tar.FormatUSTAR}
		_ = archive.WriteHeader(head) // a buffer does not fail
		_, _ = archive.Write(files[name])
	}
	_, _ = archive.Close(), zip.Close()
	return out.Bytes()
}
